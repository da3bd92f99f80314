//! Commands that are refused: with a limit of one byte a server is always out of memory, and so bytes can be compared.

use crate::{ask, engine, say, server::Server};

/// Commands in a row; those of a group follow a fresh start.
const GROUPS: &[&[&str]] = &[
    &[
        "SET k v",
        "GET k",
        "APPEND k v",
        "SETRANGE k 0 v",
        "INCR n",
        "MSET a 1 b 2",
        "GETSET k v",
        "SETBIT k 1 1",
        "DEL k",
    ],
    &[
        "HSET h f v",
        "LPUSH l 1",
        "RPUSHX l 1",
        "LSET l 0 1",
        "LTRIM l 0 0",
        "SADD s 1",
        "SMOVE s t 1",
        "ZADD z 1 a",
        "SPOP s",
    ],
    &["XADD x * f v", "XGROUP CREATE x g $ MKSTREAM", "XTRIM x MAXLEN 1", "XDEL x 1-1", "PFADD p a", "GEOADD g 1 1 a"],
    &[
        "BITOP NOT a k",
        "COPY k b",
        "RENAME k b",
        "MOVE k 1",
        "SORT k STORE b",
        "SUNIONSTORE a k b",
        "ZRANGESTORE a z 0 1",
    ],
    &[
        "RESTORE k 0 $dump",
        "EXPIRE k 10",
        "PERSIST k",
        "FLUSHALL",
        "SWAPDB 0 1",
        "SCRIPT LOAD return~1",
        "DBSIZE",
        "PING",
    ],
    &[
        "BLMOVE l m LEFT LEFT 1",
        "BLPOP l 0.001",
        "SELECT 1",
        "SET k v",
        "SELECT 0",
        "OBJECT FREQ k",
        "WATCH k",
        "UNWATCH",
    ],
    // Transactions.
    &["MULTI", "GET k", "EXEC"],
    &["MULTI", "SET k v", "EXEC"],
    &["MULTI", "PING", "DISCARD", "GET k"],
    &["MULTI", "MULTI", "EXEC"],
    &["MULTI", "WATCH k", "EXEC"],
    &["MULTI", "EXEC"],
    // The limit comes while a transaction is open.
    &["CONFIG SET maxmemory 0", "MULTI", "GET k", "CONFIG SET maxmemory 1", "EXEC", "SET k v"],
    // Scripts without flags: the first write is refused, and so is all of one that declares flags.
    &["EVAL return~redis.call('get','k') 0", "EVAL return~redis.call('set','k','v') 0"],
    &["EVAL return~redis.pcall('set','k','v') 0", "EVAL return~redis.pcall('set','k','v').err 0"],
    &["EVAL redis.call('del','k')~return~redis.call('set','k','v') 0", "GET k"],
    &["EVAL redis.pcall('set','k','v')~redis.call('del','k')~return~redis.call('set','k','v') 0", "GET k"],
    &["EVAL #!lua|return~1 0", "EVAL #!lua|return~1 0"],
    &["EVAL #!lua~flags=no-writes|return~redis.call('get','k') 0", "EVAL #!lua~flags=no-writes|return~1 0"],
    &["EVAL #!lua~flags=allow-oom|return~redis.call('set','k','v') 0", "GET k"],
    &[
        "EVAL #!lua~flags=allow-oom|return~redis.call('set','k','v') 0",
        "EVAL #!lua~flags=allow-oom|return~redis.call('set','k','v') 0",
    ],
    &["EVAL_RO return~redis.call('get','k') 0", "EVAL_RO #!lua~flags=no-writes|return~1 0"],
    &[
        "CONFIG SET maxmemory 0",
        "SCRIPT LOAD #!lua|return~1",
        "CONFIG SET maxmemory 1",
        "EVALSHA cd3b66a0bb3a42ebaabe7b6c8ad27b6efa7ac3c8 0",
        "EVAL #!lua|return~1 0",
    ],
    &[
        "CONFIG SET maxmemory 0",
        "EVAL #!lua|return~1 0",
        "CONFIG SET maxmemory 1",
        "MULTI",
        "EVAL #!lua|return~1 0",
        "EXEC",
    ],
    // Functions.
    &[
        "FUNCTION LOAD #!lua~name=l|redis.register_function('f',function()~return~1~end)",
        "FUNCTION DELETE l",
        "FUNCTION DUMP",
    ],
    &[
        "CONFIG SET maxmemory 0",
        "FUNCTION LOAD REPLACE #!lua~name=l|redis.register_function('f',function()~return~redis.call('set','k','v')~end)|\
       redis.register_function{function_name='r',callback=function()~return~redis.call('get','k')~end,flags={'no-writes'}}|\
       redis.register_function{function_name='o',callback=function()~return~redis.call('set','k','v')~end,flags={'allow-oom'}}",
        "CONFIG SET maxmemory 1",
        "FCALL f 0",
        "FCALL r 0",
        "FCALL_RO r 0",
        "FCALL o 0",
        "GET k",
        "FCALL nosuch 0",
        "FCALL_RO f 0",
    ],
    // Policies that find nothing to evict.
    &["CONFIG SET maxmemory-policy volatile-lru", "SET k v"],
    &["CONFIG SET maxmemory-policy volatile-ttl", "SET k v"],
    &["CONFIG SET maxmemory-policy volatile-random", "SET k v"],
    &["CONFIG SET maxmemory-policy volatile-lfu", "SET k v"],
    &["CONFIG SET maxmemory-policy allkeys-lru", "SET k v", "GET k", "DBSIZE"],
    &["CONFIG SET maxmemory-policy allkeys-random", "INCR k", "DBSIZE"],
    // What is there is evicted at once.
    &[
        "CONFIG SET maxmemory 0 maxmemory-policy allkeys-lru",
        "MSET a 1 b 2",
        "CONFIG SET maxmemory 1",
        "DBSIZE",
        "SET k v",
    ],
    &[
        "CONFIG SET maxmemory 0 maxmemory-policy volatile-ttl",
        "SET a 1",
        "SET b 1 EX 100",
        "CONFIG SET maxmemory 1",
        "EXISTS a b",
    ],
    // What subscribers hear, and what breaks transactions.
    &["SUBSCRIBE c", "GET k", "UNSUBSCRIBE"],
    &["HELLO 3", "SET k v", "HELLO 2", "RESET", "SET k v", "QUIT"],
];

const START: &[&str] = &[
    "CONFIG SET maxmemory 0 maxmemory-policy noeviction",
    "FLUSHALL",
    "SCRIPT FLUSH",
    "FUNCTION FLUSH",
    "CONFIG SET maxmemory 1",
];

#[test]
fn what_is_refused_without_memory_is_what_the_server_refuses() {
    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    let (mut wrong, mut refused) = (Vec::new(), 0);
    for group in GROUPS {
        let mut connection = server.connect();
        let mut driver = engine();
        for line in START.iter().chain(*group) {
            let (theirs, ours) = (ask(&mut connection, line), reply(&mut driver, line));
            refused += usize::from(theirs.contains("OOM"));
            // The time of the server is its own, and what SUBSCRIBE says is no reply here.
            let random = line.starts_with("FUNCTION DUMP")
                || line.starts_with("HELLO")
                || line.starts_with("SUBSCRIBE")
                || line.starts_with("UNSUBSCRIBE");
            if theirs != ours && !random {
                wrong.push(format!("{line}\n  in {group:?}\n  there {theirs:?}\n  here  {ours:?}"));
            }
        }
    }
    println!("{refused} commands of {} groups were refused", GROUPS.len());
    assert!(refused > 45, "only {refused} commands were refused");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn reply(driver: &mut crate::Driver, line: &str) -> String {
    // Its time runs out at once where the server's does after a moment.
    let reply = say(driver, line);
    if line.starts_with("BLPOP") { "*-1\r\n".to_owned() } else { reply }
}

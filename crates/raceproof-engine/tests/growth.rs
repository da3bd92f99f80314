//! No command copies what it only looks at: what each allocates does not grow with the value, or the database, where Redis
//! documents that the command's work does not either.
//!
//! Bytes allocated are a count that is the same on every machine. They show every copy of a value or of a part of it that is
//! too large; they do not show a walk that copies nothing.

mod common;

use common::Server;

/// What makes a value larger (`%n` is a number), and commands whose work depends on its size by a logarithm at most. `%n`
/// in those is a number that was not used.
const CASES: &[(&str, &[&str])] = &[
    (
        "SET key:%n value",
        &[
            "GET key:5",
            "SET key:7 other",
            "EXISTS key:5",
            "TTL key:5",
            "EXPIRE key:8 100",
            "PERSIST key:8",
            "TYPE key:5",
            "RENAME key:9 key:9",
            "SET new:%n value",
            "DEL new:%n",
            "DBSIZE",
            "RANDOMKEY",
            "SCAN 0",
            "SCAN 4503599627370000",
            "INFO server",
        ],
    ),
    (
        "SET key:%n value EX 1%n",
        &["GET key:5", "EXPIRE key:5 100", "PERSIST key:6", "SET key:7 other KEEPTTL", "DEL key:%n", "TTL key:5"],
    ),
    (
        "RPUSH l element:%n",
        &[
            "LINDEX l 500",
            "LRANGE l 490 510",
            "LRANGE l -10 -1",
            "LLEN l",
            "LPUSH l %n",
            "RPUSH l %n",
            "LPOP l",
            "RPOP l",
            "LSET l 500 x",
            "LMOVE l l LEFT RIGHT",
            "OBJECT ENCODING l",
            "TYPE l",
            "EXPIRE l 1000",
        ],
    ),
    (
        "HSET h field:%n value",
        &[
            "HGET h field:5",
            "HSET h field:5 other",
            "HSET h new:%n x",
            "HDEL h new:%n",
            "HLEN h",
            "HEXISTS h field:5",
            "HINCRBY h counter 1",
            "HSCAN h 0",
            "HMGET h field:1 field:2",
        ],
    ),
    (
        "SADD s member:%n",
        &[
            "SISMEMBER s member:5",
            "SADD s new:%n",
            "SREM s member:%n",
            "SCARD s",
            "SRANDMEMBER s",
            "SPOP s",
            "SSCAN s 0",
            "SMISMEMBER s a b",
        ],
    ),
    (
        "ZADD z %n member:%n",
        &[
            "ZSCORE z member:5",
            "ZADD z 77 member:77",
            "ZADD z %n new:%n",
            "ZINCRBY z 1 member:5",
            "ZRANK z member:500",
            "ZRANGE z 500 510",
            "ZRANGE z 500 510 REV",
            "ZRANGE z 500 510 BYSCORE",
            "ZCOUNT z 100 900",
            "ZCARD z",
            "ZPOPMIN z",
            "ZREM z member:900",
            "ZRANDMEMBER z",
            "ZSCAN z 0",
            "ZREVRANK z member:500",
        ],
    ),
    (
        "XADD x %n-1 field value",
        &[
            "XLEN x",
            "XRANGE x 500 510",
            "XREVRANGE x + - COUNT 5",
            "XADD x * f v",
            "XREAD COUNT 5 STREAMS x 500",
            "XDEL x 600-1",
        ],
    ),
    ("APPEND t 0123456789", &["STRLEN t", "GETRANGE t 500 510", "GETBIT t 5000", "SETBIT t 5000 1", "TYPE t"]),
];

/// How often each command is run: a table that doubles does so in one of them.
const TIMES: usize = 8;
/// What may come on top, for one level more of a tree.
const SLACK: u64 = 2500;

/// The bytes that each command allocates, at its best, where `size` elements are.
fn allocated(make: &str, commands: &[&str], size: usize) -> Vec<u64> {
    let mut server = Server::new();
    for number in 1..=size {
        server.run(&make.replace("%n", &number.to_string()));
    }
    let mut fresh = 10_000_000;
    let mut least = |command: &&str| {
        let runs = (0..TIMES).map(|_| {
            fresh += 1;
            let line = command.replace("%n", &fresh.to_string());
            allocation_counter::measure(|| drop(server.run(&line))).bytes_total
        });
        runs.min().unwrap_or_default()
    };
    commands.iter().map(&mut least).collect()
}

#[test]
fn what_commands_allocate_does_not_grow_with_what_is_there() {
    const FEW: usize = 1000;
    const MANY: usize = 64_000;
    let mut wrong = Vec::new();
    for (make, commands) in CASES {
        let (few, many) = (allocated(make, commands, FEW), allocated(make, commands, MANY));
        for ((command, few), many) in commands.iter().zip(few).zip(many) {
            println!("{command:32} {few:6} bytes among {FEW}, {many:6} among {MANY}");
            if many > few + SLACK {
                wrong.push(format!(
                    "{command} allocates {few} bytes where there are {FEW} of {make:?}, {many} where {MANY}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_copy_of_what_is_there_would_be_noticed() {
    // Documented to take time by the size.
    let copies = &["LRANGE l 0 -1"];
    let (few, many) = (allocated("RPUSH l element:%n", copies, 1000), allocated("RPUSH l element:%n", copies, 64_000));
    assert!(many[0] > few[0] + SLACK, "{few:?} {many:?}");
}

/// One element serves the one who has waited longest, however many wait behind it.
#[test]
fn to_serve_one_does_not_look_at_all_who_wait() {
    let to_serve = |waiting: u32| {
        let mut server = Server::new();
        let mut sessions: Vec<_> = (0..waiting).map(|_| server.engine.connect()).collect();
        sessions.iter().for_each(|session| drop(server.run_on(*session, "BLPOP list other 0")));
        let allocated = allocation_counter::measure(|| drop(server.run("RPUSH list element"))).bytes_total;
        assert!(!server.engine.waits(sessions.remove(0)), "it has its element");
        assert!(sessions.iter().all(|session| server.engine.waits(*session)), "the others wait on");
        allocated
    };
    let (few, many) = (to_serve(10), to_serve(5000));
    assert!(many < few + SLACK, "{few} bytes among 10 that wait, {many} among 5000");
}

/// Expiry takes the same work for each key, however many there are and whatever the time that passes.
#[test]
fn the_expiry_of_many_keys_allocates_as_much_for_each_key() {
    let for_each = |keys: i64| {
        let mut server = Server::new();
        for number in 0..keys {
            let at_ms = common::START_MS + 1 + number * 7919 % keys * 86_400_000 / keys;
            server.run(&format!("SET key:{number} value PXAT {at_ms}"));
        }
        let mut out = raceproof_engine::Outcome::default();
        let counted = allocation_counter::measure(|| {
            while let Some(deadline_ms) = server.engine.next_deadline_ms() {
                server.engine.expire_due(raceproof_engine::Timestamp::from_ms(deadline_ms + 1), &mut out);
            }
        });
        assert_eq!(server.engine.keys().count(), 0);
        counted.bytes_total as f64 / keys as f64
    };
    let (few, many) = (for_each(1000), for_each(50_000));
    println!("{few:.0} bytes for each of 1,000 keys, {many:.0} for each of 50,000");
    assert!(many < few * 1.5, "{few} bytes for each of 1,000 keys, {many} for each of 50,000");
}

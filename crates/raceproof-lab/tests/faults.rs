//! What goes wrong with a whole server, on a real one: it comes back with the entries of its log that survive and no
//! others, a replica takes its place, it evicts the key that it is to evict, its clock is stepped.

use bytes::Bytes;
use raceproof_explore::{Backend, BackendError};
use raceproof_lab::{RealRedis, RedisServer, Reply};

/// A server whose clock is held, and one whose clock is the machine's.
fn both() -> [RealRedis; 2] {
    [RealRedis::start().expect("redis-server starts"), running()]
}

fn running() -> RealRedis {
    RealRedis::start_with_running_clock().expect("redis-server starts")
}

fn try_call(redis: &mut RealRedis, session: u32, command: &str) -> Result<Reply, BackendError> {
    let args: Vec<Bytes> = command.split(' ').map(|arg| Bytes::copy_from_slice(arg.as_bytes())).collect();
    redis.execute(session, &args)
}

fn call(redis: &mut RealRedis, session: u32, command: &str) -> Reply {
    try_call(redis, session, command).unwrap_or_else(|error| panic!("{command}: {error}"))
}

/// Executes a command that writes an entry of the log.
fn write(redis: &mut RealRedis, session: u32, command: &str, entry: usize) -> Reply {
    let reply = call(redis, session, command);
    redis.logged(entry).expect("the server answers");
    reply
}

fn bulk(text: &'static str) -> Reply {
    Reply::Bulk(text.into())
}

fn text(reply: &Reply) -> String {
    match reply {
        Reply::Bulk(text) => String::from_utf8_lossy(text).into_owned(),
        other => panic!("{other:?} is no text"),
    }
}

/// What a server that comes back is asked to do.
#[derive(Clone, Copy, Debug)]
enum Back {
    Restart,
    Failover,
}

impl Back {
    const ALL: [Self; 2] = [Self::Restart, Self::Failover];

    fn with(self, redis: &mut RealRedis, entries: usize) {
        match self {
            Self::Restart => redis.restart(Some(entries)),
            Self::Failover => redis.failover(entries),
        }
        .unwrap_or_else(|error| panic!("{self:?} with {entries}: {error}"));
    }
}

/// The setup, and three entries: a key, a transaction, a script with two writes.
fn three_entries(redis: &mut RealRedis) {
    redis.reset().expect("the server answers");
    redis.connect(0).expect("the server listens");
    call(redis, 0, "SET setup 0");
    call(redis, 0, "INFO server");
    redis.logged(0).expect("the server answers");
    write(redis, 0, "SET first 1", 1);
    call(redis, 0, "MULTI");
    call(redis, 0, "SELECT 3");
    call(redis, 0, "SET second 2");
    call(redis, 0, "SELECT 0");
    call(redis, 0, "INCR first");
    write(redis, 0, "EXEC", 2);
    let script = "redis.call('SET','third',3)redis.call('SET','fourth',4)";
    let args = [b"EVAL".as_ref(), script.as_bytes(), b"0"].map(Bytes::copy_from_slice);
    redis.execute(0, &args).expect("it runs");
    redis.logged(3).expect("the server answers");
}

/// The keys of database 0, that of `first`, and the keys of database 3.
fn left(redis: &mut RealRedis) -> (Vec<String>, Option<String>, usize) {
    redis.connect(0).expect("the server listens");
    let Reply::Array(keys) = call(redis, 0, "KEYS *") else { panic!("KEYS gives a list") };
    let mut keys: Vec<String> = keys.iter().map(text).collect();
    keys.sort();
    let first = Some(call(redis, 0, "GET first")).filter(|first| *first != Reply::Null);
    call(redis, 0, "SELECT 3");
    let Reply::Array(others) = call(redis, 0, "KEYS *") else { panic!("KEYS gives a list") };
    (keys, first.as_ref().map(text), others.len())
}

#[test]
fn every_beginning_of_the_log_comes_back_whole() {
    for mut redis in both() {
        for back in Back::ALL {
            for entries in 0..=3 {
                three_entries(&mut redis);
                let pid = redis.server().pid();
                back.with(&mut redis, entries);
                assert_ne!(redis.server().pid(), pid, "it is another process");
                assert!(try_call(&mut redis, 0, "PING").is_err(), "its sessions are closed");
                let expected: (&[&str], _, _) = match entries {
                    0 => (&["setup"], None, 0),
                    1 => (&["first", "setup"], Some("1"), 0),
                    2 => (&["first", "setup"], Some("2"), 1),
                    _ => (&["first", "fourth", "setup", "third"], Some("2"), 1),
                };
                let expected =
                    (expected.0.iter().map(ToString::to_string).collect(), expected.1.map(str::to_owned), expected.2);
                assert_eq!(left(&mut redis), expected, "{back:?} with {entries}");
            }
        }
    }
}

#[test]
fn nothing_comes_back_where_nothing_was_kept_and_what_is_written_then_is() {
    for mut redis in both() {
        three_entries(&mut redis);
        redis.restart(None).expect("it starts");
        assert_eq!(left(&mut redis), (vec![], None, 0));
        call(&mut redis, 0, "SELECT 0");
        write(&mut redis, 0, "SET later 1", 1);
        write(&mut redis, 0, "SET latest 1", 2);
        redis.restart(Some(1)).expect("it starts");
        assert_eq!(left(&mut redis).0, ["later"]);
    }
}

#[test]
fn it_can_go_down_again_and_again_in_any_way() {
    for mut redis in both() {
        three_entries(&mut redis);
        Back::Restart.with(&mut redis, 2);
        redis.connect(0).expect("the server listens");
        write(&mut redis, 0, "SET fifth 5", 3);
        Back::Failover.with(&mut redis, 3);
        assert_eq!(left(&mut redis).0, ["fifth", "first", "setup"]);
        call(&mut redis, 0, "SELECT 0");
        write(&mut redis, 0, "SET sixth 6", 4);
        write(&mut redis, 0, "SET seventh 7", 5);
        Back::Restart.with(&mut redis, 4);
        assert_eq!(left(&mut redis).0, ["fifth", "first", "setup", "sixth"]);
        Back::Failover.with(&mut redis, 1);
        assert_eq!(left(&mut redis), (vec!["first".to_owned(), "setup".to_owned()], Some("1".to_owned()), 0));
    }
}

#[test]
fn the_replica_that_takes_over_was_one_and_is_none() {
    for mut redis in both() {
        three_entries(&mut redis);
        redis.failover(1).expect("the replica takes over");
        let log = redis.server().log();
        assert!(log.contains("MASTER <-> REPLICA sync: Finished with success"), "{log}");
        redis.connect(0).expect("the server listens");
        let role = text(&call(&mut redis, 0, "INFO replication"));
        assert!(role.contains("role:master"), "{role}");
    }
}

#[test]
fn deadlines_come_back_on_the_played_clock() {
    for back in Back::ALL {
        for mut redis in both() {
            redis.connect(0).expect("the server listens");
            redis.logged(0).expect("the server answers");
            write(&mut redis, 0, "SET k v PX 30000", 1);
            write(&mut redis, 0, "SET brief v PX 5000", 2);
            redis.advance(20_000).expect("far from any deadline");
            write(&mut redis, 0, "PERSIST k", 3);
            back.with(&mut redis, 2);
            redis.connect(0).expect("the server listens");
            assert_eq!(call(&mut redis, 0, "EXISTS brief"), Reply::Integer(0), "{back:?}: its time is over");
            assert_eq!(call(&mut redis, 0, "TTL k"), Reply::Integer(10), "{back:?}: what made it last is lost");
            redis.advance(10_000).expect("played again until it is certain");
            redis.connect(1).expect("the server listens");
            assert_eq!(call(&mut redis, 1, "EXISTS k"), Reply::Integer(1));
            redis.advance(1).expect("it is exact");
            assert_eq!(call(&mut redis, 1, "EXISTS k"), Reply::Integer(0));
        }
    }
}

#[test]
fn scripts_and_settings_are_gone_after_it() {
    for mut redis in both() {
        for back in Back::ALL {
            redis.reset().expect("the server answers");
            redis.connect(0).expect("the server listens");
            let sha = text(&call(&mut redis, 0, "SCRIPT LOAD return"));
            call(&mut redis, 0, "CONFIG SET maxmemory-policy allkeys-lru");
            redis.logged(0).expect("the server answers");
            back.with(&mut redis, 0);
            redis.connect(0).expect("the server listens");
            let known = call(&mut redis, 0, &format!("SCRIPT EXISTS {sha}"));
            assert_eq!(known, Reply::Array(vec![Reply::Integer(0)]), "{back:?}");
            let policy = call(&mut redis, 0, "CONFIG GET maxmemory-policy");
            assert_eq!(policy, Reply::Array(vec![bulk("maxmemory-policy"), bulk("noeviction")]), "{back:?}");
        }
        call(&mut redis, 0, "CONFIG SET maxmemory-policy allkeys-lru");
        redis.reset().expect("the server answers");
        redis.connect(0).expect("the server listens");
        let policy = call(&mut redis, 0, "CONFIG GET maxmemory-policy");
        assert_eq!(
            policy,
            Reply::Array(vec![bulk("maxmemory-policy"), bulk("noeviction")]),
            "a reset leaves no setting"
        );
    }
}

#[test]
fn the_key_is_evicted_and_no_other() {
    for mut redis in both() {
        for session in 0..4 {
            redis.connect(session).expect("the server listens");
        }
        call(&mut redis, 1, "SELECT 2");
        for (session, key) in [(0, "a"), (0, "b"), (1, "a"), (1, "c")] {
            call(&mut redis, session, &format!("SET {key} v"));
        }
        call(&mut redis, 0, "SET soon v PX 3000");
        call(&mut redis, 1, "SET late v PX 90000");
        call(&mut redis, 2, "WATCH a");
        call(&mut redis, 3, "WATCH soon b");
        redis.evict(0, b"a").expect("it is short of memory");
        assert_eq!(call(&mut redis, 0, "EXISTS a b soon"), Reply::Integer(2));
        assert_eq!(call(&mut redis, 1, "EXISTS a c late"), Reply::Integer(3));
        assert_eq!(call(&mut redis, 1, "TTL late"), Reply::Integer(90));
        for (session, reply) in [(2, Reply::NullArray), (3, Reply::Array(vec![]))] {
            call(&mut redis, session, "MULTI");
            assert_eq!(call(&mut redis, session, "EXEC"), reply, "its key was evicted, or was not");
        }
        redis.evict(2, b"late").expect("a volatile key as well");
        assert_eq!(call(&mut redis, 1, "EXISTS a c late"), Reply::Integer(2));
        redis.advance(3001).expect("it is certain");
        assert_eq!(call(&mut redis, 0, "EXISTS soon"), Reply::Integer(0), "its deadline is what it was");
        let error = redis.evict(0, b"missing").unwrap_err().to_string();
        assert_eq!(error, "the server did not evict \"missing\" alone: evicted_keys rose by 0");
    }
}

#[test]
fn an_eviction_is_an_entry_of_the_log() {
    for mut redis in both() {
        redis.connect(0).expect("the server listens");
        call(&mut redis, 0, "SET k v");
        redis.logged(0).expect("the server answers");
        redis.evict(0, b"k").expect("it is short of memory");
        redis.logged(1).expect("the server answers");
        for (back, entries, there) in [(Back::Failover, 1, 0), (Back::Restart, 1, 0), (Back::Failover, 0, 1)] {
            back.with(&mut redis, entries);
            redis.connect(0).expect("the server listens");
            assert_eq!(call(&mut redis, 0, "EXISTS k"), Reply::Integer(there), "{back:?} with {entries}");
        }
    }
}

#[test]
fn the_servers_clock_is_stepped_forward_and_back() {
    for mut redis in both() {
        let start_ms = redis.now_ms().expect("the server answers");
        redis.connect(0).expect("the server listens");
        call(&mut redis, 0, "SET k v PX 5000");
        call(&mut redis, 0, "SET brief v PX 1000");
        redis.step_clock(-3_600_000).expect("far from any deadline");
        assert_eq!(call(&mut redis, 0, "TTL k"), Reply::Integer(3605));
        redis.step_clock(3_601_001).expect("played again until it is certain");
        assert_eq!(call(&mut redis, 0, "EXISTS k brief"), Reply::Integer(1));
        assert_eq!(call(&mut redis, 0, "TTL k"), Reply::Integer(4));
        // An instant of the server's clock, which is 1,001 ms ahead.
        call(&mut redis, 0, &format!("SET absolute v PXAT {}", start_ms + 1_001 + 60_000));
        assert_eq!(call(&mut redis, 0, "TTL absolute"), Reply::Integer(60));
    }
}

#[test]
fn a_server_that_keeps_no_log_is_not_restarted() {
    let server = RedisServer::start().expect("redis-server starts");
    let mut redis = RealRedis::new(server).expect("the server answers");
    redis.logged(0).expect("nothing is wrong yet");
    let error = redis.restart(Some(0)).unwrap_err().to_string();
    assert!(error.contains("after entry 0 of its log: it keeps no append-only file"), "{error}");
}

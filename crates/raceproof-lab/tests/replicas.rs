//! Reads from a real replica, which is up to date or has what it is to show and no more.

use bytes::Bytes;
use raceproof_explore::{Backend, BackendError};
use raceproof_lab::{RealRedis, Reply};

const PRIMARY: u32 = 0;
const REPLICA: u32 = 1;

fn both() -> RealRedis {
    of(RealRedis::start().expect("redis-server starts"))
}

/// Sessions with a server and with its replica.
fn of(mut redis: RealRedis) -> RealRedis {
    redis.connect(PRIMARY).expect("the server listens");
    redis.logged(0).expect("the server answers");
    redis.connect_to_replica(REPLICA).expect("it has a replica");
    redis
}

fn ask(redis: &mut RealRedis, session: u32, command: &str) -> Result<Reply, BackendError> {
    let args: Vec<Bytes> = command.split(' ').map(|arg| Bytes::copy_from_slice(arg.as_bytes())).collect();
    redis.execute(session, &args)
}

fn call(redis: &mut RealRedis, session: u32, command: &str) -> Reply {
    ask(redis, session, command).unwrap_or_else(|error| panic!("{command}: {error}"))
}

/// Appends `text` to a key, as the entry of the log with this number.
fn append(redis: &mut RealRedis, text: &str, entry: usize) {
    call(redis, PRIMARY, &format!("APPEND k {text}"));
    redis.logged(entry).expect("the server answers");
}

/// What the replica shows of the key if it has so many entries.
fn shown_after(redis: &mut RealRedis, entries: usize) -> Reply {
    redis.lag_behind(entries).expect("the replica is held back");
    call(redis, REPLICA, "GET k")
}

fn bulk(text: &'static str) -> Reply {
    Reply::Bulk(text.into())
}

#[test]
fn it_is_up_to_date_and_a_replica() {
    let mut redis = both();
    append(&mut redis, "a", 1);
    assert_eq!(call(&mut redis, REPLICA, "GET k"), bulk("a"));
    append(&mut redis, "b", 2);
    assert_eq!(call(&mut redis, REPLICA, "GET k"), bulk("ab"));
    assert_eq!(
        call(&mut redis, REPLICA, "SET k c"),
        Reply::Error("READONLY You can't write against a read only replica.".into())
    );
    assert_eq!(call(&mut redis, PRIMARY, "GET k"), bulk("ab"));
}

#[test]
fn it_shows_what_it_is_to_show_and_then_catches_up() {
    for entries in 0..=2 {
        let mut redis = both();
        append(&mut redis, "a", 1);
        append(&mut redis, "b", 2);
        append(&mut redis, "c", 3);
        let expected = [Reply::Null, bulk("a"), bulk("ab")];
        assert_eq!(shown_after(&mut redis, entries), expected[entries]);
        assert_eq!(call(&mut redis, REPLICA, "GET k"), bulk("abc"));
        append(&mut redis, "d", 4);
        assert_eq!(call(&mut redis, REPLICA, "GET k"), bulk("abcd"));
    }
}

#[test]
fn it_lags_behind_again_and_again() {
    let mut redis = both();
    append(&mut redis, "a", 1);
    assert_eq!(shown_after(&mut redis, 0), Reply::Null);
    assert_eq!(shown_after(&mut redis, 0), Reply::Null);
    append(&mut redis, "b", 2);
    assert_eq!(shown_after(&mut redis, 1), bulk("a"));
    assert_eq!(call(&mut redis, REPLICA, "GET k"), bulk("ab"));
}

#[test]
fn its_sessions_go_on_when_it_is_held_back() {
    let mut redis = both();
    call(&mut redis, REPLICA, "SELECT 1");
    call(&mut redis, PRIMARY, "SELECT 1");
    append(&mut redis, "a", 1);
    append(&mut redis, "b", 2);
    assert_eq!(shown_after(&mut redis, 1), bulk("a"));
    assert_eq!(call(&mut redis, REPLICA, "GET k"), bulk("ab"));
}

#[test]
fn what_takes_more_than_one_replica_is_refused() {
    let mut redis = both();
    append(&mut redis, "a", 1);
    append(&mut redis, "b", 2);
    assert_eq!(shown_after(&mut redis, 0), Reply::Null);
    let part = redis.lag_behind(1).expect_err("it has received both or none").0;
    assert_eq!(
        part,
        "a replica that has received a part of what it lacked cannot be played: the lab has one replica to read, which \
         follows its primary or does not"
    );
    let mut redis = both();
    let down = redis.restart(Some(0)).expect_err("it is read").0;
    assert!(down.starts_with("a server that goes down while its replica is read cannot be played"), "{down}");
}

#[test]
fn time_passes_for_a_replica_that_is_held_back_where_the_clock_is_held() {
    let running = RealRedis::start_with_running_clock().expect("redis-server starts");
    for (mut redis, held) in [(both(), true), (of(running), false)] {
        call(&mut redis, PRIMARY, "SET v 1 PX 60000");
        redis.logged(1).expect("the server answers");
        redis.advance(10).expect("time passes");
        assert_eq!(call(&mut redis, REPLICA, "GET v"), bulk("1"), "it follows its primary");
        redis.advance(60_000).expect("time passes");
        assert_eq!(call(&mut redis, REPLICA, "GET v"), Reply::Null);
        let late = redis.lag_behind(0).err().map(|error| error.0).unwrap_or_default();
        assert_eq!(late.starts_with("time that passes for a replica that lags behind needs the lab's clock"), !held);
    }
}

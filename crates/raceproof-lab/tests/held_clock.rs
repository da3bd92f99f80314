//! A server whose clock is held: all that depends on its time happens when the clock says so, and is told as ever.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use raceproof_explore::Backend;
use raceproof_lab::{HeldClock, LabError, RealRedis, RedisServer, Reply};

const START_MS: i64 = 1_700_000_000_000;

fn play() -> RealRedis {
    RealRedis::start().expect("redis-server starts")
}

fn args(command: &str) -> Vec<Bytes> {
    command.split(' ').map(|arg| Bytes::copy_from_slice(arg.as_bytes())).collect()
}

fn call(redis: &mut RealRedis, session: u32, command: &str) -> Reply {
    redis.execute(session, &args(command)).unwrap_or_else(|error| panic!("{command}: {error}"))
}

/// Opens sessions 0 to N − 1.
fn connect<const N: usize>(redis: &mut RealRedis) -> [u32; N] {
    std::array::from_fn(|session| {
        let session = u32::try_from(session).expect("a few sessions");
        redis.connect(session).expect("the server listens");
        session
    })
}

fn advance(redis: &mut RealRedis, by_ms: i64) {
    redis.advance(by_ms).unwrap_or_else(|error| panic!("{by_ms} ms: {error}"));
}

fn bulk(text: impl Into<Bytes>) -> Reply {
    Reply::Bulk(text.into())
}

fn integers<const N: usize>(numbers: [i64; N]) -> Reply {
    Reply::Array(numbers.map(Reply::Integer).to_vec())
}

/// The channel and the payload of the next message.
fn heard(redis: &mut RealRedis, session: u32) -> (String, String) {
    let message = redis.message(session).expect("there is one");
    let (Reply::Array(parts) | Reply::Push(parts)) = &message else { panic!("{message:?} is no message") };
    let text = |part: &Reply| match part {
        Reply::Bulk(text) => String::from_utf8_lossy(text).into_owned(),
        other => format!("{other:?}"),
    };
    (text(&parts[parts.len() - 2]), text(&parts[parts.len() - 1]))
}

/// No message has come that nobody has asked for: the next thing to be heard is this one.
fn hears_nothing_else(redis: &mut RealRedis, session: u32, by: u32, channel: &str) {
    call(redis, by, &format!("PUBLISH {channel} end"));
    assert_eq!(heard(redis, session).1, "end");
}

#[test]
fn a_server_has_the_clock_that_it_was_given_for_good() {
    let clock = Arc::new(HeldClock::new(START_MS).expect("clocks can be held here"));
    let mut server = RedisServer::builder().clock(Arc::clone(&clock)).start().expect("redis-server starts");
    let time = |server: &RedisServer| server.connect().expect("it listens").call(&["TIME"]).expect("it replies");
    let shown = |ms: i64| Reply::Array(vec![bulk((ms / 1000).to_string()), bulk((ms % 1000 * 1000).to_string())]);
    assert_eq!(time(&server), shown(START_MS));
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(time(&server), shown(START_MS), "it stands still");
    for now_ms in [START_MS + 86_400_123, START_MS - 7] {
        clock.set(now_ms).expect("such a time");
        assert_eq!(time(&server), shown(now_ms));
    }
    server.restart().expect("it starts again");
    assert_eq!(time(&server), shown(START_MS - 7));
    let other = server.another().expect("redis-server starts");
    assert_eq!(time(&other), shown(START_MS - 7), "servers share it");
}

#[test]
fn a_server_that_does_not_take_it_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("another-server");
    std::fs::write(&program, "#!/bin/sh\nunset LD_PRELOAD\nexec redis-server \"$@\"\n").expect("a file");
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).expect("it is ours");
    // A server that starts within the second shows the same one.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later");
    let now_ms = i64::try_from(since.as_millis()).expect("not that late");
    let clock = Arc::new(HeldClock::new(now_ms).expect("clocks can be held here"));
    let error = RedisServer::builder().program(&program).clock(clock).start().unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, LabError::ClockNotHeld { .. }) && text.contains("another-server"), "{text}");
}

#[test]
fn what_is_refused_without_it_is_refused_with_the_reason() {
    let server = RedisServer::start().expect("redis-server starts");
    let mut redis = RealRedis::new(server).expect("the server answers");
    let [a] = connect(&mut redis);
    let error = redis.execute(a, &args("TIME")).expect_err("it has another clock").to_string();
    assert_eq!(error, "TIME needs the lab's clock: the server was started with the machine's");
}

#[test]
fn what_asks_the_servers_clock_is_told_the_played_time_to_the_millisecond() {
    let mut redis = play();
    let start_ms = redis.now_ms().expect("the server answers");
    let [a] = connect(&mut redis);
    call(&mut redis, a, "SET k v PX 30000");
    advance(&mut redis, 29_999);
    let seconds = ((start_ms + 29_999) / 1000).to_string();
    let micros = ((start_ms + 29_999) % 1000 * 1000).to_string();
    assert_eq!(call(&mut redis, a, "TIME"), Reply::Array(vec![bulk(seconds), bulk(micros)]));
    assert_eq!(call(&mut redis, a, "PEXPIRETIME k"), Reply::Integer(start_ms + 30_000));
    assert_eq!(call(&mut redis, a, "PTTL k"), Reply::Integer(1));
    let script = [b"EVAL".as_ref(), b"local t = redis.call('PEXPIRETIME', 'k') return t", b"0"];
    let told = redis.execute(a, &script.map(Bytes::copy_from_slice)).expect("it runs");
    assert_eq!(told, Reply::Integer(start_ms + 30_000));
    std::thread::sleep(Duration::from_millis(5));
    advance(&mut redis, 1);
    assert_eq!(call(&mut redis, a, "PTTL k"), Reply::Integer(0), "its last millisecond");
    advance(&mut redis, 1);
    assert_eq!(call(&mut redis, a, "PTTL k"), Reply::Integer(-2));
}

#[test]
fn entries_of_streams_are_idle_for_as_long_as_was_played() {
    let mut redis = play();
    let [a] = connect(&mut redis);
    call(&mut redis, a, "XADD s 1-1 f v");
    call(&mut redis, a, "XGROUP CREATE s g 0");
    call(&mut redis, a, "XREADGROUP GROUP g one STREAMS s >");
    let nothing = Reply::Array(vec![bulk("0-0"), Reply::Array(vec![]), Reply::Array(vec![])]);
    let pending = |idle_ms: i64, of: &'static str, times: i64| {
        let entry = vec![bulk("1-1"), bulk(of), Reply::Integer(idle_ms), Reply::Integer(times)];
        Reply::Array(vec![Reply::Array(entry)])
    };
    std::thread::sleep(Duration::from_millis(5));
    assert_eq!(call(&mut redis, a, "XPENDING s g - + 9"), pending(0, "one", 1));
    advance(&mut redis, 59_999);
    assert_eq!(call(&mut redis, a, "XAUTOCLAIM s g two 60000 0"), nothing);
    assert_eq!(call(&mut redis, a, "XPENDING s g - + 9"), pending(59_999, "one", 1));
    advance(&mut redis, 1);
    assert_ne!(call(&mut redis, a, "XAUTOCLAIM s g two 60000 0"), nothing);
    assert_eq!(call(&mut redis, a, "XPENDING s g - + 9"), pending(0, "two", 2));
}

#[test]
fn waits_end_when_the_clock_says_so() {
    let mut redis = play();
    let [a, b, c] = connect(&mut redis);
    redis.send(a, &args("BLPOP jobs 5")).expect("it waits");
    redis.send(b, &args("BLPOP jobs 9")).expect("it waits");
    advance(&mut redis, 5_000);
    call(&mut redis, c, "RPUSH jobs one");
    assert_eq!(redis.receive(a, false), Ok(Reply::Array(vec![bulk("jobs"), bulk("one")])), "5 s are not over");
    redis.send(a, &args("BLPOP jobs 5")).expect("it waits");
    advance(&mut redis, 4_001);
    assert_eq!(redis.receive(b, true), Ok(Reply::NullArray));
    advance(&mut redis, 1_000);
    assert_eq!(redis.receive(a, true), Ok(Reply::NullArray));
    assert_eq!(call(&mut redis, c, "RPUSH jobs two"), Reply::Integer(1), "nobody waits");
}

#[test]
fn keys_end_in_the_order_of_their_deadlines_and_each_is_told_once() {
    let mut redis = play();
    let [ear, a] = connect(&mut redis);
    call(&mut redis, a, "CONFIG SET notify-keyspace-events KEA");
    for (key, ms) in [("second", 200), ("third", 300), ("lasting", 9_000), ("first", 100)] {
        call(&mut redis, a, &format!("SET {key} v PX {ms}"));
    }
    call(&mut redis, ear, "SUBSCRIBE __keyevent@0__:expired __keyevent@0__:expire __keyevent@0__:del");
    advance(&mut redis, 99);
    advance(&mut redis, 1_000);
    advance(&mut redis, -500);
    for key in ["first", "second", "third"] {
        assert_eq!(heard(&mut redis, ear), ("__keyevent@0__:expired".to_owned(), key.to_owned()));
    }
    hears_nothing_else(&mut redis, ear, a, "__keyevent@0__:del");
}

#[test]
fn who_tracks_keys_is_told_of_their_ends_and_nothing_else() {
    let mut redis = play();
    let [a, ear, other] = connect(&mut redis);
    redis.show_id(ear, 20_100).expect("it has a number");
    call(&mut redis, ear, "SUBSCRIBE __redis__:invalidate");
    assert_eq!(call(&mut redis, a, "CLIENT TRACKING ON REDIRECT 20100"), Reply::Status("OK".into()));
    assert_eq!(call(&mut redis, a, "CLIENT GETREDIR"), Reply::Integer(20_100));
    call(&mut redis, other, "SET brief v PX 100");
    call(&mut redis, other, "SET lasting v PX 90000");
    call(&mut redis, a, "MGET brief lasting");
    advance(&mut redis, 50);
    advance(&mut redis, 51);
    assert_eq!(heard(&mut redis, ear).1, format!("{:?}", Reply::Array(vec![bulk("brief")])));
    call(&mut redis, other, "SET lasting w");
    assert_eq!(heard(&mut redis, ear).1, format!("{:?}", Reply::Array(vec![bulk("lasting")])));
    hears_nothing_else(&mut redis, ear, other, "__redis__:invalidate");
}

#[test]
fn an_eviction_is_told_and_what_is_done_for_it_is_not() {
    let mut redis = play();
    let [ear, a] = connect(&mut redis);
    call(&mut redis, a, "CONFIG SET notify-keyspace-events EA");
    call(&mut redis, a, "MSET one 1 two 2");
    call(&mut redis, a, "SET volatile v PX 5000");
    call(&mut redis, ear, "PSUBSCRIBE __keyevent@0__:*");
    redis.evict(0, b"one").expect("it is short of memory");
    assert_eq!(heard(&mut redis, ear), ("__keyevent@0__:evicted".to_owned(), "one".to_owned()));
    call(&mut redis, a, "DEL two");
    assert_eq!(heard(&mut redis, ear), ("__keyevent@0__:del".to_owned(), "two".to_owned()));
    assert_eq!(call(&mut redis, a, "PTTL volatile"), Reply::Integer(5_000));
}

#[test]
fn who_tracks_a_key_is_told_once_that_it_was_evicted() {
    for mode in ["", " BCAST"] {
        let mut redis = play();
        let [a, ear, other] = connect(&mut redis);
        redis.show_id(ear, 20_100).expect("it has a number");
        call(&mut redis, ear, "SUBSCRIBE __redis__:invalidate");
        call(&mut redis, other, "MSET one 1 two 2");
        call(&mut redis, a, &format!("CLIENT TRACKING ON REDIRECT 20100{mode}"));
        call(&mut redis, a, "MGET one two");
        redis.evict(0, b"one").expect("it is short of memory");
        assert_eq!(heard(&mut redis, ear).1, format!("{:?}", Reply::Array(vec![bulk("one")])), "{mode}");
        hears_nothing_else(&mut redis, ear, other, "__redis__:invalidate");
        call(&mut redis, other, "SET volatile v EX 100");
        let error = redis.evict(0, b"two").expect_err("the other key would be touched").to_string();
        assert!(error.contains("\"volatile\"") && error.contains("somebody tracks keys"), "{error}");
    }
}

#[test]
fn deadlines_that_pass_while_it_is_down_have_passed() {
    let mut redis = play();
    let [a] = connect(&mut redis);
    call(&mut redis, a, "SET brief v PX 1000");
    call(&mut redis, a, "SET lasting v PX 9000");
    redis.logged(0).expect("the server answers");
    advance(&mut redis, 1_001);
    assert_eq!(call(&mut redis, a, "EXISTS brief lasting"), Reply::Integer(1));
    for failover in [false, true] {
        if failover { redis.failover(0) } else { redis.restart(Some(0)) }.expect("it comes back");
        redis.connect(a).expect("the server listens");
        assert_eq!(call(&mut redis, a, "DBSIZE"), Reply::Integer(1), "brief has ended");
        assert_eq!(call(&mut redis, a, "PTTL lasting"), Reply::Integer(7_999));
    }
}

#[test]
fn time_passes_for_a_replica_that_is_held_back() {
    let (primary, replica) = (0, 1);
    let mut redis = play();
    redis.connect(primary).expect("the server listens");
    redis.logged(0).expect("the server answers");
    redis.connect_to_replica(replica).expect("it has a replica");
    call(&mut redis, primary, "SET k v PX 60000");
    redis.logged(1).expect("the server answers");
    call(&mut redis, primary, "SET k w KEEPTTL");
    redis.logged(2).expect("the server answers");
    advance(&mut redis, 59_000);
    redis.lag_behind(1).expect("the replica is held back");
    assert_eq!(call(&mut redis, replica, "MGET k"), Reply::Array(vec![bulk("v")]));
    redis.lag_behind(1).expect("the replica is held back");
    assert_eq!(call(&mut redis, replica, "PTTL k"), Reply::Integer(1_000));
    advance(&mut redis, 1_001);
    redis.lag_behind(1).expect("the replica is held back");
    assert_eq!(call(&mut redis, replica, "GET k"), Reply::Null, "ended, though the replica was not told");
    assert_eq!(call(&mut redis, replica, "GET k"), Reply::Null);
}

#[test]
fn a_reset_goes_back_to_the_beginning_of_time() {
    let mut redis = play();
    let start_ms = redis.now_ms().expect("the server answers");
    let [a] = connect(&mut redis);
    advance(&mut redis, 7_200_000);
    call(&mut redis, a, "SET k v PX 1000");
    redis.reset().expect("the server answers");
    assert_eq!(redis.now_ms(), Ok(start_ms));
    let [a] = connect(&mut redis);
    call(&mut redis, a, "SET k v PX 1000");
    assert_eq!(call(&mut redis, a, "PEXPIRETIME k"), Reply::Integer(start_ms + 1_000));
    let watched = ["WATCH k", "MULTI", "INCR n"].map(|command| call(&mut redis, a, command));
    assert_eq!(watched[2], Reply::Status("QUEUED".into()));
    advance(&mut redis, 999);
    assert_eq!(call(&mut redis, a, "EXEC"), integers([1]), "a clock that moves touches no key, inside MULTI as well");
}

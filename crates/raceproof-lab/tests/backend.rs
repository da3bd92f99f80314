//! Executions played on a real redis-server: sessions apart, deadlines exact, watches undisturbed.

use bytes::Bytes;
use raceproof_lab::{LabError, RealRedis, RedisServer, Reply, SessionId};

fn play() -> RealRedis {
    RealRedis::new(RedisServer::start().expect("redis-server starts")).expect("it answers")
}

fn try_call(redis: &mut RealRedis, session: SessionId, command: &str) -> Result<Reply, LabError> {
    let args: Vec<Bytes> = command.split(' ').map(|arg| Bytes::copy_from_slice(arg.as_bytes())).collect();
    redis.execute(session, &args)
}

fn call(redis: &mut RealRedis, session: SessionId, command: &str) -> Reply {
    try_call(redis, session, command).unwrap_or_else(|error| panic!("{command}: {error}"))
}

fn connect(redis: &mut RealRedis) -> SessionId {
    redis.connect().expect("the server listens")
}

fn ok() -> Reply {
    Reply::Status("OK".into())
}

fn bulk(text: &'static str) -> Reply {
    Reply::Bulk(text.into())
}

#[test]
fn the_last_millisecond_is_lived_through_and_not_one_more() {
    let mut redis = play();
    // On a slow machine a deadline may be imprecise, which is said; of the others none may be wrong.
    let mut exact = 0;
    for _ in 0..200 {
        redis.reset().expect("the server answers");
        let a = connect(&mut redis);
        assert_eq!(call(&mut redis, a, "SET lock A NX PX 30000"), ok());
        match redis.advance(30_000) {
            Ok(()) => exact += 1,
            Err(LabError::Imprecise { .. }) => continue,
            Err(error) => panic!("{error}"),
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
        assert_eq!(call(&mut redis, a, "GET lock"), bulk("A"));
        redis.advance(1).expect("it is exact");
        assert_eq!(call(&mut redis, a, "GET lock"), Reply::Null);
        if exact == 10 {
            return;
        }
    }
    panic!("of 200 deadlines only {exact} were exact");
}

/// The key `k` has this long to live, give or take what a busy machine needs for two commands.
fn assert_left(redis: &mut RealRedis, session: SessionId, expected_ms: i64) {
    let Reply::Integer(left_ms) = call(redis, session, "PTTL k") else { panic!("PTTL gives a number") };
    assert!((left_ms - expected_ms).abs() <= 100, "{left_ms} ms are left, not {expected_ms}");
}

#[test]
fn real_time_does_not_count() {
    let mut redis = play();
    let a = connect(&mut redis);
    call(&mut redis, a, "SET k v PX 5000");
    call(&mut redis, a, "SET short v PX 400");
    std::thread::sleep(std::time::Duration::from_millis(700));
    assert_left(&mut redis, a, 5000);
    assert_eq!(call(&mut redis, a, "EXISTS short"), Reply::Integer(1));
    redis.advance(390).expect("certain, however slow the machine is");
    assert_eq!(call(&mut redis, a, "EXISTS short"), Reply::Integer(1));
    redis.advance(2000).expect("certain, however slow the machine is");
    assert_eq!(call(&mut redis, a, "EXISTS short"), Reply::Integer(0));
    assert_left(&mut redis, a, 2610);
}

#[test]
fn all_databases_age_and_lasting_keys_do_not() {
    let mut redis = play();
    let (a, b) = (connect(&mut redis), connect(&mut redis));
    call(&mut redis, b, "SELECT 5");
    for session in [a, b] {
        call(&mut redis, session, "SET volatile v EX 60");
        call(&mut redis, session, "SET lasting v");
    }
    call(&mut redis, b, "RENAME volatile renamed");
    redis.advance(50_000).expect("far from any deadline");
    assert_eq!(call(&mut redis, a, "TTL volatile"), Reply::Integer(10));
    assert_eq!(call(&mut redis, b, "TTL renamed"), Reply::Integer(10));
    redis.advance(11_000).expect("far from any deadline");
    for session in [a, b] {
        assert_eq!(call(&mut redis, session, "KEYS *"), Reply::Array(vec![bulk("lasting")]));
        assert_eq!(call(&mut redis, session, "TTL lasting"), Reply::Integer(-1));
    }
}

#[test]
fn a_step_of_the_clock_leaves_watches_as_they_are() {
    let mut redis = play();
    let sessions = [(); 4].map(|()| connect(&mut redis));
    let [clean, dirty, ending, other] = sessions;
    call(&mut redis, other, "SET long v EX 3600");
    call(&mut redis, other, "SET brief v EX 10");
    call(&mut redis, other, "SET modified v EX 3600");
    call(&mut redis, clean, "WATCH long missing");
    call(&mut redis, dirty, "WATCH modified");
    call(&mut redis, ending, "WATCH brief");
    call(&mut redis, other, "SET modified w KEEPTTL");
    redis.advance(60_000).expect("far from any deadline");
    assert_eq!(call(&mut redis, other, "TTL long"), Reply::Integer(3540));
    for session in [clean, dirty, ending] {
        call(&mut redis, session, "MULTI");
        call(&mut redis, session, "INCR n");
    }
    assert_eq!(call(&mut redis, clean, "EXEC"), Reply::Array(vec![Reply::Integer(1)]), "nobody touched its keys");
    assert_eq!(call(&mut redis, dirty, "EXEC"), Reply::NullArray, "its key was modified before the step");
    assert_eq!(call(&mut redis, ending, "EXEC"), Reply::NullArray, "its key ended by the step");
    // Watched anew, not forgotten.
    call(&mut redis, clean, "WATCH long");
    redis.advance(1000).expect("far from any deadline");
    call(&mut redis, other, "DEL long");
    call(&mut redis, clean, "MULTI");
    assert_eq!(call(&mut redis, clean, "EXEC"), Reply::NullArray);
}

#[test]
fn a_watch_inside_multi_cannot_be_kept_and_nothing_is_moved() {
    let mut redis = play();
    let (a, b) = (connect(&mut redis), connect(&mut redis));
    call(&mut redis, a, "SET k v EX 100");
    call(&mut redis, a, "WATCH k");
    call(&mut redis, a, "MULTI");
    let error = redis.advance(60_000).unwrap_err().to_string();
    assert!(error.contains("session 0") && error.contains("needs the lab's clock"), "{error}");
    assert_eq!(call(&mut redis, b, "TTL k"), Reply::Integer(100));
    call(&mut redis, a, "DISCARD");
    redis.advance(60_000).expect("far from any deadline");
    assert_eq!(call(&mut redis, b, "TTL k"), Reply::Integer(40));
}

#[test]
fn what_asks_the_servers_clock_is_refused_before_it_is_sent() {
    let mut redis = play();
    let a = connect(&mut redis);
    let script = [b"EVAL".as_ref(), b"redis.call('SET', 'k', 'v'); return redis.call('TIME')", b"0"];
    let error = redis.execute(a, &script.map(Bytes::copy_from_slice)).unwrap_err();
    assert_eq!(error.to_string(), "a script that calls TIME needs the lab's clock");
    assert_eq!(try_call(&mut redis, a, "TIME").unwrap_err().to_string(), "TIME needs the lab's clock");
    assert_eq!(call(&mut redis, a, "EXISTS k"), Reply::Integer(0));
}

#[test]
fn a_reset_leaves_nothing() {
    let mut redis = play();
    let a = connect(&mut redis);
    call(&mut redis, a, "SELECT 3");
    call(&mut redis, a, "SET k v EX 10");
    let Reply::Bulk(sha) = call(&mut redis, a, "SCRIPT LOAD return") else { panic!("SCRIPT LOAD gives a digest") };
    redis.reset().expect("the server answers");
    assert!(matches!(try_call(&mut redis, a, "PING"), Err(LabError::NoSession(0))));
    let b = connect(&mut redis);
    assert_eq!(b, SessionId(0), "sessions are numbered anew");
    assert_eq!(call(&mut redis, b, "GET k"), Reply::Null);
    call(&mut redis, b, "SELECT 3");
    assert_eq!(call(&mut redis, b, "GET k"), Reply::Null);
    let known = format!("SCRIPT EXISTS {}", String::from_utf8_lossy(&sha));
    assert_eq!(call(&mut redis, b, &known), Reply::Array(vec![Reply::Integer(0)]));
    redis.disconnect(b).expect("it is open");
    assert!(matches!(redis.disconnect(b), Err(LabError::NoSession(0))));
}

//! Executions played on a real redis-server: sessions apart, deadlines exact, watches undisturbed.

use std::time::Duration;

use bytes::Bytes;
use raceproof_explore::{Backend, BackendError};
use raceproof_lab::{RealRedis, Reply};
use rustix::process::{Pid, Signal, kill_process};

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

/// Opens sessions 0 to N − 1.
fn connect<const N: usize>(redis: &mut RealRedis) -> [u32; N] {
    std::array::from_fn(|session| {
        let session = u32::try_from(session).expect("a few sessions");
        redis.connect(session).expect("the server listens");
        session
    })
}

fn ok() -> Reply {
    Reply::Status("OK".into())
}

fn bulk(text: &'static str) -> Reply {
    Reply::Bulk(text.into())
}

#[test]
fn the_last_millisecond_is_lived_through_and_not_one_more() {
    for mut redis in both() {
        for _ in 0..20 {
            redis.reset().expect("the server answers");
            let [a] = connect(&mut redis);
            assert_eq!(call(&mut redis, a, "SET lock A NX PX 30000"), ok());
            redis.advance(30_000).expect("played again until it is certain");
            std::thread::sleep(Duration::from_millis(5));
            assert_eq!(call(&mut redis, a, "GET lock"), bulk("A"));
            redis.advance(1).expect("it is exact");
            assert_eq!(call(&mut redis, a, "GET lock"), Reply::Null);
        }
    }
}

#[test]
fn an_execution_with_an_uncertain_deadline_is_played_again() {
    let mut redis = running();
    let [a, b] = connect(&mut redis);
    call(&mut redis, b, "SET n 1");
    // The server stands still while the command is on its way: when in these 30 ms was the deadline set?
    let pid = i32::try_from(redis.server().pid()).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, Signal::STOP).expect("the server runs");
    let waker = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(30));
        kill_process(pid, Signal::CONT)
    });
    call(&mut redis, a, "SET lock A PX 30000");
    waker.join().expect("the waker ends").expect("the server runs");
    call(&mut redis, b, "INCR n");
    redis.advance(30_000).expect("played again until it is certain");
    assert_eq!(call(&mut redis, a, "EXISTS lock"), Reply::Integer(1));
    redis.advance(1).expect("it is exact");
    assert_eq!(call(&mut redis, a, "EXISTS lock"), Reply::Integer(0));
    assert_eq!(call(&mut redis, b, "GET n"), bulk("2"), "what was played again was played whole");
}

#[test]
fn absolute_deadlines_are_instants_of_the_played_clock() {
    for mut redis in both() {
        let start_ms = redis.now_ms().expect("the server answers");
        let [a] = connect(&mut redis);
        redis.advance(3_600_000).expect("nothing is volatile");
        assert_eq!(redis.now_ms(), Ok(start_ms + 3_600_000));
        let deadline_ms = start_ms + 3_600_000 + 10_000;
        call(&mut redis, a, &format!("SET k v PXAT {deadline_ms}"));
        assert_left(&mut redis, a, 10_000);
        redis.advance(10_000).expect("played again until it is certain");
        assert_eq!(call(&mut redis, a, "EXISTS k"), Reply::Integer(1));
        redis.advance(1).expect("it is exact");
        assert_eq!(call(&mut redis, a, "EXISTS k"), Reply::Integer(0));
        call(&mut redis, a, "SET k v");
        call(&mut redis, a, &format!("PEXPIREAT k {deadline_ms}"));
        assert_eq!(call(&mut redis, a, "EXISTS k"), Reply::Integer(0), "the deadline has passed");
    }
}

/// The key `k` has this long to live, give or take what a busy machine needs for two commands.
fn assert_left(redis: &mut RealRedis, session: u32, expected_ms: i64) {
    let Reply::Integer(left_ms) = call(redis, session, "PTTL k") else { panic!("PTTL gives a number") };
    assert!((left_ms - expected_ms).abs() <= 100, "{left_ms} ms are left, not {expected_ms}");
}

#[test]
fn real_time_does_not_count() {
    for mut redis in both() {
        let [a] = connect(&mut redis);
        call(&mut redis, a, "SET k v PX 5000");
        call(&mut redis, a, "SET short v PX 400");
        std::thread::sleep(Duration::from_millis(700));
        assert_left(&mut redis, a, 5000);
        assert_eq!(call(&mut redis, a, "EXISTS short"), Reply::Integer(1));
        redis.advance(390).expect("certain, however slow the machine is");
        assert_eq!(call(&mut redis, a, "EXISTS short"), Reply::Integer(1));
        redis.advance(2000).expect("certain, however slow the machine is");
        assert_eq!(call(&mut redis, a, "EXISTS short"), Reply::Integer(0));
        assert_left(&mut redis, a, 2610);
    }
}

#[test]
fn all_databases_age_and_lasting_keys_do_not() {
    for mut redis in both() {
        let [a, b] = connect(&mut redis);
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
}

#[test]
fn a_step_of_the_clock_leaves_watches_as_they_are() {
    for mut redis in both() {
        let [clean, dirty, ending, other] = connect(&mut redis);
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
}

#[test]
fn a_watch_inside_multi_cannot_be_kept_and_nothing_is_moved() {
    let mut redis = running();
    let [a, b] = connect(&mut redis);
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
    let mut redis = running();
    let [a] = connect(&mut redis);
    let script = [b"EVAL".as_ref(), b"redis.call('SET', 'k', 'v'); return redis.call('PEXPIRETIME', 'k')", b"0"];
    let error = redis.execute(a, &script.map(Bytes::copy_from_slice)).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("a script that calls PEXPIRETIME needs the lab's clock: the server was started with"),
        "{error}"
    );
    let error = try_call(&mut redis, a, "CLIENT PAUSE 100 WRITE").unwrap_err();
    assert_eq!(error.to_string(), "CLIENT PAUSE cannot be played: it would hold the lab's own commands");
    let error = try_call(&mut redis, a, "TIME").unwrap_err();
    assert!(error.to_string().starts_with("TIME needs the lab's clock: the server was started with"), "{error}");
    assert_eq!(call(&mut redis, a, "EXISTS k"), Reply::Integer(0));
}

#[test]
fn a_reset_leaves_nothing() {
    for mut redis in both() {
        let [a] = connect(&mut redis);
        call(&mut redis, a, "SELECT 3");
        call(&mut redis, a, "SET k v EX 10");
        let Reply::Bulk(sha) = call(&mut redis, a, "SCRIPT LOAD return") else { panic!("SCRIPT LOAD gives a digest") };
        redis.reset().expect("the server answers");
        assert_eq!(try_call(&mut redis, a, "PING").unwrap_err().to_string(), "session 0 is not open");
        let [a] = connect(&mut redis);
        assert_eq!(call(&mut redis, a, "GET k"), Reply::Null);
        call(&mut redis, a, "SELECT 3");
        assert_eq!(call(&mut redis, a, "GET k"), Reply::Null);
        let known = format!("SCRIPT EXISTS {}", String::from_utf8_lossy(&sha));
        assert_eq!(call(&mut redis, a, &known), Reply::Array(vec![Reply::Integer(0)]));
        redis.disconnect(a);
        assert!(try_call(&mut redis, a, "PING").is_err());
    }
}

#[test]
fn it_names_itself() {
    for redis in both() {
        assert_eq!(redis.name(), format!("redis-server {}", redis.server().version()));
    }
}

#[test]
fn entries_of_streams_have_ids_of_the_played_clock() {
    for mut redis in both() {
        let start_ms = redis.now_ms().expect("the server answers");
        let [a] = connect(&mut redis);
        redis.advance(5_000).expect("nothing is volatile");
        let id = |ms: i64, number: u32| Reply::Bulk(format!("{}-{number}", start_ms + ms).into());
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(call(&mut redis, a, "XADD s * f v"), id(5_000, 0));
        assert_eq!(call(&mut redis, a, "XADD s NOMKSTREAM MAXLEN ~ 9 * f v"), id(5_000, 1));
        redis.step_clock(-4_000).expect("nothing is volatile");
        assert_eq!(call(&mut redis, a, "XADD s * f v"), id(5_000, 2), "never less than the last");
        assert_eq!(call(&mut redis, a, "XADD other NOMKSTREAM * f v"), Reply::Null);
        assert_eq!(call(&mut redis, a, "XADD other * f v"), id(1_000, 0));
    }
}

#[test]
fn scripts_are_told_the_played_time() {
    for mut redis in both() {
        let start_ms = redis.now_ms().expect("the server answers");
        let [a] = connect(&mut redis);
        redis.advance(3_600_000).expect("nothing is volatile");
        let run = |redis: &mut RealRedis, args: [&str; 3]| {
            redis.execute(a, &args.map(|arg| Bytes::copy_from_slice(arg.as_bytes()))).expect("it runs")
        };
        let time = |after_ms: i64| {
            let now_ms = start_ms + after_ms;
            let parts = [(now_ms / 1000).to_string(), (now_ms % 1000 * 1000).to_string()];
            Reply::Array(parts.map(|part| Reply::Bulk(part.into())).to_vec())
        };
        let source = "return redis.call('TIME')";
        assert_eq!(run(&mut redis, ["EVAL", source, "0"]), time(3_600_000));
        redis.advance(1).expect("nothing is volatile");
        let Reply::Bulk(sha) = run(&mut redis, ["SCRIPT", "LOAD", source]) else {
            panic!("SCRIPT LOAD gives a digest")
        };
        let sha = String::from_utf8_lossy(&sha).into_owned();
        assert_eq!(run(&mut redis, ["EVALSHA", &sha, "0"]), time(3_600_001));
        redis.step_clock(-1_000_000).expect("nothing is volatile");
        assert_eq!(run(&mut redis, ["EVALSHA", &sha.to_uppercase(), "0"]), time(2_600_001));
        call(&mut redis, a, "SCRIPT FLUSH");
        let Reply::Error(text) = run(&mut redis, ["EVALSHA", &sha, "0"]) else { panic!("it is unknown") };
        assert!(text.starts_with(b"NOSCRIPT "), "{text:?}");
        let failing = "local t = redis.call('TIME')\nreturn redis.call('INCR', t)";
        let Reply::Error(text) = run(&mut redis, ["EVAL", failing, "0"]) else { panic!("it fails") };
        let Reply::Bulk(sha) = run(&mut redis, ["SCRIPT", "LOAD", failing]) else {
            panic!("SCRIPT LOAD gives a digest")
        };
        let text = String::from_utf8_lossy(&text).into_owned();
        let sha = String::from_utf8_lossy(&sha).into_owned();
        assert!(text.contains(&sha) && text.contains("user_script:2"), "{text} names {sha} and its line");
    }
}

#[test]
fn commands_that_wait_are_served_in_turn_or_end_when_their_time_is_over() {
    for mut redis in both() {
        let [a, b, c] = connect(&mut redis);
        let send = |redis: &mut RealRedis, session: u32, command: &str| {
            let args: Vec<Bytes> = command.split(' ').map(|arg| Bytes::copy_from_slice(arg.as_bytes())).collect();
            redis.send(session, &args)
        };
        send(&mut redis, a, "BLPOP jobs 0.001").expect("it waits");
        send(&mut redis, b, "BLPOP jobs 5").expect("it waits");
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(call(&mut redis, c, "RPUSH jobs one"), Reply::Integer(1));
        let one = Reply::Array(vec![bulk("jobs"), bulk("one")]);
        assert_eq!(redis.receive(a, false), Ok(one), "who waited first is served, real time does not count");
        redis.advance(5_001).expect("nothing is volatile");
        assert_eq!(redis.receive(b, true), Ok(Reply::NullArray));
        assert_eq!(call(&mut redis, b, "LLEN jobs"), Reply::Integer(0));
    }
}

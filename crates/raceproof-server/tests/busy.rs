//! What others are told while a script runs on and on, and `DEBUG SLEEP`.

mod support;

use std::time::{Duration, Instant};

use raceproof_server::Clock;
use support::{START_MS, Wire, start, start_with};

const ENDLESS: &str = "EVAL \"while true do end\" 0";
const BUSY: &str = "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";

/// A server whose scripts are slow after a millisecond, and two connections to it.
fn impatient() -> (support::Running, Wire, Wire) {
    let server = start();
    let (mut caller, other) = (server.connect(), server.connect());
    assert_eq!(caller.ask("CONFIG SET busy-reply-threshold 1"), "+OK");
    (server, caller, other)
}

/// Asks until the script is found to be slow.
fn until_busy(wire: &mut Wire, busy: &str) {
    let begun = Instant::now();
    while wire.ask("PING") != busy {
        assert!(begun.elapsed() < support::PATIENCE, "the script has ended");
    }
}

#[test]
fn an_endless_script_is_told_of_and_can_be_killed() {
    let (server, mut caller, mut other) = impatient();
    caller.send(format!("{ENDLESS}\r\n").as_bytes());
    // Who comes meanwhile is served as well.
    let mut late = server.connect();
    until_busy(&mut late, BUSY);
    assert_eq!(other.ask("FUNCTION KILL"), BUSY);
    assert_eq!(other.ask("NOSUCH"), "-ERR unknown command 'NOSUCH', with args beginning with: ");
    assert_eq!(late.ask("SCRIPT KILL"), "+OK");
    let told = caller.told();
    assert!(told.starts_with("-ERR Script killed by user with SCRIPT KILL... script: "), "{told}");
    assert!(told.ends_with(", on @user_script:1."), "{told}");
    assert_eq!(caller.ask("PING"), "+PONG");
    assert_eq!(other.ask("SCRIPT KILL"), "-NOTBUSY No scripts in execution right now.");
}

/// Where the clock runs, `TIME` goes on in a script, as in Redis: some wait with it. Keys do not notice.
#[test]
fn a_script_sees_the_time_go_on_but_no_key_end() {
    let server = start_with(|settings| settings.clock = Clock::REAL);
    let mut client = server.connect();
    let waits = "local function us() local now = redis.call('TIME') return now[1] * 1000000 + now[2] end \
                 redis.call('SET', KEYS[1], 'v', 'PX', 5) local from = us() while us() < from + 50000 do end \
                 return redis.call('EXISTS', KEYS[1])";
    assert_eq!(client.ask(&format!("EVAL \"{waits}\" 1 k")), ":1");
    assert_eq!(client.ask("EXISTS k"), ":0");
}

#[test]
fn no_handler_of_the_script_keeps_it_from_being_killed() {
    let (_server, mut caller, mut other) = impatient();
    caller.send(b"EVAL \"while true do pcall(function() while true do redis.call('PING') end end) end\" 0\r\n");
    until_busy(&mut other, BUSY);
    assert_eq!(other.ask("SCRIPT KILL"), "+OK");
    assert!(caller.told().starts_with("-ERR Script killed by user"));
}

#[test]
fn a_script_that_has_written_goes_on_to_its_end() {
    let (_server, mut caller, mut other) = impatient();
    caller.send(b"EVAL \"redis.call('SET', 'a', 1) for i = 1, 5000000 do end return 'done'\" 0\r\n");
    until_busy(&mut other, BUSY);
    assert!(other.ask("SCRIPT KILL").starts_with("-UNKILLABLE "));
    assert_eq!(caller.told(), "$4\r\ndone");
    assert_eq!(other.ask("GET a"), "$1\r\n1");
}

#[test]
fn a_transaction_that_meets_a_slow_script_is_not_executed_in_part() {
    let (server, mut caller, mut other) = impatient();
    let mut third = server.connect();
    assert_eq!(third.ask("MULTI"), "+OK");
    assert_eq!(third.ask("INCR n"), "+QUEUED");
    caller.send(format!("{ENDLESS}\r\n").as_bytes());
    until_busy(&mut other, BUSY);
    assert_eq!(third.ask("EXEC"), format!("-EXECABORT Transaction discarded because of: {}", &BUSY[1..]));
    assert_eq!(third.ask("MULTI"), "+OK");
    assert_eq!(third.ask("INCR n"), BUSY);
    assert_eq!(other.ask("SCRIPT KILL"), "+OK");
    assert!(caller.told().starts_with("-ERR Script killed"));
    assert_eq!(third.ask("EXEC"), "-EXECABORT Transaction discarded because of previous errors.");
    assert_eq!(third.ask("GET n"), "$-1");
}

#[test]
fn an_endless_function_is_killed_as_one() {
    const BUSY: &str = "-BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.";
    let (_server, mut caller, mut other) = impatient();
    let code = "#!lua name=l\\nredis.register_function('f', function() while true do end end)";
    assert_eq!(caller.ask(&format!("FUNCTION LOAD \"{code}\"")), "$1\r\nl");
    caller.send(b"FCALL f 0\r\n");
    until_busy(&mut other, BUSY);
    assert_eq!(other.ask("SCRIPT KILL"), BUSY);
    let stats = other.ask("FUNCTION STATS");
    assert!(stats.contains("running_script") && stats.contains("$5\r\nFCALL\r\n$1\r\nf\r\n$1\r\n0\r\n"), "{stats}");
    assert_eq!(other.ask("FUNCTION KILL"), "+OK");
    assert!(caller.told().ends_with("script: f, on @user_function:2."));
}

#[test]
fn the_server_ends_in_the_midst_of_an_endless_script() {
    let (server, mut caller, mut other) = impatient();
    caller.send(format!("{ENDLESS}\r\n").as_bytes());
    until_busy(&mut other, BUSY);
    drop(server);
}

#[test]
fn debug_sleep_holds_everybody_up_and_is_in_the_slow_log() {
    let server = start_with(|settings| settings.clock = Clock::REAL);
    let (mut sleeper, mut other) = (server.connect(), server.connect());
    for setting in ["slowlog-log-slower-than 200000", "latency-monitor-threshold 100"] {
        assert_eq!(sleeper.ask(&format!("CONFIG SET {setting}")), "+OK");
    }
    let begun = Instant::now();
    sleeper.send(b"DEBUG SLEEP 0.3\r\n");
    // The other one's command may come before.
    while begun.elapsed() < Duration::from_millis(100) {
        assert_eq!(other.ask("PING"), "+PONG");
    }
    assert!(begun.elapsed() >= Duration::from_millis(300), "{:?}", begun.elapsed());
    assert_eq!(sleeper.told(), "+OK");
    let log = sleeper.ask("SLOWLOG GET");
    assert!(log.contains(":300000\r\n*3\r\n$5\r\nDEBUG\r\n$5\r\nSLEEP\r\n$3\r\n0.3\r\n"), "{log}");
    assert!(sleeper.ask("LATENCY LATEST").contains("$7\r\ncommand\r\n"));
    assert_eq!(sleeper.ask("LATENCY RESET"), ":1");
    assert_eq!(sleeper.ask("LATENCY LATEST"), "*0");
}

#[test]
fn where_the_clock_stands_debug_sleep_ends_at_once() {
    let server = start();
    let mut wire = server.connect();
    assert_eq!(wire.ask("DEBUG SLEEP 1000"), "+OK");
    assert_eq!(wire.ask("TIME"), format!("*2\r\n$10\r\n{}\r\n$1\r\n0", START_MS / 1000));
}

#[test]
fn keys_stay_beyond_their_time_if_they_are_told_to() {
    let server = start();
    let mut wire = server.connect();
    assert_eq!(wire.ask("DEBUG SET-ACTIVE-EXPIRE 0"), "+OK");
    assert_eq!(wire.ask("SET a 1 PX 10"), "+OK");
    wire.ask("RACEPROOF CLOCK ADVANCE 1000");
    assert_eq!(wire.ask("DBSIZE"), ":1");
    assert_eq!(wire.ask("GET a"), "$-1");
    assert_eq!(wire.ask("SET b 1 PX 10"), "+OK");
    assert_eq!(wire.ask("DEBUG SET-ACTIVE-EXPIRE 1"), "+OK");
    wire.ask("RACEPROOF CLOCK ADVANCE 1000");
    assert_eq!(wire.ask("DBSIZE"), ":0");
}

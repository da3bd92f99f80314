//! The catalogue's counterexamples on a real redis-server: every one plays out there as it did in simulation.

use std::path::{Path, PathBuf};

use raceproof_explore::scenario::Scenario;
use raceproof_explore::{Confirmation, Error, Verdict};
use raceproof_lab::RealRedis;

/// Every file below `scenarios/`, in a fixed order.
fn files() -> Vec<PathBuf> {
    let mut pending = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")];
    let mut files = Vec::new();
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry of the folder").path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "lua") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Finds the scenario's violation, and plays it on a server of its own.
fn confirm(scenario: &Scenario) -> Result<Confirmation, Error> {
    confirm_on(scenario, RealRedis::start().expect("redis-server starts"))
}

fn confirm_on(scenario: &Scenario, redis: RealRedis) -> Result<Confirmation, Error> {
    let check = scenario.check();
    let found = scenario.run(&check)?.violation.unwrap_or_else(|| panic!("{}: nothing found", scenario.name()));
    scenario.confirm(&check, &found.token, Box::new(redis))
}

/// Why the server did not confirm, if it did not.
fn doubt(confirmation: &Result<Confirmation, Error>) -> Option<String> {
    match confirmation {
        Ok(Confirmation { same_outcome: true, difference: None, server }) => {
            (!server.starts_with("redis-server 7.0.")).then(|| format!("played on {server}"))
        }
        Ok(other) => Some(format!("{other:?}")),
        Err(error) => Some(error.to_string()),
    }
}

#[test]
fn every_violation_of_the_catalogue_happens_on_a_real_server() {
    let (mut confirmed, mut doubts) = (Vec::new(), Vec::new());
    for path in files() {
        let scenario = Scenario::load(&path).unwrap_or_else(|error| panic!("{error}"));
        if scenario.expect().is_some_and(|expected| expected.verdict == Verdict::Violated) {
            match doubt(&confirm(&scenario)) {
                None => confirmed.push(scenario.name().to_owned()),
                Some(doubt) => doubts.push(format!("{}: {doubt}", scenario.name())),
            }
        }
    }
    assert!(doubts.is_empty(), "{} not confirmed:\n  {}", doubts.len(), doubts.join("\n  "));
    // Faults, steps of the clock, scripts, WATCH, SQL beside Redis, tracking and idle times were all among them.
    for name in [
        "cache/write-through",
        "lock/setnx-then-expire",
        "lock/token-paused-row",
        "memory/watch-without-retry",
        "cache/tracking-redirect",
        "queue/stream-claim-paused",
    ] {
        assert!(confirmed.iter().any(|known| known == name), "{name} is not among {confirmed:?}");
    }
}

#[test]
fn schedules_that_break_nothing_are_played_alike() {
    let mut doubts = Vec::new();
    for path in files() {
        let scenario = Scenario::load(&path).unwrap_or_else(|error| panic!("{error}"));
        if scenario.expect().is_some_and(|expected| expected.verdict == Verdict::Verified) {
            let redis = RealRedis::start().expect("redis-server starts");
            let played = scenario.play(&scenario.check(), 4, 7, Box::new(redis)).expect("it can be run");
            if (played.executions, &played.difference, &played.refused) != (4, &None, &None) {
                doubts.push(format!("{}: {played:?}", scenario.name()));
            }
        }
    }
    assert!(doubts.is_empty(), "{} are played otherwise:\n  {}", doubts.len(), doubts.join("\n  "));
}

/// A scenario with something that the simulation does not have: a port of its own, a process.
fn differs(body: &str, expect: &str) -> Scenario {
    let source = format!("scenario {{ name = \"real\", expect = \"{expect}\" }}\n{body}");
    Scenario::parse("real.lua", &source).expect("it is a scenario")
}

#[test]
fn a_reply_that_differs_is_not_confirmed() {
    let scenario = differs(
        r#"client("a", function() redis("SET", "port", redis("CONFIG", "GET", "port").port) end)
           finally(function() expect(not redis("GET", "port"), "port is set") end)"#,
        "violated",
    );
    let confirmation = confirm(&scenario).expect("the server plays along");
    let difference = confirmation.difference.expect("it is another port");
    assert!(!confirmation.same_outcome && difference.starts_with("step 1: CONFIG GET port → "), "{difference}");
    assert!(difference.contains(" in simulation, ") && difference.ends_with(" on the server"), "{difference}");
}

#[test]
fn data_that_differ_are_told_where_every_reply_is_the_same() {
    let body = r#"client("a", function()
          redis("EVAL", "redis.call('RPUSH', KEYS[1], redis.call('INFO', 'server'):match('process_id:(%d+)'))", 1, "k")
        end)
        finally(function() expect(redis("LLEN", "k") == 1, "there is no process") end)"#;
    let redis = RealRedis::start().expect("redis-server starts");
    let scenario = differs(body, "verified");
    let played = scenario.play(&scenario.check(), 3, 0, Box::new(redis)).expect("it can be run");
    let difference = played.difference.expect("it is another process");
    assert!(difference.starts_with("at the end: LRANGE k 0 -1 → "), "{difference}");
    assert_eq!(played.executions, 1, "the first one tells");
}

#[test]
fn a_script_that_gives_a_deadline_needs_the_labs_clock() {
    let source = r#"
        scenario { name = "lock/deadline-in-the-value", expect = "violated" }
        local take = [[
          local now = redis.call("TIME")[1]
          return redis.call("SET", KEYS[1], "", "EXAT", now + 30)
        ]]
        client("a", function() redis("EVAL", take, 1, "lock:job") end)
        finally(function() expect(not redis("GET", "lock:job"), "the lock is held") end)
    "#;
    let scenario = Scenario::parse("deadline.lua", source).expect("it is a scenario");
    assert_eq!(doubt(&confirm(&scenario)), None, "it has the lab's clock");
    let running = RealRedis::start_with_running_clock().expect("redis-server starts");
    let refused = confirm_on(&scenario, running).expect_err("it has another").to_string();
    let expected = "a script that uses EXAT needs the lab's clock: the server was started with the machine's";
    assert!(refused.contains(expected), "{refused}");
}

#[test]
fn the_end_of_a_key_is_told_when_it_is_in_simulation() {
    let source = r#"
        scenario { name = "real/expired", expect = "violated" }
        setup(function() redis("CONFIG", "SET", "notify-keyspace-events", "Exg") end)
        client("a", function() redis("SET", "brief", "v", "PX", 1000) redis("SET", "lasting", "v", "PX", 9000) end)
        client("ear", function()
          redis("SUBSCRIBE", "__keyevent@0__:expired", "__keyevent@0__:expire", "__keyevent@0__:del")
          sleep(1500)
          local told, more = receive(100), receive(100)
          expect(not told or told[3] ~= "brief" or more, "brief has ended, and nothing else")
        end)
    "#;
    let scenario = Scenario::parse("expired.lua", source).expect("it is a scenario");
    assert_eq!(doubt(&confirm(&scenario)), None);
}

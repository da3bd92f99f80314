//! Which keys are evicted, by policy; and that all else follows an eviction.

use std::collections::BTreeSet;

use bytes::Bytes;
use raceproof_engine::{Object, Outcome, Timestamp};

use crate::{NOW_MS, ask, driver::Driver, engine, field, number, run, run_at, say, server::Server};

const KEYS: usize = 2000;
/// Keys that are used, or have the later deadlines.
const HOT: usize = 400;

fn is_hot(number: usize) -> bool {
    number.is_multiple_of(KEYS / HOT)
}

/// One key in five is hot. What is said to the server, and to the engine at a time (s after the start).
fn scenario(policy: &str) -> Vec<(i64, String)> {
    let mut lines =
        vec![(0, format!("CONFIG SET maxmemory 0 maxmemory-policy {policy} maxmemory-samples 10 lfu-decay-time 0"))];
    let value = "x".repeat(200);
    for number in 0..KEYS {
        let hot = is_hot(number);
        let ttl = match policy {
            "volatile-ttl" => format!(" EX {}", if hot { 100_000 + number } else { 1000 + number }),
            _ if policy.starts_with("volatile-") => " EX 100000".to_owned(),
            _ => String::new(),
        };
        lines.push((0, format!("SET k:{number} {value}{ttl}")));
        // Whatever the policy: it has no deadline, and volatile ones spare it.
        if number.is_multiple_of(20) {
            lines.push((0, format!("SET free:{number} {value}")));
        }
    }
    for round in 0..20 {
        for number in (0..KEYS).filter(|number| is_hot(*number)) {
            lines.push((3 + round, format!("GET k:{number}")));
        }
    }
    lines
}

/// How many hot keys and how many others are left of those that may be evicted, and how many that are free.
fn left(mut exists: impl FnMut(&str) -> bool) -> (usize, usize, usize) {
    let (mut hot, mut cold, mut free) = (0, 0, 0);
    for number in 0..KEYS {
        let here = usize::from(exists(&format!("EXISTS k:{number}")));
        *(if is_hot(number) { &mut hot } else { &mut cold }) += here;
        if number.is_multiple_of(20) {
            free += usize::from(exists(&format!("EXISTS free:{number}")));
        }
    }
    (hot, cold, free)
}

/// Runs a scenario on the engine, which may keep half of the data, and gives what is left.
fn evicted_here(policy: &str) -> (Driver, (usize, usize, usize)) {
    let mut driver = engine();
    for (after_s, line) in scenario(policy) {
        run_at(&mut driver, &line, NOW_MS + after_s * 1000);
    }
    let used = field(&say(&mut driver, "INFO memory"), "used_memory");
    let at_start = field(&say(&mut engine(), "INFO memory"), "used_memory");
    run_at(&mut driver, &format!("CONFIG SET maxmemory {}", (used + at_start) / 2), NOW_MS + 30_000);
    let shown = left(|line| number(&say(&mut driver, line)) == 1);
    (driver, shown)
}

fn evicted_there(server: &Server, policy: &str) -> (usize, usize, usize) {
    let mut connection = server.connect();
    ask(&mut connection, "CONFIG SET maxmemory 0");
    ask(&mut connection, "FLUSHALL SYNC");
    let at_start = field(&ask(&mut connection, "INFO memory"), "used_memory");
    let lines = scenario(policy);
    let (filling, using) = lines.split_at(lines.len() - 20 * HOT);
    filling.iter().for_each(|(_, line)| drop(ask(&mut connection, line)));
    // Idle time is in seconds of the server's clock.
    if policy.ends_with("lru") {
        std::thread::sleep(std::time::Duration::from_millis(2200));
    }
    using.iter().for_each(|(_, line)| drop(ask(&mut connection, line)));
    let used = field(&ask(&mut connection, "INFO memory"), "used_memory");
    ask(&mut connection, &format!("CONFIG SET maxmemory {} maxmemory-eviction-tenacity 100", (used + at_start) / 2));
    ask(&mut connection, "SET last 1");
    left(|line| number(&ask(&mut connection, line)) == 1)
}

/// Half of the memory is taken away. Both must leave the same class of keys.
#[test]
fn each_policy_evicts_the_keys_that_the_server_evicts() {
    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    for policy in [
        "allkeys-lru",
        "volatile-lru",
        "allkeys-lfu",
        "volatile-lfu",
        "allkeys-random",
        "volatile-random",
        "volatile-ttl",
    ] {
        let (_, here) = evicted_here(policy);
        let there = evicted_there(&server, policy);
        println!("{policy:16} (hot, cold, free) left: {here:?} here, {there:?} there");
        for (hot, cold, free) in [here, there] {
            assert!((KEYS * 35 / 100..KEYS * 65 / 100).contains(&(hot + cold)), "{policy}: {hot} + {cold} are left");
            match policy {
                "allkeys-random" | "volatile-random" => {
                    let (hot, cold) = (hot * 100 / HOT, cold * 100 / (KEYS - HOT));
                    assert!(
                        hot.abs_diff(cold) <= 15,
                        "{policy}: {hot} % of the hot ones, {cold} % of the others are left"
                    );
                }
                _ => assert!(hot >= HOT * 97 / 100, "{policy}: only {hot} of {HOT} hot keys are left"),
            }
            match policy.starts_with("volatile-") {
                true => assert_eq!(free, KEYS / 20, "{policy}: keys without a deadline are spared"),
                false => assert!(free < KEYS / 20, "{policy}: all keys without a deadline are left"),
            }
        }
    }
}

/// The nearest deadlines go, and only those.
#[test]
fn volatile_ttl_goes_by_deadline() {
    let mut driver = engine();
    run(&mut driver, "CONFIG SET maxmemory-policy volatile-ttl");
    for number in 0..100 {
        run(&mut driver, &format!("SET k:{number:03} value EX {}", 1000 + number));
    }
    let used = field(&say(&mut driver, "INFO memory"), "used_memory");
    run(&mut driver, &format!("CONFIG SET maxmemory {}", used - 1000));
    let left: BTreeSet<usize> =
        (0..100).filter(|n| say(&mut driver, &format!("EXISTS k:{n:03}")) == ":1\r\n").collect();
    assert!(left.len() < 100 && left.len() > 50);
    assert_eq!(left, (100 - left.len()..100).collect());
}

/// Every key is as likely to go as any other, in a large database and with few keys that may go.
#[test]
fn random_eviction_favours_nobody() {
    let mut gone = vec![0_usize; 300];
    for seed in 0..200 {
        let mut driver = Driver::new(raceproof_engine::Options { seed, ..raceproof_engine::Options::default() });
        run(&mut driver, "CONFIG SET maxmemory-policy allkeys-random");
        (0..300).for_each(|number| drop(run(&mut driver, &format!("SET k:{number} value"))));
        let used = field(&say(&mut driver, "INFO memory"), "used_memory");
        run(&mut driver, &format!("CONFIG SET maxmemory {}", used - 5000));
        for (number, gone) in gone.iter_mut().enumerate() {
            *gone += usize::from(say(&mut driver, &format!("EXISTS k:{number}")) == ":0\r\n");
        }
    }
    let mean = gone.iter().sum::<usize>() as f64 / 300.0;
    let (least, most) = (gone.iter().min().expect("keys"), gone.iter().max().expect("keys"));
    println!("each key was evicted {mean:.1} times of 200, from {least} to {most}");
    assert!(
        mean > 20.0 && (*least as f64) > mean * 0.35 && (*most as f64) < mean * 1.75,
        "{least} to {most}, {mean} in the mean"
    );
}

/// A server under a limit, as it is driven by the tests below.
fn limited(policy: &str, seed: u64) -> Driver {
    let mut driver =
        Driver::new(raceproof_engine::Options { seed, statistics: true, ..raceproof_engine::Options::default() });
    run(&mut driver, &format!("CONFIG SET maxmemory-policy {policy} maxmemory 1100000"));
    driver
}

fn writes() -> impl Iterator<Item = String> {
    (0..3000_usize).map(|number| {
        let key = number * 7919 % 1000;
        match number % 5 {
            0 => format!("SET k:{key} {}", "x".repeat(number % 300)),
            1 => format!("SET v:{key} {} EX {}", "x".repeat(number % 200), 100 + number),
            2 => format!("HSET h:{key} f{number} value"),
            3 => format!("RPUSH l:{} element:{number}", key % 50),
            _ => format!("SELECT {}", number % 3),
        }
    })
}

const EVICTING: &[&str] = &[
    "allkeys-lru",
    "volatile-lru",
    "allkeys-lfu",
    "volatile-lfu",
    "allkeys-random",
    "volatile-random",
    "volatile-ttl",
    "noeviction",
];

/// Memory stays within the limit but for what the last command added, evictions are told, and the effects lead to the same data.
#[test]
fn effects_tell_of_evictions_and_replay_to_the_same_data() {
    for policy in EVICTING {
        let (mut driver, mut replica) = (limited(policy, 3), engine());
        let (mut evictions, mut refused) = (0, 0);
        // Every other command looks how much is in use, and evicts as any other.
        let lines = writes().flat_map(|line| [line, "INFO memory".to_owned()]);
        for (at, line) in lines.enumerate() {
            let at_ms = NOW_MS + at as i64 * 5;
            let outcome = run_at(&mut driver, &line, at_ms);
            let reply = String::from_utf8_lossy(&driver.bytes(0, &outcome.reply)).into_owned();
            refused += usize::from(reply.starts_with("-OOM"));
            evictions += outcome.effects.iter().filter(|effect| effect.args[0] == "DEL").count();
            assert!(outcome.effects.iter().all(|effect| effect.args[0] != "MULTI"), "{policy}: evictions are framed");
            if line.starts_with("INFO") && policy.starts_with("allkeys-") {
                let used = field(&reply, "used_memory");
                assert!(used <= 1_100_000, "{policy}: {used} bytes");
            }
            for effect in &outcome.effects {
                run_at(&mut replica, &format!("SELECT {}", effect.db), at_ms);
                let session = replica.sessions[0];
                replica.engine.execute(
                    &mut crate::driver::host(),
                    session,
                    &effect.args,
                    Timestamp::from_ms(at_ms),
                    &mut Outcome::default(),
                );
            }
        }
        let stats = run_at(&mut driver, "INFO stats", NOW_MS + 100_000).reply;
        let stats = String::from_utf8_lossy(&driver.bytes(0, &stats)).into_owned();
        println!("{policy:16} {evictions} evictions, {refused} commands refused");
        assert!(driver.engine.same_data(&replica.engine), "{policy}: the effects make other data");
        assert_eq!(field(&stats, "evicted_keys"), evictions as i64, "{policy}");
        match *policy {
            "noeviction" => assert!(evictions == 0 && refused > 100),
            _ => assert!(evictions > 100, "{policy}: {evictions} evictions"),
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for policy in EVICTING {
        let states: Vec<(Vec<u8>, Vec<u8>)> = [5, 5, 6]
            .into_iter()
            .map(|seed| {
                let (mut driver, mut said) = (limited(policy, seed), Vec::new());
                for (at, line) in writes().enumerate() {
                    let outcome = run_at(&mut driver, &line, NOW_MS + at as i64 * 100);
                    said.extend(driver.bytes(0, &outcome.reply));
                    outcome.effects.iter().for_each(|effect| said.extend(effect.args.concat()));
                }
                let mut state = Vec::new();
                driver.engine.state(&driver.sessions.clone(), &mut state);
                (state, said)
            })
            .collect();
        assert!(states[0] == states[1], "{policy}: two runs of one seed differ");
        if !matches!(*policy, "noeviction" | "volatile-ttl") {
            assert!(states[0].1 != states[2].1, "{policy}: the seed makes no difference");
        }
    }
}

/// Who watches an evicted key is told, and so are those who listen.
#[test]
fn watchers_and_listeners_are_told() {
    let mut driver = engine();
    for line in ["CONFIG SET maxmemory-policy allkeys-lru notify-keyspace-events Ee", "SET k v", "WATCH k"] {
        run(&mut driver, line);
    }
    let listener = driver.sessions[1];
    let now = Timestamp::from_ms(NOW_MS);
    let subscribe = ["SUBSCRIBE", "__keyevent@0__:evicted"].map(Bytes::from).to_vec();
    driver.engine.execute(&mut crate::driver::host(), listener, &subscribe, now, &mut Outcome::default());
    let outcome = run(&mut driver, "CONFIG SET maxmemory 1");
    assert_eq!(outcome.deliveries.len(), 1);
    assert_eq!(outcome.effects.len(), 1);
    run(&mut driver, "CONFIG SET maxmemory 0");
    run(&mut driver, "MULTI");
    assert_eq!(say(&mut driver, "EXEC"), "*-1\r\n");
}

/// What is not over the limit reads the account, and what changes it writes it; without a limit nobody touches it.
#[test]
fn only_with_a_limit_do_commands_depend_on_each_other() {
    let mut driver = Driver::new(raceproof_engine::Options::default());
    let touched = |driver: &mut Driver, line: &str| {
        let outcome = run(driver, line);
        outcome
            .footprint
            .iter()
            .filter(|(object, _)| *object == Object::Memory)
            .map(|(_, access)| *access)
            .collect::<Vec<_>>()
    };
    for line in ["SET a 1", "SET a 100", "GET a", "DEL a"] {
        assert_eq!(touched(&mut driver, line), [], "{line}");
    }
    run(&mut driver, "CONFIG SET maxmemory 100mb");
    use raceproof_engine::Access::{Read, Write};
    assert_eq!(touched(&mut driver, "SET a abc"), [Write]);
    assert_eq!(touched(&mut driver, "GET a"), [Read]);
    assert_eq!(touched(&mut driver, "SET a abd"), [Read]);
    assert_eq!(touched(&mut driver, "DEL a"), [Write]);
}

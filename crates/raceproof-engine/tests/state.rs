//! The bytes of a state: engines with equal bytes answer alike, and whatever a command can observe is in the bytes.

mod support;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use bytes::Bytes;
use proptest::prelude::*;
use raceproof_engine::{Engine, LuaHost, Options, Outcome, SessionId, Timestamp, Version};

use support::driver::{self, Driver};
use support::sequence::{Action, Sequence, Step, parse_command, resolve};
use support::{dump, generate, search, show};

const BASE_MS: i64 = 1_700_000_000_123;
/// Random walks; after each of their steps the state is compared with all that were seen before.
const WALKS: u64 = 2_000;

fn options(sorted_replies: bool, version: Version) -> Options {
    Options { seed: 7, sorted_replies, version, ..Options::default() }
}

/// What `state` says, or a mutant of it.
type BytesOf = fn(&Driver) -> Vec<u8>;

fn whole(driver: &Driver) -> Vec<u8> {
    let mut bytes = Vec::new();
    driver.engine.state(&driver.sessions, &mut bytes);
    driver.engine.session_numbers(&mut bytes);
    bytes
}

/// Runs steps, and gives what every one of them showed.
fn run(driver: &mut Driver, steps: &[Step], mut now_ms: i64) -> Vec<String> {
    let mut host = driver::host();
    let mut seen = Vec::new();
    for step in steps {
        match &step.action {
            Action::Wait(ms) => now_ms += i64::try_from(*ms).expect("a short wait"),
            Action::Run(args) => {
                let args = resolve(args, BASE_MS);
                let outcome = driver.run(&mut host, step.session, &args, now_ms);
                let reply = show::quoted(&driver.bytes(step.session, &outcome.reply));
                let (command, effects) = (show::command(&args), outcome.effects);
                let (silent, sent) = (outcome.silent, outcome.deliveries);
                seen.push(format!("{command} → {reply}, silent {silent}, {effects:?}, {sent:?}"));
            }
        }
    }
    seen.extend(dump::dump(driver, now_ms));
    seen
}

/// Walks at random, and wherever two walks, or two places of one walk, have equal bytes, goes on in the same way from
/// both. The first difference, and how many pairs were compared.
fn disagreement(bytes_of: BytesOf, walks: u64) -> (Option<String>, u64) {
    let version = prop::sample::select(vec![Version::V7_0, Version::V8_4]);
    let strategy = (generate::sequence(5, false), generate::sequence(4, true), any::<bool>(), version);
    let (done, pairs) = (Cell::new(0), Cell::new(0));
    let known: RefCell<HashMap<Vec<u8>, (Driver, String)>> = RefCell::default();
    let check = |(walk, rest, sorted, version): &(Sequence, Sequence, bool, Version)| {
        done.set(done.get() + 1);
        let mut driver = Driver::new(options(*sorted, *version));
        let mut told = String::new();
        for step in walk.all_steps() {
            run(&mut driver, std::slice::from_ref(&step), BASE_MS);
            if let Action::Run(args) = &step.action {
                told += &format!("  [{}] {}\n", step.session, show::command(&resolve(args, BASE_MS)));
            }
            let mut known = known.borrow_mut();
            let Some((other, how)) = known.get(&bytes_of(&driver)) else {
                known.insert(bytes_of(&driver), (driver.clone(), told.clone()));
                continue;
            };
            pairs.set(pairs.get() + 1);
            let (one, two) =
                (run(&mut driver.clone(), &rest.steps, BASE_MS), run(&mut other.clone(), &rest.steps, BASE_MS));
            if let Some((one, two)) = one.iter().zip(&two).find(|(one, two)| one != two) {
                return Err(format!("after\n{told}there is {one}\nand after\n{how}there is {two}"));
            }
        }
        Ok(())
    };
    let found = search::find(&mut search::runner(11), &strategy, check, || done.get() >= walks);
    (found.map(|found| found.reason), pairs.get())
}

#[test]
fn engines_with_equal_bytes_answer_alike() {
    let (found, pairs) = disagreement(whole, WALKS);
    assert!(found.is_none(), "{}", found.unwrap_or_default());
    println!("{pairs} pairs of states with equal bytes");
    assert!(pairs > WALKS, "only {pairs} pairs: the test shows nothing");
}

/// The bytes of an engine whose sessions are all closed: what a session selected, watches and queued is missing.
fn without_sessions(driver: &Driver) -> Vec<u8> {
    let mut bytes = Vec::new();
    driver.engine.state(&[], &mut bytes);
    bytes
}

/// The bytes with no word on what is longer.
fn cut_short(driver: &Driver) -> Vec<u8> {
    whole(driver).into_iter().take(40).collect()
}

#[test]
fn the_property_fails_when_a_part_of_the_bytes_is_missing() {
    let mutants: [(&str, BytesOf); 2] = [("without sessions", without_sessions), ("cut short", cut_short)];
    for (name, mutant) in mutants {
        let (found, pairs) = disagreement(mutant, 4 * WALKS);
        assert!(found.is_some(), "{name}: nothing is noticed in {pairs} pairs");
    }
}

/// An engine with two sessions, after commands, and its state.
fn after(lines: &[&str]) -> (Engine, Vec<u8>) {
    let mut engine = Engine::new(Options { sorted_replies: true, version: Version::V7_4, ..Options::default() });
    let sessions = [engine.connect(), engine.connect()];
    send(&mut engine, &sessions, lines);
    let mut bytes = Vec::new();
    engine.state(&sessions, &mut bytes);
    (engine, bytes)
}

fn send(engine: &mut Engine, sessions: &[SessionId], lines: &[&str]) {
    let (mut host, mut outcome) = (LuaHost::new(), Outcome::default());
    for line in lines {
        let (session, line) = line.split_at(1);
        let args: Vec<Bytes> = resolve(&parse_command(line.trim()), BASE_MS);
        let session = sessions[session.parse::<usize>().expect("a session")];
        engine.execute(&mut host, session, &args, Timestamp::from_ms(BASE_MS), &mut outcome);
    }
}

/// Pairs of histories whose difference a command can see: each names one component of the state.
const APART: &[(&str, &[&str], &[&str])] = &[
    ("a value", &["0 SET a 1"], &["0 SET a 2"]),
    ("a type", &["0 SET a 1"], &["0 HSET a 1 1"]),
    ("a key", &["0 SET a 1"], &["0 SET a 1", "0 SET b 1"]),
    ("a database", &["0 SET a 1"], &["0 SET a 1", "0 MOVE a 1"]),
    ("a deadline", &["0 SET a 1 PX 100"], &["0 SET a 1 PX 101"]),
    ("no deadline", &["0 SET a 1"], &["0 SET a 1 PX 100"]),
    ("how a string is held", &["0 SET a ab"], &["0 SET a a", "0 APPEND a b"]),
    (
        "how a hash is held",
        &["0 CONFIG SET hash-max-listpack-entries 1", "0 HSET h f 1 g 1", "0 HDEL h g"],
        &["0 CONFIG SET hash-max-listpack-entries 1", "0 HSET h f 1"],
    ),
    ("a field", &["0 HSET h f 1"], &["0 HSET h f 2"]),
    ("a deadline of a field", &["0 HSET h f 1"], &["0 HSET h f 1", "0 HPEXPIRE h 100 FIELDS 1 f"]),
    (
        "an event that the setting does not show",
        &["0 CONFIG SET notify-keyspace-events AKE"],
        &["0 CONFIG SET notify-keyspace-events AKEn"],
    ),
    ("a setting", &["0 PING"], &["0 CONFIG SET maxmemory 100"]),
    (
        "how often a key was used",
        &["0 CONFIG SET maxmemory 1gb maxmemory-policy allkeys-lfu lfu-log-factor 0", "0 SET a 1"],
        &["0 CONFIG SET maxmemory 1gb maxmemory-policy allkeys-lfu lfu-log-factor 0", "0 SET a 1", "0 GET a"],
    ),
    ("a script", &["0 PING"], &["0 SCRIPT LOAD return"]),
    ("the random generator", &["0 SET a 1", "0 GET a"], &["0 SET a 1", "0 RANDOMKEY"]),
    ("the selected database", &["0 PING"], &["0 SELECT 1"]),
    ("whose selected database", &["1 SELECT 1"], &["0 SELECT 1"]),
    ("the protocol", &["0 PING"], &["0 HELLO 3"]),
    ("a session's name", &["0 PING"], &["0 CLIENT SETNAME x"]),
    ("what is to be silent", &["0 PING"], &["0 CLIENT REPLY SKIP"]),
    ("a transaction", &["0 PING"], &["0 MULTI"]),
    ("what is queued", &["0 MULTI", "0 SET a 1"], &["0 MULTI", "0 SET a 2"]),
    ("a failed transaction", &["0 MULTI"], &["0 MULTI", "0 SET a"]),
    ("a channel", &["0 HELLO 3"], &["0 HELLO 3", "0 SUBSCRIBE x"]),
    ("which channel", &["0 SUBSCRIBE x"], &["0 SUBSCRIBE y"]),
    ("a kind of channel", &["0 SUBSCRIBE x"], &["0 SSUBSCRIBE x"]),
    ("a pattern", &["0 SUBSCRIBE x"], &["0 PSUBSCRIBE x"]),
    ("the order of patterns", &["0 PSUBSCRIBE x y"], &["0 PSUBSCRIBE y x"]),
    ("being told of commands", &["0 PING"], &["0 MONITOR"]),
    ("being told of changes", &["0 PING"], &["0 CLIENT TRACKING ON"]),
    ("what is told", &["0 CLIENT TRACKING ON"], &["0 CLIENT TRACKING ON BCAST"]),
    ("whose changes are told", &["0 CLIENT TRACKING ON"], &["0 CLIENT TRACKING ON NOLOOP"]),
    ("a prefix", &["0 CLIENT TRACKING ON BCAST"], &["0 CLIENT TRACKING ON BCAST PREFIX a"]),
    ("when it is told", &["0 CLIENT TRACKING ON OPTIN"], &["0 CLIENT TRACKING ON OPTOUT"]),
    (
        "what was said of the next command",
        &["0 CLIENT TRACKING ON OPTIN"],
        &["0 CLIENT TRACKING ON OPTIN", "0 CLIENT CACHING YES"],
    ),
    ("who is told", &["0 CLIENT TRACKING ON REDIRECT 1"], &["0 CLIENT TRACKING ON REDIRECT 2"]),
    ("a key that was read", &["0 CLIENT TRACKING ON"], &["0 CLIENT TRACKING ON", "0 GET a"]),
    (
        "who has read it",
        &["0 CLIENT TRACKING ON", "1 CLIENT TRACKING ON", "0 GET a"],
        &["0 CLIENT TRACKING ON", "1 CLIENT TRACKING ON", "1 GET a"],
    ),
    ("a watched key", &["0 PING"], &["0 WATCH a"]),
    ("a pause", &["0 PING"], &["0 CLIENT PAUSE 100 WRITE"]),
    ("how long it lasts", &["0 CLIENT PAUSE 101 WRITE"], &["0 CLIENT PAUSE 100 WRITE"]),
    ("what it holds", &["0 CLIENT PAUSE 100"], &["0 CLIENT PAUSE 100 WRITE"]),
    ("a command that is held", &["0 CLIENT PAUSE 100 WRITE", "0 SET a 1"], &["0 CLIENT PAUSE 100 WRITE", "0 SET a 2"]),
    (
        "the order of those that are held",
        &["0 CLIENT PAUSE 100 WRITE", "0 SET a 1", "1 SET a 2"],
        &["0 CLIENT PAUSE 100 WRITE", "1 SET a 2", "0 SET a 1"],
    ),
    ("a watched key that was changed", &["1 SET a 1", "0 WATCH a"], &["0 WATCH a", "1 SET a 1"]),
];

#[test]
fn what_a_command_can_observe_is_in_the_bytes() {
    for (what, one, other) in APART {
        assert_ne!(after(one).1, after(other).1, "{what}");
    }
}

#[test]
fn what_no_command_can_observe_is_not_in_the_bytes() {
    let alike: &[(&[&str], &[&str])] = &[
        (&["0 HSET h f 1", "0 HSET h g 2"], &["1 HSET h g 2", "1 HSET h f 1"]),
        (&["0 SET a 1", "0 SET b 2"], &["0 SET b 2", "1 SET a 1"]),
        (&["0 PING"], &["0 SET a 1", "0 DEL a"]),
        (&["0 PING"], &["0 SET a 1", "0 MOVE a 9", "0 FLUSHALL"]),
        (&["0 PING"], &["0 SELECT 3", "0 SELECT 0"]),
        (&["0 SUBSCRIBE x y"], &["0 SUBSCRIBE y", "0 SUBSCRIBE x", "0 SUBSCRIBE x"]),
        (&["0 PING"], &["0 SUBSCRIBE y", "0 UNSUBSCRIBE"]),
        (&["0 PING"], &["0 CLIENT TRACKING ON REDIRECT 2", "0 CLIENT TRACKING OFF"]),
        (&["0 CLIENT TRACKING ON"], &["0 CLIENT TRACKING ON", "0 GET a", "1 SET a 1", "1 DEL a"]),
        (&["0 PING"], &["0 MULTI", "0 SET a 1", "0 DISCARD"]),
    ];
    for (one, other) in alike {
        assert_eq!(after(one).1, after(other).1, "{one:?} {other:?}");
    }
}

#[test]
fn sessions_count_in_the_order_given_and_not_by_number() {
    let opened = |reversed: bool, closed_before: usize| {
        let mut engine = Engine::new(Options::default());
        for _ in 0..closed_before {
            let session = engine.connect();
            send(&mut engine, &[session], &["0 MULTI"]);
            engine.disconnect(session);
        }
        let mut sessions = [engine.connect(), engine.connect()];
        if reversed {
            sessions.reverse();
        }
        send(&mut engine, &sessions, &["0 SELECT 1", "1 WATCH a", "0 SET a 1"]);
        let (mut state, mut numbers) = (Vec::new(), Vec::new());
        engine.state(&sessions, &mut state);
        engine.session_numbers(&mut numbers);
        (state, numbers)
    };
    let (straight, reversed, later) = (opened(false, 0), opened(true, 0), opened(false, 3));
    assert_eq!(straight.0, reversed.0);
    assert_eq!(straight.0, later.0);
    // CLIENT ID tells them apart.
    assert_ne!(straight.1, reversed.1);
    assert_ne!(straight.1, later.1);
}

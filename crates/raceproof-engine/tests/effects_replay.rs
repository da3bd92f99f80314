//! Effects are complete: replaying those of any sequence on a fresh engine gives the same data.

mod support;

use std::cell::Cell;

use bytes::Bytes;
use raceproof_engine::{Effect, Options, Version};

use support::driver::{self, Driver};
use support::dump::dump;
use support::sequence::{Action, Sequence, resolve};
use support::{generate, search, show};

const BASE_MS: i64 = 1_700_000_000_123;
const SEQUENCES: u64 = 4_000;

#[test]
fn replaying_the_effects_gives_the_same_data() {
    let (sequences, effects) = (Cell::new(0), Cell::new(0));
    let check = |sequence: &Sequence| {
        let text = sequence.to_string().to_lowercase();
        // What a HyperLogLog that is broken, or of another form, has become when PFADD gives up is propagated by nobody; nor
        // is the key that a BITFIELD makes whose operations all fail. So it is in Redis.
        if text.contains("pfadd") || text.contains("pfmerge") || (text.contains("bitfield") && text.contains(" fail")) {
            return Ok(());
        }
        sequences.set(sequences.get() + 1);
        let (original, log, now_ms) = run(sequence);
        effects.set(effects.get() + log.len());
        compare(&original, &log, now_ms)
    };
    let strategy = generate::sequence(14, true);
    let found = search::find(&mut search::runner(6), &strategy, check, || sequences.get() >= SEQUENCES);
    println!("{} sequences with {} effects", sequences.get(), effects.get());
    if let Some(found) = found {
        panic!("{}\n{}", found.reason, found.value);
    }
    assert!(effects.get() > 10_000, "the sequences hardly write");
}

#[test]
fn a_missing_effect_is_noticed() {
    let sequences = Cell::new(0);
    let check = |sequence: &Sequence| {
        sequences.set(sequences.get() + 1);
        let (original, mut log, now_ms) = run(sequence);
        log.pop();
        compare(&original, &log, now_ms)
    };
    let strategy = generate::sequence(14, true);
    let found = search::find(&mut search::runner(7), &strategy, check, || sequences.get() >= 100);
    assert!(found.is_some(), "a replay without the last effect gave the same data every time");
}

/// The version with the most commands.
fn options() -> Options {
    Options { version: Version::V8_4, ..Options::default() }
}

/// Effects with the time at which they were made (ms since the Unix epoch).
type Log = Vec<(i64, Effect)>;

/// An effect as a client may send it. An approximate trim is propagated as an exact one that keeps its `LIMIT`, which only
/// a replica takes.
fn as_client(args: &[Bytes]) -> Vec<Bytes> {
    let is = |at: usize, word: &str| args.get(at).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
    let trims = is(0, "XADD") || is(0, "XTRIM");
    let limit = (2..args.len()).find(|at| trims && is(*at, "LIMIT") && args[2..].iter().any(|arg| arg == "="));
    let keep = |at: &usize| limit.is_none_or(|limit| *at != limit && *at != limit + 1);
    (0..args.len()).filter(keep).map(|at| args[at].clone()).collect()
}

fn run(sequence: &Sequence) -> (Driver, Log, i64) {
    let mut driver = Driver::new(options());
    let mut host = driver::host();
    let mut log = Vec::new();
    let mut now_ms = BASE_MS;
    for step in sequence.all_steps() {
        match step.action {
            Action::Wait(ms) => now_ms += i64::try_from(ms).expect("a short wait"),
            Action::Run(args) => {
                let outcome = driver.run(&mut host, step.session, &resolve(&args, BASE_MS), now_ms);
                log.extend(outcome.effects.into_iter().map(|effect| (now_ms, effect)));
            }
        }
    }
    (driver, log, now_ms)
}

/// Replays each effect at the time at which it was made: a replica does not expire keys by itself, and neither does a
/// server that loads its log, so a later clock must not do it either.
fn compare(original: &Driver, log: &Log, now_ms: i64) -> Result<(), String> {
    let mut replica = Driver::new(options());
    // Libraries are compiled when they are loaded.
    let mut host = driver::host();
    for (at_ms, effect) in log {
        let select = ["SELECT".into(), effect.db.to_string().into()];
        replica.run(&mut host, 0, &select, *at_ms);
        let outcome = replica.run(&mut host, 0, &as_client(&effect.args), *at_ms);
        if let raceproof_engine::Reply::Error(text) = outcome.reply {
            return Err(format!("replaying {} gave {}", show::command(&effect.args), show::quoted(&text)));
        }
    }
    let (wanted, got) = (dump(original, now_ms), dump(&replica, now_ms));
    if wanted == got {
        return Ok(());
    }
    let log: Vec<String> =
        log.iter().map(|(_, effect)| format!("{} {}", effect.db, show::command(&effect.args))).collect();
    Err(format!("the effects\n  {}\nmade {got:#?}\ninstead of {wanted:#?}", log.join("\n  ")))
}

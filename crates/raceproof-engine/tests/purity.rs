//! The engine is pure: the same seed and inputs give the same replies, effects and footprints, also on a clone made at
//! any moment, and whatever was done to the original since; and in an engine that went back to where another one is.

mod support;

use std::cell::Cell;

use proptest::prelude::*;
use raceproof_engine::{Access, Effect, Object, Options, Version};

use support::driver::{self, Driver};
use support::search;
use support::sequence::{Action, Sequence, Step, resolve};
use support::{generate, show};

const BASE_MS: i64 = 1_700_000_000_123;
const SEQUENCES: u64 = 2_000;

/// What one command came to.
#[derive(Debug, PartialEq)]
struct Seen {
    command: String,
    reply: String,
    effects: Vec<Effect>,
    wrote: bool,
    footprint: Vec<(Object, Access)>,
    next_deadline_ms: Option<i64>,
}

#[test]
fn equal_inputs_give_equal_outputs_also_on_a_clone() {
    let version = prop::sample::select(vec![Version::V7_0, Version::V8_4]);
    let strategy = (generate::sequence(14, true), 0_usize..40, any::<u64>(), any::<bool>(), version);
    let sequences = Cell::new(0);
    let check = |(sequence, middle, seed, sorted_replies, version): &(Sequence, usize, u64, bool, Version)| {
        sequences.set(sequences.get() + 1);
        let options = Options { seed: *seed, sorted_replies: *sorted_replies, version: *version, ..Options::default() };
        let steps = sequence.all_steps();
        let (early, late) = steps.split_at((*middle).min(steps.len()));
        let mut original = Driver::new(options.clone());
        let (seen_early, now_ms) = run(&mut original, early, BASE_MS);
        let mut copy = original.clone();
        let (seen_late, _) = run(&mut original, late, now_ms);
        same("on a clone", &seen_late, &run(&mut copy, late, now_ms).0)?;
        let mut again = Driver::new(options.clone());
        let seen_again = run(&mut again, &steps, BASE_MS).0;
        let whole: Vec<Seen> = seen_early.into_iter().chain(seen_late).collect();
        same("in a second run", &whole, &seen_again)?;
        // An engine that has been elsewhere goes back to where another one is.
        let start = Driver::new(options.clone());
        again.engine.clone_from(&start.engine);
        same("after going back", &whole, &run(&mut again, &steps, BASE_MS).0)?;
        without_effects(start, &steps, whole)
    };
    let found = search::find(&mut search::runner(5), &strategy, check, || sequences.get() >= SEQUENCES);
    if let Some(found) = found {
        panic!("{}\n{}", found.reason, found.value.0);
    }
}

/// Effects that are not asked for change nothing else.
fn without_effects(mut driver: Driver, steps: &[Step], mut expected: Vec<Seen>) -> Result<(), String> {
    for seen in &mut expected {
        if seen.wrote == seen.effects.is_empty() {
            return Err(format!("wrote: {} with the effects {:?}", seen.wrote, seen.effects));
        }
        seen.effects.clear();
    }
    driver.without_effects = true;
    same("without effects", &expected, &run(&mut driver, steps, BASE_MS).0)
}

#[test]
fn another_seed_makes_other_choices() {
    let choices = |seed| {
        let mut driver = Driver::new(Options { seed, ..Options::default() });
        let lines: Vec<String> = (0..20).map(|n| format!("[0] SET key{n} 1")).collect();
        let choose = ["[0] RANDOMKEY"; 10].join("\n");
        let text = format!("{}\n{choose}", lines.join("\n"));
        let seen = run(&mut driver, &Sequence::parse(&text).steps, BASE_MS).0;
        seen.into_iter().skip(20).map(|seen| seen.reply).collect::<Vec<_>>()
    };
    assert_eq!(choices(1), choices(1));
    assert_ne!(choices(1), choices(2));
}

fn run(driver: &mut Driver, steps: &[Step], mut now_ms: i64) -> (Vec<Seen>, i64) {
    let mut host = driver::host();
    let mut seen = Vec::new();
    for step in steps {
        match &step.action {
            Action::Wait(ms) => now_ms += i64::try_from(*ms).expect("a short wait"),
            Action::Run(args) => {
                let args = resolve(args, BASE_MS);
                let outcome = driver.run(&mut host, step.session, &args, now_ms);
                seen.push(Seen {
                    command: show::command(&args),
                    reply: show::quoted(&driver.bytes(step.session, &outcome.reply)),
                    wrote: outcome.wrote,
                    effects: outcome.effects,
                    footprint: outcome.footprint.iter().cloned().collect(),
                    next_deadline_ms: driver.engine.next_deadline_ms(),
                });
            }
        }
    }
    (seen, now_ms)
}

fn same(where_: &str, one: &[Seen], other: &[Seen]) -> Result<(), String> {
    match one.iter().zip(other).find(|(one, other)| one != other) {
        Some((one, other)) => Err(format!("{where_} there was {other:#?} instead of {one:#?}")),
        None if one.len() != other.len() => {
            Err(format!("{where_} there were {} instead of {}", other.len(), one.len()))
        }
        None => Ok(()),
    }
}

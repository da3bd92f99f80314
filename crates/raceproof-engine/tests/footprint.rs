//! Footprints are sound: what claims to be independent commutes. And precise: pairs that exploration must not reorder
//! for nothing are claimed independent.
//!
//! Each property is also run with a part of every footprint taken away, and has to fail then.

mod support;

#[path = "footprint/case.rs"]
mod case;
#[path = "footprint/contended.rs"]
mod contended;
#[path = "footprint/precision.rs"]
mod precision;

use std::cell::Cell;

use raceproof_engine::{Access, Object};

use case::{Case, Footprints, Keep};
use support::search::{self, number};

/// Pairs per run.
const PAIRS: u64 = 60_000;

/// Cases after which a mutant must have been caught.
const MUTANT_CASES: u64 = 100_000;

const fn whole(_: &(Object, Access)) -> bool {
    true
}

#[test]
fn independent_units_commute() {
    let (pairs, independent) = (Cell::new(0), Cell::new(0));
    let wanted = number("RACEPROOF_FOOTPRINT_PAIRS", PAIRS);
    let check = |case: &Case| {
        let counts = case.check_order(Footprints { keep: whole })?;
        pairs.set(pairs.get() + counts.pairs);
        independent.set(independent.get() + counts.independent);
        Ok(())
    };
    let mut runner = search::runner(number("RACEPROOF_FOOTPRINT_SEED", 1));
    let found = search::find(&mut runner, &case::strategy(), check, || pairs.get() >= wanted);
    println!("{} pairs, {} of them claimed independent", pairs.get(), independent.get());
    if let Some(found) = found {
        panic!("{}\n{}", found.reason, found.value);
    }
    assert!(independent.get() > pairs.get() / 10, "hardly any pair claims independence: the test shows nothing");
}

#[test]
fn what_does_not_read_the_clock_is_the_same_at_any_time() {
    let cases = Cell::new(0);
    let check = |case: &Case| {
        cases.set(cases.get() + 1);
        case.check_clock(Footprints { keep: whole })
    };
    let found = search::find(&mut search::runner(2), &case::strategy(), check, || cases.get() >= 10_000);
    if let Some(found) = found {
        panic!("{}\n{}", found.reason, found.value);
    }
}

#[test]
fn what_does_not_write_deadlines_moves_none() {
    let cases = Cell::new(0);
    let check = |case: &Case| {
        cases.set(cases.get() + 1);
        case.check_deadlines(Footprints { keep: whole })
    };
    let found = search::find(&mut search::runner(3), &case::strategy(), check, || cases.get() >= 10_000);
    if let Some(found) = found {
        panic!("{}\n{}", found.reason, found.value);
    }
}

/// A property of a case, given what is kept of the footprints.
type Property = fn(&Case, Footprints) -> Result<(), String>;

fn order(case: &Case, footprints: Footprints) -> Result<(), String> {
    case.check_order(footprints).map(drop)
}

#[test]
fn each_property_fails_when_a_part_of_the_footprints_is_missing() {
    let mutants: &[(&str, Property, Keep)] = &[
        ("no clock", Case::check_clock, |(object, _)| *object != Object::Clock),
        ("no deadlines", Case::check_deadlines, |(object, _)| *object != Object::Deadlines),
        ("no keyspace", order, |(object, _)| !matches!(object, Object::Keyspace(_))),
        ("no intent on the keyspace", order, |(object, access)| {
            !(matches!(object, Object::Keyspace(_)) && *access == Access::IntentWrite)
        }),
        ("no keys", order, |(object, _)| !matches!(object, Object::Key(..))),
        ("no intent on keys", order, |(object, access)| {
            !(matches!(object, Object::Key(..)) && *access == Access::IntentWrite)
        }),
        ("no key reads", order, |(object, access)| !(matches!(object, Object::Key(..)) && *access == Access::Read)),
        ("no fields", order, |(object, _)| !matches!(object, Object::Field(..))),
        ("no field reads", order, |(object, access)| !(matches!(object, Object::Field(..)) && *access == Access::Read)),
        ("no cardinality", order, |(object, _)| !matches!(object, Object::Cardinality(..))),
        ("no members of sets", order, |(object, _)| !matches!(object, Object::Field(_, key, _) if key == "s")),
        ("no cardinality of sets", order, |(object, _)| !matches!(object, Object::Cardinality(_, key) if key == "s")),
        ("no members of sorted sets", order, |(object, _)| !matches!(object, Object::Field(_, key, _) if key == "z")),
        (
            "no cardinality of sorted sets",
            order,
            |(object, _)| !matches!(object, Object::Cardinality(_, key) if key == "z"),
        ),
        ("no lists", order, |(object, _)| !matches!(object, Object::Key(_, key) if key == "l")),
        ("no streams", order, |(object, _)| !matches!(object, Object::Key(_, key) if key == "x")),
        ("no random", order, |(object, _)| *object != Object::Random),
        ("no scripts", order, |(object, _)| *object != Object::Scripts),
        ("no channels", order, |(object, _)| !matches!(object, Object::Channel(_))),
        ("no shard channels", order, |(object, _)| !matches!(object, Object::ShardChannel(_))),
        ("no patterns", order, |(object, _)| *object != Object::Patterns),
        ("no subscriptions", order, |(object, _)| *object != Object::Subscriptions),
        ("no table of what is tracked", order, |(object, _)| *object != Object::Tracking),
        ("no tracked names", order, |(object, _)| !matches!(object, Object::Tracked(_))),
        ("no inboxes", order, |(object, _)| !matches!(object, Object::Inbox(_))),
        ("no memory", order, |(object, _)| *object != Object::Memory),
        ("no server", order, |(object, _)| *object != Object::Server),
        ("no functions", order, |(object, _)| *object != Object::Functions),
        ("no users", order, |(object, _)| *object != Object::Users),
    ];
    for (name, property, keep) in mutants {
        let cases = Cell::new(0);
        let check = |case: &Case| {
            cases.set(cases.get() + 1);
            property(case, Footprints { keep: *keep })
        };
        let found = search::find(&mut search::runner(4), &case::strategy(), check, || cases.get() >= MUTANT_CASES);
        assert!(found.is_some(), "nothing notices footprints with {name}, after {} cases", cases.get());
        println!("{name}: noticed at case {}", cases.get());
    }
}

#[test]
fn pairs_that_must_be_independent_are_and_pairs_that_conflict_do() {
    let wrong: Vec<String> = precision::TABLE.iter().filter_map(precision::wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

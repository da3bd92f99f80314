//! The checker of linearizability against an independent one that tries every order, and on histories that are
//! linearizable because of how they were made.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use raceproof_explore::{Datum, History, HistoryCheck, Judgement, Model, Operation, OperationKind};

/// What a client does.
#[derive(Clone, Debug)]
enum Call {
    Read,
    Write(u8),
    Swap(u8),
    Cas(u8, u8),
    Inc(i8),
    Add(u8),
    Remove(u8),
    Contains(u8),
    Members,
    Put(u8, u8),
    Get(u8),
    Take(u8),
    Acquire,
    Release,
}

/// The state of any of the types: numbers by number. A register and a counter live at 0, a lock's holder at 0.
type Contents = BTreeMap<u8, i64>;

fn text(value: Option<i64>) -> Option<Datum> {
    value.map(|value| Datum::Text(value.to_string()))
}

fn flag(value: bool) -> Option<Datum> {
    Some(Datum::Text(value.to_string()))
}

/// Does the call and gives its result. Knows nothing of the checker: it is what a programmer would write.
fn perform(model: Model, state: &mut Contents, client: u8, call: &Call) -> Option<Datum> {
    match *call {
        Call::Read if model == Model::Counter => text(Some(state.get(&0).copied().unwrap_or(0))),
        Call::Read => text(state.get(&0).copied()),
        Call::Write(value) => {
            state.insert(0, value.into());
            None
        }
        Call::Swap(value) => text(state.insert(0, value.into())),
        Call::Cas(old, new) => {
            let fits = state.get(&0) == Some(&old.into());
            if fits {
                state.insert(0, new.into());
            }
            flag(fits)
        }
        Call::Inc(by) => {
            let value = state.entry(0).or_default();
            *value += i64::from(by);
            text(Some(*value))
        }
        Call::Add(member) => flag(state.insert(member, 1).is_none()),
        Call::Remove(member) | Call::Take(member) => flag(state.remove(&member).is_some()),
        Call::Contains(member) => flag(state.contains_key(&member)),
        Call::Members => Some(Datum::List(state.keys().map(ToString::to_string).collect())),
        Call::Put(key, value) => {
            state.insert(key, value.into());
            None
        }
        Call::Get(key) => text(state.get(&key).copied()),
        Call::Acquire => flag(match state.get(&0) {
            Some(_) => false,
            None => state.insert(0, client.into()).is_none(),
        }),
        Call::Release => {
            let held = state.get(&0) == Some(&client.into());
            if held {
                state.remove(&0);
            }
            flag(held)
        }
    }
}

fn kind(call: &Call) -> OperationKind {
    let named = |name: &str, args: &[i64]| OperationKind::Call {
        name: name.to_owned(),
        args: args.iter().map(ToString::to_string).collect(),
    };
    match *call {
        Call::Read | Call::Members => OperationKind::Read,
        Call::Write(value) => OperationKind::Write(value.to_string()),
        Call::Swap(value) => named("swap", &[value.into()]),
        Call::Cas(old, new) => named("cas", &[old.into(), new.into()]),
        Call::Inc(by) => named("inc", &[by.into()]),
        Call::Add(member) => named("add", &[member.into()]),
        Call::Remove(member) | Call::Take(member) => named("remove", &[member.into()]),
        Call::Contains(member) => named("contains", &[member.into()]),
        Call::Put(key, value) => named("put", &[key.into(), value.into()]),
        Call::Get(key) => named("get", &[key.into()]),
        Call::Acquire => named("acquire", &[]),
        Call::Release => named("release", &[]),
    }
}

/// An operation of a generated history.
#[derive(Clone, Debug)]
struct Done {
    client: u8,
    call: Call,
    start: usize,
    /// `None`: never acknowledged.
    end: Option<usize>,
    result: Option<Datum>,
}

fn operation(done: &Done) -> Operation {
    Operation {
        // The lock's owner is the client.
        client: done.client.to_string(),
        object: "x".to_owned(),
        kind: kind(&done.call),
        started: Some(done.start),
        committed: None,
        ended: done.end,
        crashed: None,
        value: done.end.and(done.result.clone()),
        failed: false,
        started_ms: 0,
        committed_ms: 0,
        ended_ms: 0,
    }
}

fn history(model: Model, all: &[Done]) -> History {
    let start = match model {
        Model::Register => vec![("x".to_owned(), None)],
        _ => Vec::new(),
    };
    History { operations: all.iter().map(operation).collect(), initial: start, ..History::default() }
}

/// Tries every order of the operations, and every choice of those never acknowledged to leave out.
fn has_order(model: Model, left: &[&Done], state: &Contents) -> bool {
    if left.iter().all(|done| done.end.is_none()) {
        return true;
    }
    (0..left.len()).any(|at| {
        let next = left[at];
        let must_wait = left.iter().any(|other| other.end.is_some_and(|end| end < next.start));
        if must_wait {
            return false;
        }
        let mut state = state.clone();
        let result = perform(model, &mut state, next.client, &next.call);
        let fits = next.end.is_none() || result == next.result;
        let rest: Vec<&Done> =
            left.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, done)| *done).collect();
        fits && has_order(model, &rest, &state)
    })
}

fn holds(model: Model, all: &[Done]) -> bool {
    match HistoryCheck::linearizable("x", model).judge(&history(model, all)) {
        Judgement::Holds => true,
        Judgement::Broken(_) => false,
        other => panic!("{other:?} of {all:?}"),
    }
}

fn calls(model: Model) -> BoxedStrategy<Call> {
    let small = 0..3_u8;
    match model {
        Model::Register => prop_oneof![
            3 => Just(Call::Read),
            2 => small.clone().prop_map(Call::Write),
            1 => small.clone().prop_map(Call::Swap),
            1 => (small.clone(), small).prop_map(|(old, new)| Call::Cas(old, new)),
        ]
        .boxed(),
        Model::Counter => prop_oneof![Just(Call::Read), (-1..3_i8).prop_map(Call::Inc)].boxed(),
        Model::Set => prop_oneof![
            3 => small.clone().prop_map(Call::Add),
            2 => small.clone().prop_map(Call::Remove),
            2 => small.prop_map(Call::Contains),
            1 => Just(Call::Members),
        ]
        .boxed(),
        Model::Map => prop_oneof![
            (small.clone(), small.clone()).prop_map(|(key, value)| Call::Put(key, value)),
            small.clone().prop_map(Call::Get),
            small.prop_map(Call::Take),
        ]
        .boxed(),
        Model::Lock => prop_oneof![Just(Call::Acquire), Just(Call::Release)].boxed(),
    }
}

/// Histories in which each operation took effect at a moment of its own, with a start before it and an end after it.
/// The operations of one client do not overlap.
fn sequential(model: Model, most: usize) -> BoxedStrategy<Vec<Done>> {
    let one = (0..3_u8, calls(model), 0..5_usize, 0..5_usize, 0..8_u8);
    proptest::collection::vec(one, 1..=most)
        .prop_map(move |calls| {
            let mut state = Contents::new();
            let mut free = [0; 3];
            let mut all = Vec::new();
            for (at, (client, call, early, late, fate)) in calls.into_iter().enumerate() {
                let moment = 20 + 4 * at;
                let start = moment.saturating_sub(3 * early).max(free[usize::from(client)] + 1);
                if start > moment {
                    continue;
                }
                let end = moment + 3 * late;
                // Of those that nobody acknowledged some took effect and some did not; their client is gone.
                let gone = fate == 0;
                let effective = !gone || early % 2 == 0;
                let result = effective.then(|| perform(model, &mut state, client, &call)).flatten();
                free[usize::from(client)] = if gone { usize::MAX - 1 } else { end };
                all.push(Done { client, call, start, end: (!gone).then_some(end), result });
            }
            all
        })
        .boxed()
}

fn results(model: Model) -> BoxedStrategy<Option<Datum>> {
    let number = (0..4_i64).prop_map(|value| text(Some(value)));
    match model {
        Model::Register => prop_oneof![1 => Just(None), 4 => number].boxed(),
        _ => number.boxed(),
    }
}

/// Histories in which some results were replaced by others: some are linearizable, some are not.
fn damaged(model: Model) -> BoxedStrategy<Vec<Done>> {
    let wrong = proptest::collection::vec((0..6_usize, results(model), any::<bool>()), 0..=2);
    (sequential(model, 6), wrong)
        .prop_map(move |(mut all, wrong)| {
            for (at, result, yes) in wrong {
                let Some(done) = all.get_mut(at) else { continue };
                done.result = match done.call {
                    Call::Write(_) | Call::Put(..) | Call::Members => continue,
                    Call::Cas(..) | Call::Add(_) | Call::Remove(_) | Call::Contains(_) => flag(yes),
                    Call::Take(_) | Call::Acquire | Call::Release => flag(yes),
                    _ => result,
                };
            }
            all
        })
        .boxed()
}

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

#[test]
fn what_took_effect_at_one_moment_is_linearizable() {
    for model in Model::ALL {
        let result = runner(400).run(&sequential(model, 14), |all| {
            prop_assert!(holds(model, &all), "{:?}", all);
            Ok(())
        });
        result.unwrap_or_else(|failure| panic!("{}: {failure}", model.name()));
    }
}

#[test]
fn the_fast_checker_agrees_with_every_order_tried() {
    for model in Model::ALL {
        let (mut good, mut bad) = (0_u32, 0_u32);
        let mut runner = runner(1_000);
        let strategy = damaged(model);
        for _ in 0..2_000 {
            let all = strategy.new_tree(&mut runner).unwrap().current();
            let expected = has_order(model, &all.iter().collect::<Vec<_>>(), &Contents::new());
            assert_eq!(holds(model, &all), expected, "{}: {all:#?}", model.name());
            if expected { good += 1 } else { bad += 1 }
        }
        assert!(good > 200 && bad > 200, "{}: {good} linearizable, {bad} not: one side is hardly tried", model.name());
    }
}

/// Many operations at once, none of which is acknowledged, can be put in more orders than can be tried.
#[test]
fn too_many_orders_are_unknown_and_not_linearizable() {
    let inc = |client: u8, by| Done { client, call: Call::Inc(by), start: 1, end: None, result: None };
    let read = Done { client: 200, call: Call::Read, start: 2, end: Some(3), result: text(Some(-1)) };
    let many: Vec<Done> = (0..24).map(|n| inc(n, i8::try_from(n % 12).unwrap() * 10 + 1)).chain([read]).collect();
    let judgement = HistoryCheck::linearizable("x", Model::Counter).judge(&history(Model::Counter, &many));
    let Judgement::Unknown(what) = judgement else { panic!("{judgement:?}") };
    assert!(what.starts_with("whether x is linearizable as a counter is not known"), "{what}");
}

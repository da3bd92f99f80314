//! Merging states against all interleavings: the same final states and the same verdicts, also within a bound on
//! preemptions or on the depth.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::branching::{self, programs};
use super::{MOST_INTERLEAVINGS, NO_FAULTS, Program, hashes, joined, plain, sql, timed, transactions};
use crate::event::{Choice, ClientId, Event};
use crate::execution::{Cast, Chooser, Enabled, End, Mode, Part, Recall, Run, Worker};
use crate::search::bounded::Bounded;
use crate::search::driver::{Body, execute};
use crate::search::states::Graph;
use crate::{Bounds, Error, Fault, World};

/// How an execution can end: its verdict, what it leaves, and whether it was cut off.
pub(super) type Ending = (Option<String>, Option<u64>, bool);

#[derive(Debug, Default)]
pub(super) struct Endings {
    pub(super) all: BTreeSet<Ending>,
    executions: usize,
}

impl Endings {
    fn add(&mut self, run: &Run) {
        let cut = match run.end {
            End::Abandoned => return,
            End::Complete => false,
            End::CutOff(_) | End::TooDeep => true,
        };
        let verdict = run.violation.as_ref().map(|violation| match violation.message.as_str() {
            // How an outcome that is not serializable came about differs between executions that have it.
            _ if violation.check == crate::search::serial::CHECK => "not serializable".to_owned(),
            message => format!("{:?} {message}", violation.broken),
        });
        self.all.insert((verdict, run.final_state, cut));
    }
}

fn run(worker: &mut Worker, body: Body<'_>, bounds: Bounds, chooser: &mut dyn Chooser) -> Box<Run> {
    let mode = Mode { fingerprint_state: true, stop_at_violation: true, in_full: true, ..Mode::default() };
    execute(worker, body, bounds, mode, chooser).expect("the program runs").expect("the setup works")
}

/// All interleavings; counts the preemptions of each by itself.
struct Every {
    all: Bounded,
    last: Option<ClientId>,
    preemptions: u32,
}

impl Chooser for Every {
    fn choose(&mut self, at: usize, enabled: &[Enabled], cast: &Cast<'_>) -> Option<Choice> {
        if at == 0 {
            (self.last, self.preemptions) = (None, 0);
        }
        let choice = self.all.choose(at, enabled, cast)?;
        let Some(next) = cast.worker.owner(choice.process) else { return Some(choice) };
        let could_go_on: Vec<ClientId> = enabled.iter().filter_map(|one| cast.worker.owner(one.process)).collect();
        if let Some(last) = self.last.replace(next)
            && last != next
            && could_go_on.contains(&last)
        {
            self.preemptions += 1;
        }
        Some(choice)
    }

    fn executed(&mut self, at: usize, event: &Event) -> Result<(), Error> {
        self.all.executed(at, event)
    }
}

/// How all executions within the bounds end; `None` if there are too many.
pub(super) fn brute_force(body: Body<'_>, bounds: Bounds) -> Option<Endings> {
    let mut worker = Worker::new();
    let mut every = Every { all: Bounded::new(u32::MAX), last: None, preemptions: 0 };
    let mut found = Endings::default();
    loop {
        let run = run(&mut worker, body, bounds, &mut every);
        found.executions += 1;
        if bounds.preemptions.is_none_or(|most| every.preemptions <= most) {
            found.add(&run);
        }
        if found.executions > MOST_INTERLEAVINGS {
            return None;
        }
        if !every.all.advance() {
            return Some(found);
        }
    }
}

/// How the executions end that are run when states are merged, by all that a state is or without a part of it.
pub(super) fn merged(body: Body<'_>, bounds: Bounds, without: Option<Part>) -> Endings {
    let mut worker = Worker::new();
    worker.recall = Some(Recall::without(without));
    'again: loop {
        let mut graph = Graph::without(bounds, without);
        let mut found = Endings::default();
        loop {
            let run = run(&mut worker, body, bounds, &mut graph);
            if worker.recall.as_mut().is_some_and(Recall::has_grown) {
                continue 'again;
            }
            found.executions += 1;
            found.add(&run);
            if !graph.advance() {
                return found;
            }
        }
    }
}

fn agree(body: Body<'_>, bounds: Bounds) -> Result<bool, TestCaseError> {
    let Some(all) = brute_force(body, bounds) else { return Ok(false) };
    let found = merged(body, bounds, None);
    prop_assert_eq!(&found.all, &all.all, "final states and verdicts");
    Ok(true)
}

/// Referees generated programs without bounds, then with each of a few.
fn referee<P: std::fmt::Debug>(
    wanted: u32,
    program: impl Strategy<Value = P>,
    bounds: Bounds,
    build: impl Fn(&P, &mut World),
) {
    let bounded = prop_oneof![
        4 => Just(bounds),
        1 => (0_u32..=2).prop_map(move |most| Bounds { preemptions: Some(most), ..bounds }),
        1 => (2_u32..=4).prop_map(move |most| Bounds { depth: Some(most), ..bounds }),
    ];
    super::referee_all(wanted, (program, bounded), |(program, bounds)| {
        agree(&|world: &mut World| build(program, world), *bounds)
    });
}

fn acts(
    clients: std::ops::RangeInclusive<usize>,
    most: usize,
    acts: BoxedStrategy<super::Act>,
) -> BoxedStrategy<Program> {
    proptest::collection::vec(proptest::collection::vec(acts, 1..=most), clients).boxed()
}

pub(super) const PAUSE: Bounds = Bounds { pauses: 1, ..NO_FAULTS };
pub(super) const CRASH: Bounds = NO_FAULTS.with(Fault::Crash, 1);

#[test]
fn strings() {
    referee(300, acts(2..=3, 3, plain()), NO_FAULTS, super::build);
    referee(100, acts(2..=2, 3, plain()), CRASH, super::build);
}

#[test]
fn hash_fields() {
    referee(300, acts(2..=3, 3, hashes()), NO_FAULTS, super::build);
}

#[test]
fn deadlines() {
    referee(300, acts(2..=3, 3, timed()), NO_FAULTS, super::build);
    referee(300, acts(2..=2, 3, timed()), PAUSE, super::build);
    referee(150, acts(2..=2, 2, timed()), Bounds { pauses: 2, ..NO_FAULTS }, super::build);
    referee(150, acts(2..=2, 2, timed()), PAUSE.with(Fault::Crash, 1), super::build);
}

#[test]
fn watched_keys_and_scripts() {
    referee(300, acts(2..=3, 3, transactions()), NO_FAULTS, super::build);
    referee(150, acts(2..=2, 3, transactions()), PAUSE, super::build);
}

#[test]
fn sql_transactions() {
    referee(300, acts(2..=2, 4, sql()), NO_FAULTS, super::build);
    referee(150, acts(3..=3, 2, sql()), NO_FAULTS, super::build);
    referee(150, acts(2..=2, 3, sql()), CRASH, super::build);
}

#[test]
fn requests_at_once() {
    referee(300, acts(2..=2, 2, joined()), NO_FAULTS, super::build);
}

#[test]
fn commands_that_wait() {
    referee(200, acts(2..=3, 3, super::waits::lists()), NO_FAULTS, super::build);
    referee(150, acts(2..=2, 3, super::waits::streams_and_sorted_sets()), PAUSE, super::build);
    referee(100, acts(2..=2, 2, super::waits::lists()), CRASH, super::build);
    referee(100, acts(2..=2, 2, super::waits::lists()), NO_FAULTS.with(Fault::LostReply, 1), super::build);
    referee(100, acts(2..=2, 2, super::waits::lists()), NO_FAULTS.with(Fault::Restart, 1), super::build);
}

#[test]
fn messages() {
    use super::messages::{build, channels, expiries, one_connection, tracking};
    referee(100, tracking(2, 3), NO_FAULTS, super::build);
    referee(150, acts(2..=3, 3, channels()), NO_FAULTS, build);
    referee(150, acts(2..=2, 3, one_connection()), NO_FAULTS, build);
    referee(100, acts(2..=2, 2, expiries()), PAUSE, build);
    referee(100, acts(2..=2, 2, channels()), CRASH, build);
    referee(100, acts(2..=2, 2, one_connection()), NO_FAULTS.with(Fault::LostReply, 1), build);
    referee(100, acts(2..=2, 2, channels()), NO_FAULTS.with(Fault::Restart, 1), build);
}

#[test]
fn replies_decide_and_always_checks_see() {
    let acts = || branching::branching(branching::commands());
    referee(300, programs(2..=3, 2, acts(), branching::STATE), NO_FAULTS, branching::build);
    referee(150, programs(2..=2, 2, acts(), branching::STATE), CRASH, branching::build);
}

#[test]
fn shared_state_and_spawned_clients() {
    let acts = || branching::branching(branching::various());
    referee(300, programs(2..=2, 2, acts(), branching::STATE), NO_FAULTS, branching::build);
    referee(150, programs(2..=2, 2, branching::various(), branching::STATE), CRASH, branching::build);
}

#[test]
fn statements_that_fail() {
    let checks = &[branching::Checks::None, branching::Checks::Rows];
    referee(300, programs(2..=2, 4, branching::databases(), checks), NO_FAULTS, branching::build);
    referee(150, programs(2..=2, 3, branching::databases(), checks), CRASH, branching::build);
    referee(150, programs(2..=2, 3, branching::databases(), checks), PAUSE, branching::build);
}

#[test]
fn time_decides() {
    let checks = &[branching::Checks::None, branching::Checks::NotBoth, branching::Checks::Volatile];
    let acts = || branching::branching(branching::times());
    referee(300, programs(2..=2, 3, acts(), checks), NO_FAULTS, branching::build);
    referee(150, programs(2..=2, 2, acts(), checks), PAUSE, branching::build);
}

#[test]
fn bells() {
    referee(300, programs(2..=2, 3, branching::bells(), &[branching::Checks::None]), NO_FAULTS, branching::build);
    referee(150, programs(2..=2, 2, branching::bells(), &[branching::Checks::None]), PAUSE, branching::build);
}

#[test]
fn history_checks() {
    let exclusion = &[branching::Checks::Exclusion];
    referee(150, programs(2..=3, 2, branching::locks(), exclusion), NO_FAULTS, branching::build);
    referee(75, programs(2..=2, 2, branching::locks(), exclusion), CRASH, branching::build);
    referee(75, programs(2..=2, 2, branching::locks(), exclusion), PAUSE, branching::build);
    let fresh = &[branching::Checks::Fresh, branching::Checks::FreshSinceCommit];
    referee(150, programs(2..=3, 2, branching::operations(), fresh), NO_FAULTS, branching::build);
    referee(75, programs(2..=2, 2, branching::operations(), fresh), CRASH, branching::build);
}

#[test]
fn faults() {
    use crate::Persistence::{EverySec, None, Rdb};
    let few = || acts(2..=2, 2, super::faults::few());
    let kept = |fault, persistence| Bounds { persistence, ..NO_FAULTS.with(fault, 1) };
    referee(100, few(), kept(Fault::Restart, Rdb), super::build);
    referee(50, few(), kept(Fault::Restart, None), super::build);
    referee(50, few(), kept(Fault::Failover, EverySec), super::build);
    referee(50, acts(2..=2, 2, timed()), kept(Fault::PowerLoss, EverySec), super::build);
    referee(50, few(), NO_FAULTS.with(Fault::Evict, 1), super::build);
    referee(50, few(), NO_FAULTS.with(Fault::Flush, 1), super::build);
    referee(50, acts(2..=2, 2, transactions()), NO_FAULTS.with(Fault::ScriptFlush, 1), super::build);
    referee(50, acts(2..=2, 2, timed()), NO_FAULTS.with(Fault::ClockJump, 1), super::build);
    referee(50, acts(2..=2, 2, timed()), NO_FAULTS.with(Fault::LostReply, 1), super::build);
    referee(50, acts(2..=2, 2, timed()), NO_FAULTS.with(Fault::Late, 1), super::build);
    referee(50, acts(2..=2, 2, transactions()), NO_FAULTS.with(Fault::Late, 1), super::build);
    referee(100, acts(2..=2, 3, super::replicas::replicas()), NO_FAULTS.with(Fault::Lag, 2), super::build);
    referee(
        50,
        acts(2..=2, 2, super::replicas::replicas()),
        NO_FAULTS.with(Fault::Lag, 1).with(Fault::Failover, 1),
        super::build,
    );
    let both = Bounds { persistence: Rdb, ..NO_FAULTS.with(Fault::Lag, 1).with(Fault::Restart, 1) };
    referee(50, acts(2..=2, 2, super::replicas::replicas()), both, super::build);
    referee(50, few(), NO_FAULTS.with(Fault::Partition, 1), super::build);
    referee(50, acts(2..=2, 3, sql()), NO_FAULTS.with(Fault::CommitUnknown, 1), super::build);
    referee(50, acts(2..=2, 3, sql()), NO_FAULTS.with(Fault::SqlAbort, 1), super::build);
}

#[test]
fn outcomes_are_compared() {
    let build = |program: &Program, world: &mut World| {
        super::build(program, world);
        world.serializable();
    };
    referee(200, acts(2..=2, 3, plain()), NO_FAULTS, build);
    referee(50, acts(2..=2, 2, plain()), CRASH, build);
    referee(50, acts(2..=2, 2, hashes()), NO_FAULTS, build);
}

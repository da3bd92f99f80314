//! Exhaustive search by optimal dynamic partial-order reduction (source sets with wakeup trees; Abdulla, Aronis,
//! Jonsson, Sagonas, POPL 2014 and JACM 2017), one execution for each trace.
//!
//! The search is stateless: every execution runs from the start, along the branches that the nodes of the present path
//! name, and on from there freely. At its end the races tell which other orders have to be tried, and from which state.
//!
//! Four things go beyond the papers. What a step touches depends on the state in which it is made (a `DEL` of a key that
//! is gone writes nothing, a script may do anything): before a step is planned in a new place it is tried out there,
//! see [`Optimal::plan`]. A step may have several *outcomes* (its client may die before or after it): taking it plans all
//! of them, and one outcome that is done says nothing about executions that take another. And a step may be *optional*
//! (a pause): it takes part in the races at the end although it never happened, and it never stands for executions
//! without it.

mod estimate;
mod fork;
mod outcomes;

use std::cmp::Ordering;
use std::sync::Arc;

use estimate::Below;
pub(crate) use fork::Pending;
use outcomes::plan_outcomes;
use rustc_hash::FxHashMap;
use smallvec::{SmallVec, smallvec};

use super::driver::Bench;
use super::races::{Order, Race};
use super::wakeup::{Branch, Duty, Initial, Planned, Rest, covers, insert, weak_initial};
use crate::event::{Choice, END, Event, Footprint, Kept, Outcome, Things, dependent};
use crate::execution::{Cast, Chooser, Enabled, Run};
use crate::{Bounds, Error, Persistence};

/// How many steps that were tried out a node remembers: the first nodes live as long as the search.
const MOST_TRIED: usize = 1 << 10;

/// A state on the present path, and what is left to do from it.
#[derive(Clone, Debug)]
struct Node {
    /// Steps whose executions from here are all done already.
    sleep: Vec<Planned>,
    /// What is to be explored from here; the first branch is under way.
    branches: Vec<Branch>,
    /// The fingerprint of the step that the branch under way makes, once it is known.
    fingerprint: Option<u64>,
    /// Steps that were tried out from here, with what came of it.
    tried: FxHashMap<Vec<Choice>, Option<Arc<Footprint>>>,
    /// Whether an execution along the branch under way has come to its end. A branch that turned out to lead nowhere
    /// was never explored, and must not be slept on.
    explored: bool,
    below: Below,
    /// Everything that must happen here was done before. The execution that finds it is given up, so that what need not
    /// happen takes part in its races; the branches are what it may wake that by.
    gives_up: bool,
    /// All that can happen here.
    enabled: SmallVec<[(Choice, Duty); 4]>,
}

impl Node {
    fn duty(&self, choice: Choice) -> Duty {
        self.enabled.iter().find(|(known, _)| *known == choice).map_or(Duty::Fickle, |(_, duty)| *duty)
    }

    /// A step that nobody has made here yet.
    fn step(&self, choice: Choice) -> Planned {
        Planned { choice, footprint: None, duty: self.duty(choice) }
    }

    fn is_asleep(&self, choice: Choice) -> bool {
        self.sleep.iter().any(|asleep| asleep.choice == choice)
    }
}

/// Whether a server may have kept so many entries of its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeps {
    /// All that there are: the restart is possible, and touches what restarts touch.
    Surely,
    /// Only a trial tells.
    Perhaps,
    /// There are not so many.
    NotSoMuch,
    /// It keeps all that there are, and these are more.
    More,
}

/// The search tree along the present path.
#[derive(Debug, Default)]
pub(crate) struct Optimal {
    path: Vec<Node>,
    /// The present execution was given up, because everything that it could do next was done before.
    blocked: bool,
    /// Whether steps may happen that nobody waits for: time while clients could go on, faults of the surroundings.
    pauses: bool,
    /// What the server keeps.
    persistence: Persistence,
    /// The present execution was given up, because the step that was planned is not possible.
    infeasible: bool,
    /// The choice before this one: free runs go on with its process.
    previous: Option<Choice>,
    races: Vec<Race>,
    /// So many states at the front of the path keep the branch under way: this is a part of a search.
    fixed: usize,
    pub(crate) executions: u64,
    pub(crate) redundant: u64,
    pub(crate) impossible: u64,
}

/// The steps of an execution that a planned sequence is made of.
#[derive(Clone, Copy)]
struct Steps<'a> {
    events: &'a [&'a Event],
    happened: usize,
    /// Those that come before the last, by number.
    before: &'a [usize],
    last: usize,
}

impl Steps<'_> {
    /// What the last of them touches in its new place, if that takes no execution to know.
    fn try_dry(self, from: usize, bench: &mut Bench<'_>) -> Option<Arc<Footprint>> {
        let bounds = bench.bounds;
        if self.last >= self.happened || bounds.pauses > 0 || bounds.faults.may_strike() {
            return None;
        }
        if !bench.worker.things.are_redis() {
            return None;
        }
        let order = (0..from).chain(self.before.iter().copied()).chain([self.last]);
        let requests: Option<Vec<_>> = order.map(|at| self.events[at].delivered.as_ref()).collect();
        let touched = bench.worker.dry_run(&requests?)?;
        Some(Arc::new(Footprint { touched, ..(*self.events[self.last].footprint).clone() }))
    }
}

impl Chooser for Optimal {
    fn choose(&mut self, at: usize, enabled: &[Enabled], _cast: &Cast<'_>) -> Option<Choice> {
        if at == self.path.len() {
            self.extend(enabled)?;
        }
        let node = &mut self.path[at];
        if node.gives_up {
            // The beginning of the execution was found recorded, and its end was not.
            return None;
        }
        let choice = match possible(node, enabled) {
            Some(choice) => choice,
            None => {
                self.infeasible = true;
                return None;
            }
        };
        if node.fingerprint.is_none() {
            plan_outcomes(node, choice, enabled);
            if choice.process == END || choice.outcome == Outcome::Arrives {
                plan_arrivals(node, enabled);
            }
        }
        self.previous = Some(choice);
        Some(choice)
    }

    fn executed(&mut self, at: usize, event: &Event) -> Result<(), Error> {
        let node = &mut self.path[at];
        match node.fingerprint {
            Some(known) if known != event.fingerprint => {
                return Err(Error::NotDeterministic { step: at + 1, detail: String::new() });
            }
            _ => node.fingerprint = Some(event.fingerprint),
        }
        node.branches[0].step.footprint = Some(event.footprint.clone());
        Ok(())
    }
}

impl Optimal {
    pub(crate) fn new(bounds: Bounds) -> Self {
        let pauses = bounds.pauses > 0 || bounds.faults.strike_by_themselves();
        Self { pauses, persistence: bounds.persistence, ..Self::default() }
    }

    /// Adds the node for a state that the path has not reached yet. `None` if everything enabled there sleeps.
    fn extend(&mut self, enabled: &[Enabled]) -> Option<()> {
        let (sleep, branches) = match self.path.last_mut() {
            None => (Vec::new(), Vec::new()),
            Some(parent) => {
                let taken = parent.branches[0].step.footprint.clone()?;
                let sleep: Vec<Planned> = parent.sleep.iter().filter(|one| sleeps_on(one, &taken)).cloned().collect();
                let branches = std::mem::take(&mut parent.branches[0].next);
                (sleep, branches)
            }
        };
        let mut choices = SmallVec::new();
        for one in enabled {
            let duty = match one {
                Enabled { fickle: true, .. } => Duty::Fickle,
                Enabled { optional: true, .. } => Duty::May,
                Enabled { sure: true, outcomes, .. } if outcomes.len() == 1 => Duty::Only,
                _ => Duty::Must,
            };
            for outcome in &one.outcomes {
                choices.push((Choice { process: one.process, outcome: *outcome }, duty));
            }
        }
        let mut node = Node {
            sleep,
            branches,
            fingerprint: None,
            explored: false,
            gives_up: false,
            below: Below::at(self.executions),
            tried: FxHashMap::default(),
            enabled: choices,
        };
        match self.default_choice(&node, enabled) {
            Some(choice) if node.branches.is_empty() => node.branches.push(Branch::of(node.step(choice))),
            Some(_) => {}
            None if node.branches.is_empty() => {
                plan_optional(&mut node, enabled);
                node.gives_up = !node.branches.is_empty();
                self.blocked = true;
            }
            // An optional step was planned. That it may turn out otherwise here only the states tell that come to this one.
            None => plan_optional(&mut node, enabled),
        }
        if !node.branches.is_empty() {
            self.path.push(node);
        }
        (!self.blocked).then_some(())
    }

    /// The process of the step before goes on if it can, so that free runs have few context switches.
    ///
    /// A process whose step sleeps comes last, even if its client could die here instead: if it did, the step would never
    /// come in what follows, not even after steps that wake it, and nobody would see its races with them.
    fn default_choice(&self, node: &Node, enabled: &[Enabled]) -> Option<Choice> {
        let awake = |one: &Enabled, outcome: &Outcome| {
            let choice = Choice { process: one.process, outcome: *outcome };
            (!node.is_asleep(choice)).then_some(choice)
        };
        let first = |one: &Enabled| awake(one, one.outcomes.first()?);
        let any = |one: &Enabled| one.outcomes.iter().find_map(|outcome| awake(one, outcome));
        let must = || enabled.iter().filter(|one| !one.optional);
        let same = self.previous.and_then(|previous| must().find(|one| one.process == previous.process));
        same.and_then(first).or_else(|| must().find_map(first)).or_else(|| must().find_map(any))
    }

    /// Takes in a finished execution and moves to the next one. `false` when the tree is done.
    pub(crate) fn advance(&mut self, run: &Run, bench: &mut Bench<'_>) -> Result<bool, Error> {
        if std::mem::take(&mut self.infeasible) {
            // An optional step that a race suggested is not possible there: nothing was run.
            self.impossible += 1;
        } else {
            // An execution that is given up repeats a trace, but its steps may have races that nobody has seen.
            let blocked = std::mem::take(&mut self.blocked);
            self.redundant += u64::from(blocked);
            self.executions += u64::from(!blocked);
            self.plan_races(run, bench)?;
            self.path.iter_mut().for_each(|node| node.explored = true);
        }
        self.previous = None;
        self.backtrack(bench)
    }

    fn plan_races(&mut self, run: &Run, bench: &mut Bench<'_>) -> Result<(), Error> {
        let happened = run.events.len();
        let events: Vec<&Event> = run.events.iter().chain(run.never.iter().map(|(_, event)| event)).collect();
        let places: Vec<usize> = (0..happened).chain(run.never.iter().map(|(place, _)| *place)).collect();
        let mut races = std::mem::take(&mut self.races);
        let order = Order::of(&events, &places, &mut races);
        for race in &races {
            let between = (race.first + 1..happened).filter(|at| *at != race.second);
            let mut tries: SmallVec<[Vec<usize>; 1]> =
                smallvec![between.filter(|at| !order.precedes(race.first, *at)).collect()];
            let mut next = 0;
            // What need not happen is tried with fewer steps before it, too; all others once.
            let again = events[race.second].optional;
            while let Some(before) = tries.get_mut(next) {
                let before = if again { before.clone() } else { std::mem::take(before) };
                next += 1;
                let second = &events[race.second].footprint;
                let prefix = (0..race.first).chain(before.iter().copied());
                let keeps = self.keeps(second.choice.outcome, prefix.map(|at| events[at]));
                match keeps {
                    Keeps::NotSoMuch => continue,
                    Keeps::More => {
                        less(&events, &order, &before, race.second, &mut tries);
                        continue;
                    }
                    Keeps::Surely | Keeps::Perhaps => {}
                }
                let mut sequence: Vec<Planned> = before.iter().map(|at| self.planned(&events, *at)).collect();
                let certain = keeps == Keeps::Surely;
                sequence.push(self.moved(&events, happened, race.second, certain, &bench.worker.things));
                let steps = Steps { events: &events, happened, before: &before, last: race.second };
                if self.plan(race.first, sequence, steps, bench)? || !again {
                    continue;
                }
                less(&events, &order, &before, race.second, &mut tries);
            }
        }
        self.races = races;
        Ok(())
    }

    /// Whether a server that restarts after these events may have kept so much of its log.
    fn keeps<'e>(&self, outcome: Outcome, prefix: impl Iterator<Item = &'e Event>) -> Keeps {
        let Some(Kept::Entries(kept)) = outcome.restarts() else { return Keeps::Perhaps };
        let mut written = 0_u16;
        for event in prefix {
            if event.footprint.choice.outcome.restarts().is_some() {
                return Keeps::Perhaps;
            }
            written = written.saturating_add(event.logged);
        }
        let loses_none = matches!(
            (outcome, self.persistence),
            (Outcome::Restart(_), Persistence::Always | Persistence::EverySec | Persistence::No)
                | (Outcome::PowerLoss(_), Persistence::Always)
        );
        match kept.cmp(&written) {
            Ordering::Equal => Keeps::Surely,
            Ordering::Greater => Keeps::NotSoMuch,
            Ordering::Less if loses_none => Keeps::More,
            Ordering::Less => Keeps::Perhaps,
        }
    }

    /// Plans the execution in which the second event of a race comes before the first: `sequence`, whose last step it
    /// is, from the state before the first.
    ///
    /// Whether the sequence is covered by others depends on what its last step touches in its new place. Guessing that
    /// wrong loses traces, in both directions: a sequence that is planned although others cover it takes in later ones,
    /// and is then given up. So where it is not known the step is tried out.
    ///
    /// `false` if the step is not possible there.
    fn plan(
        &mut self,
        from: usize,
        mut sequence: Vec<Planned>,
        steps: Steps<'_>,
        bench: &mut Bench<'_>,
    ) -> Result<bool, Error> {
        let rest = Rest(&steps.events[from..steps.happened]);
        if self.is_planned(from, &sequence, rest) {
            return Ok(true);
        }
        if sequence.last().is_some_and(|last| last.footprint.is_none()) {
            let prefix = self.path[..from].iter().map(|node| node.branches[0].step.choice);
            let choices: Vec<Choice> = prefix.chain(sequence.iter().map(|step| step.choice)).collect();
            let Some(footprint) = self.probe(from, choices, steps, bench)? else { return Ok(false) };
            if let Some(last) = sequence.last_mut() {
                last.footprint = Some(footprint);
            }
            if self.is_planned(from, &sequence, rest) {
                return Ok(true);
            }
        }
        insert(&mut self.path[from].branches, 1, sequence, rest);
        Ok(true)
    }

    fn is_planned(&self, from: usize, sequence: &[Planned], rest: Rest<'_>) -> bool {
        let node = &self.path[from];
        // The branch under way counts like those that are done: the step that was moved before it may have nothing to do
        // with it there.
        let done = node.sleep.iter().chain(node.branches.first().map(|branch| &branch.step));
        done.into_iter().any(|done| !matches!(weak_initial(done, sequence, rest), Initial::No))
            || (node.branches.len() > 1 && covers(&node.branches[1..], sequence.iter().collect(), rest))
    }

    /// What the last of the choices touches; `None` if it is not possible there.
    fn probe(
        &mut self,
        from: usize,
        choices: Vec<Choice>,
        steps: Steps<'_>,
        bench: &mut Bench<'_>,
    ) -> Result<Option<Arc<Footprint>>, Error> {
        if let Some(result) = self.path[from].tried.get(&choices[from..]) {
            return Ok(result.clone());
        }
        let result = match steps.try_dry(from, bench) {
            Some(footprint) => {
                #[cfg(test)]
                self::tests::agrees(&footprint, &choices, bench)?;
                Some(footprint)
            }
            None => bench.probe(&choices)?,
        };
        let tried = &mut self.path[from].tried;
        if tried.len() >= MOST_TRIED {
            tried.clear();
        }
        tried.insert(choices[from..].to_vec(), result.clone());
        Ok(result)
    }

    /// A step that stays in its place.
    fn planned(&self, events: &[&Event], at: usize) -> Planned {
        let footprint = events[at].footprint.clone();
        Planned { choice: footprint.choice, duty: self.path[at].duty(footprint.choice), footprint: Some(footprint) }
    }

    /// The step that is to come before another one: what it will touch there is known only if it is the same anywhere.
    fn moved(&self, events: &[&Event], happened: usize, at: usize, certain: bool, things: &Things) -> Planned {
        let footprint = events[at].footprint.clone();
        let choice = footprint.choice;
        let certain = certain || (!self.pauses && things.is_fixed(&footprint));
        let duty = if at < happened { self.path[at].duty(choice) } else { Duty::May };
        Planned { choice, duty, footprint: certain.then_some(footprint) }
    }

    /// Leaves the deepest branch that is under way and takes up the next one.
    fn backtrack(&mut self, bench: &mut Bench<'_>) -> Result<bool, Error> {
        while let Some(node) = self.path.get_mut(self.fixed..).and_then(<[Node]>::last_mut) {
            if std::mem::take(&mut node.gives_up) {
                // None of its branches was under way.
                node.explored = false;
            } else {
                let done = node.branches.remove(0);
                node.below.done(self.executions);
                if std::mem::take(&mut node.explored) {
                    node.sleep.push(done.step);
                }
            }
            node.fingerprint = None;
            node.branches.retain(|branch| !is_covered(&node.sleep, branch));
            self.drop_vain(bench)?;
            if self.path.last().is_some_and(|node| !node.branches.is_empty()) {
                return Ok(true);
            }
            self.path.pop();
        }
        Ok(false)
    }
}

/// An optional step is not possible after the events `before`. What is in its way may be more than one, none of
/// which comes after another: each is taken away in turn, with what comes after it.
fn less(events: &[&Event], order: &Order, before: &[usize], second: usize, tries: &mut SmallVec<[Vec<usize>; 1]>) {
    let second = &events[second].footprint;
    for in_its_way in before.iter().filter(|at| dependent(&events[**at].footprint, second)) {
        let stays = |at: &usize| at != in_its_way && !order.precedes(*in_its_way, *at);
        let fewer: Vec<usize> = before.iter().copied().filter(stays).collect();
        if !tries.contains(&fewer) {
            tries.push(fewer);
        }
    }
}

fn sleeps_on(asleep: &Planned, taken: &Footprint) -> bool {
    asleep.footprint.as_ref().is_some_and(|footprint| !dependent(footprint, taken))
}

/// The choice of the branch under way, if it is possible.
fn possible(node: &Node, enabled: &[Enabled]) -> Option<Choice> {
    let choice = node.branches.first()?.step.choice;
    let one = enabled.iter().find(|one| one.process == choice.process)?;
    one.outcomes.contains(&choice.outcome).then_some(choice)
}

/// The end leaves behind what is still on its way, so before it everything arrives in turn, and wherever one thing
/// arrives: from there its races tell where else it could have arrived.
fn plan_arrivals(node: &mut Node, enabled: &[Enabled]) {
    for one in enabled.iter().filter(|one| one.outcomes.contains(&Outcome::Arrives)) {
        plan_new(node, Choice { process: one.process, outcome: Outcome::Arrives });
    }
}

/// Everything that must happen sleeps: each of the steps that need not may wake it.
fn plan_optional(node: &mut Node, enabled: &[Enabled]) {
    for one in enabled.iter().filter(|one| one.optional) {
        for outcome in &one.outcomes {
            plan_new(node, Choice { process: one.process, outcome: *outcome });
        }
    }
}

fn plan_new(node: &mut Node, choice: Choice) {
    if !node.knows(choice) {
        node.branches.push(Branch::of(node.step(choice)));
    }
}

/// Whether every execution of a branch has been run since it was planned.
fn is_covered(sleep: &[Planned], branch: &Branch) -> bool {
    branch.next.is_empty() && sleep.iter().any(|asleep| asleep.choice == branch.step.choice)
}

/// Follows a schedule to its end and keeps what its last step was.
pub(crate) struct Probe<'a> {
    choices: &'a [Choice],
    pub(crate) tried: Option<Arc<Footprint>>,
}

impl<'a> Probe<'a> {
    pub(crate) const fn new(choices: &'a [Choice]) -> Self {
        Self { choices, tried: None }
    }
}

impl Chooser for Probe<'_> {
    fn choose(&mut self, at: usize, enabled: &[Enabled], _cast: &Cast<'_>) -> Option<Choice> {
        let choice = *self.choices.get(at)?;
        let one = enabled.iter().find(|one| one.process == choice.process)?;
        one.outcomes.contains(&choice.outcome).then_some(choice)
    }

    fn executed(&mut self, at: usize, event: &Event) -> Result<(), Error> {
        if at + 1 == self.choices.len() {
            self.tried = Some(event.footprint.clone());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use raceproof_engine::{Access, Object};

    use super::{Bench, Choice, Footprint};
    use crate::Error;
    use crate::event::ThingId;

    /// Every step that any test of this crate tries out dry is tried out by an execution as well. What its client does
    /// with the clock upon the reply is seen there only: nobody moves the clock in such a search but for all.
    pub(super) fn agrees(dry: &Footprint, choices: &[Choice], bench: &mut Bench<'_>) -> Result<(), Error> {
        let real = bench.probe(choices)?.expect("it is possible");
        let time = [Object::Clock, Object::Deadlines].map(|object| bench.worker.things.redis(&object));
        let touched = |footprint: &Footprint| -> Vec<(ThingId, Access)> {
            footprint.touched.iter().filter(|(thing, _)| !time.contains(thing)).copied().collect()
        };
        assert_eq!(touched(dry), touched(&real), "{choices:?}");
        assert_eq!((dry.choice, dry.client, dry.reach), (real.choice, real.client, real.reach));
        Ok(())
    }
}

//! Exhaustive search by states: depth first over all choices, without reduction, and no execution is run on from a state
//! in which an earlier one has been.
//!
//! The reduction of [`super::optimal`] runs one execution for each trace. Where many traces lead to few states (clients
//! that retry, count, or take turns) that is far too many: n increments of one key are n! traces and 2^n states. Here the
//! number of executions is that of the steps between states. States are compared byte for byte
//! ([`crate::execution::Recall`]), so a merged execution could have shown nothing new, whatever its past: the checks that
//! look at every instant have seen this one, and the others see what is in the state.
//!
//! There are no sleep sets and no wakeup trees beside it. They cut off executions because an earlier one *goes on* to
//! cover them; an earlier one that was itself not run on covers nothing.
//!
//! With a bound on preemptions, what is left of it and who made the last step are part of the state; with a bound on the
//! depth, the number of steps is. So every schedule within the bounds is run, up to the first state that it shares with
//! another one that has as much left. An execution that breaks a check ends there.
//!
//! The audit runs on where it would not have to: an execution that comes to a known state must go on just as the first
//! one that was there. If it does not, something matters that is in no store.

use std::time::Instant;

use rustc_hash::{FxHashMap, FxHashSet};

use super::driver::{Body, Found, Search, execute, over};
use crate::Error;
use crate::event::{Choice, ClientId, Event};
use crate::execution::{Cast, Chooser, Enabled, Mode, OVERHEAD_BYTES, Part, Recall, Run, Worker};
use crate::report::{Bounds, States as Covered};

pub(super) fn search(search: &Search, worker: &mut Worker, body: Body<'_>, start: Instant) -> Result<Found, Error> {
    worker.recall = Some(Recall::default());
    let found = graph(search, worker, body, start);
    worker.recall = None;
    found
}

fn graph(search: &Search, worker: &mut Worker, body: Body<'_>, start: Instant) -> Result<Found, Error> {
    let mode = Mode { stop_at_violation: true, ..Mode::default() };
    'again: loop {
        let mut found = Found::default();
        let mut audited = 0;
        let mut graph = Graph {
            most: search.max_states.unwrap_or(u64::MAX),
            firsts: (search.audit > 0).then(FxHashMap::default),
            ..Graph::new(search.bounds)
        };
        loop {
            let run = match execute(worker, body, search.bounds, mode.clone(), &mut graph)? {
                Ok(run) => run,
                Err(failure) => return Ok(Found { setup: Some(failure), executions: 1, ..found }),
            };
            if worker.recall.as_mut().is_some_and(Recall::has_grown) {
                // Somebody asked for the number of a session: states that differ in it were taken for one.
                continue 'again;
            }
            found.executions += 1;
            found.add(&run, worker);
            if let Some(first) = graph.met.take().filter(|_| audited < search.audit) {
                audited += 1;
                audit(search, worker, body, &first, &graph.present())?;
            }
            let more = graph.advance();
            let bytes = graph.bytes + worker.recall.as_ref().map_or(0, Recall::bytes);
            graph.covered.full |= more && bytes > search.max_state_bytes;
            found.states = Some(graph.covered);
            found.exhaustive = !more && !graph.covered.full;
            if !more || graph.covered.full || over(search, found.executions, start) {
                return Ok(found);
            }
        }
    }
}

/// Runs on from a state that two executions have come to, on the same way.
fn audit(
    search: &Search,
    worker: &mut Worker,
    body: Body<'_>,
    first: &[Choice],
    second: &[Choice],
) -> Result<(), Error> {
    let mode = Mode { stop_at_violation: true, fingerprint_state: true, ..Mode::default() };
    let mut onward = |choices: &[Choice]| {
        let mut chooser = Onward { choices, stuck: false };
        let run = execute(worker, body, search.bounds, mode.clone(), &mut chooser)?;
        Ok::<_, Error>(run.ok().filter(|_| !chooser.stuck))
    };
    let Some(two) = onward(second)? else { return Ok(()) };
    let rest = two.events[second.len()..].iter().map(|event| event.footprint.choice);
    let one = onward(&first.iter().copied().chain(rest).collect::<Vec<_>>())?;
    let differs = match &one {
        None => Some("do not have the same steps"),
        Some(one) => difference(&one.events[first.len()..], &two.events[second.len()..], one, &two),
    };
    match differs {
        None => Ok(()),
        Some(differs) => Err(Error::Forgotten { step: second.len(), differs: differs.to_owned() }),
    }
}

fn difference(one: &[Event], two: &[Event], first: &Run, second: &Run) -> Option<&'static str> {
    let verdict = |run: &Run| run.violation.as_ref().map(|found| (found.broken.clone(), found.message.clone()));
    if one.len() != two.len() || one.iter().zip(two).any(|(one, two)| one.fingerprint != two.fingerprint) {
        Some("differ in a step or its reply")
    } else if first.final_state != second.final_state {
        Some("leave different states behind")
    } else {
        (verdict(first) != verdict(second)).then_some("are judged differently by a check")
    }
}

/// Follows choices, and then goes on in a way that only the state decides.
struct Onward<'a> {
    choices: &'a [Choice],
    stuck: bool,
}

impl Chooser for Onward<'_> {
    fn choose(&mut self, at: usize, enabled: &[Enabled], _cast: &Cast<'_>) -> Option<Choice> {
        let Some(choice) = self.choices.get(at) else {
            let one = enabled.iter().find(|one| !one.optional).or(enabled.first())?;
            return Some(Choice { process: one.process, outcome: *one.outcomes.first()? });
        };
        let possible = |one: &Enabled| one.process == choice.process && one.outcomes.contains(&choice.outcome);
        self.stuck = !enabled.iter().any(possible);
        (!self.stuck).then_some(*choice)
    }

    fn executed(&mut self, _at: usize, _event: &Event) -> Result<(), Error> {
        Ok(())
    }
}

/// A state on the present path: what can be done there, and which of it is under way.
#[derive(Debug)]
struct Node {
    choices: Vec<Choice>,
    at: usize,
    /// Of the step that the choice under way makes, once it is known.
    fingerprint: Option<u64>,
}

/// Who made the last step, and the preemptions so far.
type Switches = (Option<ClientId>, u32);

/// The states that were reached, and the present path.
#[derive(Debug)]
pub(super) struct Graph {
    bounds: Bounds,
    seen: FxHashSet<Box<[u8]>>,
    path: Vec<Node>,
    /// Before each step of the path, and before the next.
    switches: Vec<Switches>,
    pub(super) covered: Covered,
    bytes: usize,
    /// How many states may be kept.
    most: u64,
    /// How each state was reached first, if that is to be audited.
    firsts: Option<FxHashMap<Box<[u8]>, Vec<Choice>>>,
    /// The present execution came to a known state, which was reached first so.
    met: Option<Vec<Choice>>,
    #[cfg(test)]
    without: Option<Part>,
}

impl Graph {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            seen: FxHashSet::default(),
            path: Vec::new(),
            switches: vec![(None, 0)],
            covered: Covered::default(),
            bytes: 0,
            most: u64::MAX,
            firsts: None,
            met: None,
            #[cfg(test)]
            without: None,
        }
    }

    /// A graph whose states lack a part.
    #[cfg(test)]
    pub(super) fn without(bounds: Bounds, part: Option<Part>) -> Self {
        Self { without: part, ..Self::new(bounds) }
    }

    /// Moves to the next execution. `false` when there is none.
    pub(super) fn advance(&mut self) -> bool {
        while let Some(node) = self.path.last_mut() {
            node.at += 1;
            node.fingerprint = None;
            if node.at < node.choices.len() {
                self.switches.truncate(self.path.len());
                return true;
            }
            self.path.pop();
        }
        false
    }

    /// The choices under way.
    fn present(&self) -> Vec<Choice> {
        self.path.iter().filter_map(|node| node.choices.get(node.at).copied()).collect()
    }

    /// Adds what the bounds make of a state to the state.
    fn bounded(&self, at: usize, state: &mut Vec<u8>) {
        #[cfg(test)]
        let has = |part| self.without != Some(part);
        #[cfg(not(test))]
        let has = |_: Part| true;
        if self.bounds.depth.is_some() && has(Part::Depth) {
            state.extend((at as u64).to_le_bytes());
        }
        if self.bounds.preemptions.is_some() && has(Part::Preemptions) {
            let (last, preemptions) = self.switches[at];
            state.extend(last.map_or(u16::MAX, |client| client.0).to_le_bytes());
            state.extend(preemptions.to_le_bytes());
        }
    }
}

/// After one more step by `client` (or by nobody: the clock and the surroundings are no clients).
fn after(before: Switches, client: Option<ClientId>, enabled: &[Enabled], cast: &Cast<'_>) -> Switches {
    let Some(client) = client else { return before };
    let (last, preemptions) = before;
    let preempts = last
        .is_some_and(|last| last != client && enabled.iter().any(|one| cast.worker.owner(one.process) == Some(last)));
    (Some(client), preemptions + u32::from(preempts))
}

impl Chooser for Graph {
    fn keeps_state(&self, at: usize) -> bool {
        at == self.path.len()
    }

    fn reach(&mut self, at: usize, mut state: Vec<u8>, ended: &dyn Fn(ClientId) -> bool) -> bool {
        // Who has ended cannot be preempted: one that did is as good as any other.
        self.switches[at].0 = self.switches[at].0.filter(|last| !ended(*last));
        self.bounded(at, &mut state);
        if self.seen.contains(&state[..]) {
            self.covered.merged += 1;
            self.met = self.firsts.as_ref().and_then(|firsts| firsts.get(&state[..]).cloned());
            return false;
        }
        if self.covered.reached == self.most {
            self.covered.full = true;
            return false;
        }
        self.bytes += state.len() + OVERHEAD_BYTES;
        let present = self.present();
        let state = state.into_boxed_slice();
        if let Some(firsts) = &mut self.firsts {
            firsts.insert(state.clone(), present);
        }
        self.seen.insert(state);
        self.covered.reached += 1;
        true
    }

    fn choose(&mut self, at: usize, enabled: &[Enabled], cast: &Cast<'_>) -> Option<Choice> {
        let before = *self.switches.get(at)?;
        let next = |choice: &Choice| after(before, cast.worker.owner(choice.process), enabled, cast);
        if at == self.path.len() {
            let most = self.bounds.preemptions.unwrap_or(u32::MAX);
            let mut choices: Vec<Choice> = enabled
                .iter()
                .flat_map(|one| one.outcomes.iter().map(|outcome| Choice { process: one.process, outcome: *outcome }))
                .filter(|choice| next(choice).1 <= most)
                .collect();
            // The client of the step before goes on first.
            choices.sort_by_key(|choice| (next(choice) != before, next(choice).1, *choice));
            self.path.push(Node { choices, at: 0, fingerprint: None });
        }
        let node = &self.path[at];
        let choice = *node.choices.get(node.at)?;
        self.switches.truncate(at + 1);
        self.switches.push(next(&choice));
        Some(choice)
    }

    fn executed(&mut self, at: usize, event: &Event) -> Result<(), Error> {
        let known = &mut self.path[at].fingerprint;
        match *known {
            Some(known) if known != event.fingerprint => {
                Err(Error::NotDeterministic { step: at + 1, detail: String::new() })
            }
            _ => {
                *known = Some(event.fingerprint);
                Ok(())
            }
        }
    }
}

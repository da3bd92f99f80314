//! Steps with several outcomes, in a search that begins no execution in vain.
//!
//! An outcome that is done stands for the executions in which its process takes that outcome, and for no others. Say `w` is a
//! trace from a state, and of the steps that were explored there or sleep, those *agree* with `w` whose process takes the
//! same outcome in it. Taking a step explores its other outcomes too, so some step agrees. Of those that do, take the
//! one that commutes with the longest beginning of `w`. If it does not come first in `w`, the step of `w` that stops it
//! races with it in an execution that goes on with the outcomes of `w`, and the race plans the beginning with that step
//! moved forward. What covers that plan agrees with `w` again and commutes with more of it: a contradiction. So nothing is
//! lost if only what agrees with an execution covers what its races plan ([`Rest`](super::super::wakeup::Rest)), and
//! whatever wakes another outcome of the same step needs no search of its own.
//!
//! What is planned so can be gone on with as in the execution that it comes from, so it does not end asleep. Outcomes that
//! are planned because another one was taken come from no execution: [`Optimal::leads_nowhere`].

use smallvec::SmallVec;

use super::{Node, Optimal, sleeps_on};
use crate::Error;
use crate::event::{Choice, Outcome, ProcessId};
use crate::execution::Enabled;
use crate::search::driver::Bench;
use crate::search::wakeup::{Branch, Duty, Planned, prune};

/// Taking a step plans its other outcomes. Those of an optional step are planned each by itself, from the executions
/// without it: one that sleeps says nothing about the others.
///
/// They come next, before any other step: when one of them sleeps, below a step that has nothing to do with it, all of them
/// do. Were another step explored in between, the outcomes before it would stand there for those after it. One that was
/// planned already keeps its place: what was planned before it covers sequences that would come below it.
pub(super) fn plan_outcomes(node: &mut Node, choice: Choice, enabled: &[Enabled]) {
    let Some(one) = enabled.iter().find(|one| one.process == choice.process && !one.optional) else { return };
    let mut place = 1;
    for outcome in &one.outcomes {
        let other = Choice { process: one.process, outcome: *outcome };
        if !node.knows(other) {
            node.branches.insert(place, Branch::of(node.step(other)));
            place += 1;
        }
    }
}

impl Optimal {
    /// Drops the next branches of the last state as long as nothing new could follow them.
    pub(super) fn drop_vain(&mut self, bench: &mut Bench<'_>) -> Result<(), Error> {
        while let Some(node) = self.path.last_mut() {
            // Where no step has outcomes, what is planned is explored in the order in which it was planned.
            let Some(next) = node.branches.first_mut() else { break };
            if node.enabled.iter().all(|(_, duty)| *duty == Duty::Only) {
                break;
            }
            if prune(next, &mut Vec::new(), &node.sleep) && !self.leads_nowhere(bench)? {
                break;
            }
            if let Some(node) = self.path.last_mut() {
                node.branches.remove(0);
            }
        }
        Ok(())
    }

    /// Whether nothing new can follow an outcome that was planned because another one was taken: a process that must go on
    /// has only such outcomes left after it as sleep, and they have nothing to do with it. What the outcome touches only a
    /// trial tells.
    fn leads_nowhere(&self, bench: &mut Bench<'_>) -> Result<bool, Error> {
        let Some(node) = self.path.last() else { return Ok(false) };
        let Some(Planned { choice, footprint: None, .. }) = node.branches.first().map(|branch| &branch.step) else {
            return Ok(false);
        };
        let mut asleep: SmallVec<[Vec<&Planned>; 2]> = SmallVec::new();
        let mut seen: SmallVec<[ProcessId; 4]> = SmallVec::new();
        for (one, duty) in &node.enabled {
            let process = one.process;
            if process == choice.process || seen.contains(&process) || matches!(duty, Duty::May | Duty::Fickle) {
                continue;
            }
            seen.push(process);
            let left = node.enabled.iter().map(|(one, _)| *one).filter(|one| one.process == process);
            let left = left.filter(|one| self.can_afford(one.outcome, *choice, bench));
            asleep.extend(left.map(|one| node.asleep(one)).collect::<Option<Vec<_>>>());
        }
        if asleep.is_empty() {
            return Ok(false);
        }
        let choices: Vec<Choice> = self.path.iter().map(|node| node.branches[0].step.choice).collect();
        let Some(touched) = bench.probe(&choices)? else { return Ok(true) };
        Ok(asleep.iter().any(|outcomes| outcomes.iter().all(|asleep| sleeps_on(asleep, &touched))))
    }

    /// Whether the budget still allows an outcome after the next branch of the last state is taken.
    fn can_afford(&self, outcome: Outcome, next: Choice, bench: &Bench<'_>) -> bool {
        let Some(fault) = outcome.fault() else { return true };
        let before = self.path.iter().rev().skip(1).map(|node| node.branches[0].step.choice);
        let spent = before.chain([next]).filter(|taken| taken.outcome.fault() == Some(fault)).count();
        spent < bench.bounds.faults.get(fault) as usize
    }
}

impl Node {
    /// Whether a step is planned here or sleeps.
    pub(super) fn knows(&self, choice: Choice) -> bool {
        self.branches.iter().any(|branch| branch.step.choice == choice) || self.is_asleep(choice)
    }

    fn asleep(&self, choice: Choice) -> Option<&Planned> {
        self.sleep.iter().find(|asleep| asleep.choice == choice)
    }
}

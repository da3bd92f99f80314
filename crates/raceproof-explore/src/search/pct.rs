//! Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010).
//!
//! Whoever could make a step has a random priority, and the highest goes on, but at `depth - 1` random steps it falls
//! below all others. A violation that needs `depth` steps in a certain order, whatever happens besides, is found by one
//! execution with a probability of at least 1/(n·k^(depth-1)), where n is the number of those who make steps and k the
//! number of steps.
//!
//! What may happen besides the clients' steps takes part like another thread: each way in which a step can go wrong, and
//! each kind of step of the clock and of the faults, has a priority of its own, and counts in n.

use smallvec::SmallVec;

use super::random::Generator;
use crate::Error;
use crate::event::{Choice, Event};
use crate::execution::{Cast, Chooser, Enabled};
use crate::report::Odds;

/// What the executions so far tell of the program, and what that guarantees.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    seed: u64,
    odds: Odds,
}

impl Series {
    pub(crate) fn new(seed: u64, depth: u32) -> Self {
        Self { seed, odds: Odds { depth: depth.max(1), actors: 1, steps: 1, executions: 0 } }
    }

    pub(crate) fn chooser(&self, execution: u64) -> Pct {
        let mut generator = Generator::new(self.seed, execution);
        let steps = usize::try_from(self.odds.steps).unwrap_or(usize::MAX);
        let changes = (1..self.odds.depth).map(|_| generator.below(steps)).collect();
        Pct { generator, priorities: SmallVec::new(), changes, steps: 0 }
    }

    /// Takes in an execution. One that was longer than any before, or had more actors, and all before it, were made for
    /// a smaller program: the guarantee does not count them.
    pub(crate) fn add(&mut self, chooser: &Pct) {
        let actors = u64::try_from(chooser.priorities.len()).unwrap_or(u64::MAX);
        let steps = u64::try_from(chooser.steps).unwrap_or(u64::MAX);
        if actors > self.odds.actors || steps > self.odds.steps {
            self.odds.actors = self.odds.actors.max(actors);
            self.odds.steps = self.odds.steps.max(steps);
            self.odds.executions = 0;
        } else {
            self.odds.executions += 1;
        }
    }

    pub(crate) const fn odds(&self) -> Odds {
        self.odds
    }
}

/// The choices of one execution.
#[derive(Debug)]
pub(crate) struct Pct {
    generator: Generator,
    priorities: SmallVec<[(Choice, u64); 16]>,
    /// The steps (from 0) after which the one who made it falls; the last of them falls lowest.
    changes: SmallVec<[usize; 4]>,
    steps: usize,
}

impl Pct {
    fn priority(&mut self, actor: Choice) -> u64 {
        if let Some((_, priority)) = self.priorities.iter().find(|(known, _)| *known == actor) {
            return *priority;
        }
        // Above all that have fallen.
        let priority = self.generator.next() | 1 << 63;
        self.priorities.push((actor, priority));
        priority
    }
}

impl Chooser for Pct {
    fn choose(&mut self, _at: usize, enabled: &[Enabled], _cast: &Cast<'_>) -> Option<Choice> {
        let mut best: Option<(u64, Choice)> = None;
        for one in enabled {
            for outcome in &one.outcomes {
                let actor = Choice { process: one.process, outcome: *outcome };
                let priority = self.priority(actor);
                if best.is_none_or(|(highest, _)| priority > highest) {
                    best = Some((priority, actor));
                }
            }
        }
        best.map(|(_, actor)| actor)
    }

    fn executed(&mut self, at: usize, event: &Event) -> Result<(), Error> {
        self.steps = at + 1;
        let falls = self.changes.iter().rposition(|change| *change == at);
        let actor = event.footprint.choice;
        if let (Some(falls), Some((_, priority))) =
            (falls, self.priorities.iter_mut().find(|(known, _)| *known == actor))
        {
            *priority = u64::try_from(self.changes.len() - falls).unwrap_or(u64::MAX);
        }
        Ok(())
    }
}

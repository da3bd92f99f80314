//! All schedules with a bounded number of context switches, without reduction: what the shrinker searches, since the
//! shortest way to show a violation is rarely the one that the reduction happens to run.
//!
//! A context switch is a step of another client than the one that made the step before; the clock's steps are free.

use crate::Error;
use crate::event::{Choice, ClientId, Event};
use crate::execution::{Cast, Chooser, Enabled};

/// Depth-first enumeration of the schedules with at most so many context switches.
#[derive(Debug)]
pub(crate) struct Bounded {
    most: u32,
    /// For each step of the present schedule: the choices, and which is under way.
    path: Vec<(Vec<Choice>, usize)>,
    /// Before each step: the client of the step before, and the switches so far.
    state: Vec<(Option<ClientId>, u32)>,
}

impl Bounded {
    pub(crate) fn new(most: u32) -> Self {
        Self { most, path: Vec::new(), state: vec![(None, 0)] }
    }

    /// Moves to the next schedule. `false` when there is none.
    pub(crate) fn advance(&mut self) -> bool {
        while let Some((choices, at)) = self.path.last_mut() {
            *at += 1;
            if *at < choices.len() {
                self.state.truncate(self.path.len());
                return true;
            }
            self.path.pop();
        }
        false
    }
}

/// The client that made the last step and the number of switches, after one more step of `client` (or of the clock).
fn after(state: (Option<ClientId>, u32), client: Option<ClientId>) -> (Option<ClientId>, u32) {
    match client {
        None => state,
        Some(_) => (client, state.1 + u32::from(state.0.is_some() && state.0 != client)),
    }
}

impl Chooser for Bounded {
    fn choose(&mut self, at: usize, enabled: &[Enabled], cast: &Cast<'_>) -> Option<Choice> {
        let before = *self.state.get(at)?;
        if at == self.path.len() {
            let switches = |choice: &Choice| after(before, cast.worker.owner(choice.process)).1;
            let mut choices: Vec<Choice> = enabled
                .iter()
                .flat_map(|one| one.outcomes.iter().map(|outcome| Choice { process: one.process, outcome: *outcome }))
                .filter(|choice| switches(choice) <= self.most)
                .collect();
            // Without a switch first.
            choices.sort_by_key(|choice| (switches(choice), *choice));
            self.path.push((choices, 0));
        }
        let (choices, taken) = &self.path[at];
        choices.get(*taken).copied()
    }

    fn executed(&mut self, at: usize, event: &Event) -> Result<(), Error> {
        let next = after(self.state[at], event.footprint.client);
        self.state.truncate(at + 1);
        self.state.push(next);
        Ok(())
    }
}

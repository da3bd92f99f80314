//! One given schedule.

use super::token::Encoded;
use crate::Error;
use crate::event::{Choice, END, Event, Outcome};
use crate::execution::{Cast, Chooser, Enabled, Run};

/// Follows a list of choices and stops at its end, or where it cannot be followed.
#[derive(Debug)]
pub(crate) struct Replay<'a> {
    choices: &'a [Encoded],
    /// The first choice that was not possible.
    pub(crate) stuck_at: Option<usize>,
}

impl<'a> Replay<'a> {
    pub(crate) const fn new(choices: &'a [Encoded]) -> Self {
        Self { choices, stuck_at: None }
    }
}

impl Chooser for Replay<'_> {
    fn choose(&mut self, at: usize, enabled: &[Enabled], cast: &Cast<'_>) -> Option<Choice> {
        let end = Choice { process: END, outcome: Outcome::Done };
        if at == self.choices.len() && enabled.iter().any(|one| one.process == END) {
            return Some(end);
        }
        let choice = self.choices.get(at).and_then(|choice| choice.choice(cast));
        let possible = choice.filter(|choice| {
            enabled.iter().any(|one| one.process == choice.process && one.outcomes.contains(&choice.outcome))
        });
        if possible.is_none() {
            self.stuck_at = Some(at);
        }
        possible
    }

    fn executed(&mut self, _at: usize, _event: &Event) -> Result<(), Error> {
        Ok(())
    }
}

/// Makes the steps of a run once more, and goes on by itself where they end or cannot be made.
pub(crate) struct Again {
    choices: Vec<Choice>,
}

impl Again {
    /// For the worker that made the run: elsewhere processes have other numbers.
    pub(crate) fn new(run: &Run) -> Self {
        Self { choices: run.events.iter().map(|event| event.footprint.choice).collect() }
    }
}

impl Chooser for Again {
    fn choose(&mut self, at: usize, enabled: &[Enabled], _cast: &Cast<'_>) -> Option<Choice> {
        let is_possible = |choice: &Choice| {
            enabled.iter().any(|one| one.process == choice.process && one.outcomes.contains(&choice.outcome))
        };
        let other =
            || enabled.iter().find_map(|one| Some(Choice { process: one.process, outcome: *one.outcomes.first()? }));
        self.choices.get(at).copied().filter(is_possible).or_else(other)
    }

    fn executed(&mut self, _at: usize, _event: &Event) -> Result<(), Error> {
        Ok(())
    }
}

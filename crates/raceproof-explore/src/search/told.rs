//! What threads that run ahead have found out: the executions below one branch, as a tree of choices.
//!
//! What a step does depends on the choices before it and on nothing else. So an execution that somebody has run need not
//! be run again: whoever searches asks the tree what can happen next, makes its own choice, and goes on to the step that
//! was recorded for it. Where none was, it runs for real.

use crate::event::{Choice, Event};
use crate::execution::{Cast, Chooser, Enabled, Run};

/// An execution, with what could happen in each state from `from` (a number of steps) on.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) from: usize,
    pub(crate) enabled: Vec<Box<[Enabled]>>,
    pub(crate) run: Box<Run>,
}

/// Executions that begin alike.
#[derive(Debug)]
pub(crate) struct Told {
    /// The number of steps before its first state.
    depth: usize,
    /// The first is that state.
    states: Vec<State>,
}

/// A state that executions have reached.
#[derive(Debug, Default)]
struct State {
    /// What could happen next; `None` where the execution was over.
    enabled: Option<Box<[Enabled]>>,
    /// What did, and to which state it led.
    next: Vec<(Choice, Event, usize)>,
    /// The execution that ended here, until somebody takes it.
    run: Option<Box<Run>>,
}

impl Told {
    pub(crate) fn new(depth: usize) -> Self {
        Self { depth, states: vec![State::default()] }
    }

    /// Adds an execution. One that does not continue any that was added before it is dropped.
    pub(crate) fn add(&mut self, recorded: Recorded) {
        let Recorded { from, enabled, run } = recorded;
        let mut state = 0;
        for at in self.depth..from.min(run.events.len()) {
            let Some(next) = self.next(state, run.events[at].footprint.choice) else { return };
            state = next;
        }
        let mut enabled = enabled.into_iter();
        for event in run.events.get(from..).unwrap_or_default() {
            if let (Some(enabled), None) = (enabled.next(), &self.states[state].enabled) {
                self.states[state].enabled = Some(enabled);
            }
            state = self.next(state, event.footprint.choice).unwrap_or_else(|| {
                self.states.push(State::default());
                let added = self.states.len() - 1;
                self.states[state].next.push((event.footprint.choice, event.clone(), added));
                added
            });
        }
        let end = &mut self.states[state];
        end.enabled = end.enabled.take().or_else(|| enabled.next());
        end.run = Some(run);
    }

    fn next(&self, state: usize, choice: Choice) -> Option<usize> {
        self.states[state].next.iter().find(|(known, ..)| *known == choice).map(|(.., next)| *next)
    }

    /// The execution that comes about by `before` (the choices from the first state on) and from there by `chooser`, if
    /// all of it was recorded. It is handed out once.
    pub(crate) fn run(
        &mut self,
        before: impl Iterator<Item = Choice>,
        chooser: &mut dyn Chooser,
        cast: &Cast<'_>,
    ) -> Option<Box<Run>> {
        let (mut at, mut state) = (self.depth, 0);
        for choice in before {
            state = self.next(state, choice)?;
            at += 1;
        }
        while let Some(enabled) = &self.states[state].enabled {
            let Some(choice) = chooser.choose(at, enabled, cast) else { break };
            let (_, event, next) = self.states[state].next.iter().find(|(known, ..)| *known == choice)?;
            chooser.executed(at, event).ok()?;
            state = *next;
            at += 1;
        }
        self.states[state].run.take()
    }
}

/// Notes what could happen while another chooser decides.
pub(crate) struct Recorder<'a> {
    pub(crate) inner: &'a mut dyn Chooser,
    /// From which state on.
    pub(crate) from: usize,
    pub(crate) enabled: Vec<Box<[Enabled]>>,
}

impl Chooser for Recorder<'_> {
    fn choose(&mut self, at: usize, enabled: &[Enabled], cast: &Cast<'_>) -> Option<Choice> {
        if at >= self.from {
            self.enabled.push(enabled.into());
        }
        self.inner.choose(at, enabled, cast)
    }

    fn executed(&mut self, at: usize, event: &Event) -> Result<(), crate::Error> {
        self.inner.executed(at, event)
    }
}

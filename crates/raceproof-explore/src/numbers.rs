//! The numbers of clients, processes and things: one set for all the workers of a search.
//!
//! Whoever meets something first gives it the next number, so a number means the same to every worker and for as long as
//! the search lasts. In which order numbers were given depends on who is faster: nothing may be ordered by them that
//! anyone can see.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use raceproof_engine::Object;

use crate::event::{ClientId, Thing};
use crate::mailbox::Lane;

/// What has a number, in the order of the numbers.
#[derive(Debug, Default)]
pub(crate) struct Numbered {
    /// Clients, by who started them and as which of theirs.
    pub(crate) clients: Vec<(Option<ClientId>, usize)>,
    /// Processes; the first has the number 1.
    pub(crate) lanes: Vec<(ClientId, Lane)>,
    pub(crate) things: Vec<Named>,
}

/// A thing with a number.
#[derive(Clone, Debug)]
pub(crate) enum Named {
    Redis(Object),
    Other(Thing),
}

/// A handle to the numbers of a search. Workers keep copies of what they have met and ask for the rest only.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers(Arc<Mutex<Numbered>>);

impl Numbers {
    /// Plain lists, which no panic leaves half-changed: poison is ignored.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Numbered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

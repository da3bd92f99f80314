//! Groups of consumers, and what was delivered to them and not yet acknowledged.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::Id;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Group {
    /// The last entry that was delivered.
    pub(crate) last_id: Id,
    /// How many entries were read, as far as that is known.
    pub(crate) entries_read: Option<i64>,
    pub(crate) pending: BTreeMap<Id, Pending>,
    pub(crate) consumers: BTreeMap<Bytes, Consumer>,
}

/// An entry that was delivered and not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pending {
    pub(crate) consumer: Bytes,
    /// When it was delivered last, Unix ms.
    pub(crate) delivered_ms: i64,
    /// How often.
    pub(crate) deliveries: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Consumer {
    /// When it last asked for something, Unix ms.
    pub(crate) seen_ms: i64,
    /// When it last got an entry that is then pending for it, Unix ms; kept from 7.2 on.
    pub(crate) active_ms: Option<i64>,
    pub(crate) pending: BTreeSet<Id>,
}

impl Group {
    /// Notes that a consumer was seen. Tells whether it is new.
    pub(crate) fn see(&mut self, consumer: &Bytes, now_ms: i64) -> bool {
        let new = !self.consumers.contains_key(consumer);
        self.consumers.entry(consumer.clone()).or_default().seen_ms = now_ms;
        new
    }

    /// Notes that a consumer that is known got something, if that is kept.
    pub(crate) fn note_activity(&mut self, consumer: &Bytes, now_ms: Option<i64>) {
        if let (Some(_), Some(consumer)) = (now_ms, self.consumers.get_mut(consumer)) {
            consumer.active_ms = now_ms;
        }
    }

    /// Makes an entry pending for a consumer that is known, whoever had it before.
    pub(crate) fn deliver(&mut self, id: Id, pending: Pending) {
        self.settle(id);
        if let Some(consumer) = self.consumers.get_mut(&pending.consumer) {
            consumer.pending.insert(id);
        }
        self.pending.insert(id, pending);
    }

    /// An entry is no longer pending. Gives what is known of it.
    pub(crate) fn settle(&mut self, id: Id) -> Option<Pending> {
        let pending = self.pending.remove(&id)?;
        if let Some(consumer) = self.consumers.get_mut(&pending.consumer) {
            consumer.pending.remove(&id);
        }
        Some(pending)
    }

    /// Removes a consumer with all that was pending for it. Tells how much that was.
    pub(crate) fn remove(&mut self, consumer: &Bytes) -> usize {
        let Some(gone) = self.consumers.remove(consumer) else { return 0 };
        for id in &gone.pending {
            self.pending.remove(id);
        }
        gone.pending.len()
    }
}

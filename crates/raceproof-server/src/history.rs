//! What each client of a universe sent and got, with the time of its clock. Bounded: the oldest goes first.

use std::collections::VecDeque;

use bytes::Bytes;
use raceproof_engine::{Delivery, Reply, SessionId, Timestamp};

use crate::show::{command_text, reply_text};

/// The most entries that are kept.
const MOST_ENTRIES: usize = 10_000;
/// The most bytes of text that are kept.
const MOST_BYTES: usize = 8 << 20;

/// One command, or one message out of band.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) at: Timestamp,
    session: SessionId,
    /// The client's name, or its number if it has none.
    pub(crate) client: Bytes,
    /// What it sent; nothing for a message that came by itself.
    pub(crate) command: String,
    /// What it got, as redis-cli shows it in one line.
    pub(crate) reply: String,
    /// Whether the reply is still to come.
    waits: bool,
}

/// The history of a universe.
#[derive(Debug, Default)]
pub(crate) struct History {
    on: bool,
    /// Whether somebody has switched it: from then on it does not begin by itself.
    switched: bool,
    entries: VecDeque<Entry>,
    bytes: usize,
}

impl History {
    pub(crate) const fn is_on(&self) -> bool {
        self.on
    }

    pub(crate) fn switch(&mut self, on: bool) {
        (self.on, self.switched) = (on, true);
    }

    /// Begins to record, unless somebody has decided about that.
    pub(crate) fn begin(&mut self) {
        self.on |= !self.switched;
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Adds a command; its reply is told by [`Self::replied`] or [`Self::ended`].
    pub(crate) fn sent(&mut self, session: SessionId, client: Bytes, args: &[Bytes], at: Timestamp) {
        let command = command_text(args);
        self.push(Entry { at, session, client, command, reply: "(waits)".into(), waits: true });
    }

    /// The reply of the command that a session sent last.
    pub(crate) fn replied(&mut self, session: SessionId, reply: &Reply) {
        self.ended(session, || reply_text(reply));
    }

    /// What came of the command that a session sent last.
    pub(crate) fn ended(&mut self, session: SessionId, outcome: impl FnOnce() -> String) {
        if !self.on {
            return;
        }
        // Seldom far from the end: only clients that wait are overtaken.
        if let Some(entry) = self.entries.iter_mut().rev().find(|entry| entry.waits && entry.session == session) {
            self.bytes -= entry.reply.len();
            entry.reply = outcome();
            self.bytes += entry.reply.len();
            entry.waits = false;
        }
    }

    /// The reply of the command that a session sent last did not get there.
    pub(crate) fn lost(&mut self, session: SessionId) {
        if let Some(entry) = self.entries.iter_mut().rev().find(|entry| entry.session == session) {
            self.bytes -= entry.reply.len();
            entry.reply.insert_str(0, "(fault: reply lost) ");
            self.bytes += entry.reply.len();
            entry.waits = false;
        }
    }

    /// What another client's command, or time, has sent to a session.
    pub(crate) fn delivered(&mut self, delivery: &Delivery, client: impl FnOnce() -> Bytes, at: Timestamp) {
        if !self.on {
            return;
        }
        match delivery {
            Delivery::Reply(session, reply) => self.replied(*session, reply),
            Delivery::NoReply(session) => self.ended(*session, || "(no reply)".into()),
            Delivery::Push(session, message) => {
                let (client, reply) = (client(), reply_text(message));
                self.push(Entry { at, session: *session, client, command: String::new(), reply, waits: false });
            }
            Delivery::Close(session) => self.ended(*session, || "(closed)".into()),
        }
    }

    /// The session has ended: its number may be another client's from now on.
    pub(crate) fn forget(&mut self, session: SessionId) {
        self.ended(session, || "(closed)".into());
    }

    fn push(&mut self, entry: Entry) {
        let size = |entry: &Entry| entry.command.len() + entry.reply.len();
        self.bytes += size(&entry);
        self.entries.push_back(entry);
        while (self.entries.len() > MOST_ENTRIES || self.bytes > MOST_BYTES)
            && let Some(oldest) = self.entries.pop_front()
        {
            self.bytes -= size(&oldest);
        }
    }
}

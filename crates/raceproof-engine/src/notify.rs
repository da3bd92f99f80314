//! Keyspace notifications: what happens to keys, told on channels (`notify-keyspace-events`).
//!
//! A command that changes a key says so once: `context.event(ZSET, "zadd", &key)` for the selected database, or
//! [`Context::notify`] for another one. It says so where Redis does, which a session that listens to its own commands can
//! tell: events before the reply need nothing; [`Context::replies_here`] marks that the reply comes before those that
//! follow; [`Context::woven`] is for the few commands that reply in parts, with events between them.
//!
//! `new`, `expired` and `keymiss` arise where keys are stored and looked up, and are no business of commands, but for
//! this: commands that write but look a key up as readers do set [`Context::reads`] (and take it back).

use bytes::Bytes;

use crate::{Delivery, Reply, context::Context, key::Key};

pub(crate) const KEYSPACE: u32 = 1;
pub(crate) const KEYEVENT: u32 = 1 << 1;
pub(crate) const GENERIC: u32 = 1 << 2;
pub(crate) const STRING: u32 = 1 << 3;
pub(crate) const LIST: u32 = 1 << 4;
pub(crate) const SET: u32 = 1 << 5;
pub(crate) const HASH: u32 = 1 << 6;
pub(crate) const ZSET: u32 = 1 << 7;
pub(crate) const EXPIRED: u32 = 1 << 8;
pub(crate) const EVICTED: u32 = 1 << 9;
pub(crate) const STREAM: u32 = 1 << 10;
pub(crate) const MISS: u32 = 1 << 11;
pub(crate) const MODULE: u32 = 1 << 12;
pub(crate) const NEW: u32 = 1 << 13;

/// What `A` stands for: everything but keys that are missed, and new ones.
const ALL: u32 = GENERIC | STRING | LIST | SET | HASH | ZSET | EXPIRED | EVICTED | STREAM | MODULE;

/// Letters in the order in which the setting is shown; those before the forms of channels hide behind `A`.
const LETTERS: [(u8, u32); 14] = [
    (b'g', GENERIC),
    (b'$', STRING),
    (b'l', LIST),
    (b's', SET),
    (b'h', HASH),
    (b'z', ZSET),
    (b'x', EXPIRED),
    (b'e', EVICTED),
    (b't', STREAM),
    (b'd', MODULE),
    (b'n', NEW),
    (b'K', KEYSPACE),
    (b'E', KEYEVENT),
    (b'm', MISS),
];

/// The classes that a setting names; `None` if a letter names none.
pub(crate) fn parse(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0, |classes, letter| {
        let known = LETTERS.iter().find(|(known, _)| known == letter).map(|(_, class)| *class);
        Some(classes | if *letter == b'A' { ALL } else { known? })
    })
}

/// The setting as Redis shows it. With `A` it forgets to show `n`.
pub(crate) fn text(classes: u32) -> Bytes {
    let all = classes & ALL == ALL;
    let shown = LETTERS.iter().filter(|(_, class)| classes & class != 0 && !(all && (ALL | NEW) & class != 0));
    let first = all.then_some(b'A');
    first.into_iter().chain(shown.map(|(letter, _)| *letter)).collect()
}

impl Context<'_> {
    /// Tells what happened to a key of the selected database.
    pub(crate) fn event(&mut self, class: u32, event: &'static str, key: &Key) {
        self.notify(class, event, self.db, &key.name);
    }

    /// Tells what happened to a key: to those who listen to the key, then to those who listen to the event.
    pub(crate) fn notify(&mut self, class: u32, event: &'static str, db: u32, key: &Bytes) {
        let wanted = self.engine.config.events();
        if wanted & class == 0 {
            return;
        }
        let what = Bytes::from_static(event.as_bytes());
        if wanted & KEYSPACE != 0 {
            let channel = [format!("__keyspace@{db}__:").as_bytes(), key].concat();
            self.publish(&channel.into(), &what);
        }
        if wanted & KEYEVENT != 0 {
            self.publish(&format!("__keyevent@{db}__:{event}").into(), key);
        }
    }

    /// What the command sends to its own session from now on comes after the reply.
    pub(crate) fn replies_here(&mut self) {
        self.replied.get_or_insert(self.deliveries.len());
    }

    /// A part of a reply, after what was sent to the session itself since there were `from` deliveries, which Redis writes
    /// between the parts.
    pub(crate) fn woven(&mut self, from: usize, part: Reply) -> Reply {
        let mut parts = self.messages_since(from);
        if parts.is_empty() {
            return part;
        }
        parts.push(part);
        Reply::Inline(parts)
    }

    /// What was sent to the session itself since there were `from` deliveries, to be put between parts of the reply; nothing
    /// if there is none.
    pub(crate) fn messages_since(&mut self, from: usize) -> Vec<Reply> {
        if self.deliveries.len() <= from || self.mute || self.script.is_some() {
            return Vec::new();
        }
        self.take_own(from).into_iter().map(|(_, message)| message).collect()
    }

    /// Takes out what was sent to the session itself since there were `from` deliveries, each with its place.
    pub(crate) fn take_own(&mut self, from: usize) -> Vec<(usize, Reply)> {
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for (at, delivery) in self.deliveries.drain(from..).enumerate() {
            match delivery {
                Delivery::Push(to, message) if to.0 as usize == self.session => own.push((from + at, message)),
                other => others.push(other),
            }
        }
        self.deliveries.append(&mut others);
        own
    }
}

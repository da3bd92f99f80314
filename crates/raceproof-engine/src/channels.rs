//! Who listens to which channels and patterns.
//!
//! Each session knows what it subscribed to ([`Subscriptions`]); [`Channels`] is the same by name, for those who publish.
//! Subscribers come in the order of their numbers and patterns in the order of their bytes: two sessions that subscribe
//! commute. (On one connection nobody can tell in which order other connections were served.)

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;

use crate::{Access, Delivery, Engine, Footprint, Object, Reply, SessionId, context::Context, glob, session::Session};

/// What a subscription names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Channel,
    Pattern,
    /// Channels of their own, which patterns do not match (`SSUBSCRIBE`).
    Shard,
}

/// What one session subscribed to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Subscriptions {
    channels: BTreeSet<Bytes>,
    /// In the order in which they were subscribed to, which is the order of `PUNSUBSCRIBE`.
    patterns: Vec<Bytes>,
    shard: BTreeSet<Bytes>,
}

impl Subscriptions {
    /// Whether there is any: the session is then in subscribed mode.
    pub(crate) fn any(&self) -> bool {
        !self.channels.is_empty() || !self.patterns.is_empty() || !self.shard.is_empty()
    }

    /// How many of a kind there are.
    pub(crate) fn len(&self, kind: Kind) -> usize {
        match kind {
            Kind::Channel => self.channels.len(),
            Kind::Pattern => self.patterns.len(),
            Kind::Shard => self.shard.len(),
        }
    }

    /// The number that replies to (un)subscribing show: channels and patterns count together.
    pub(crate) fn counted(&self, kind: Kind) -> i64 {
        match kind {
            Kind::Shard => self.shard.len() as i64,
            Kind::Channel | Kind::Pattern => (self.channels.len() + self.patterns.len()) as i64,
        }
    }

    pub(crate) fn list(&self, kind: Kind) -> Vec<Bytes> {
        match kind {
            Kind::Channel => self.channels.iter().cloned().collect(),
            Kind::Pattern => self.patterns.clone(),
            Kind::Shard => self.shard.iter().cloned().collect(),
        }
    }

    fn add(&mut self, kind: Kind, name: &Bytes) -> bool {
        match kind {
            Kind::Channel => self.channels.insert(name.clone()),
            Kind::Shard => self.shard.insert(name.clone()),
            Kind::Pattern if self.patterns.contains(name) => false,
            Kind::Pattern => {
                self.patterns.push(name.clone());
                true
            }
        }
    }

    fn remove(&mut self, kind: Kind, name: &Bytes) -> bool {
        match kind {
            Kind::Channel => self.channels.remove(name),
            Kind::Shard => self.shard.remove(name),
            Kind::Pattern => {
                let at = self.patterns.iter().position(|known| known == name);
                at.map(|at| self.patterns.remove(at)).is_some()
            }
        }
    }
}

/// The sessions behind each name. A name without sessions is not there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Channels {
    channels: BTreeMap<Bytes, BTreeSet<u32>>,
    patterns: BTreeMap<Bytes, BTreeSet<u32>>,
    shard: BTreeMap<Bytes, BTreeSet<u32>>,
}

impl Channels {
    const fn of(&self, kind: Kind) -> &BTreeMap<Bytes, BTreeSet<u32>> {
        match kind {
            Kind::Channel => &self.channels,
            Kind::Pattern => &self.patterns,
            Kind::Shard => &self.shard,
        }
    }

    const fn of_mut(&mut self, kind: Kind) -> &mut BTreeMap<Bytes, BTreeSet<u32>> {
        match kind {
            Kind::Channel => &mut self.channels,
            Kind::Pattern => &mut self.patterns,
            Kind::Shard => &mut self.shard,
        }
    }

    /// The names that somebody subscribed to.
    pub(crate) fn names(&self, kind: Kind) -> impl ExactSizeIterator<Item = &Bytes> {
        self.of(kind).keys()
    }

    /// How many sessions subscribed to a name.
    pub(crate) fn subscribers(&self, kind: Kind, name: &[u8]) -> i64 {
        self.of(kind).get(name).map_or(0, |sessions| sessions.len() as i64)
    }

    fn remove(&mut self, kind: Kind, name: &Bytes, session: u32) {
        let names = self.of_mut(kind);
        if let Some(sessions) = names.get_mut(name) {
            sessions.remove(&session);
            if sessions.is_empty() {
                names.remove(name);
            }
        }
    }
}

const KINDS: [Kind; 3] = [Kind::Channel, Kind::Pattern, Kind::Shard];

/// What a change of one subscription touches. Sessions that subscribe to the same commute with each other, and not
/// with those who publish there.
fn touch_subscription(footprint: &mut Footprint, kind: Kind, name: &Bytes) {
    footprint.add(Object::Subscriptions, Access::IntentWrite);
    footprint.add(object(kind, name), Access::IntentWrite);
}

fn object(kind: Kind, name: &Bytes) -> Object {
    match kind {
        Kind::Channel => Object::Channel(name.clone()),
        // Which channels a pattern matches is nothing that can be compared by name.
        Kind::Pattern => Object::Patterns,
        Kind::Shard => Object::ShardChannel(name.clone()),
    }
}

impl Engine {
    /// Adds to a footprint what [`Self::disconnect`] would touch: the subscriptions that end with the
    /// session, and that it is told of changes.
    pub fn touch_disconnect(&self, session: SessionId, footprint: &mut Footprint) {
        let Some(session) = self.sessions.get(session.0 as usize).filter(|session| session.open) else { return };
        if session.held.is_some() {
            footprint.add(Object::Server, Access::Write);
            footprint.add(Object::Deadlines, Access::IntentWrite);
        }
        if session.subscriptions.any() {
            for kind in KINDS {
                for name in session.subscriptions.list(kind) {
                    touch_subscription(footprint, kind, &name);
                }
            }
        }
        if session.redirected > 0 || session.monitors {
            // Those who are told in their place find nobody there; all that others do was told to who monitors.
            self.touch_everything(footprint);
            footprint.add(Object::Tracking, Access::Write);
        }
        if session.tracking.is_some() {
            self.touch_tracking(footprint);
        }
    }

    /// A session is sent a reply by another one's command: it sees the order of that and of messages.
    pub(crate) fn touch_inbox(&self, session: usize, footprint: &mut Footprint) {
        if self.sessions[session].listens() {
            footprint.add(Object::Inbox(SessionId(session as u32)), Access::Write);
        }
    }

    /// Ends all subscriptions of a session.
    pub(crate) fn unsubscribe_all(&mut self, session: usize) {
        if !self.sessions[session].subscriptions.any() {
            return;
        }
        let subscriptions = std::mem::take(&mut self.sessions[session].subscriptions);
        let channels = Arc::make_mut(&mut self.channels);
        for kind in KINDS {
            for name in subscriptions.list(kind) {
                channels.remove(kind, &name, session as u32);
            }
        }
    }
}

impl Session {
    /// Whether commands of others send it messages, so that it can tell the order of those and of its own replies.
    pub(crate) fn listens(&self) -> bool {
        self.monitors || self.subscriptions.any() || self.tracking.is_some() || self.redirected > 0
    }
}

impl Context<'_> {
    pub(crate) fn subscribe(&mut self, kind: Kind, name: &Bytes) {
        touch_subscription(self.footprint, kind, name);
        if self.session_mut().subscriptions.add(kind, name) {
            let session = self.session as u32;
            let names = Arc::make_mut(&mut self.engine.channels).of_mut(kind);
            names.entry(name.clone()).or_default().insert(session);
        }
    }

    pub(crate) fn unsubscribe(&mut self, kind: Kind, name: &Bytes) {
        touch_subscription(self.footprint, kind, name);
        if self.session_mut().subscriptions.remove(kind, name) {
            let session = self.session as u32;
            Arc::make_mut(&mut self.engine.channels).remove(kind, name, session);
        }
    }

    /// Sends a message out of band. What a session sends to itself comes in the order of its own commands.
    pub(crate) fn push(&mut self, session: usize, message: Reply) {
        let id = SessionId(session as u32);
        if session != self.actor {
            self.touch(Object::Inbox(id), Access::Write);
        }
        self.deliveries.push(Delivery::Push(id, message));
    }

    /// Sends a message to those who subscribed to the channel, then to those with a pattern that matches it. Tells how
    /// often it was sent: once for each subscription.
    pub(crate) fn publish(&mut self, channel: &Bytes, message: &Bytes) -> i64 {
        let mut sent = self.publish_to(Kind::Channel, channel, message);
        self.touch(Object::Patterns, Access::Read);
        if self.engine.channels.patterns.is_empty() {
            return sent;
        }
        let channels = self.engine.channels.clone();
        for (pattern, sessions) in
            channels.patterns.iter().filter(|(pattern, _)| glob::matches(pattern, channel, false))
        {
            for &session in sessions {
                let parts = [Bytes::from_static(b"pmessage"), pattern.clone(), channel.clone(), message.clone()];
                self.push(session as usize, Reply::Push(parts.map(Reply::Bulk).into()));
                sent += 1;
            }
        }
        sent
    }

    /// Sends a message to those who subscribed to a channel of one kind.
    pub(crate) fn publish_to(&mut self, kind: Kind, channel: &Bytes, message: &Bytes) -> i64 {
        self.touch(object(kind, channel), Access::Read);
        let Some(sessions) = self.engine.channels.of(kind).get(channel) else { return 0 };
        let sessions: Vec<u32> = sessions.iter().copied().collect();
        let word: &'static [u8] = if kind == Kind::Shard { b"smessage" } else { b"message" };
        for &session in &sessions {
            let parts = [Bytes::from_static(word), channel.clone(), message.clone()];
            self.push(session as usize, Reply::Push(parts.map(Reply::Bulk).into()));
        }
        sessions.len() as i64
    }
}

//! What the server knows of each connection.

use bytes::Bytes;

use crate::{
    Protocol, Timestamp, acl::DEFAULT, channels::Subscriptions, command::Command, key::Key, tracking::Tracking,
    wait::Wait,
};

/// A connection.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// `CLIENT ID`: rises with every connection, never used twice.
    pub(crate) id: i64,
    /// The how manieth connection of the server it is.
    pub(crate) nth: i64,
    /// Whether the connection is open. A closed one's place is taken by a later connection.
    pub(crate) open: bool,
    pub(crate) db: u32,
    pub(crate) protocol: Protocol,
    pub(crate) user: Bytes,
    /// Whether it has said who it is, or did not have to when it connected.
    pub(crate) authenticated: bool,
    /// Where it comes from, and where to, if whoever owns the sockets has said so.
    pub(crate) addresses: Option<Box<Addresses>>,
    /// Whether it is told of every command (`MONITOR`).
    pub(crate) monitors: bool,
    /// `CLIENT SETNAME`
    pub(crate) name: Bytes,
    pub(crate) no_evict: bool,
    /// `CLIENT NO-TOUCH`: its commands leave no trace in how keys were used.
    pub(crate) no_touch: bool,
    /// `CLIENT SETINFO`
    pub(crate) library: Option<Box<ClientLibrary>>,
    pub(crate) replies: Replies,
    pub(crate) transaction: Option<Transaction>,
    /// How many commands the transaction has that is being executed. Nothing between commands.
    pub(crate) executing: Option<usize>,
    pub(crate) watched: Vec<Watched>,
    pub(crate) subscriptions: Subscriptions,
    /// What the session is told of the keys that it has read.
    pub(crate) tracking: Option<Box<Tracking>>,
    /// The number of the client that is told in its place; 0 for none. It outlives the tracking, until the next.
    pub(crate) redirect: i64,
    /// In place of how many sessions this one is told.
    pub(crate) redirected: u32,
    /// Whether a watched key was touched, so that `EXEC` gives null.
    pub(crate) dirty: bool,
    /// What the session waits with.
    pub(crate) wait: Option<Box<Wait>>,
    /// The command that a pause holds.
    pub(crate) held: Option<Vec<Bytes>>,
    /// The connection is to a replica, which refuses writes.
    pub(crate) replica: bool,
    /// The connection is a replica of this server's, which is sent all effects.
    pub(crate) fed: bool,
    /// How far the stream of effects was after its last command, where there are replicas.
    pub(crate) wrote_up_to: i64,
    /// What it has done, where [`crate::Options::statistics`] is set.
    pub(crate) activity: Option<Box<Activity>>,
}

impl Session {
    pub(crate) fn new(id: i64, nth: i64, authenticated: bool) -> Self {
        Self {
            id,
            nth,
            open: true,
            db: 0,
            protocol: Protocol::Resp2,
            user: Bytes::from_static(DEFAULT.as_bytes()),
            authenticated,
            addresses: None,
            monitors: false,
            name: Bytes::new(),
            no_evict: false,
            no_touch: false,
            library: None,
            replies: Replies::On,
            transaction: None,
            executing: None,
            watched: Vec::new(),
            subscriptions: Subscriptions::default(),
            tracking: None,
            redirect: 0,
            redirected: 0,
            dirty: false,
            wait: None,
            held: None,
            replica: false,
            fed: false,
            wrote_up_to: 0,
            activity: None,
        }
    }
}

/// What `CLIENT LIST` tells of what a client did, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Activity {
    /// Nothing before its first command, unless whoever owns the sockets has said so.
    pub(crate) connected: Option<Timestamp>,
    /// When it last sent a command, or connected.
    pub(crate) last: Timestamp,
    /// The last command that it sent, executed or not; nothing if there is no such command.
    pub(crate) command: Option<&'static str>,
}

/// What the library behind a connection says of itself; nothing that it did not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct ClientLibrary {
    pub(crate) name: Bytes,
    pub(crate) version: Bytes,
}

/// The two ends of a connection, as Redis writes them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Addresses {
    pub(crate) peer: Bytes,
    pub(crate) local: Bytes,
}

impl Session {
    /// The address of the client.
    pub(crate) fn peer(&self) -> &[u8] {
        self.addresses.as_ref().map_or(b"127.0.0.1:0", |addresses| &addresses.peer)
    }

    /// The address that the client has connected to.
    pub(crate) fn local(&self) -> &[u8] {
        self.addresses.as_ref().map_or(b"127.0.0.1:6379", |addresses| &addresses.local)
    }

    /// Whether it is in the subscribed mode of RESP2, in which few commands are allowed.
    pub(crate) fn is_confined(&self) -> bool {
        self.protocol == Protocol::Resp2 && self.subscriptions.any()
    }
}

/// `CLIENT REPLY`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Replies {
    On,
    Off,
    /// The next command gets no reply.
    SkipNext,
}

/// What came after `MULTI`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transaction {
    pub(crate) queue: Vec<Queued>,
    /// A command could not be queued, so that `EXEC` is refused.
    pub(crate) failed: bool,
    /// Whether one of the commands may write or be sent on to replicas, as far as was known when it was queued.
    pub(crate) may_send_on: bool,
}

/// A command that waits for `EXEC`.
#[derive(Clone, Debug)]
pub(crate) struct Queued {
    pub(crate) command: &'static Command,
    pub(crate) args: Vec<Bytes>,
}

/// A key under `WATCH`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Watched {
    pub(crate) db: u32,
    pub(crate) key: Key,
    /// Whether the key had already expired when it was watched: its removal is then no change.
    pub(crate) expired: bool,
}

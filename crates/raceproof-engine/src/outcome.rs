//! What one command did.

use crate::{Delivery, Effect, Engine, Footprint, Reply};

/// How `SHUTDOWN` wants the server to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shutdown {
    /// Whether to save first, if it was said; otherwise as there are save points.
    pub save: Option<bool>,
    /// Without waiting for replicas.
    pub now: bool,
    /// Even if saving fails.
    pub force: bool,
}

/// What one command did. Reused between calls: [`Engine::execute`] clears it first.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The reply.
    pub reply: Reply,
    /// What was touched.
    pub footprint: Footprint,
    /// What is propagated to the append-only file and to replicas.
    pub effects: Vec<Effect>,
    /// Set by the caller, and kept by [`Self::clear`]: `effects` stays empty, which saves making them.
    pub without_effects: bool,
    /// Whether anything is propagated.
    pub wrote: bool,
    /// Set by the caller, and kept by [`Self::clear`]: `between` is wanted.
    pub with_between: bool,
    /// Where commands that a pause held were executed as well: the engine as it stood after each command that wrote, but for the
    /// last one. A crash may come between them.
    pub between: Vec<Engine>,
    /// Whether the reply is not to be sent (`CLIENT REPLY OFF | SKIP`), or there is none (`SUBSCRIBE`, whose messages are
    /// `deliveries`). Deliveries are sent in any case.
    pub silent: bool,
    /// Whether the connection is to be closed once the reply is sent (`QUIT`).
    pub close: bool,
    /// Set if the server is to end (`SHUTDOWN`), without any reply.
    pub shutdown: Option<Shutdown>,
    /// Whether the session now waits, or its command is held by a pause: `reply` means nothing, and the reply comes as a
    /// [`Delivery::Reply`].
    pub waits: bool,
    /// What other sessions, and this one besides its reply, are sent, in the order in which Redis sends it.
    pub deliveries: Vec<Delivery>,
    /// How many of `deliveries` were made before the reply; what they hold for this session goes first.
    pub before_reply: usize,
    /// How long the command took (µs), with its reply at the end: commands take no time here, but for `DEBUG SLEEP`.
    pub took_us: i64,
}

impl Outcome {
    /// Forgets what an earlier command did, keeping the memory.
    #[inline]
    pub fn clear(&mut self) {
        self.reply = Reply::Null;
        self.footprint.clear();
        self.effects.clear();
        self.wrote = false;
        self.between.clear();
        self.silent = false;
        self.close = false;
        self.shutdown = None;
        self.waits = false;
        self.deliveries.clear();
        self.before_reply = 0;
        self.took_us = 0;
    }
}

impl Default for Outcome {
    fn default() -> Self {
        Self {
            reply: Reply::Null,
            footprint: Footprint::default(),
            effects: Vec::new(),
            without_effects: false,
            wrote: false,
            with_between: false,
            between: Vec::new(),
            silent: false,
            close: false,
            shutdown: None,
            waits: false,
            deliveries: Vec::new(),
            before_reply: 0,
            took_us: 0,
        }
    }
}

//! Driving an engine in tests: sessions by number, replies as bytes.

use std::cell::RefCell;

use bytes::Bytes;
use raceproof_engine::{
    Delivery, Engine, LuaHost, Options, Outcome, Protocol, Reply, Script, ScriptCalls, ScriptHost, SessionId, Timestamp,
};

use super::sequence::SESSIONS;

/// A script host that refuses every script.
#[derive(Default)]
pub(crate) struct NoScripts;

impl ScriptHost for NoScripts {
    fn compile(&mut self, _sha1: &str, _source: &Bytes) -> Result<(), Bytes> {
        Err(Bytes::from_static(b"ERR this test runs no scripts"))
    }

    fn run(&mut self, _script: Script<'_>, _calls: &mut dyn ScriptCalls) -> Reply {
        Reply::Error(Bytes::from_static(b"ERR this test runs no scripts"))
    }
}

thread_local! {
    static LUA: RefCell<LuaHost> = RefCell::new(LuaHost::new());
}

/// The script host of the tests: one Lua state for each thread, since a new one costs more than a whole sequence.
pub(crate) fn host() -> SharedHost {
    SharedHost
}

/// See [`host`].
pub(crate) struct SharedHost;

impl ScriptHost for SharedHost {
    fn compile(&mut self, sha1: &str, source: &Bytes) -> Result<(), Bytes> {
        LUA.with_borrow_mut(|host| host.compile(sha1, source))
    }

    fn run(&mut self, script: Script<'_>, calls: &mut dyn ScriptCalls) -> Reply {
        LUA.with_borrow_mut(|host| host.run(script, calls))
    }
}

/// An engine with sessions of its own.
#[derive(Clone, Debug)]
pub(crate) struct Driver {
    /// The engine.
    pub(crate) engine: Engine,
    /// The open sessions.
    pub(crate) sessions: Vec<SessionId>,
    /// Whether effects are left out.
    pub(crate) without_effects: bool,
}

impl Driver {
    /// A fresh engine with [`SESSIONS`] sessions.
    pub(crate) fn new(options: Options) -> Self {
        let mut engine = Engine::new(options);
        let sessions = (0..SESSIONS).map(|_| engine.connect()).collect();
        Self { engine, sessions, without_effects: false }
    }

    /// Executes a command of a session at a time (ms since the Unix epoch). If the session waits, it gives up and begins
    /// anew.
    pub(crate) fn run(&mut self, host: &mut dyn ScriptHost, session: usize, args: &[Bytes], now_ms: i64) -> Outcome {
        if self.engine.waits(self.sessions[session]) {
            self.engine.disconnect(self.sessions[session]);
            self.sessions[session] = self.engine.connect();
        }
        let mut outcome = Outcome { without_effects: self.without_effects, ..Outcome::default() };
        self.engine.execute(host, self.sessions[session], args, Timestamp::from_ms(now_ms), &mut outcome);
        outcome
    }

    /// The bytes of a reply in the protocol that the session speaks.
    pub(crate) fn bytes(&self, session: usize, reply: &Reply) -> Vec<u8> {
        let mut bytes = Vec::new();
        reply.encode(self.protocol(session), &mut bytes);
        bytes
    }

    /// Adds what a command of a session sends to what was heard on each connection.
    pub(crate) fn hear(&self, session: Option<usize>, outcome: &Outcome, heard: &mut [Vec<u8>]) {
        let reply = |heard: &mut [Vec<u8>]| {
            if let Some(session) = session.filter(|_| !outcome.silent && !outcome.waits) {
                outcome.reply.encode(self.protocol(session), &mut heard[session]);
            }
        };
        for (at, delivery) in outcome.deliveries.iter().enumerate() {
            if at == outcome.before_reply {
                reply(heard);
            }
            let Some(to) = self.sessions.iter().position(|id| *id == delivery.session()) else { continue };
            match delivery {
                Delivery::Push(_, message) | Delivery::Reply(_, message) => {
                    message.encode(self.protocol(to), &mut heard[to]);
                }
                Delivery::NoReply(_) => {}
                Delivery::Close(_) => heard[to].extend_from_slice(b"(closed)"),
            }
        }
        if outcome.before_reply >= outcome.deliveries.len() {
            reply(heard);
        }
    }

    /// What sessions that waited were sent: the number of each, and the bytes. In the order of the sessions.
    pub(crate) fn served(&self, outcome: &Outcome) -> Vec<(usize, Vec<u8>)> {
        let served = |delivery: &Delivery| match delivery {
            Delivery::Reply(id, reply) => {
                let session = self.sessions.iter().position(|session| session == id)?;
                Some((session, self.bytes(session, reply)))
            }
            _ => None,
        };
        let mut served: Vec<_> = outcome.deliveries.iter().filter_map(served).collect();
        served.sort();
        served
    }

    /// The protocol that the session speaks.
    pub(crate) fn protocol(&self, session: usize) -> Protocol {
        self.engine.protocol(self.sessions[session])
    }
}

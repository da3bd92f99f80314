//! Driving an engine in tests: sessions by number, replies as bytes.

use bytes::Bytes;
use raceproof_engine::{
    Engine, Options, Outcome, Protocol, Reply, Script, ScriptCalls, ScriptHost, SessionId, Timestamp,
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

/// The script host of the tests.
pub(crate) fn host() -> NoScripts {
    NoScripts
}

/// An engine with sessions of its own.
#[derive(Clone, Debug)]
pub(crate) struct Driver {
    /// The engine.
    pub(crate) engine: Engine,
    /// The open sessions.
    pub(crate) sessions: Vec<SessionId>,
}

impl Driver {
    /// A fresh engine with [`SESSIONS`] sessions.
    pub(crate) fn new(options: Options) -> Self {
        let mut engine = Engine::new(options);
        let sessions = (0..SESSIONS).map(|_| engine.connect()).collect();
        Self { engine, sessions }
    }

    /// Executes a command of a session at a time (ms since the Unix epoch).
    pub(crate) fn run(&mut self, host: &mut dyn ScriptHost, session: usize, args: &[Bytes], now_ms: i64) -> Outcome {
        let mut outcome = Outcome::default();
        self.engine.execute(host, self.sessions[session], args, Timestamp::from_ms(now_ms), &mut outcome);
        outcome
    }

    /// The bytes of a reply in the protocol that the session speaks.
    pub(crate) fn bytes(&self, session: usize, reply: &Reply) -> Vec<u8> {
        let mut bytes = Vec::new();
        reply.encode(self.protocol(session), &mut bytes);
        bytes
    }

    /// The protocol that the session speaks.
    pub(crate) fn protocol(&self, session: usize) -> Protocol {
        self.engine.protocol(self.sessions[session])
    }
}

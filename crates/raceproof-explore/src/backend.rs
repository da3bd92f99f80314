//! A Redis to deliver the steps of one schedule to, beside the embedded engine.

use std::fmt;

use bytes::Bytes;
use raceproof_engine::Reply;

/// Why a backend could not do what was asked. The text names the thing, the value and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendError(pub String);

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BackendError {}

/// A real Redis server under the explorer's schedule. The embedded engine runs beside it: it tells which deadlines are
/// pending, while the clients get the backend's replies.
pub trait Backend {
    /// What it is, for the report: `redis-server 7.0.15`.
    fn name(&self) -> String;

    /// Empties all databases, script cache included, and closes all sessions.
    ///
    /// # Errors
    /// When the server is gone or refuses.
    fn reset(&mut self) -> Result<(), BackendError>;

    /// The server's clock, in ms since the Unix epoch. The virtual clock of a run starts there, so that absolute
    /// deadlines mean the same on both sides.
    ///
    /// # Errors
    /// When the server is gone or refuses.
    fn now_ms(&mut self) -> Result<i64, BackendError>;

    /// Whether its clock stands still between the steps that move it: then what is left of a time is what it is in
    /// simulation, to the millisecond.
    fn clock_is_held(&self) -> bool {
        false
    }

    /// Opens a session, numbered by the caller.
    ///
    /// # Errors
    /// When the server is gone or refuses.
    fn connect(&mut self, session: u32) -> Result<(), BackendError>;

    /// By this number `CLIENT ID` names the session, which has just been opened, to its client. The server's own number is
    /// another one: where commands and replies name the session by its number, the backend translates.
    ///
    /// # Errors
    /// When the server is gone or refuses.
    fn show_id(&mut self, session: u32, client_id: i64) -> Result<(), BackendError> {
        let _ = (session, client_id);
        Ok(())
    }

    /// Opens a session with the replica of the server, numbered by the caller. The replica has all that the server has when a
    /// command is delivered to it, but for one that follows [`Self::lag_behind`].
    ///
    /// # Errors
    /// When that cannot be brought about there, as is the case unless a backend says otherwise.
    fn connect_to_replica(&mut self, session: u32) -> Result<(), BackendError> {
        let _ = session;
        Err(BackendError("this server has no replica to read from".to_owned()))
    }

    /// The next command is delivered to the replica when that has so many entries of the log, counted as by
    /// [`Self::logged`], and no more.
    ///
    /// # Errors
    /// When that cannot be brought about there, as is the case unless a backend says otherwise.
    fn lag_behind(&mut self, entries: usize) -> Result<(), BackendError> {
        let _ = entries;
        Err(BackendError("a replica of this server cannot be held back".to_owned()))
    }

    /// Closes a session.
    fn disconnect(&mut self, session: u32);

    /// Delivers one command and waits for its reply.
    ///
    /// # Errors
    /// When the server is gone, or the command cannot be played on a server whose clock is real.
    fn execute(&mut self, session: u32, args: &[Bytes]) -> Result<Reply, BackendError>;

    /// Delivers one command that will wait, and comes back when the server waits with it.
    ///
    /// # Errors
    /// When the server is gone, or replied at once, or when this cannot be played, as is the case unless a backend says
    /// otherwise.
    fn send(&mut self, session: u32, args: &[Bytes]) -> Result<(), BackendError> {
        let _ = (session, args);
        Err(BackendError("commands that wait cannot be played on this server".to_owned()))
    }

    /// Gives the reply to a command that has waited. `late`: because its time is over, which is to be brought about.
    ///
    /// # Errors
    /// When the server is gone or goes on waiting.
    fn receive(&mut self, session: u32, late: bool) -> Result<Reply, BackendError> {
        let _ = (session, late);
        Err(BackendError("commands that wait cannot be played on this server".to_owned()))
    }

    /// Gives the next message that the server has sent a session beside its replies. There is one, if the server does what
    /// the engine does.
    ///
    /// # Errors
    /// When the server is gone or sends none, or when this cannot be played, as is the case unless a backend says otherwise.
    fn message(&mut self, session: u32) -> Result<Reply, BackendError> {
        let _ = session;
        Err(BackendError("messages beside replies cannot be played on this server".to_owned()))
    }

    /// The server's log has so many entries now: 0 when the setup is over, one more after each command that wrote
    /// something. Told while a fault that cuts the log may strike; a backend that can [`Self::restart`] notes where it
    /// stands.
    ///
    /// # Errors
    /// When the server is gone or refuses.
    fn logged(&mut self, entries: usize) -> Result<(), BackendError> {
        let _ = entries;
        Ok(())
    }

    /// The server goes down and is started again with the setup's state and so many entries of its log since, or with
    /// nothing at all. All sessions are closed by it.
    ///
    /// # Errors
    /// When that cannot be brought about there, as is the case unless a backend says otherwise.
    fn restart(&mut self, entries: Option<usize>) -> Result<(), BackendError> {
        let _ = entries;
        Err(BackendError("a restart cannot be brought about on this server".to_owned()))
    }

    /// The server goes down, and a replica that had received so many entries of its log takes its place. All sessions
    /// are closed by it.
    ///
    /// # Errors
    /// When that cannot be brought about there, as is the case unless a backend says otherwise.
    fn failover(&mut self, entries: usize) -> Result<(), BackendError> {
        let _ = entries;
        Err(BackendError("a failover cannot be brought about on this server".to_owned()))
    }

    /// The server evicts a key, and no other.
    ///
    /// # Errors
    /// When that cannot be brought about there, as is the case unless a backend says otherwise.
    fn evict(&mut self, db: u32, key: &[u8]) -> Result<(), BackendError> {
        let _ = (db, key);
        Err(BackendError("an eviction cannot be brought about on this server".to_owned()))
    }

    /// The server's clock is stepped, forward or back; the clients' clocks are not.
    ///
    /// # Errors
    /// When that cannot be brought about there, as is the case unless a backend says otherwise.
    fn step_clock(&mut self, by_ms: i64) -> Result<(), BackendError> {
        let _ = by_ms;
        Err(BackendError("the clock of this server cannot be stepped".to_owned()))
    }

    /// Lets time pass: every volatile key's deadline moves `by_ms` closer, and keys that are due expire at once.
    ///
    /// # Errors
    /// When the server is gone or refuses.
    fn advance(&mut self, by_ms: i64) -> Result<(), BackendError>;
}

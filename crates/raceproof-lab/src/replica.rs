//! A replica that receives its primary's log up to an entry, and no further.
//!
//! It is stopped (SIGSTOP) when it has received what had been written by then, and its connection is closed from the
//! primary's side: there is nothing on its way to it, and it cannot connect anew. So whatever the primary does from then
//! on is lost with the primary, as it is when a replica lags behind or its link is down.

use std::thread;
use std::time::{Duration, Instant};

use crate::{Connection, LabError, RedisServer, Reply};

/// How long a replica may take to catch up. It takes 50 ms on an idle machine.
const WAIT: Duration = Duration::from_secs(20);
/// Between two looks at whether it has.
const POLL: Duration = Duration::from_millis(2);

/// The TCP port multiplexer's port, which is reserved and not in use.
const NOBODY: &str = "1";

/// A replica of a running server.
#[derive(Debug)]
pub(crate) struct Replica {
    server: RedisServer,
    control: Connection,
    follows_nobody: bool,
}

impl Replica {
    /// Starts a replica, and waits until it has what its primary has.
    pub(crate) fn of(primary: &RedisServer, control: &mut Connection) -> Result<Self, LabError> {
        let port = primary.listen(control)?;
        // Without it the primary waits 5 s for more replicas.
        control.ask(&["CONFIG", "SET", "repl-diskless-sync-delay", "0"])?;
        let server = primary.another()?;
        let mut replica = Self { control: server.connect()?, server, follows_nobody: false };
        replica.control.ask(&["REPLICAOF", "127.0.0.1", &port.to_string()])?;
        wait_until(|| Ok(field(&mut replica.control, "replication", "master_link_status")?.as_deref() == Some("up")))?;
        Ok(replica)
    }

    /// Another connection to it.
    pub(crate) fn connect(&self) -> Result<Connection, LabError> {
        self.server.connect()
    }

    /// Waits until it has received all that its primary has written; it follows it from now on if it did not.
    pub(crate) fn follow(&mut self, primary: &RedisServer, control: &mut Connection) -> Result<(), LabError> {
        if std::mem::take(&mut self.follows_nobody) {
            let port = primary.listen(control)?;
            self.control.ask(&["REPLICAOF", "127.0.0.1", &port.to_string()])?;
        }
        // A replica that has lost its primary takes it up again by itself.
        wait_until(|| {
            let up = field(&mut self.control, "replication", "master_link_status")?.as_deref() == Some("up");
            Ok(up && self.offset()? == offset(control)?)
        })
    }

    /// It goes on with what it has, as one does whose primary cannot be reached: it is sent to a port on which nobody
    /// listens.
    pub(crate) fn follow_nobody(&mut self) -> Result<(), LabError> {
        self.follows_nobody = true;
        self.control.ask(&["REPLICAOF", "127.0.0.1", NOBODY])?;
        Ok(())
    }

    fn offset(&mut self) -> Result<Option<String>, LabError> {
        offset(&mut self.control)
    }

    /// Waits until it has received all that its primary has written, and holds it there.
    pub(crate) fn hold(&mut self, primary: &mut Connection) -> Result<(), LabError> {
        wait_until(|| Ok(self.offset()? == offset(primary)?))?;
        // Its own append-only file starts anew when it has been given its primary's data.
        for busy in ["aof_rewrite_in_progress", "aof_rewrite_scheduled"] {
            wait_until(|| Ok(field(&mut self.control, "persistence", busy)?.as_deref() == Some("0")))?;
        }
        self.server.pause()?;
        primary.ask(&["CLIENT", "KILL", "TYPE", "replica"])?;
        Ok(())
    }

    /// Makes it a primary. The server that it followed must be gone.
    pub(crate) fn promote(mut self) -> Result<RedisServer, LabError> {
        self.server.resume()?;
        self.control.ask(&["REPLICAOF", "NO", "ONE"])?;
        Ok(self.server)
    }
}

/// How much a server has written, or received if it is a replica.
fn offset(at: &mut Connection) -> Result<Option<String>, LabError> {
    field(at, "replication", "master_repl_offset")
}

/// A field of a section of `INFO`.
pub(crate) fn field(at: &mut Connection, section: &str, name: &str) -> Result<Option<String>, LabError> {
    let Reply::Bulk(info) = at.ask(&["INFO", section])? else { return Ok(None) };
    let info = String::from_utf8_lossy(&info);
    Ok(info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::to_owned)))
}

fn wait_until(mut done: impl FnMut() -> Result<bool, LabError>) -> Result<(), LabError> {
    let since = Instant::now();
    while !done()? {
        if since.elapsed() > WAIT {
            return Err(LabError::ReplicaLags { waited: WAIT });
        }
        thread::sleep(POLL);
    }
    Ok(())
}

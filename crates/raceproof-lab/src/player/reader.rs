//! A replica that clients read.
//!
//! It follows the server, and before each read the lab waits until it has received all that the server has written. For a
//! read that is to show less it is told to follow nobody when it has as much as it is to show, and goes on to serve what it
//! has, as a replica does whose link is down. After the read it follows the server again.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Player, real_now_ms};
use crate::clock_use::{needs_clock, shows_time_left, translated};
use crate::replica::Replica;
use crate::{Connection, LabError, Reply};

/// The replica, and who is connected to it.
#[derive(Debug)]
pub(super) struct Reader {
    replica: Replica,
    sessions: BTreeMap<u32, Connection>,
    /// It does not follow the server.
    held: bool,
}

impl Reader {
    pub(super) fn is_in_use(&self) -> bool {
        !self.sessions.is_empty()
    }

    pub(super) fn is_held(&self) -> bool {
        self.held
    }

    pub(super) fn disconnect(&mut self, session: u32) {
        self.sessions.remove(&session);
    }
}

impl Player {
    /// Sees to it that there is a replica to read from.
    pub(crate) fn start_reader(&mut self) -> Result<(), LabError> {
        if self.reader.is_none() {
            let replica = Replica::of(&self.server, &mut self.control)?;
            self.reader = Some(Reader { replica, sessions: BTreeMap::new(), held: false });
        }
        Ok(())
    }

    pub(crate) fn connect_to_replica(&mut self, session: u32) -> Result<(), LabError> {
        self.start_reader()?;
        if let Some(reader) = &mut self.reader {
            let connection = reader.replica.connect()?;
            reader.sessions.insert(session, connection);
        }
        Ok(())
    }

    pub(crate) fn reads_replica(&self, session: u32) -> bool {
        self.reader.as_ref().is_some_and(|reader| reader.sessions.contains_key(&session))
    }

    /// One command of a session of the replica, which is up to date, unless it is held back.
    pub(super) fn read(&mut self, session: u32, args: &[Bytes]) -> Result<Reply, LabError> {
        let (server, control) = (&self.server, &mut self.control);
        let Some(reader) = &mut self.reader else { return Err(LabError::NoSession(session)) };
        let held = server.clock().is_some();
        if let Some(what) = needs_clock(args).filter(|_| !held) {
            return Err(LabError::NeedsClock { what });
        }
        if !held && (shows_time_left(args) || self.timed.asks(args)) {
            let name = args.first().map_or_else(String::new, |name| String::from_utf8_lossy(name).into_owned());
            return Err(LabError::NeedsClock { what: format!("{name} at the replica") });
        }
        if !reader.held {
            reader.replica.follow(server, control)?;
        }
        let played_ms = self.epoch_ms + self.deadlines.now_ms();
        let connection = reader.sessions.get_mut(&session).ok_or(LabError::NoSession(session))?;
        if held { connection.call(args) } else { connection.call(&translated(args, real_now_ms() - played_ms)) }
    }

    /// The replica keeps what it has now.
    pub(crate) fn hold_reader(&mut self) -> Result<(), LabError> {
        let (server, control) = (&self.server, &mut self.control);
        if let Some(reader) = &mut self.reader {
            reader.replica.follow(server, control)?;
            reader.replica.follow_nobody()?;
            reader.held = true;
        }
        Ok(())
    }

    /// The replica follows the server again.
    pub(crate) fn release_reader(&mut self) {
        if let Some(reader) = &mut self.reader {
            reader.held = false;
        }
    }

    /// Nobody reads the replica when the server goes down.
    pub(super) fn leave_reader(&mut self) -> Result<(), LabError> {
        if self.reader.as_ref().is_some_and(Reader::is_in_use) {
            return Err(LabError::OneReplica { what: "a server that goes down while its replica is read" });
        }
        self.reader = None;
        Ok(())
    }
}

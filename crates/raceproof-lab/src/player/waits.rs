//! Commands that wait on the server (`BLPOP` and its kind).
//!
//! A server whose clock is held ends them itself. On another one real time does not count, so they are sent to wait for
//! ever. When the played clock says that their time is over they are ended by `CLIENT UNBLOCK`, which gives the reply
//! that they would have had.

use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{Player, field, unexpected};
use crate::{LabError, Reply};

/// How long the server may take until it waits. It takes less than a millisecond.
const BLOCK_WAIT: Duration = Duration::from_secs(10);

impl Player {
    /// Sends a command, and comes back when the server waits with it.
    pub(crate) fn send(&mut self, session: u32, args: &[Bytes]) -> Result<(), LabError> {
        if self.reads_replica(session) {
            return Err(LabError::OneReplica { what: "a command that waits at the replica" });
        }
        let state = self.sessions.get_mut(&session).ok_or(LabError::NoSession(session))?;
        match self.server.clock() {
            Some(_) => state.connection.send(args)?,
            None => state.connection.send(&for_ever(args))?,
        }
        let id = state.client_id.to_string();
        let since = Instant::now();
        loop {
            let Reply::Bulk(line) = self.control.ask(&["CLIENT", "LIST", "ID", &id])? else {
                return Err(unexpected("CLIENT LIST"));
            };
            // `b`: it waits in a command.
            if field(&line, "flags").contains('b') {
                return Ok(());
            }
            if since.elapsed() > BLOCK_WAIT {
                let command = args.first().map(|name| String::from_utf8_lossy(name).into_owned());
                return Err(LabError::DoesNotWait { command: command.unwrap_or_default() });
            }
            thread::yield_now();
        }
    }

    /// The reply to a command that waited. `late`: since its time is over.
    pub(crate) fn receive(&mut self, session: u32, late: bool) -> Result<Reply, LabError> {
        let state = self.sessions.get_mut(&session).ok_or(LabError::NoSession(session))?;
        if late && self.server.clock().is_none() {
            self.control.ask(&["CLIENT", "UNBLOCK", &state.client_id.to_string(), "TIMEOUT"])?;
        }
        Ok(state.connection.receive()?.0)
    }
}

/// The command with a time that never ends.
fn for_ever(args: &[Bytes]) -> Vec<Bytes> {
    let name = args.first().map(|name| name.to_ascii_uppercase()).unwrap_or_default();
    let place = match name.as_slice() {
        b"BLMPOP" | b"BZMPOP" => Some(1),
        b"WAIT" => Some(2),
        b"XREAD" | b"XREADGROUP" => {
            let block = args.iter().position(|arg| arg.eq_ignore_ascii_case(b"BLOCK"));
            block.map(|block| block + 1)
        }
        b"BLPOP" | b"BRPOP" | b"BLMOVE" | b"BRPOPLPUSH" | b"BZPOPMIN" | b"BZPOPMAX" => args.len().checked_sub(1),
        _ => None,
    };
    let mut sent = args.to_vec();
    if let Some(time) = place.and_then(|place| sent.get_mut(place)) {
        *time = Bytes::from_static(b"0");
    }
    sent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_wait_for_ever() {
        for (given, sent) in [
            (&["BLPOP", "a", "b", "1.5"][..], &["BLPOP", "a", "b", "0"][..]),
            (&["blmpop", "3", "1", "a", "LEFT"], &["blmpop", "0", "1", "a", "LEFT"]),
            (
                &["XREAD", "COUNT", "2", "block", "500", "STREAMS", "s", "$"],
                &["XREAD", "COUNT", "2", "block", "0", "STREAMS", "s", "$"],
            ),
            (&["WAIT", "1", "100"], &["WAIT", "1", "0"]),
            (&["GET", "a"], &["GET", "a"]),
            (&[], &[]),
        ] {
            let bytes =
                |args: &[&'static str]| args.iter().map(|arg| Bytes::from_static(arg.as_bytes())).collect::<Vec<_>>();
            assert_eq!(for_ever(&bytes(given)), bytes(sent));
        }
    }
}

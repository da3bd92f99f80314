//! The engine, held against the real server that runs beside it: every reply, and at the end every key.

use bytes::Bytes;
use raceproof_engine::{Reply, SessionId};

use super::{Execution, trace};
use crate::Error;
use crate::backend::{Backend, BackendError};
use crate::command::Command;

impl Execution<'_> {
    /// Does something to the real server, if there is one.
    pub(super) fn on_server(
        &mut self,
        what: impl FnOnce(&mut dyn Backend) -> Result<(), BackendError>,
    ) -> Result<(), Error> {
        match &mut self.worker.backend {
            Some(attached) => what(&mut *attached.backend).map_err(|error| Error::Backend(error.to_string())),
            None => Ok(()),
        }
    }

    /// The reply that counts: that of the real server, if there is one. The first that differs is noted.
    pub(super) fn compared(&mut self, session: SessionId, args: &[Bytes], reply: Reply) -> Result<Reply, Error> {
        if let Some(entries) = self.behind {
            self.on_server(|server| server.lag_behind(entries.into()))?;
        }
        let Some(attached) = &mut self.worker.backend else { return Ok(reply) };
        let real = attached.backend.execute(session.0, args).map_err(|error| Error::Backend(error.to_string()))?;
        self.hold_against(args, &trace::command(args), &reply, &real);
        Ok(real)
    }

    /// Notes the first reply that is another one on the real server.
    pub(super) fn hold_against(&mut self, args: &[Bytes], asked: &str, reply: &Reply, real: &Reply) {
        let step = self.current.map(|_| self.number);
        let Some(attached) = &mut self.worker.backend else { return };
        let tolerance_ms = if attached.backend.clock_is_held() { 0 } else { trace::TIMED_TOLERANCE_MS };
        if attached.difference.is_none() && !trace::same_reply(args, reply, real, tolerance_ms) {
            let place = match step {
                _ if attached.at_the_end => "at the end".to_owned(),
                Some(step) => format!("step {step}"),
                None => "at the start".to_owned(),
            };
            let (ours, theirs) = (trace::reply(reply), trace::reply(real));
            attached.difference = Some(format!("{place}: {asked} → {ours} in simulation, {theirs} on the server"));
        }
    }

    /// Compares all that the engine and the real server hold when the last step has been made.
    pub(super) fn compare_at_the_end(&mut self) -> Result<(), Error> {
        let Some(attached) = &mut self.worker.backend else { return Ok(()) };
        attached.at_the_end = true;
        let mut databases: Vec<u32> = self.worker.engine.keys().map(|(db, _)| db).chain([0]).collect();
        databases.sort_unstable();
        databases.dedup();
        // Nobody's step touches this.
        let touched = std::mem::take(&mut self.touched);
        for db in databases {
            let session = self.guest(db)?;
            self.compare_keys(session)?;
            self.disconnect(session);
        }
        self.touched = touched;
        Ok(())
    }

    fn compare_keys(&mut self, session: SessionId) -> Result<(), Error> {
        let Reply::Array(keys) = self.redis(session, &words(&[b"KEYS", b"*"]))? else { return Ok(()) };
        for key in keys.iter().filter_map(|key| if let Reply::Bulk(key) = key { Some(key) } else { None }) {
            let kind = self.redis(session, &words(&[b"TYPE", key]))?;
            let kind = match &kind {
                Reply::Status(kind) => kind.as_ref(),
                Reply::Simple(kind) => kind.as_bytes(),
                _ => b"",
            };
            let all: &[&[u8]] = match kind {
                b"string" => &[b"GET", key],
                b"list" => &[b"LRANGE", key, b"0", b"-1"],
                b"set" => &[b"SMEMBERS", key],
                b"zset" => &[b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"],
                b"hash" => &[b"HGETALL", key],
                b"stream" => &[b"XRANGE", key, b"-", b"+"],
                // Gone since, or of a kind that the engine does not know: TYPE has told.
                _ => continue,
            };
            self.redis(session, &words(all))?;
            self.redis(session, &words(&[b"PTTL", key]))?;
        }
        Ok(())
    }
}

fn words(args: &[&[u8]]) -> Command {
    args.iter().map(|arg| Bytes::copy_from_slice(arg)).collect::<Vec<_>>().into()
}

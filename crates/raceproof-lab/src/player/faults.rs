//! What goes wrong with a server as a whole, brought about on a real one.
//!
//! **It goes down.** The process is killed (SIGKILL), its append-only file is cut to the end of the last entry that is to
//! survive, and it is started again on that file. What a power loss leaves of a file that is appended to is a beginning
//! of it; where the whole log survives nothing is cut. The deadlines of keys come back as they were written, and where the
//! server's clock is not held they are then moved to where the played clock has them.
//!
//! **A replica takes its place.** See `replica.rs`: the replica must have been held at the entry, so an execution with a
//! failover is played twice, see `backend.rs`.
//!
//! **It evicts a key.** For a moment the key is the only one that has a deadline, and the server is given
//! `maxmemory-policy volatile-ttl` and less memory than it uses: it evicts this key and can evict no other. Of what is done to
//! the other keys nobody is told.

use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{Player, real_now_ms};
use crate::deadlines::{Deadlines, Place};
use crate::replica::{Replica, field};
use crate::{HeldClock, LabError, Reply, aof};

/// How long the server may take to evict a key. It takes less than a millisecond.
const EVICTION_WAIT: Duration = Duration::from_secs(5);
/// What a key has to live while it is evicted.
const EVICTED_WITHIN_MS: i64 = 60_000;

/// The setting that says of which changes of keys the server tells.
const EVENTS: &str = "notify-keyspace-events";

/// The server after an entry of its log.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    /// How far its file had been written; `None` if that is another server's file, or it keeps none.
    end: Option<aof::End>,
    deadlines: Deadlines,
}

impl Player {
    /// The log has so many entries now.
    pub(crate) fn logged(&mut self, entries: usize) -> Result<(), LabError> {
        self.marks.truncate(entries);
        let mark = self.mark()?;
        self.marks.push(mark);
        Ok(())
    }

    fn mark(&self) -> Result<Mark, LabError> {
        Ok(Mark { end: aof::end(self.server.folder())?, deadlines: self.deadlines.clone() })
    }

    /// The server goes down and comes back with so many entries of its log, or with nothing.
    pub(crate) fn restart(&mut self, entries: Option<usize>) -> Result<(), LabError> {
        let no_log = |entries, why| LabError::NoSuchLog { entries, why };
        self.leave_reader()?;
        self.sessions.clear();
        self.changed = true;
        self.server.kill()?;
        let folder = self.server.folder();
        let then = match entries {
            None => {
                aof::remove(folder)?;
                self.marks.clear();
                Deadlines::default()
            }
            Some(kept) => {
                let mark = self.marks.get(kept).ok_or_else(|| no_log(kept, "there is no such entry"))?;
                let end = mark.end.as_ref().ok_or_else(|| no_log(kept, "it keeps no append-only file with it"))?;
                if kept + 1 == self.marks.len() {
                    self.deadlines.clone()
                } else {
                    aof::cut(folder, end)?;
                    let then = mark.deadlines.clone();
                    self.marks.truncate(kept + 1);
                    then
                }
            }
        };
        self.server.restart()?;
        self.come_back(&then)?;
        if entries.is_none() {
            self.logged(0)?;
        }
        Ok(())
    }

    /// Gives the server a replica that is to take its place in the failover of this number.
    pub(crate) fn attach(&mut self, failover: usize) -> Result<(), LabError> {
        let replica = Replica::of(&self.server, &mut self.control)?;
        self.replicas.insert(failover, replica);
        Ok(())
    }

    /// The replica of this failover receives nothing any more.
    pub(crate) fn hold(&mut self, failover: usize) -> Result<(), LabError> {
        match self.replicas.get_mut(&failover) {
            Some(replica) => replica.hold(&mut self.control),
            None => Ok(()),
        }
    }

    /// The server goes down, and the replica that was held after so many entries takes its place.
    pub(crate) fn failover(&mut self, failover: usize, entries: usize) -> Result<(), LabError> {
        let missing = || LabError::NoSuchLog { entries, why: "no replica has it" };
        let replica = self.replicas.remove(&failover).ok_or_else(missing)?;
        let then = self.marks.get(entries).ok_or_else(missing)?.deadlines.clone();
        self.leave_reader()?;
        self.sessions.clear();
        self.changed = true;
        self.server.kill()?;
        self.server = replica.promote()?;
        self.come_back(&then)?;
        self.marks.truncate(entries);
        for mark in &mut self.marks {
            mark.end = None;
        }
        self.logged(entries)
    }

    /// Finds the server again, with the deadlines of then on the clock of now.
    fn come_back(&mut self, then: &Deadlines) -> Result<(), LabError> {
        self.take_over()?;
        let found = self.volatile_keys()?;
        self.deadlines.return_to(then, &found)?;
        self.advance(0)
    }

    /// The server evicts a key, and no other.
    pub(crate) fn evict(&mut self, db: u32, key: &[u8]) -> Result<(), LabError> {
        let place: Place = (db, Bytes::copy_from_slice(key));
        let mut others = self.volatile_keys()?;
        others.retain(|(other, _)| *other != place);
        if let Some(((_, other), _)) = others.first().filter(|_| self.tracked) {
            return Err(LabError::Told { key: other.escape_ascii().to_string() });
        }
        let places: Vec<Place> = others.iter().map(|(other, _)| other.clone()).collect();
        let again = self.sessions_to_watch_again(std::slice::from_ref(&place), &places)?;
        let events = self.setting(EVENTS)?;
        self.tell_of("")?;
        for (db, key) in &places {
            self.select(*db)?;
            self.control.ask(&[b"PERSIST", key.as_ref()])?;
        }
        self.select(db)?;
        let evicted = self.evict_alone(key, &events)?;
        self.tell_of("")?;
        let left = self.control.ask(&[b"EXISTS", key])?;
        if evicted != 1 || left != Reply::Integer(0) {
            return Err(LabError::NotEvicted { key: key.escape_ascii().to_string(), evicted });
        }
        self.deadlines.forget(&place);
        let now_ms = real_now_ms();
        for (place, deadline_ms) in &others {
            if self.server.clock().is_none() {
                self.set(place, now_ms)?;
            } else {
                self.select(place.0)?;
                self.control.ask(&[b"PEXPIREAT", place.1.as_ref(), deadline_ms.to_string().as_bytes()])?;
            }
        }
        self.tell_of(&events)?;
        self.watch_again(again)
    }

    /// Lets the server evict the only key that may be, and tell of these events; how many keys it evicts.
    ///
    /// It gets its deadline and is evicted before the server looks for other commands. So who tracks it in broadcasting
    /// mode is told of one change.
    fn evict_alone(&mut self, key: &[u8], events: &str) -> Result<i64, LabError> {
        let before = self.evicted_keys()?;
        let (policy, memory) = (self.setting("maxmemory-policy")?, self.setting("maxmemory")?);
        let deadline_ms = self.server.clock().map_or_else(real_now_ms, HeldClock::now_ms) + EVICTED_WITHIN_MS;
        self.control.ask(&["MULTI"])?;
        self.control.ask(&[b"PEXPIREAT", key, deadline_ms.to_string().as_bytes()])?;
        self.tell_of(events)?;
        self.set_memory("volatile-ttl", "1")?;
        self.control.ask(&["EXEC"])?;
        let since = Instant::now();
        while self.evicted_keys()? == before && since.elapsed() < EVICTION_WAIT {
            thread::yield_now();
        }
        self.set_memory(&policy, &memory)?;
        Ok(self.evicted_keys()? - before)
    }

    /// The server tells of these changes of keys: not of those that are made for the eviction.
    fn tell_of(&mut self, events: &str) -> Result<(), LabError> {
        self.control.ask(&["CONFIG", "SET", EVENTS, events]).map(drop)
    }

    fn set_memory(&mut self, policy: &str, memory: &str) -> Result<(), LabError> {
        self.control.ask(&["CONFIG", "SET", "maxmemory-policy", policy, "maxmemory", memory]).map(drop)
    }

    fn setting(&mut self, name: &str) -> Result<String, LabError> {
        match self.control.ask(&["CONFIG", "GET", name])? {
            Reply::Array(pair) => match pair.get(1) {
                Some(Reply::Bulk(value)) => Ok(String::from_utf8_lossy(value).into_owned()),
                _ => Err(super::unexpected("CONFIG GET")),
            },
            _ => Err(super::unexpected("CONFIG GET")),
        }
    }

    fn evicted_keys(&mut self) -> Result<i64, LabError> {
        let count = field(&mut self.control, "stats", "evicted_keys")?;
        count.and_then(|count| count.parse().ok()).ok_or_else(|| super::unexpected("INFO"))
    }
}

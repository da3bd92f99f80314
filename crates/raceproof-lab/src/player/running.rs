//! A server whose clock is the machine's: commands and deadlines are translated from the played clock to that one.
//!
//! `deadlines.rs` says how, `clock_use.rs` what cannot be.

use std::thread;

use bytes::Bytes;

use super::reader::Reader;
use super::{Player, real_now, real_now_ms};
use crate::clock_use::{id_to_be_given, needs_clock, shows_time_left, translated};
use crate::deadlines::Place;
use crate::{LabError, Reply};

/// A command is sent at the start of a millisecond, so that its reply comes within the same one.
const SENT_WITHIN_US: u32 = 300;

impl Player {
    /// Executes one command of a session and gives its reply as it was read.
    pub(super) fn execute_running(&mut self, session: u32, args: &[Bytes]) -> Result<Reply, LabError> {
        if let Some(what) = needs_clock(args) {
            return Err(LabError::NeedsClock { what });
        }
        let started_ms = start_of_a_millisecond();
        if shows_time_left(args) {
            let drifted = self.deadlines.to_align(started_ms);
            self.set_unwatched(drifted, started_ms)?;
        }
        let played_ms = self.now_ms();
        let mut args_sent = args.to_vec();
        if let Some(place) = id_to_be_given(args) {
            args_sent[place] = self.id_to_give(session, &args[1], played_ms)?;
        }
        let stand_in = self.timed.stand_in(&mut self.control, args, played_ms)?;
        if let Some(stand_in) = &stand_in {
            args_sent.clone_from(&stand_in.args);
        }
        let sent_ms = real_now_ms();
        let sent = translated(&args_sent, sent_ms - played_ms);
        let state = self.sessions.get_mut(&session).ok_or(LabError::NoSession(session))?;
        let mut reply = state.call(&sent)?;
        if let Some(stand_in) = stand_in {
            reply = stand_in.own(reply);
        }
        let received_ms = real_now_ms();
        state.follow(args, &reply);
        let found = self.volatile_keys()?;
        self.deadlines.observe(found, sent_ms, received_ms);
        let now_ms = real_now_ms();
        let short = self.deadlines.to_hold(now_ms);
        self.set_unwatched(short, now_ms)?;
        Ok(reply)
    }

    /// Moves the played clock, forward or back. After an error nothing has been moved.
    pub(super) fn advance_running(&mut self, delta_ms: i64) -> Result<(), LabError> {
        if self.reader.as_ref().is_some_and(Reader::is_held) {
            return Err(LabError::NeedsClock { what: "time that passes for a replica that lags behind".to_owned() });
        }
        let due = self.deadlines.due_after(delta_ms)?;
        let again = self.sessions_to_watch_again(&due.ended, &due.left)?;
        self.deadlines.advance(&due);
        for (db, key) in &due.ended {
            self.select(*db)?;
            // A deadline in the past: the server deletes the key at once.
            self.control.ask(&[b"PEXPIREAT", key.as_ref(), b"1"])?;
        }
        let now_ms = real_now_ms();
        for place in &due.left {
            self.set(place, now_ms)?;
        }
        self.watch_again(again)
    }

    /// Gives keys the deadlines that they are to have, but leaves those alone that somebody watches.
    fn set_unwatched(&mut self, places: Vec<Place>, now_ms: i64) -> Result<(), LabError> {
        for place in places {
            if !self.sessions.values().any(|session| session.watched.contains(&place)) {
                self.set(&place, now_ms)?;
            }
        }
        Ok(())
    }

    pub(super) fn set(&mut self, place: &Place, now_ms: i64) -> Result<(), LabError> {
        let Some(deadline_ms) = self.deadlines.set(place, now_ms) else { return Ok(()) };
        self.select(place.0)?;
        self.control.ask(&[b"PEXPIREAT", place.1.as_ref(), deadline_ms.to_string().as_bytes()])?;
        Ok(())
    }

    /// The time that an entry of a stream gets as its id: the played one, but never less than the last entry's. The
    /// server counts the entries of a millisecond.
    fn id_to_give(&mut self, session: u32, stream: &[u8], played_ms: i64) -> Result<Bytes, LabError> {
        let db = self.sessions.get(&session).map_or(0, |session| session.queued_db.unwrap_or(session.db));
        self.select(db)?;
        let last_ms = match self.control.call(&[b"XINFO".as_ref(), b"STREAM", stream])? {
            Reply::Array(fields) => fields.chunks_exact(2).find_map(|pair| match pair {
                [Reply::Bulk(name), Reply::Bulk(id)] if name == "last-generated-id" => {
                    str::from_utf8(id).ok()?.split_once('-')?.0.parse().ok()
                }
                _ => None,
            }),
            // There is no such stream: the server is the one to say what comes of the command.
            _ => None,
        };
        Ok(format!("{}-*", last_ms.unwrap_or(0).max(played_ms)).into())
    }
}

/// Waits, for less than a millisecond, until one begins.
fn start_of_a_millisecond() -> i64 {
    loop {
        let (now_ms, fraction_us) = real_now();
        if fraction_us < SENT_WITHIN_US {
            return now_ms;
        }
        thread::yield_now();
    }
}

//! `RACEPROOF …`: what a test does to its server, through the connection that it has anyway.
//!
//! These commands are executed when they come, also between `MULTI` and `EXEC`. They are never struck by faults and
//! are not part of the history.

mod clock;
mod crash;
mod fault;
mod help;
mod history;
mod moments;

use bytes::Bytes;
use raceproof_engine::Reply;

use crate::server::Server;

/// A reply, or the text of an error.
pub(crate) type Answer = Result<Reply, String>;

/// Who asks, and for which universe.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    pub(crate) place: usize,
    pub(crate) universe: usize,
}

impl Server {
    /// Executes a `RACEPROOF` command and replies.
    pub(crate) fn control(&mut self, place: usize, args: &[Bytes]) {
        let Some(connection) = self.connections.get(place) else { return };
        let (number, session) = (connection.universe, connection.session);
        let universe = &mut self.universes[number];
        if !universe.engine.is_authenticated(session) {
            return self.reply(place, &Reply::Error(Bytes::from_static(b"NOAUTH Authentication required.")));
        }
        // Whoever controls a server will ask what happened there.
        universe.history.begin();
        let reply = self
            .controlled(Asker { place, universe: number }, args)
            .unwrap_or_else(|text| Reply::Error(format!("ERR RACEPROOF {text}").into()));
        self.reply(place, &reply);
    }

    fn controlled(&mut self, asker: Asker, args: &[Bytes]) -> Answer {
        let Some(name) = args.get(1) else { return Ok(help::help()) };
        let rest = &args[2..];
        match name.to_ascii_uppercase().as_slice() {
            b"HELP" => Ok(help::help()),
            b"CLOCK" => self.control_clock(asker, rest),
            b"SNAPSHOT" => self.control_snapshot(asker, rest),
            b"REWIND" => self.control_rewind(asker, rest),
            b"CRASH" => self.control_crash(asker, rest),
            b"PERSISTENCE" => self.control_persistence(asker, rest),
            b"EVICT" => self.control_evict(asker, rest),
            b"FAULT" => self.control_fault(asker, rest),
            b"HISTORY" => self.control_history(asker, rest),
            b"SEED" => self.control_seed(asker, rest),
            _ => Err(format!("has no subcommand '{}'. Try RACEPROOF HELP.", shown(name))),
        }
    }
}

/// Whether an argument is a word, in any case.
pub(crate) fn is(arg: &[u8], word: &str) -> bool {
    arg.eq_ignore_ascii_case(word.as_bytes())
}

/// An argument in an error's text: one line, and not too long.
pub(crate) fn shown(arg: &[u8]) -> String {
    let text = String::from_utf8_lossy(&arg[..arg.len().min(128)]).into_owned();
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A whole number.
pub(crate) fn number<T: std::str::FromStr>(arg: &[u8]) -> Option<T> {
    std::str::from_utf8(arg).ok()?.parse().ok()
}

//! What the server sends a connection beside the replies: messages of channels.
//!
//! They come on the same connection as the replies, in between: what comes before a reply is put aside until the client
//! receives it. In RESP2 a message is an array like others; but what else is allowed while one listens does not reply with
//! an array that begins with the same word.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;

use super::{Player, Session};
use crate::{LabError, Reply};

/// What a session listens to, and what it was sent.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Each with the kind of name: `P` for a pattern, `S` for a shard channel.
    names: BTreeSet<(u8, Bytes)>,
    messages: VecDeque<Reply>,
}

impl Player {
    /// The next message that a session was sent.
    pub(crate) fn message(&mut self, session: u32) -> Result<Reply, LabError> {
        let state = self.sessions.get_mut(&session).ok_or(LabError::NoSession(session))?;
        match state.heard.messages.pop_front() {
            Some(message) => Ok(message),
            None => Ok(state.connection.receive()?.0),
        }
    }
}

impl Session {
    /// Sends a command and waits for its reply: for the last one, where there is one for each name.
    pub(super) fn call(&mut self, args: &[Bytes]) -> Result<Reply, LabError> {
        self.connection.send(args)?;
        let replies = self.heard.replies(args);
        let mut reply = self.reply()?;
        for _ in 1..replies {
            reply = self.reply()?;
        }
        self.heard.follow(args);
        Ok(reply)
    }

    /// The next that is no message.
    fn reply(&mut self) -> Result<Reply, LabError> {
        loop {
            let (reply, _) = self.connection.receive()?;
            let listens = !self.heard.names.is_empty() || matches!(reply, Reply::Push(_));
            if !listens || !is_message(&reply) {
                return Ok(reply);
            }
            self.heard.messages.push_back(reply);
        }
    }
}

impl Heard {
    /// How many replies a command has.
    fn replies(&self, args: &[Bytes]) -> usize {
        match subscribes(args) {
            Some((_, kind)) if args.len() == 1 => self.names.iter().filter(|(known, _)| *known == kind).count().max(1),
            Some(_) => args.len() - 1,
            None => 1,
        }
    }

    fn follow(&mut self, args: &[Bytes]) {
        let Some((subscribes, kind)) = subscribes(args) else { return };
        if args.len() == 1 {
            self.names.retain(|(known, _)| *known != kind);
        }
        for name in &args[1..] {
            if subscribes {
                self.names.insert((kind, name.clone()));
            } else {
                self.names.remove(&(kind, name.clone()));
            }
        }
    }
}

/// Whether a command subscribes or ends subscriptions, and to what kind of names.
fn subscribes(args: &[Bytes]) -> Option<(bool, u8)> {
    let name = args.first()?.to_ascii_uppercase();
    let (ends, kind) = match name.as_slice() {
        b"SUBSCRIBE" => (false, 0),
        b"PSUBSCRIBE" => (false, b'P'),
        b"SSUBSCRIBE" => (false, b'S'),
        b"UNSUBSCRIBE" => (true, 0),
        b"PUNSUBSCRIBE" => (true, b'P'),
        b"SUNSUBSCRIBE" => (true, b'S'),
        _ => return None,
    };
    Some((!ends, kind))
}

fn is_message(reply: &Reply) -> bool {
    let (Reply::Push(items) | Reply::Array(items)) = reply else { return false };
    let Some(Reply::Bulk(word)) = items.first() else { return false };
    match word.as_ref() {
        b"message" | b"smessage" => items.len() == 3,
        b"pmessage" => items.len() == 4,
        b"invalidate" => matches!(reply, Reply::Push(_)),
        _ => false,
    }
}

//! What the server sends to connections other than as the reply to the command at hand.
//!
//! Whoever owns the connections writes, in the order of [`Outcome::deliveries`](crate::Outcome::deliveries), and for the
//! connection whose command it was:
//!
//! 1. its own deliveries among the first [`Outcome::before_reply`](crate::Outcome::before_reply);
//! 2. the reply, unless [`Outcome::silent`](crate::Outcome::silent) or [`Outcome::waits`](crate::Outcome::waits);
//! 3. its own deliveries after those.
//!
//! So `SUBSCRIBE a b` has two deliveries to its own session and is silent, for Redis answers it by messages; `PUBLISH` to a
//! channel of one's own has one before the reply. Messages are sent also while `CLIENT REPLY OFF` withholds replies. Inside
//! `EXEC` Redis writes a session's own messages where they arise, between the elements of the array: there they are part
//! of the reply ([`Reply::Inline`]).

use crate::{Reply, SessionId};

/// Something for a connection that a command of another one, or the passing of time, has caused.
#[derive(Clone, Debug, PartialEq)]
pub enum Delivery {
    /// The reply to the command that the session has been waiting with.
    Reply(SessionId, Reply),
    /// The session waits no more, and is sent nothing (`CLIENT REPLY`).
    NoReply(SessionId),
    /// A message out of band: of a channel, of an invalidated key, of `MONITOR`. A [`Reply::Push`] is encoded as each
    /// protocol wants it.
    Push(SessionId, Reply),
    /// The connection is to be closed once what was sent before has been written (`CLIENT KILL`).
    Close(SessionId),
}

impl Delivery {
    /// Whom it is for.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        match self {
            Self::Reply(session, _) | Self::Push(session, _) | Self::Close(session) | Self::NoReply(session) => {
                *session
            }
        }
    }
}

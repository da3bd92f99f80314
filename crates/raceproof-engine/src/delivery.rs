//! What the server sends to connections other than as the reply to the command at hand.

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

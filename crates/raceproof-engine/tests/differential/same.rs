//! Whether a reply of the engine is the one of the server.

use bytes::Bytes;

use crate::canonical::{self, Facts as _};
use crate::hearing::{self, Heard};
use crate::resp::{Value, parse};
use crate::states::States;
use crate::support::show;

/// The server's reply.
pub(crate) struct Real {
    pub(crate) bytes: Vec<u8>,
    pub(crate) value: Value,
    /// What a whole scan found, sorted.
    pub(crate) scanned: Option<Vec<Vec<u8>>>,
    /// What sessions that waited were sent.
    pub(crate) served: Vec<(usize, Vec<u8>)>,
    /// What came on every connection, if that is compared as a whole.
    pub(crate) heard: Option<Heard>,
}

/// The rules for the replies of one command.
pub(crate) struct Rules<'a> {
    pub(crate) args: &'a [Bytes],
    pub(crate) ours: &'a [u8],
    pub(crate) queued: &'a [Vec<Bytes>],
    pub(crate) facts: States<'a>,
}

impl hearing::SameReply for Rules<'_> {
    fn whole(&self, real: &[u8]) -> bool {
        let value = parse(real).map_or_else(hearing::nothing, |(value, _)| value);
        let real = Real { bytes: real.to_vec(), value, scanned: None, served: Vec::new(), heard: None };
        same(self.args, self.ours, None, &real, self.queued, &self.facts)
    }

    fn queued(&self, at: usize, ours: &Value, real: &Value) -> bool {
        let facts = States { exec: true, ..self.facts };
        self.queued.get(at).is_some_and(|args| canonical::same_value(args, ours, real, &facts))
    }
}

/// A reply, and what others were sent.
pub(crate) fn shown(reply: &[u8], served: &[(usize, Vec<u8>)]) -> String {
    let others = served.iter().map(|(session, bytes)| format!(", to [{session}]: {}", show::quoted(bytes)));
    show::quoted(reply) + &others.collect::<String>()
}

/// Whether the engine's reply is the server's, up to the rule of the command.
pub(crate) fn same(
    args: &[Bytes],
    ours: &[u8],
    scanned: Option<Vec<Vec<u8>>>,
    real: &Real,
    queued: &[Vec<Bytes>],
    facts: &States<'_>,
) -> bool {
    if ours == real.bytes {
        return true;
    }
    if real.scanned.is_some() {
        let table = args[0].eq_ignore_ascii_case(b"SCAN") || args.get(1).is_some_and(|key| facts.is_table(key));
        return table && scanned == real.scanned;
    }
    if args[0].eq_ignore_ascii_case(b"EXEC") {
        let (Some(ours), Some(real)) =
            (parse(ours).and_then(|(value, _)| Some(value.elements()?.to_vec())), real.value.elements())
        else {
            return false;
        };
        let facts = States { exec: true, ..*facts };
        return ours.len() == queued.len()
            && real.len() == queued.len()
            && queued
                .iter()
                .zip(ours.iter().zip(real))
                .all(|(args, (ours, real))| canonical::same_value(args, ours, real, &facts));
    }
    canonical::same(args, ours, &real.bytes, facts)
}

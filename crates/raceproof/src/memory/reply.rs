//! From what the server sent to results and errors.

use std::collections::BTreeMap;

use raceproof_env::Consequence;
use redis::{ErrorKind, RedisError, Value as Wire};

use super::change::{OpId, Version};
use super::error::{Error, Gone};
use super::session::{Cursor, Field, Forgotten, Merged, Page, Session, Value};

/// What a reply is about: needed to say what an error means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    pub(crate) session: &'a str,
    pub(crate) key: &'a str,
    /// The operation, if its effect matters: reads have none.
    pub(crate) op: Option<&'a OpId>,
    /// Whether the driver may send a command more than once.
    pub(crate) resends: bool,
}

/// Why a reply gave no result.
enum Failure {
    /// The script refused.
    Refused(Error),
    /// The reply has not the form that the script gives.
    Misread(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<String> for Failure {
    fn from(problem: String) -> Self {
        Self::Misread(problem)
    }
}

impl About<'_> {
    pub(crate) fn merged(self, reply: Result<Wire, RedisError>) -> Result<Merged, Error> {
        self.parse(reply, |mut words| {
            self.check(&mut words)?;
            let version = words.version()?;
            let ttl_ms = words.number()?;
            let duplicate = words.text()? == "1";
            let counters = words.text()?;
            let counters = counters.split(',').filter(|text| !text.is_empty());
            let counters = counters.map(|text| text.parse().map_err(|_| format!("counter {text:?}")));
            Ok(Merged { version, duplicate, ttl_ms, counters: counters.collect::<Result<_, _>>()? })
        })
    }

    pub(crate) fn forgotten(self, reply: Result<Wire, RedisError>) -> Result<Forgotten, Error> {
        self.parse(reply, |mut words| {
            if self.check(&mut words)? == Status::Other {
                return Ok(Forgotten { existed: false });
            }
            Ok(Forgotten { existed: words.text()? == "1" })
        })
    }

    /// `asked`: the fields that the reply has values for, in their order; without them the reply names its fields.
    pub(crate) fn session(
        self,
        reply: Result<Wire, RedisError>,
        asked: Option<&[&str]>,
    ) -> Result<Option<Session>, Error> {
        self.parse(reply, |mut words| {
            if self.check(&mut words)? == Status::None {
                return Ok(None);
            }
            let (version, ttl_ms) = (words.version()?, words.number()?);
            let values = words.list()?;
            let fields = match asked {
                None => self.pairs(values)?,
                Some(names) => self.values(names, values)?,
            };
            Ok(Some(Session { version, ttl_ms, fields }))
        })
    }

    pub(crate) fn page(self, reply: Result<Wire, RedisError>) -> Result<Option<Page>, Error> {
        self.parse(reply, |mut words| {
            if self.check(&mut words)? == Status::None {
                return Ok(None);
            }
            let (version, ttl_ms) = (words.version()?, words.number()?);
            let fields = self.pairs(words.list()?)?;
            let position = words.text()?;
            let incarnation = version.incarnation().to_owned();
            let next = (position != "0").then_some(Cursor { incarnation, position });
            Ok(Some(Page { version, ttl_ms, fields, next }))
        })
    }

    fn parse<T>(
        self,
        reply: Result<Wire, RedisError>,
        read: impl FnOnce(Words) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        let outcome = match reply {
            Ok(Wire::Array(items)) => read(Words(items.into_iter())),
            Ok(other) => Err(Failure::Misread(format!("{other:?} instead of an array"))),
            Err(error) => return Err(self.error(error)),
        };
        outcome.map_err(|failure| match failure {
            Failure::Refused(error) => error,
            Failure::Misread(problem) => {
                let what = "the script's reply was not understood";
                self.error((ErrorKind::UnexpectedReturnType, what, problem).into())
            }
        })
    }

    /// Reads the first word of a reply, and an error's other words.
    fn check(self, words: &mut Words) -> Result<Status, Failure> {
        let session = self.session.to_owned();
        let op = || self.op.cloned().ok_or_else(|| "an operation's error in reply to a read".to_owned());
        let error = match &*words.text()? {
            "OK" => return Ok(Status::Ok),
            "NONE" => return Ok(Status::None),
            "OTHER" => return Ok(Status::Other),
            "GONE" => Error::SessionGone { session, cause: words.gone()? },
            "REV" => {
                let rev = words.number()?;
                let field = Some(words.text()?).filter(|field| !field.is_empty());
                Error::RevConflict { session, field, rev }
            }
            "WINDOW" => Error::OpWindowExceeded { session, op: op()?, floor: words.number()? },
            "REUSED" => Error::OpReused { session, op: op()? },
            "SHAPE" => Error::WrongShape { session, field: words.text()?, wanted: words.text()? },
            "RANGE" => Error::CounterRange { session, field: words.text()? },
            "LARGE" => {
                let field = words.text()?;
                let (what, option) = if field.is_empty() {
                    ("the number of fields".to_owned(), "max_fields")
                } else {
                    (format!("the bytes of field {field:?}"), "max_value_bytes")
                };
                Error::TooLarge { session, what, size: words.number()?, limit: words.number()?, option }
            }
            "FOREIGN" => self.foreign("a hash that is none".to_owned()),
            other => return Err(Failure::Misread(format!("status {other:?}"))),
        };
        Err(error.into())
    }

    fn foreign(self, found: String) -> Error {
        Error::NotAMemory { session: self.session.to_owned(), key: self.key.to_owned(), found }
    }

    /// The error of a call whose reply is no reply of the script.
    fn error(self, source: RedisError) -> Error {
        if source.code() == Some("WRONGTYPE") {
            return self.foreign("a key of another type".to_owned());
        }
        let session = self.session.to_owned();
        match self.op {
            Some(op) if consequence(&source, self.resends) == Consequence::MaybeApplied => {
                Error::Uncertain { session, op: op.clone(), source }
            }
            _ => Error::Unavailable { session, source },
        }
    }

    /// Names and values in turn, the memory's own fields among them.
    fn pairs(self, items: Vec<Wire>) -> Result<BTreeMap<String, Field>, Failure> {
        let mut fields = BTreeMap::new();
        let mut words = Words(items.into_iter());
        while let Some(name) = words.0.next() {
            let name = String::from_utf8(bytes(name)?)
                .map_err(|error| self.foreign(format!("a field name that is not UTF-8: {error}")))?;
            let value = words.next()?;
            if !name.starts_with('_') {
                fields.insert(name.clone(), self.field(&name, bytes(value)?)?);
            }
        }
        Ok(fields)
    }

    fn values(self, names: &[&str], values: Vec<Wire>) -> Result<BTreeMap<String, Field>, Failure> {
        if names.len() != values.len() {
            return Err(Failure::Misread(format!("{} values for {} fields", values.len(), names.len())));
        }
        let present = names.iter().zip(values).filter(|(_, value)| *value != Wire::Nil);
        present.map(|(name, value)| Ok(((*name).to_owned(), self.field(name, bytes(value)?)?))).collect()
    }

    fn field(self, name: &str, stored: Vec<u8>) -> Result<Field, Failure> {
        decode(stored).ok_or_else(|| self.foreign(format!("field {name:?} in no form of a memory")).into())
    }
}

/// The status words that are no errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Ok,
    None,
    Other,
}

/// What an error says about the effect of the request that failed.
pub(crate) fn consequence(error: &RedisError, resends: bool) -> Consequence {
    /// Error codes by which a server, or a script's first write, says that nothing was done.
    const REFUSALS: [&str; 17] = [
        "ASK",
        "BUSY",
        "CLUSTERDOWN",
        "CROSSSLOT",
        "LOADING",
        "MASTERDOWN",
        "MISCONF",
        "MOVED",
        "NOAUTH",
        "NOPERM",
        "NOREPLICAS",
        "NOSCRIPT",
        "OOM",
        "READONLY",
        "TRYAGAIN",
        "WRONGPASS",
        "WRONGTYPE",
    ];
    if resends {
        return Consequence::MaybeApplied;
    }
    if error.code().is_some_and(|code| REFUSALS.contains(&code)) {
        return Consequence::Refused;
    }
    match error.kind() {
        ErrorKind::AuthenticationFailed
        | ErrorKind::Client
        | ErrorKind::EmptySentinelList
        | ErrorKind::InvalidClientConfig
        | ErrorKind::MasterNameNotFoundBySentinel
        | ErrorKind::NoValidReplicasFoundBySentinel
        | ErrorKind::RESP3NotSupported => Consequence::NotSent,
        _ if error.is_connection_refusal() => Consequence::NotSent,
        _ => Consequence::MaybeApplied,
    }
}

/// A stored value: `<rev>=<bytes>`, or `<rev>+<count> <length>:<bytes>,…` for a list.
fn decode(mut stored: Vec<u8>) -> Option<Field> {
    let at = stored.iter().position(|byte| matches!(byte, b'=' | b'+'))?;
    let rev = decimal(&stored[..at])?;
    let list = stored[at] == b'+';
    stored.drain(..=at);
    if !list {
        return Some(Field { rev, value: Value::Bytes(stored) });
    }
    let (count, mut rest) = split(&stored, b' ')?;
    let mut items = Vec::new();
    while !rest.is_empty() {
        let (length, tail) = split(rest, b':')?;
        let length = usize::try_from(decimal(length)?).ok()?;
        if *tail.get(length)? != b',' {
            return None;
        }
        items.push(tail[..length].to_vec());
        rest = &tail[length + 1..];
    }
    (decimal(count)? == items.len() as u64).then_some(Field { rev, value: Value::List(items) })
}

fn split(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == at)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

fn decimal(bytes: &[u8]) -> Option<u64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// The items of a reply, read one after the other.
struct Words(std::vec::IntoIter<Wire>);

impl Words {
    fn next(&mut self) -> Result<Wire, String> {
        self.0.next().ok_or_else(|| "it ends early".to_owned())
    }

    fn text(&mut self) -> Result<String, String> {
        match self.next()? {
            Wire::Int(number) => Ok(number.to_string()),
            other => String::from_utf8(bytes(other)?).map_err(|error| error.to_string()),
        }
    }

    fn number(&mut self) -> Result<u64, String> {
        let text = self.text()?;
        text.parse().map_err(|_| format!("{text:?} instead of a number"))
    }

    fn list(&mut self) -> Result<Vec<Wire>, String> {
        match self.next()? {
            Wire::Array(items) => Ok(items),
            other => Err(format!("{other:?} instead of an array")),
        }
    }

    fn version(&mut self) -> Result<Version, String> {
        Ok(Version::new(self.text()?, self.number()?))
    }

    fn gone(&mut self) -> Result<Gone, String> {
        match &*self.text()? {
            "forgotten" => Ok(Gone::Forgotten),
            "expired" => Ok(Gone::Expired),
            "replaced" => Ok(Gone::Replaced),
            other => Err(format!("gone because {other:?}")),
        }
    }
}

fn bytes(value: Wire) -> Result<Vec<u8>, String> {
    match value {
        Wire::BulkString(bytes) => Ok(bytes),
        Wire::SimpleString(text) => Ok(text.into_bytes()),
        Wire::Okay => Ok(b"OK".to_vec()),
        other => Err(format!("{other:?} instead of a string")),
    }
}

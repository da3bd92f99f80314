//! Steps as text, and the state that they leave.

use std::hash::{Hash, Hasher};

use bytes::Bytes;
use raceproof_engine::{Protocol, Reply};
use rustc_hash::FxHasher;
use smallvec::SmallVec;

use super::Execution;
use crate::Error;
use crate::command::Command;
use crate::event::{ClientId, Outcome};
use crate::mailbox::Op;
use crate::report::{DIES, Step, StepKind};
use crate::sql::{SqlCall, SqlReply, SqlResult};

/// What was asked in a step, and what came of it: put into words only if somebody wants to read it.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    Redis(ClientId, SmallVec<[Command; 1]>, Option<Reply>),
    Words { client: String, text: String, reply: String },
}

impl Said {
    /// In one line, given what clients are called.
    pub(crate) fn line(&self, name: impl Fn(ClientId) -> String) -> String {
        match self {
            Self::Redis(id, commands, shown) => {
                format!("{}: {} → {}", name(*id), transaction(commands), came(shown.as_ref()))
            }
            Self::Words { client, text, reply } => format!("{client}: {text} → {reply}"),
        }
    }
}

/// A reply as it is shown, if there is one.
fn came(shown: Option<&Reply>) -> String {
    shown.map_or_else(|| "(waits)".to_owned(), reply)
}

impl Execution<'_> {
    pub(super) fn show_step(&mut self, client: &str, kind: StepKind, text: String, reply: String) {
        if !self.mode.record {
            if self.mode.noted {
                self.said.push(Said::Words { client: client.to_owned(), text, reply });
            }
            return;
        }
        self.steps.push(Step {
            n: self.steps.len() + 1,
            client: client.to_owned(),
            kind,
            text,
            reply,
            clock_ms: self.now_ms - self.worker.start_ms(),
            unanswered: false,
            changes: Vec::new(),
            notes: Vec::new(),
        });
    }

    pub(super) fn show_note(&mut self, client: &str, text: &str) {
        if let Some(step) = self.steps.iter_mut().rev().find(|step| step.client == client) {
            step.notes.push(text.to_owned());
        }
    }

    pub(super) fn show_crash_before(&mut self, id: ClientId, op: &Op) {
        if self.mode.is_shown() {
            let name = self.client(id).name.clone();
            self.show_step(&name, StepKind::Fault, format!("{DIES}before {}", request(op)), String::new());
        }
    }

    /// The step before has taken effect, and its client does not learn of it.
    pub(super) fn show_unanswered(&mut self, id: ClientId, what: &str) -> Result<(), Error> {
        if self.mode.is_shown() {
            self.show_changes()?;
            if let Some(step) = self.steps.last_mut() {
                step.unanswered = true;
            }
            let name = self.client(id).name.clone();
            self.show_step(&name, StepKind::Fault, what.to_owned(), String::new());
        }
        Ok(())
    }

    pub(super) fn show_redis(&mut self, id: ClientId, commands: &[Command], replies: &[Reply]) {
        if self.mode.noted {
            return self.said.push(Said::Redis(id, commands.into(), replies.last().cloned()));
        }
        let name = self.client(id).name.clone();
        self.show_step(&name, StepKind::Redis, transaction(commands), came(replies.last()));
    }

    pub(super) fn show_sql(&mut self, id: ClientId, call: &SqlCall, result: &SqlResult) {
        let name = self.client(id).name.clone();
        let reply = match result {
            Ok(reply) => rows(reply),
            Err(error) => format!("(error) {}", error.message),
        };
        self.show_step(&name, StepKind::Sql, statement(call), reply);
    }

    /// A key's value on one line; `None` if there is no such key. Looks at the engine without touching the footprint.
    fn value_of(&mut self, key: &Bytes) -> Result<Option<String>, Error> {
        let kind = self.peek(&[b"TYPE", key]);
        Ok(match kind {
            Reply::Simple("string") => Some(reply(&self.peek(&[b"GET", key]))),
            Reply::Simple("hash") => Some(pairs(&self.peek(&[b"HGETALL", key]))),
            Reply::Simple("list") => Some(reply(&self.peek(&[b"LRANGE", key, b"0", b"-1"]))),
            Reply::Simple("set") => Some(reply(&self.peek(&[b"SMEMBERS", key]))),
            Reply::Simple("zset") => Some(pairs(&self.peek(&[b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"]))),
            Reply::Simple("stream") => Some(reply(&self.peek(&[b"XRANGE", key, b"-", b"+"]))),
            Reply::Simple("none") => None,
            other => Some(format!("({})", reply(&other))),
        })
    }

    fn peek(&mut self, args: &[&[u8]]) -> Reply {
        let args: Vec<Bytes> = args.iter().map(|arg| Bytes::copy_from_slice(arg)).collect();
        let now = self.server_time();
        let worker = &mut *self.worker;
        let mut engine = worker.engine.clone();
        let session = engine.connect();
        let mut outcome = raceproof_engine::Outcome::default();
        engine.execute(&mut worker.lua, session, &args, now, &mut outcome);
        outcome.reply
    }

    /// A hash of every key with its value and deadline, and of every row.
    pub(super) fn fingerprint_state(&mut self) -> Result<u64, Error> {
        let mut hasher = FxHasher::default();
        if let Reply::Array(keys) = self.peek(&[b"KEYS", b"*"]) {
            for key in keys {
                let Reply::Bulk(key) = key else { continue };
                key.hash(&mut hasher);
                self.value_of(&key)?.hash(&mut hasher);
                hash_reply(&self.peek(&[b"PEXPIRETIME", &key]), &mut hasher);
            }
        }
        let tables = self.worker.sql.dump().map_err(|error| Error::Database(error.to_string()))?;
        tables.hash(&mut hasher);
        Ok(hasher.finish())
    }
}

/// A request as one would type it.
pub(super) fn request(op: &Op) -> String {
    match op {
        Op::Redis { commands, .. } => transaction(commands),
        Op::Receive { .. } => "receiving".to_owned(),
        Op::Sql { call, .. } => statement(call),
        Op::Cell(op) => op.text.clone(),
        Op::Clock(call) => call.text(),
    }
}

fn transaction(commands: &[Command]) -> String {
    commands.iter().map(|args| command(args)).collect::<Vec<_>>().join("; ")
}

/// A command as one would type it into redis-cli.
pub(crate) fn command(args: &[Bytes]) -> String {
    let mut text = String::new();
    for (at, arg) in args.iter().enumerate() {
        if at > 0 {
            text.push(' ');
        }
        let plain =
            !arg.is_empty() && arg.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\'));
        if plain {
            text.extend(arg.iter().map(|byte| char::from(*byte)));
        } else if let Some(utf8) = printable(arg) {
            text.push_str(&quote(utf8));
        } else {
            text.push_str(&quoted(arg));
        }
    }
    text
}

fn printable(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control))
}

fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Bytes in quotes with the escapes of redis-cli.
fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for byte in bytes {
        match byte {
            b'"' => text.push_str("\\\""),
            b'\\' => text.push_str("\\\\"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            7 => text.push_str("\\a"),
            8 => text.push_str("\\b"),
            0x20..=0x7e => text.push(char::from(*byte)),
            other => text.push_str(&format!("\\x{other:02x}")),
        }
    }
    text.push('"');
    text
}

/// Bytes as text: as they are where they are printable, with the escapes of redis-cli otherwise.
pub(super) fn escape(bytes: &[u8]) -> String {
    printable(bytes).map_or_else(|| quoted(bytes), str::to_owned)
}

/// A message in words: `message channel text`, `invalidate key`.
pub(super) fn message(message: &Reply) -> String {
    match message {
        Reply::Push(items) | Reply::Array(items) => items.iter().map(self::message).collect::<Vec<_>>().join(" "),
        Reply::Bulk(word) => command(std::slice::from_ref(word)),
        other => reply(other),
    }
}

/// A reply on one line, as redis-cli shows it.
pub(crate) fn reply(reply: &Reply) -> String {
    let list = |items: &[Reply]| format!("[{}]", items.iter().map(self::reply).collect::<Vec<_>>().join(", "));
    match reply {
        Reply::Simple(text) => (*text).to_owned(),
        Reply::Status(text) => escape(text),
        Reply::Error(text) => format!("(error) {}", escape(text)),
        Reply::Integer(n) => n.to_string(),
        Reply::Bulk(bytes) | Reply::Verbatim(_, bytes) | Reply::BigNumber(bytes) => {
            printable(bytes).map_or_else(|| quoted(bytes), quote)
        }
        Reply::Null | Reply::NullArray | Reply::NullOf(_) => "nil".to_owned(),
        Reply::Array(items) | Reply::Set(items) | Reply::Inline(items) | Reply::Push(items) => list(items),
        Reply::Map(pairs) | Reply::Attribute(pairs) => {
            let pairs: Vec<String> =
                pairs.iter().map(|(key, value)| format!("{}: {}", self::reply(key), self::reply(value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        Reply::Double(x) | Reply::Decimal(x) => x.to_string(),
        Reply::Boolean(b) => b.to_string(),
    }
}

/// The reply to HGETALL as a map.
fn pairs(reply: &Reply) -> String {
    match reply {
        Reply::Array(items) => {
            let pairs: Vec<String> = items
                .chunks(2)
                .map(|pair| match pair {
                    [Reply::Bulk(field), value] => format!("{}: {}", escape(field), self::reply(value)),
                    _ => String::new(),
                })
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
        other => self::reply(other),
    }
}

/// A statement with its parameters in place.
fn statement(call: &SqlCall) -> String {
    match call {
        SqlCall::Begin { immediate: true } => "BEGIN IMMEDIATE".to_owned(),
        SqlCall::Begin { immediate: false } => "BEGIN".to_owned(),
        SqlCall::Commit => "COMMIT".to_owned(),
        SqlCall::Rollback => "ROLLBACK".to_owned(),
        SqlCall::Statement { sql, params } => {
            let mut text = String::with_capacity(sql.len());
            let mut next = 0;
            let mut rest = sql.split_whitespace().collect::<Vec<_>>().join(" ");
            while let Some(at) = rest.find('?') {
                text.push_str(&rest[..at]);
                let tail = rest.split_off(at + 1);
                let digits: String = tail.chars().take_while(char::is_ascii_digit).collect();
                let number = digits.parse::<usize>().map_or(next, |number| number.saturating_sub(1));
                next = number + 1;
                match params.get(number) {
                    Some(value) => text.push_str(&value.to_string()),
                    None => text.push('?'),
                }
                rest = tail[digits.len()..].to_owned();
            }
            text + &rest
        }
    }
}

fn rows(reply: &SqlReply) -> String {
    if reply.columns.is_empty() {
        return match reply.changed {
            0 => String::new(),
            1 => "1 row".to_owned(),
            n => format!("{n} rows"),
        };
    }
    if let ([row], 1) = (&reply.rows[..], reply.columns.len()) {
        return row[0].to_string();
    }
    if reply.rows.is_empty() {
        return "no row".to_owned();
    }
    let rows: Vec<String> = reply
        .rows
        .iter()
        .map(|row| format!("({})", row.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")))
        .collect();
    rows.join(" ")
}

/// The fingerprint of a step that is one command, and goes as steps do.
pub(super) fn fingerprint(command: &Command, reply: &Reply) -> u64 {
    let mut hasher = FxHasher::default();
    Outcome::Done.hash(&mut hasher);
    command.hash(&mut hasher);
    hash_reply(reply, &mut hasher);
    hasher.finish()
}

pub(super) fn hash_reply(reply: &Reply, hasher: &mut FxHasher) {
    std::mem::discriminant(reply).hash(hasher);
    match reply {
        Reply::Simple(text) => text.hash(hasher),
        Reply::Status(bytes)
        | Reply::Error(bytes)
        | Reply::Bulk(bytes)
        | Reply::Verbatim(_, bytes)
        | Reply::BigNumber(bytes) => bytes.hash(hasher),
        Reply::Integer(n) => n.hash(hasher),
        Reply::Null | Reply::NullArray | Reply::NullOf(_) => {}
        Reply::Array(items) | Reply::Set(items) | Reply::Inline(items) | Reply::Push(items) => {
            items.len().hash(hasher);
            items.iter().for_each(|item| hash_reply(item, hasher));
        }
        Reply::Map(pairs) | Reply::Attribute(pairs) => {
            pairs.len().hash(hasher);
            pairs.iter().for_each(|(key, value)| {
                hash_reply(key, hasher);
                hash_reply(value, hasher);
            });
        }
        Reply::Double(x) | Reply::Decimal(x) => x.to_bits().hash(hasher),
        Reply::Boolean(b) => b.hash(hasher),
    }
}

/// Commands whose integer replies tell how much time is left or when it ends: on a server whose clock runs, they may
/// be off by what the run itself took.
const TIMED: [&[u8]; 4] = [b"PTTL", b"TTL", b"PEXPIRETIME", b"EXPIRETIME"];
/// How far off: a whole run takes far less.
pub(super) const TIMED_TOLERANCE_MS: i64 = 5_000;

/// Whether the engine's and a real server's reply mean the same. What is left of a time may differ by so much.
pub(super) fn same_reply(args: &[Bytes], engine: &Reply, real: &Reply, tolerance_ms: i64) -> bool {
    let same = |a: &Reply, b: &Reply| same_reply(&[], a, b, tolerance_ms);
    let timed = TIMED.iter().any(|timed| is(args, timed));
    match (engine, real) {
        // What the server is as a process: fidelity.md.
        (Reply::Bulk(_) | Reply::Verbatim(..), Reply::Bulk(_) | Reply::Verbatim(..)) if is(args, b"INFO") => true,
        (Reply::Integer(a), Reply::Integer(b)) if timed => a == b || (a.min(b) >= &0 && (a - b).abs() <= tolerance_ms),
        (Reply::Simple(a), Reply::Status(b)) => a.as_bytes() == b.as_ref(),
        (Reply::Array(a), Reply::Array(b)) => {
            a.len() == b.len()
                && (a.iter().zip(b).all(|(a, b)| same(a, b)) || (unordered(args) && sorted(a) == sorted(b)))
        }
        (Reply::Push(a), Reply::Push(b) | Reply::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        // RESP2 has neither maps nor sets: they come as arrays, in the order of the server's hash table.
        (Reply::Set(a), Reply::Array(b)) => sorted(a) == sorted(b),
        (Reply::Map(a), Reply::Array(b)) => {
            let text = |key, value| format!("{}: {}", reply(key), reply(value));
            let mut expected: Vec<String> = a.iter().map(|(key, value)| text(key, value)).collect();
            let mut read: Vec<String> = b.chunks_exact(2).map(|pair| text(&pair[0], &pair[1])).collect();
            expected.sort();
            read.sort();
            b.len() == 2 * a.len() && expected == read
        }
        // What RESP2 has no type for (a double, a yes or no) comes as a text or a number.
        _ => engine == real || on_the_wire(engine) == on_the_wire(real),
    }
}

fn on_the_wire(reply: &Reply) -> Vec<u8> {
    let mut bytes = Vec::new();
    reply.encode(Protocol::Resp2, &mut bytes);
    bytes
}

fn sorted(items: &[Reply]) -> Vec<String> {
    let mut texts: Vec<String> = items.iter().map(reply).collect();
    texts.sort();
    texts
}

/// Commands whose reply has no order of its own; in exploration the engine sorts it.
fn unordered(args: &[Bytes]) -> bool {
    const UNORDERED: [&[u8]; 8] =
        [b"HGETALL", b"HKEYS", b"HVALS", b"KEYS", b"SMEMBERS", b"SINTER", b"SUNION", b"SDIFF"];
    UNORDERED.iter().any(|known| is(args, known))
}

fn is(args: &[Bytes], name: &[u8]) -> bool {
    args.first().is_some_and(|given| given.eq_ignore_ascii_case(name))
}

//! What each connection hears: replies and messages, in the order in which they come.
//!
//! Where sessions are sent messages, replies cannot be told from those by counting: in RESP2 they look alike, and inside
//! `EXEC` they stand between the elements. So such sequences are run one command at a time, and after each the bytes that
//! have come on every connection are compared as a whole with those that the engine would have sent.
//!
//! All of them have come when other connections got replies to commands that were sent later: the server writes what it has for
//! its clients once in every turn of its loop, so after two turns it is all there, unless it was more than fits at once.

use raceproof_engine::{Delivery, Outcome, Reply};

use crate::resp::{Value, parse};
use crate::server::{CLOSED, Connection};
use crate::support::driver::Driver;
use crate::support::sequence::{Action, Arg, SESSIONS, Sequence};

/// Turns of the server's loop after which everything has been written that fits at once.
const TURNS: usize = 2;

/// What the test says to the server to have it turn.
const TURN: &str = "(the test takes a turn)";

/// The bytes that came on each connection.
pub(crate) type Heard = [Vec<u8>; SESSIONS];

/// Commands after which a session may be sent messages, or no replies.
const CAUSES: [&str; 8] =
    ["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE", "MONITOR", "CLIENT"];

/// Whether a sequence must be run so. (Tracking and `CLIENT REPLY` are causes as well.)
pub(crate) fn is_needed(sequence: &Sequence) -> bool {
    let is = |arg: Option<&Arg>, names: &[&str]| match arg {
        Some(Arg::Bytes(word)) => names.iter().any(|name| word.eq_ignore_ascii_case(name.as_bytes())),
        _ => false,
    };
    sequence.steps.iter().any(|step| {
        let Action::Run(args) = &step.action else { return false };
        is(args.first(), &CAUSES)
            && (!is(args.first(), &["CLIENT"])
                || is(args.get(1), &["TRACKING", "REPLY", "KILL", "PAUSE", "UNPAUSE", "UNBLOCK"]))
    })
}

/// What has come on every connection.
pub(crate) fn listen(control: &mut Connection, sessions: &mut [&mut Connection]) -> Heard {
    let mut heard = Heard::default();
    for turn in 0.. {
        control.request(&["ECHO", TURN]);
        let before: usize = heard.iter().map(Vec::len).sum();
        for (heard, connection) in heard.iter_mut().zip(sessions.iter_mut()) {
            let mut more = Vec::new();
            connection.take(&mut more);
            heard.append(&mut without_times(more));
        }
        if turn >= TURNS && heard.iter().map(Vec::len).sum::<usize>() == before {
            break;
        }
    }
    heard
}

/// What a command of a session sends on every connection: before its reply, the reply, and after it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent {
    others: Heard,
    before: Vec<u8>,
    pub(crate) reply: Vec<u8>,
    after: Vec<u8>,
    silent: bool,
    /// The reply of an `EXEC` in parts, if there are messages between its elements.
    parts: Vec<Part>,
}

/// Compares one reply by its rule: of the command itself, or of the one of so many that `EXEC` ran.
pub(crate) trait SameReply {
    /// Whether the reply of the command is the same.
    fn whole(&self, real: &[u8]) -> bool;
    /// Whether the reply of a queued command is.
    fn queued(&self, at: usize, ours: &Value, real: &Value) -> bool;
}

/// A value of the reply of `EXEC`.
#[derive(Clone, Debug)]
struct Part {
    /// Which command's reply it is, if it is no message.
    command: Option<usize>,
    bytes: Vec<u8>,
}

/// The parts of a reply of `EXEC`.
fn parts(reply: &Reply, bytes: impl Fn(&Reply) -> Vec<u8>) -> Vec<Part> {
    let Reply::Array(elements) = reply else { return Vec::new() };
    let mut parts = Vec::new();
    for (at, element) in elements.iter().enumerate() {
        let Reply::Inline(values) = element else {
            parts.push(Part { command: Some(at), bytes: bytes(element) });
            continue;
        };
        for value in values {
            let command = if matches!(value, Reply::Push(_)) { None } else { Some(at) };
            parts.push(Part { command, bytes: bytes(value) });
        }
    }
    parts
}

impl Sent {
    pub(crate) fn new(driver: &Driver, session: usize, outcome: &Outcome) -> Self {
        let mut sent = Self {
            reply: without_times(driver.bytes(session, &outcome.reply)),
            silent: outcome.silent || outcome.waits,
            parts: parts(&outcome.reply, |part| without_times(driver.bytes(session, part))),
            ..Self::default()
        };
        for (at, delivery) in outcome.deliveries.iter().enumerate() {
            let Some(to) = driver.sessions.iter().position(|id| *id == delivery.session()) else { continue };
            let stream = match to == session {
                true if at < outcome.before_reply => &mut sent.before,
                true => &mut sent.after,
                false => &mut sent.others[to],
            };
            match delivery {
                Delivery::Push(_, message) | Delivery::Reply(_, message) => {
                    message.encode(driver.protocol(to), stream);
                }
                Delivery::Close(_) if stream.ends_with(CLOSED) => {}
                Delivery::Close(_) => stream.extend_from_slice(CLOSED),
                Delivery::NoReply(_) => {}
            }
        }
        if outcome.close {
            sent.after.extend_from_slice(CLOSED);
        }
        sent.others = sent.others.map(without_times);
        (sent.before, sent.after) = (without_times(sent.before), without_times(sent.after));
        sent
    }

    /// As it comes on the connections.
    pub(crate) fn heard(&self, session: usize) -> Heard {
        let mut heard = self.others.clone();
        let reply = if self.silent { &[][..] } else { &self.reply };
        heard[session] = [&self.before, reply, &self.after].concat();
        heard
    }

    /// Whether this is what was heard, the reply compared by a rule if it is not the same.
    pub(crate) fn is(&self, session: usize, real: &Heard, same_reply: &impl SameReply) -> bool {
        let ours = self.heard(session);
        let same = |at: usize| ours[at] == real[at] || canonical(&ours[at]) == canonical(&real[at]);
        (0..SESSIONS).filter(|at| *at != session).all(same)
            && (same(session) || self.has_reply(&real[session], same_reply))
    }

    fn has_reply(&self, real: &[u8], same_reply: &impl SameReply) -> bool {
        let reply = real.strip_prefix(self.before.as_slice()).and_then(|rest| rest.strip_suffix(self.after.as_slice()));
        let Some(reply) = reply.filter(|_| !self.silent) else { return false };
        let is_one = parse(reply).is_some_and(|(_, length)| length == reply.len());
        (is_one && same_reply.whole(reply)) || self.has_parts(reply, same_reply)
    }

    /// Whether a reply of `EXEC` with messages between its elements is the same, part by part; messages in a row in any
    /// order.
    fn has_parts(&self, real: &[u8], same_reply: &impl SameReply) -> bool {
        let header = self.reply.len() - self.parts.iter().map(|part| part.bytes.len()).sum::<usize>();
        let Some(mut rest) = real.strip_prefix(&self.reply[..header]) else { return false };
        for run in self.parts.chunk_by(|one, other| one.command.is_none() && other.command.is_none()) {
            let (mut messages, mut real_messages) = (Vec::new(), Vec::new());
            for part in run {
                let Some((value, length)) = parse(rest) else { return false };
                rest = &rest[length..];
                let ours = parse(&part.bytes).expect("the engine encodes whole replies").0;
                match part.command {
                    Some(at) if !same_reply.queued(at, &ours, &value) => return false,
                    Some(_) => {}
                    None => {
                        messages.push(ours);
                        real_messages.push(value);
                    }
                }
            }
            messages.sort();
            real_messages.sort();
            if messages != real_messages {
                return false;
            }
        }
        !self.parts.is_empty() && rest.is_empty()
    }
}

/// The reply among what was heard, as far as it can be told.
pub(crate) fn reply(heard: &[u8]) -> Value {
    let mut rest = heard;
    while let Some((value, length)) = parse(rest) {
        if value.kind() != b'>' {
            return value;
        }
        rest = &rest[length..];
    }
    nothing()
}

/// In place of a reply where there is none.
pub(crate) fn nothing() -> Value {
    Value::Line(b'+', Vec::new())
}

/// What was heard with its parts in a fixed order where Redis has none: messages by several patterns, and the channels that
/// are unsubscribed from all at once, come in the order of a hash table.
fn canonical(heard: &[u8]) -> Vec<Vec<u8>> {
    let mut tokens = tokens(heard);
    let mut at = 0;
    while at < tokens.len() {
        at += sort_run(&mut tokens[at..], "$8\r\npmessage\r\n", 5, 2, &[3, 4])
            .max(sort_run(&mut tokens[at..], "$11\r\nunsubscribe\r\n", 4, 2, &[]))
            .max(sort_run(&mut tokens[at..], "$12\r\nsunsubscribe\r\n", 4, 2, &[]))
            .max(1);
    }
    tokens
}

/// Sorts the tokens at one place of messages in a row, which have a name and a length, and the same at some places. Tells
/// how many tokens these are.
fn sort_run(tokens: &mut [Vec<u8>], name: &str, length: usize, place: usize, alike: &[usize]) -> usize {
    let is_one = |message: &[Vec<u8>]| message.len() == length && message[1] == name.as_bytes();
    let Some(first) = tokens.get(..length).filter(|first| is_one(first)).map(<[Vec<u8>]>::to_vec) else { return 0 };
    let same = |message: &&[Vec<u8>]| is_one(message) && alike.iter().all(|&at| message[at] == first[at]);
    let count = tokens.chunks(length).take_while(same).count();
    let mut names: Vec<Vec<u8>> = (0..count).map(|at| tokens[at * length + place].clone()).collect();
    names.sort();
    for (at, name) in names.into_iter().enumerate() {
        tokens[at * length + place] = name;
    }
    count * length
}

/// What was heard with the lines of `MONITOR` without times and addresses, and without what the test itself has said.
fn without_times(heard: Vec<u8>) -> Vec<u8> {
    let rest = |token: &[u8]| {
        let text = std::str::from_utf8(token).ok()?;
        let (time, rest) = text.strip_prefix('+')?.split_once(" [")?;
        let (place, command) = rest.split_once(']')?;
        let place = if place.ends_with(" lua") { place } else { place.split(' ').next()? };
        time.parse::<f64>().is_ok().then(|| format!("+[{place}]{command}"))
    };
    if !heard.windows(2).any(|pair| pair == b" [") {
        return heard;
    }
    let line = |token: Vec<u8>| match rest(&token) {
        Some(line) if line.contains(TURN) || line.contains(r#""SCAN" "nocursor""#) => Vec::new(),
        Some(line) => line.into_bytes(),
        None => token,
    };
    tokens(&heard).into_iter().flat_map(line).collect()
}

/// The parts of a stream, headers of aggregates among them, whatever is nested in what.
fn tokens(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut tokens = Vec::new();
    while let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") {
        let mut length = end + 2;
        if matches!(bytes[0], b'$' | b'=')
            && let Some(payload) = std::str::from_utf8(&bytes[1..end]).ok().and_then(|text| text.parse::<usize>().ok())
        {
            length += payload + 2;
        }
        let (token, rest) = bytes.split_at(length.min(bytes.len()));
        tokens.push(token.to_vec());
        bytes = rest;
    }
    tokens.push(bytes.to_vec());
    tokens
}

/// What came on each connection, for people.
pub(crate) fn shown(heard: &Heard) -> String {
    let lines = heard.iter().enumerate().filter(|(_, bytes)| !bytes.is_empty());
    lines.map(|(at, bytes)| format!("\n    to [{at}] {}", crate::support::show::quoted(bytes))).collect()
}

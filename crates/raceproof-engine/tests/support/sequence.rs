//! Sequences of commands, with times written relative to the moment at which a sequence starts.

use bytes::Bytes;

use super::show;

/// How many sessions a sequence talks through.
pub(crate) const SESSIONS: usize = 3;

/// One argument of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arg {
    /// The bytes as they are.
    Bytes(Bytes),
    /// A decimal number of milliseconds: the start of the sequence plus an offset.
    AtMs(i64),
    /// A decimal number of seconds: the start of the sequence, rounded down, plus an offset.
    AtS(i64),
    /// The number of a session's client (`CLIENT ID`).
    Client(usize),
}

impl Arg {
    /// An argument of fixed bytes.
    pub(crate) fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self::Bytes(Bytes::copy_from_slice(bytes.as_ref()))
    }

    /// The bytes for a sequence that starts at `base_ms` (ms since the Unix epoch), whose first client has a number.
    pub(crate) fn resolve(&self, base_ms: i64, first: i64) -> Bytes {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::AtMs(offset) => Bytes::from((base_ms + offset).to_string()),
            Self::AtS(offset) => Bytes::from((base_ms.div_euclid(1000) + offset).to_string()),
            Self::Client(session) => Bytes::from((first + *session as i64).to_string()),
        }
    }
}

/// What happens at one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// A command.
    Run(Vec<Arg>),
    /// Time passes (ms).
    Wait(u64),
}

/// One step of a sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Which session acts, below [`SESSIONS`].
    pub(crate) session: usize,
    /// What it does.
    pub(crate) action: Action,
}

/// A sequence of steps of several sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sequence {
    /// Which sessions begin with `HELLO 3`.
    pub resp3: [bool; SESSIONS],
    /// The steps in order.
    pub(crate) steps: Vec<Step>,
}

impl Sequence {
    /// The steps with the opening `HELLO`s, as they are to be run.
    pub(crate) fn all_steps(&self) -> Vec<Step> {
        let hello = |session| Step { session, action: Action::Run(vec![Arg::of("HELLO"), Arg::of("3")]) };
        let opening = (0..SESSIONS).filter(|&session| self.resp3[session]).map(hello);
        opening.chain(self.steps.iter().cloned()).collect()
    }
}

impl Sequence {
    /// A sequence as written in a test: one step a line, `[session] command` or `(wait 2 ms)`.
    ///
    /// # Panics
    /// On a line that is neither.
    pub(crate) fn parse(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        Self { resp3: [false; SESSIONS], steps: lines.map(parse_step).collect() }
    }
}

impl std::fmt::Display for Sequence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for step in self.all_steps() {
            match &step.action {
                Action::Wait(ms) => writeln!(f, "  (wait {ms} ms)")?,
                Action::Run(args) => {
                    let words: Vec<String> = args.iter().map(written).collect();
                    writeln!(f, "  [{}] {}", step.session, words.join(" "))?;
                }
            }
        }
        Ok(())
    }
}

fn written(arg: &Arg) -> String {
    match arg {
        Arg::Bytes(bytes) => show::whole_word(bytes),
        Arg::AtMs(offset) => format!("@ms{offset:+}"),
        Arg::AtS(offset) => format!("@s{offset:+}"),
        Arg::Client(session) => format!("@client{session}"),
    }
}

fn parse_step(line: &str) -> Step {
    if let Some(ms) = line.strip_prefix("(wait ").and_then(|rest| rest.strip_suffix(" ms)")) {
        return Step { session: 0, action: Action::Wait(ms.parse().expect("milliseconds")) };
    }
    let (session, command) =
        line.strip_prefix('[').and_then(|rest| rest.split_once("] ")).unwrap_or_else(|| panic!("no step: {line}"));
    Step { session: session.parse().expect("a session"), action: Action::Run(parse_command(command)) }
}

/// The arguments of a command for a sequence that starts at `base_ms`.
pub(crate) fn resolve(args: &[Arg], base_ms: i64) -> Vec<Bytes> {
    resolve_for(args, base_ms, 1)
}

/// [`resolve`] where the first client has that number.
pub(crate) fn resolve_for(args: &[Arg], base_ms: i64, first: i64) -> Vec<Bytes> {
    args.iter().map(|arg| arg.resolve(base_ms, first)).collect()
}

/// A command as written in a test: words divided by spaces; `"…"` quotes a word; `\xNN`, `\r`, `\n`, `\"`, `\\` inside
/// quotes; `@ms+5`, `@s-1` are times, `@client1` a number.
pub(crate) fn parse_command(line: &str) -> Vec<Arg> {
    words(line).into_iter().map(|word| parse_time(&word).unwrap_or(Arg::Bytes(Bytes::from(word)))).collect()
}

fn parse_time(word: &[u8]) -> Option<Arg> {
    let text = std::str::from_utf8(word).ok()?;
    if let Some(session) = text.strip_prefix("@client") {
        return session.parse().ok().map(Arg::Client);
    }
    if let Some(offset) = text.strip_prefix("@ms") {
        return offset.parse().ok().map(Arg::AtMs);
    }
    text.strip_prefix("@s").and_then(|offset| offset.parse().ok()).map(Arg::AtS)
}

fn words(line: &str) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, after) = if let Some(quoted) = rest.strip_prefix('"') {
            quoted_word(quoted)
        } else {
            let end = rest.find(' ').unwrap_or(rest.len());
            (rest.as_bytes()[..end].to_vec(), &rest[end..])
        };
        words.push(word);
        rest = after.trim_start();
    }
    words
}

fn quoted_word(text: &str) -> (Vec<u8>, &str) {
    let bytes = text.as_bytes();
    let mut word = Vec::new();
    let mut at = 0;
    while bytes[at] != b'"' {
        if bytes[at] != b'\\' {
            word.push(bytes[at]);
            at += 1;
            continue;
        }
        match bytes[at + 1] {
            b'x' => {
                word.push(u8::from_str_radix(&text[at + 2..at + 4], 16).expect("two hexadecimal digits after \\x"));
                at += 4;
                continue;
            }
            b'r' => word.push(b'\r'),
            b'n' => word.push(b'\n'),
            other => word.push(other),
        }
        at += 2;
    }
    (word, &text[at + 1..])
}

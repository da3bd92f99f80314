//! Replay tokens: `rp1.` + the schedule's choices + `.` + a fingerprint of the step texts.
//!
//! A choice is the client's letter, with a digit for any but its first connection, `X` if it dies before the step and
//! `Y` if it dies after it; `T` and `P` are steps of the clock, to the next deadline and past it. `N` and a letter in
//! front name a client that never starts. So a token says what happens, not where a search met it, and code that makes
//! other steps is told apart by the fingerprint.

use crate::Error;
use crate::event::{CLOCK, Choice, ClientId, Outcome, ProcessId};
use crate::execution::Cast;
use crate::report::Step;

const VERSION: &str = "rp1";

/// A token taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// Clients that never start, by number.
    pub(crate) absent: Vec<u16>,
    pub(crate) choices: Vec<Encoded>,
    pub(crate) fingerprint: u32,
}

/// A choice by numbers that mean the same in every run of the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Encoded {
    /// `None` for the clock.
    pub(crate) client: Option<u16>,
    /// Which of the client's lanes, in the order of their first use.
    pub(crate) lane: usize,
    pub(crate) outcome: Outcome,
}

impl Encoded {
    pub(crate) fn of(choice: Choice, cast: &Cast<'_>) -> Self {
        let Some(client) = cast.worker.owner(choice.process) else {
            return Self { client: None, lane: 0, outcome: choice.outcome };
        };
        let lane = processes_of(cast, client).position(|process| process == choice.process);
        Self { client: Some(cast.number(client)), lane: lane.unwrap_or(0), outcome: choice.outcome }
    }

    /// The choice that it means now; `None` if there is no such client or lane (yet).
    pub(crate) fn choice(self, cast: &Cast<'_>) -> Option<Choice> {
        let process = match self.client {
            None => CLOCK,
            Some(number) => processes_of(cast, cast.client(number)?).nth(self.lane)?,
        };
        Some(Choice { process, outcome: self.outcome })
    }
}

/// The processes of a client, in the order of their first use in the execution: a client may open its connections in
/// another order in another one.
fn processes_of(cast: &Cast<'_>, client: ClientId) -> impl Iterator<Item = ProcessId> {
    cast.lanes.iter().copied().filter(move |process| cast.worker.owner(*process) == Some(client))
}

/// FNV-1a over the clients and texts of the steps: the same on every platform.
pub(crate) fn fingerprint(steps: &[Step]) -> u32 {
    let bytes = steps.iter().flat_map(|step| step.client.bytes().chain([0]).chain(step.text.bytes()).chain([1]));
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

impl Token {
    pub(crate) fn render(&self) -> String {
        let mut text = format!("{VERSION}.");
        for client in &self.absent {
            text.push('N');
            push_client(&mut text, *client);
        }
        for choice in &self.choices {
            match choice.client {
                None => text.push(if choice.outcome == Outcome::PastDeadline { 'P' } else { 'T' }),
                Some(client) => {
                    push_client(&mut text, client);
                    if choice.lane > 0 {
                        text.push_str(&choice.lane.to_string());
                    }
                    match choice.outcome {
                        Outcome::CrashBefore => text.push('X'),
                        Outcome::CrashAfter => text.push('Y'),
                        Outcome::Done | Outcome::ToDeadline | Outcome::PastDeadline => {}
                    }
                }
            }
        }
        text.push_str(&format!(".{:08x}", self.fingerprint));
        text
    }

    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |reason: &str| Error::Token { token: text.to_owned(), reason: reason.to_owned() };
        let mut parts = text.trim().split('.');
        match parts.next() {
            Some(VERSION) => {}
            Some(other) if other.len() == 3 && other.starts_with("rp") => {
                return Err(wrong("it was made by another version of raceproof: run the check again for a new one"));
            }
            _ => return Err(wrong("a token looks like rp1.abba.9f3c21d0, as printed below a counterexample")),
        }
        let (Some(choices), Some(fingerprint), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong("a token has three parts, as in rp1.abba.9f3c21d0: copy it whole"));
        };
        let fingerprint = (fingerprint.len() == 8).then(|| u32::from_str_radix(fingerprint, 16).ok()).flatten();
        let fingerprint =
            fingerprint.ok_or_else(|| wrong("its last part must be 8 hexadecimal digits: copy it whole"))?;
        let mut token = Self { absent: Vec::new(), choices: Vec::new(), fingerprint };
        let mut rest = choices;
        while let Some(letter) = rest.chars().next() {
            rest = token.take(letter, &rest[letter.len_utf8()..]).ok_or_else(|| {
                wrong("its middle part holds letters for clients, T and P for the clock, X, Y and N for faults only")
            })?;
        }
        Ok(token)
    }

    fn take<'a>(&mut self, letter: char, rest: &'a str) -> Option<&'a str> {
        let clock = |outcome| Encoded { client: None, lane: 0, outcome };
        match letter {
            'T' => self.choices.push(clock(Outcome::ToDeadline)),
            'P' => self.choices.push(clock(Outcome::PastDeadline)),
            'N' => {
                let (client, rest) = take_client(rest)?;
                self.absent.push(client);
                return Some(rest);
            }
            'X' | 'Y' => {
                let last = self.choices.last_mut().filter(|last| last.client.is_some())?;
                last.outcome = if letter == 'X' { Outcome::CrashBefore } else { Outcome::CrashAfter };
            }
            '1'..='9' => {
                let last = self.choices.last_mut().filter(|last| last.client.is_some())?;
                last.lane = last.lane.checked_mul(10)?.checked_add(letter.to_digit(10)? as usize)?;
            }
            '0' => {
                let last = self.choices.last_mut().filter(|last| last.lane > 0)?;
                last.lane = last.lane.checked_mul(10)?;
            }
            'a'..='z' | '_' => {
                let (client, rest) = client(letter, rest)?;
                self.choices.push(Encoded { client: Some(client), lane: 0, outcome: Outcome::Done });
                return Some(rest);
            }
            _ => return None,
        }
        Some(rest)
    }
}

fn push_client(text: &mut String, client: u16) {
    match u8::try_from(client) {
        Ok(number) if number < 26 => text.push(char::from(b'a' + number)),
        _ => text.push_str(&format!("_{client}_")),
    }
}

fn take_client(text: &str) -> Option<(u16, &str)> {
    let letter = text.chars().next()?;
    client(letter, &text[letter.len_utf8()..])
}

fn client(letter: char, rest: &str) -> Option<(u16, &str)> {
    if letter == '_' {
        let (number, rest) = rest.split_once('_')?;
        return Some((number.parse().ok()?, rest));
    }
    let number = u8::try_from(letter).ok().filter(u8::is_ascii_lowercase)? - b'a';
    Some((u16::from(number), rest))
}

//! Replay tokens: `rp1.` + the schedule's choices + `.` + a fingerprint of the step texts.
//!
//! A choice is the client's letter, with a digit for any but its first connection, and a capital letter if its step goes
//! wrong (`X`: it dies before the step, `Y`: after it; see [`STRUCK`]). `M` behind a client is the arrival of a command
//! that it had left on its way; `C`, that the message it looks for is still on its way. `T` and `P` are steps of the clock, to the next
//! deadline and past it. `O2` behind a client: the replica that it reads has two entries of the log, and there are more. `R2`, `W2` and `F2` restart the server with two entries of its log (`R`: with nothing), `E` with
//! eight digits evicts a key. `N` and a letter in front name a client that never starts. So a token says what happens, not where a search met it, and code that makes
//! other steps is told apart by the fingerprint.

use crate::Error;
use crate::event::{CLOCK, Choice, ClientId, FAULTS, Kept, Outcome, ProcessId};
use crate::execution::Cast;
use crate::mailbox::Lane;
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
    /// `None` for the clock and for faults that strike by themselves.
    pub(crate) client: Option<u16>,
    /// Which of the client's lanes, in the order of their first use; of a command that arrives, which of those that the
    /// client left on their way.
    pub(crate) lane: usize,
    pub(crate) outcome: Outcome,
}

impl Encoded {
    pub(crate) fn of(choice: Choice, cast: &Cast<'_>) -> Self {
        if let (Outcome::Arrives, Some((client, Lane::Late(number)))) =
            (choice.outcome, cast.worker.lane(choice.process))
        {
            return Self { client: Some(cast.number(client)), lane: number as usize, outcome: choice.outcome };
        }
        let Some(client) = cast.worker.owner(choice.process) else {
            return Self { client: None, lane: 0, outcome: choice.outcome };
        };
        let lane = processes_of(cast, client).position(|process| process == choice.process);
        Self { client: Some(cast.number(client)), lane: lane.unwrap_or(0), outcome: choice.outcome }
    }

    /// The choice that it means now; `None` if there is no such client or lane (yet).
    pub(crate) fn choice(self, cast: &Cast<'_>) -> Option<Choice> {
        let process = match self.client {
            None if self.outcome.fault().is_some() => FAULTS,
            None => CLOCK,
            Some(number) if self.outcome == Outcome::Arrives => {
                let late = Lane::Late(u32::try_from(self.lane).ok()?);
                cast.worker.process_of(cast.client(number)?, late)?
            }
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
                None => push_nobody(&mut text, choice.outcome),
                Some(client) => {
                    push_client(&mut text, client);
                    if choice.lane > 0 {
                        text.push_str(&choice.lane.to_string());
                    }
                    if let Outcome::Behind(entries) = choice.outcome {
                        text.push_str(&format!("O{entries}"));
                    }
                    text.extend(
                        STRUCK.iter().find(|(_, outcome)| *outcome == choice.outcome).map(|(letter, _)| letter),
                    );
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
                wrong("its middle part holds letters for clients, T and P for the clock, and other capitals for faults")
            })?;
        }
        Ok(token)
    }

    fn take<'a>(&mut self, letter: char, rest: &'a str) -> Option<&'a str> {
        let nobody = |outcome| Encoded { client: None, lane: 0, outcome };
        if let Some((_, outcome)) = STRUCK.iter().find(|(known, _)| *known == letter) {
            self.choices.last_mut().filter(|last| last.client.is_some())?.outcome = *outcome;
            return Some(rest);
        }
        if let Some((_, outcome)) = NOBODY.iter().find(|(known, _)| *known == letter) {
            self.choices.push(nobody(*outcome));
            return Some(rest);
        }
        match letter {
            'R' | 'W' | 'F' => {
                let digits = rest.len() - rest.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
                let (number, rest) = rest.split_at(digits);
                let kept = if number.is_empty() { Kept::Nothing } else { Kept::Entries(number.parse().ok()?) };
                self.choices.push(nobody(match letter {
                    'R' => Outcome::Restart(kept),
                    'W' => Outcome::PowerLoss(kept),
                    _ => Outcome::Failover(kept),
                }));
                return Some(rest);
            }
            'O' => {
                let digits = rest.len() - rest.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
                let (number, rest) = rest.split_at(digits);
                let last = self.choices.last_mut().filter(|last| last.client.is_some())?;
                last.outcome = Outcome::Behind(number.parse().ok()?);
                return Some(rest);
            }
            'E' => {
                let (name, rest) = rest.split_at_checked(8)?;
                self.choices.push(nobody(Outcome::Evict(u32::from_str_radix(name, 16).ok()?)));
                return Some(rest);
            }
            'N' => {
                let (client, rest) = take_client(rest)?;
                self.absent.push(client);
                return Some(rest);
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

/// The letters of steps that go wrong.
const STRUCK: [(char, Outcome); 14] = [
    ('X', Outcome::CrashBefore),
    ('Y', Outcome::CrashAfter),
    ('B', Outcome::BrokenBefore),
    ('A', Outcome::BrokenAfter),
    ('S', Outcome::SilenceBefore),
    ('U', Outcome::SilenceAfter),
    ('V', Outcome::LateBroken),
    ('I', Outcome::LateSilence),
    ('M', Outcome::Arrives),
    ('C', Outcome::NotArrived),
    ('Q', Outcome::Unreachable),
    ('K', Outcome::UnknownBefore),
    ('L', Outcome::UnknownAfter),
    ('Z', Outcome::Aborted),
];

/// The letters of what no client does.
const NOBODY: [(char, Outcome); 6] = [
    ('T', Outcome::ToDeadline),
    ('P', Outcome::PastDeadline),
    ('D', Outcome::Flush),
    ('G', Outcome::ScriptFlush),
    ('J', Outcome::JumpForward),
    ('H', Outcome::JumpBack),
];

fn push_nobody(text: &mut String, outcome: Outcome) {
    let (letter, kept) = match outcome {
        Outcome::Restart(kept) => ('R', kept),
        Outcome::PowerLoss(kept) => ('W', kept),
        Outcome::Failover(kept) => ('F', kept),
        Outcome::Evict(name) => return text.push_str(&format!("E{name:08x}")),
        _ => return text.extend(NOBODY.iter().find(|(_, known)| *known == outcome).map(|(letter, _)| letter)),
    };
    text.push(letter);
    if let Kept::Entries(entries) = kept {
        text.push_str(&entries.to_string());
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

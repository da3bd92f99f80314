//! How a violation came about, in a sentence, where the steps show one of two patterns that most races are made of.
//!
//! It states what was read and written when, and no more: that the later write was computed from the earlier read is
//! for the reader to judge.

use raceproof_engine::Access;

use super::Execution;
use crate::event::{Choice, ClientId, Touched};
use crate::report::Broken;

/// What a step of a client read and wrote, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Traffic {
    /// The number of the step as it is shown, from 1.
    pub(crate) step: usize,
    pub(crate) client: ClientId,
    pub(crate) reads: Vec<String>,
    pub(crate) writes: Vec<String>,
}

impl Execution<'_> {
    /// Remembers what the step `number` touched, for the story.
    pub(super) fn note_traffic(&mut self, number: usize, choice: Choice, touched: &Touched) {
        if !self.mode.record {
            return;
        }
        let Some(client) = self.worker.owner(choice.process) else { return };
        let names = |wanted: fn(Access) -> bool| {
            let mut names: Vec<String> = Vec::new();
            for (thing, _) in touched.iter().filter(|(_, access)| wanted(*access)) {
                names.extend(self.worker.things.name(*thing).filter(|name| !names.contains(name)));
            }
            names
        };
        let (reads, writes) = (names(|access| !access.writes()), names(Access::writes));
        self.traffic.push(Traffic { step: number, client, reads, writes });
    }

    /// The story of the execution, if it has one. A client's own failure and a deadlock tell theirs in the message.
    pub(super) fn story(&self) -> Option<String> {
        let broken = self.violation.as_ref().map(|violation| &violation.broken)?;
        if !matches!(broken, Broken::Always | Broken::Finally | Broken::Quiet) {
            return None;
        }
        let name = |client: ClientId| self.client(client).name.as_str();
        stale_write(&self.traffic, &name).or_else(|| crossed_writes(&self.traffic, &name))
    }
}

/// A client read something, another changed it, the first wrote.
fn stale_write<'n>(traffic: &[Traffic], name: &impl Fn(ClientId) -> &'n str) -> Option<String> {
    for (at, write) in traffic.iter().enumerate().rev().filter(|(_, write)| !write.writes.is_empty()) {
        let reads = traffic[..at].iter().enumerate().rev();
        for (since, read) in reads.filter(|(_, read)| read.client == write.client) {
            // What a step reads and writes at once leaves nothing in between.
            for object in read.reads.iter().filter(|object| !read.writes.contains(object)) {
                let others = |step: &&Traffic| step.client != write.client && step.writes.contains(object);
                let Some(change) = traffic[since..at].iter().rev().find(others) else { continue };
                let same = write.writes.contains(object);
                let target = if same { "it" } else { write.writes.first()? };
                return Some(format!(
                    "{} read {object} at step {} and wrote {target} at step {}; in between, {} changed {} at step {}.",
                    name(write.client),
                    read.step,
                    write.step,
                    name(change.client),
                    if same { "it" } else { object },
                    change.step,
                ));
            }
        }
    }
    None
}

/// Two clients wrote two things, each in another order.
fn crossed_writes<'n>(traffic: &[Traffic], name: &impl Fn(ClientId) -> &'n str) -> Option<String> {
    let last = |client: ClientId, object: &String| {
        traffic.iter().rev().find(|step| step.client == client && step.writes.contains(object)).map(|step| step.step)
    };
    for (at, first) in traffic.iter().enumerate() {
        for second in traffic[at + 1..].iter().filter(|second| second.client != first.client) {
            for here in first.writes.iter().filter(|object| second.writes.contains(object)) {
                let elsewhere = traffic.iter().flat_map(|step| &step.writes).filter(|object| *object != here);
                for there in elsewhere {
                    let (Some(late), Some(early)) = (last(first.client, there), last(second.client, there)) else {
                        continue;
                    };
                    let ends_so = last(first.client, here) < last(second.client, here) && early < late;
                    if ends_so {
                        let (a, b) = (name(first.client), name(second.client));
                        let (first, second) = (last(first.client, here)?, last(second.client, here)?);
                        return Some(format!(
                            "{here} was written by {a} at step {first} and then by {b} at step {second}; {there} was \
                             written by {b} at step {early} and then by {a} at step {late}."
                        ));
                    }
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(step: usize, client: u16, reads: &[&str], writes: &[&str]) -> Traffic {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Traffic { step, client: ClientId(client), reads: owned(reads), writes: owned(writes) }
    }

    const fn name(client: ClientId) -> &'static str {
        if client.0 == 0 { "web" } else { "mobile" }
    }

    #[test]
    fn a_write_after_a_read_that_another_made_stale() {
        let lost = [step(1, 0, &["k"], &[]), step(2, 1, &["k"], &[]), step(3, 1, &[], &["k"]), step(4, 0, &[], &["k"])];
        let expected = "web read k at step 1 and wrote it at step 4; in between, mobile changed it at step 3.";
        assert_eq!(stale_write(&lost, &name).as_deref(), Some(expected));
        assert_eq!(stale_write(&lost[..3], &name), None, "nothing came in between");
    }

    #[test]
    fn a_write_of_something_else_than_was_read() {
        let refill = [
            step(1, 0, &["cache"], &[]),
            step(2, 0, &["users"], &[]),
            step(3, 1, &["users"], &["users"]),
            step(4, 1, &[], &["cache"]),
            step(5, 0, &[], &["cache"]),
        ];
        let expected =
            "web read users at step 2 and wrote cache at step 5; in between, mobile changed users at step 3.";
        assert_eq!(stale_write(&refill, &name).as_deref(), Some(expected));
    }

    #[test]
    fn writes_that_cross() {
        let crossed = [
            step(1, 0, &[], &["users"]),
            step(2, 1, &[], &["users"]),
            step(3, 1, &[], &["cache"]),
            step(4, 0, &[], &["cache"]),
        ];
        let expected = "users was written by web at step 1 and then by mobile at step 2; cache was written by mobile \
                        at step 3 and then by web at step 4.";
        assert_eq!(stale_write(&crossed, &name), None);
        assert_eq!(crossed_writes(&crossed, &name).as_deref(), Some(expected));
        let in_turn = [crossed[0].clone(), crossed[3].clone(), crossed[1].clone(), crossed[2].clone()];
        let in_turn: Vec<Traffic> =
            in_turn.into_iter().enumerate().map(|(at, step)| Traffic { step: at + 1, ..step }).collect();
        assert_eq!(crossed_writes(&in_turn, &name), None, "one after the other crosses nothing");
    }
}

//! What an execution is called whose outcome no serial order has: the anomaly, by who read and wrote what in between.
//!
//! Only the order of steps that touch one key, row or table is looked at, and clients and objects are gone through in
//! a fixed order, so the name is the same in all executions of a trace. Where several anomalies fit, the first of the
//! list is told: lost update, write skew, dirty read, non-repeatable read, stale read.

use raceproof_engine::Access;

use super::Finding;
use crate::event::ClientId;
use crate::execution::{Ending, Run, Worker};
use crate::search::Serial;

/// What a client's step does to a thing.
struct Touch {
    at: usize,
    family: ClientId,
    access: Access,
}

/// A key, row or table, with all that is done to it.
struct Thing {
    name: String,
    touches: Vec<Touch>,
}

/// The steps of two clients that touch one thing in conflict, the first's before the second's.
#[derive(Clone, Copy)]
struct Pair<'a> {
    thing: &'a Thing,
    first: usize,
    second: usize,
}

struct Case<'a> {
    things: Vec<Thing>,
    ending: &'a Ending,
    /// Some serial order leaves the same keys and rows behind: what differs is what clients were told.
    left_by_some_order: bool,
    names: Vec<(ClientId, String)>,
}

pub(crate) fn finding(run: &Run, ending: &Ending, serial: &Serial, worker: &Worker) -> Finding {
    let mut families: Vec<ClientId> = ending.families.iter().flatten().copied().collect();
    families.sort_unstable();
    families.dedup();
    let names = families.iter().map(|id| (*id, worker.client_name(*id, run))).collect();
    let left_by_some_order = alike(serial, ending).any(|other| other.outcome.state == ending.outcome.state);
    let case = Case { things: things(run, ending, worker), ending, left_by_some_order, names };
    let anomalies =
        [Case::lost_update, Case::write_skew, Case::dirty_read, Case::non_repeatable_read, Case::stale_read];
    let pairs = || families.iter().flat_map(|a| families.iter().map(move |b| (*a, *b))).filter(|(a, b)| a != b);
    let known = anomalies.iter().find_map(|anomaly| pairs().find_map(|(a, b)| anomaly(&case, a, b)));
    let (message, story) = known.unwrap_or_else(|| (case.not_serializable(), String::new()));
    let told = [story, in_turn(ending, serial)].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
    Finding { message, story: told.join(" ") }
}

fn things(run: &Run, ending: &Ending, worker: &Worker) -> Vec<Thing> {
    let mut things: Vec<(u32, Thing)> = Vec::new();
    for (at, event) in run.events.iter().enumerate() {
        let Some(family) = ending.families.get(at).copied().flatten() else { continue };
        for (id, access) in event.footprint.touched.iter() {
            let place = match things.iter().position(|(known, _)| known == id) {
                Some(place) => place,
                None => {
                    let Some(name) = worker.things.full_name(*id) else { continue };
                    things.push((*id, Thing { name, touches: Vec::new() }));
                    things.len() - 1
                }
            };
            things[place].1.touches.push(Touch { at, family, access: *access });
        }
    }
    let mut things: Vec<Thing> = things.into_iter().map(|(_, thing)| thing).collect();
    things.sort_by(|a, b| a.name.cmp(&b.name));
    things
}

/// The serial orders in which the same clients died.
fn alike<'a>(serial: &'a Serial, ending: &'a Ending) -> impl Iterator<Item = &'a Ending> {
    let lives = |ending: &'a Ending| ending.outcome.clients.iter().map(|(client, told)| (client, told.is_some()));
    serial.all().filter(move |other| lives(other).eq(lives(ending)))
}

/// What differs from all serial orders: what is left behind, where they agree on it, or else what kind of thing.
fn in_turn(ending: &Ending, serial: &Serial) -> String {
    let others: Vec<&Ending> = alike(serial, ending).collect();
    if others.iter().any(|other| other.outcome == ending.outcome) {
        let keys: Vec<&str> = ending.deadlines.keys().map(String::as_str).collect();
        return format!("Some order of the clients ends like this, but for when {} will expire.", keys.join(", "));
    }
    if others.iter().any(|other| other.outcome.state == ending.outcome.state) {
        return "Some order of the clients leaves the same behind, but what they are told fits none.".to_owned();
    }
    let differs = ending.outcome.state.iter().find_map(|(name, here)| {
        let mut there = others.iter().map(|other| other.outcome.state.get(name));
        let first = there.next()?;
        (first != Some(here) && there.all(|other| other == first)).then_some((name, here, first))
    });
    match differs {
        Some((name, here, Some(there))) => {
            format!("One after another the clients would leave {name} = {there}; here it is {here}.")
        }
        Some((name, here, None)) => format!("One after another the clients would leave no {name}; here it is {here}."),
        None => String::new(),
    }
}

type Told = Option<(String, String)>;

impl Case<'_> {
    fn name(&self, family: ClientId) -> &str {
        self.names.iter().find(|(id, _)| *id == family).map_or("", |(_, name)| name)
    }

    fn step(&self, at: usize) -> usize {
        self.ending.numbers.get(at).copied().unwrap_or(at + 1)
    }

    /// Where `a` read or wrote a thing, as `first` says, and `b` did, as `second` says, in conflict with it and after it.
    fn pairs(&self, (a, first): (ClientId, Does), (b, second): (ClientId, Does)) -> impl Iterator<Item = Pair<'_>> {
        self.things.iter().flat_map(move |thing| {
            let firsts = thing.touches.iter().filter(move |one| one.family == a && first.is(one));
            firsts.flat_map(move |one| {
                let conflicts = move |two: &&Touch| {
                    two.family == b && second.is(two) && one.at < two.at && one.access.conflicts(two.access)
                };
                thing.touches.iter().filter(conflicts).map(|two| Pair { thing, first: one.at, second: two.at })
            })
        })
    }

    /// `a` read what `b` changed, and overwrote it without having looked again, and no serial order leaves that behind.
    fn lost_update(&self, a: ClientId, b: ClientId) -> Told {
        if self.left_by_some_order {
            return None;
        }
        for overtaken in self.pairs((a, Does::Read), (b, Does::Write)) {
            let later = |touch: &&Touch| touch.family == a && touch.at > overtaken.second;
            let Some(next) = overtaken.thing.touches.iter().find(later).map(|touch| touch.at) else { continue };
            if !overtaken.thing.touches.iter().any(|touch| touch.at == next && touch.access.writes()) {
                continue;
            }
            let (name, a, b) = (&overtaken.thing.name, self.name(a), self.name(b));
            return Some((
                format!("lost update: {a} overwrote {b}'s write of {name} without having seen it"),
                format!(
                    "{a} read {name} at step {} and wrote it at step {}; in between, {b} wrote it at step {}.",
                    self.step(overtaken.first),
                    self.step(next),
                    self.step(overtaken.second),
                ),
            ));
        }
        None
    }

    /// Each read something that the other changed afterwards.
    fn write_skew(&self, a: ClientId, b: ClientId) -> Told {
        for one in self.pairs((a, Does::Read), (b, Does::Write)) {
            let crossed =
                self.pairs((b, Does::Read), (a, Does::Write)).find(|other| other.thing.name != one.thing.name);
            let Some(other) = crossed else { continue };
            let (a, b) = (self.name(a), self.name(b));
            return Some((
                format!(
                    "write skew: {a} read {} and {b} read {}, and then each wrote what the other had read",
                    one.thing.name, other.thing.name
                ),
                format!(
                    "{a} read {} at step {}, and {b} wrote it at step {}; {b} read {} at step {}, and {a} wrote it at step \
                     {}.",
                    one.thing.name,
                    self.step(one.first),
                    self.step(one.second),
                    other.thing.name,
                    self.step(other.first),
                    self.step(other.second),
                ),
            ));
        }
        None
    }

    /// `a` saw the first part of what `b` did and not the rest.
    fn dirty_read(&self, a: ClientId, b: ClientId) -> Told {
        for seen in self.pairs((b, Does::Write), (a, Does::Read)) {
            let missed = self.pairs((a, Does::Read), (b, Does::Write)).find(|missed| seen.second <= missed.first);
            let Some(missed) = missed else { continue };
            let (a, b) = (self.name(a), self.name(b));
            return Some((
                format!(
                    "dirty read: {a} saw {b}'s write of {} and not yet that of {}",
                    seen.thing.name, missed.thing.name
                ),
                format!(
                    "{b} wrote {} at step {} and {} at step {}; in between, {a} read {}.",
                    seen.thing.name,
                    self.step(seen.first),
                    missed.thing.name,
                    self.step(missed.second),
                    self.steps(seen.second, missed.first),
                ),
            ));
        }
        None
    }

    /// `a` did not see what `b` did, and then it did.
    fn non_repeatable_read(&self, a: ClientId, b: ClientId) -> Told {
        for missed in self.pairs((a, Does::Read), (b, Does::Write)) {
            let seen = self.pairs((b, Does::Write), (a, Does::Read)).find(|seen| missed.first < seen.second);
            let Some(seen) = seen else { continue };
            let (a, b) = (self.name(a), self.name(b));
            return Some((
                format!(
                    "non-repeatable read: {a} read {} before {b} wrote it, and {} after",
                    missed.thing.name, seen.thing.name
                ),
                format!(
                    "{a} read {} at step {}, {b} wrote it at step {}; {b} wrote {} at step {}, {a} read it at step {}.",
                    missed.thing.name,
                    self.step(missed.first),
                    self.step(missed.second),
                    seen.thing.name,
                    self.step(seen.first),
                    self.step(seen.second),
                ),
            ));
        }
        None
    }

    /// `a` read what `b` changed, and overwrote something else that `b` had written.
    fn stale_read(&self, a: ClientId, b: ClientId) -> Told {
        for missed in self.pairs((a, Does::Read), (b, Does::Write)) {
            let Some(over) = self.pairs((b, Does::Write), (a, Does::Write)).find(|over| missed.first < over.second)
            else {
                continue;
            };
            let (a, b) = (self.name(a), self.name(b));
            return Some((
                format!(
                    "stale read: {a} wrote {} after a read of {} that {b} has changed since",
                    over.thing.name, missed.thing.name
                ),
                format!(
                    "{a} read {} at step {}, and {b} wrote it at step {}; {b} wrote {} at step {}, and {a} at step {}.",
                    missed.thing.name,
                    self.step(missed.first),
                    self.step(missed.second),
                    over.thing.name,
                    self.step(over.first),
                    self.step(over.second),
                ),
            ));
        }
        None
    }

    fn steps(&self, one: usize, other: usize) -> String {
        match (self.step(one), self.step(other)) {
            (one, other) if one == other => format!("at step {one}"),
            (one, other) => format!("at steps {one} and {other}"),
        }
    }

    fn not_serializable(&self) -> String {
        let names: Vec<&str> = self.names.iter().map(|(_, name)| name.as_str()).collect();
        format!("not serializable: {} come to this in no order, one after another", names.join(", "))
    }
}

#[derive(Clone, Copy)]
enum Does {
    Read,
    Write,
}

impl Does {
    const fn is(self, touch: &Touch) -> bool {
        touch.access.writes() == matches!(self, Self::Write)
    }
}

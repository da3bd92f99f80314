//! A counterexample as a sequence diagram: who stands in which lane, who sends what to whom, and what stands in Redis and
//! in the database afterwards. The page and the picture draw the same sequence.

use super::steps::one_line;
use super::text::{harmless, shorten_values, thousands};
use crate::report::{Counterexample, Step, StepKind};
use crate::state::{Content, Item};

/// With more keys and rows than this, those that no step changed are left out.
const MOST_UNCHANGED: usize = 8;
/// Values wider than this are shortened in the middle.
pub(super) const VALUE_COLUMNS: usize = 40;

/// Whom a lane belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LaneKind {
    Client,
    Redis,
    Database,
    Shared,
    Clock,
    Faults,
}

impl LaneKind {
    /// What it is called where there is only one of its kind.
    const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Redis => "Redis",
            Self::Database => "database",
            Self::Shared => "shared state",
            Self::Clock => "clock",
            Self::Faults => "faults",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) kind: LaneKind,
    pub(super) name: String,
}

/// The diagram.
pub(super) struct Sequence<'c> {
    pub(super) lanes: Vec<Lane>,
    /// What stood where when the clients started.
    pub(super) start: Vec<Shown<'c>>,
    pub(super) messages: Vec<Message<'c>>,
}

/// A step, on its way from one lane to another.
pub(super) struct Message<'c> {
    pub(super) step: &'c Step,
    pub(super) from: usize,
    /// The same lane for the clock, which tells everybody.
    pub(super) to: usize,
    /// What is sent, in full, and shortened.
    pub(super) did: Text,
    /// What comes back.
    pub(super) reply: Text,
    /// The lanes of clients that take no further step because they died, from this step on.
    pub(super) gone: Vec<usize>,
    /// Every key and row after the step.
    pub(super) after: Vec<Shown<'c>>,
}

/// A text, and what is shown of it where there is little room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) full: String,
    pub(super) short: String,
}

impl Text {
    /// A command, a statement, a reply: on one line.
    fn of(text: &str) -> Self {
        Self { full: harmless(text.trim()), short: one_line(text, 160) }
    }

    /// A value.
    pub(super) fn value(text: &str) -> Self {
        let full = harmless(text);
        Self { short: shorten_values(&full, VALUE_COLUMNS), full }
    }
}

/// A key or a row at one moment.
#[derive(Clone)]
pub(super) struct Shown<'c> {
    pub(super) item: &'c Item,
    pub(super) content: Option<&'c Content>,
    pub(super) uncommitted: bool,
    /// The step changed it: what it was before.
    pub(super) changed: Option<Option<&'c Content>>,
}

impl<'c> Sequence<'c> {
    pub(super) fn of(found: &'c Counterexample) -> Self {
        let lanes = lanes(found);
        let mut present = start(found);
        let start = present.clone();
        let (mut gone, mut before_ms) = (Vec::new(), 0);
        let mut messages = Vec::with_capacity(found.steps.len());
        for step in &found.steps {
            let (from, to) = ends(step, &lanes);
            if step.is_death() {
                gone.push(to);
            }
            advance(&mut present, step);
            let did = if step.kind == StepKind::Clock { passed(step, before_ms) } else { Text::of(&step.text) };
            before_ms = step.clock_ms;
            let (reply, after) = (Text::of(&step.reply), present.clone());
            messages.push(Message { step, from, to, did, reply, gone: gone.clone(), after });
        }
        Self { lanes, start, messages }
    }

    /// Whether a lane's client is alive, or has just died, at a step.
    pub(super) fn lives(&self, lane: usize, at: usize) -> bool {
        at == 0 || !self.messages[at - 1].gone.contains(&lane)
    }
}

/// The clients in their order, then whatever they talk to, then what happens to them.
fn lanes(found: &Counterexample) -> Vec<Lane> {
    let lane = |kind: LaneKind| Lane { kind, name: kind.name().to_owned() };
    let mut lanes: Vec<Lane> = Vec::new();
    let by_clients = |step: &&Step| !matches!(step.kind, StepKind::Clock | StepKind::Fault);
    for name in found.clients.iter().chain(found.steps.iter().filter(by_clients).map(|step| &step.client)) {
        if !lanes.iter().any(|known| known.name == *name) {
            lanes.push(Lane { kind: LaneKind::Client, name: name.clone() });
        }
    }
    let any = |kind: StepKind| found.steps.iter().any(|step| step.kind == kind);
    let of_server = |step: &Step| step.kind == StepKind::Fault && !found.clients.contains(&step.client);
    if any(StepKind::Redis) || any(StepKind::Message) || found.steps.iter().any(of_server) {
        lanes.push(lane(LaneKind::Redis));
    }
    let kinds = [
        (StepKind::Sql, LaneKind::Database),
        (StepKind::Shared, LaneKind::Shared),
        (StepKind::Clock, LaneKind::Clock),
        (StepKind::Fault, LaneKind::Faults),
    ];
    lanes.extend(kinds.into_iter().filter(|(step, _)| any(*step)).map(|(_, kind)| lane(kind)));
    lanes
}

fn ends(step: &Step, lanes: &[Lane]) -> (usize, usize) {
    let one = |kind: LaneKind| lanes.iter().position(|lane| lane.kind == kind);
    let client = lanes.iter().position(|lane| lane.kind == LaneKind::Client && lane.name == step.client);
    let ends = match step.kind {
        StepKind::Redis => (client, one(LaneKind::Redis)),
        StepKind::Message => (one(LaneKind::Redis), client),
        StepKind::Sql => (client, one(LaneKind::Database)),
        StepKind::Shared => (client, one(LaneKind::Shared)),
        StepKind::Clock => (one(LaneKind::Clock), one(LaneKind::Clock)),
        StepKind::Fault => (one(LaneKind::Faults), client.or_else(|| one(LaneKind::Redis))),
    };
    (ends.0.unwrap_or_default(), ends.1.unwrap_or_default())
}

/// Every key and row that is shown, as it was at the start.
fn start(found: &Counterexample) -> Vec<Shown<'_>> {
    let changed: Vec<&Item> = found.steps.iter().flat_map(|step| &step.changes).map(|change| &change.item).collect();
    let mut items: Vec<&Item> = found.start.iter().map(|held| &held.item).collect();
    items.extend(&changed);
    items.sort();
    items.dedup();
    if items.len() > MOST_UNCHANGED {
        items.retain(|item| changed.contains(item));
    }
    let at_start = |item: &Item| found.start.iter().find(|held| held.item == *item).map(|held| &held.content);
    let shown = |item| Shown { item, content: at_start(item), uncommitted: false, changed: None };
    items.into_iter().map(shown).collect()
}

fn advance<'c>(present: &mut [Shown<'c>], step: &'c Step) {
    for shown in present {
        shown.changed = None;
        for change in step.changes.iter().filter(|change| change.item == *shown.item) {
            shown.changed = Some(change.before.as_ref());
            shown.content = change.after.as_ref();
            shown.uncommitted = change.uncommitted;
        }
    }
}

/// `+30,001 ms`; where earlier steps had let time pass already, with the time that it is now.
fn passed(step: &Step, before_ms: i64) -> Text {
    let by = thousands(step.clock_ms.saturating_sub(before_ms).unsigned_abs());
    let now = thousands(step.clock_ms.unsigned_abs());
    let text = if before_ms == 0 { format!("+{by} ms") } else { format!("+{by} ms (at {now} ms)") };
    Text { full: text.clone(), short: text }
}

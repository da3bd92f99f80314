//! The report for programs. Its form is a contract: see docs/output.md. A change that removes or renames a field raises
//! [`VERSION`].

use std::collections::BTreeMap;

use raceproof_explore::render::incomplete;
use raceproof_explore::state::{Change, Content, Held, Item, Value};
use raceproof_explore::{
    Bounds, Confirmation, Counterexample, Cover, Odds, Played, Sampled, Step, StepKind, Stopped, Strategy, Verdict,
};
use serde::{Serialize, Serializer};

use crate::judge::word;
use crate::real::Real;
use crate::run::Finding;
use crate::select::Selected;

const VERSION: u32 = 1;

/// The whole document.
#[derive(Debug, Serialize)]
struct Document<T> {
    version: u32,
    scenarios: Vec<T>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    name: String,
    file: String,
    expect: Option<&'static str>,
    verdict: &'static str,
    executions: u64,
    seconds: f64,
    /// Why the search ended before it was done; null if it was done.
    stopped: Option<&'static str>,
    /// Why nothing is verified although no violation was found, in a sentence; null otherwise.
    incomplete: Option<String>,
    #[serde(flatten)]
    cover: EntryCover,
    /// The sampling that followed an exhaustive search; null if there was none.
    sampled: Option<EntrySampled>,
    bounds: EntryBounds,
    /// Absent unless the search merged states.
    #[serde(skip_serializing_if = "Option::is_none")]
    states: Option<EntryStates>,
    violation: Option<Violation>,
    /// Absent unless confirmation was asked for; null if there was nothing to confirm.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed: Option<Option<Confirmed>>,
    /// As that, for random schedules of a scenario without a counterexample.
    #[serde(skip_serializing_if = "Option::is_none")]
    played: Option<Option<EntryPlayed>>,
}

#[derive(Debug, Serialize)]
struct EntryCover {
    /// The estimated number of traces; null if it is not known, or known exactly.
    traces: Option<EntryTraces>,
    /// What a search by pct guarantees.
    odds: Option<EntryOdds>,
}

#[derive(Debug, Serialize)]
struct EntryTraces {
    estimate: f64,
    /// The standard error, if it is known.
    error: Option<f64>,
}

#[derive(Debug, Serialize)]
struct EntryOdds {
    depth: u32,
    actors: u64,
    steps: u64,
    executions: u64,
    /// The least probability that one execution finds a violation of that depth, and that some does.
    of_one: f64,
    of_all: f64,
}

#[derive(Debug, Serialize)]
struct EntrySampled {
    strategy: &'static str,
    executions: u64,
    #[serde(flatten)]
    cover: EntryCover,
}

#[derive(Debug, Serialize)]
struct EntryBounds {
    pauses: u32,
    /// By name, those that have a budget.
    faults: BTreeMap<&'static str, u32>,
    persistence: &'static str,
    steps_per_client: u32,
    /// Absent where there is no such bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    preemptions: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    depth: Option<u32>,
}

#[derive(Debug, Serialize)]
struct EntryStates {
    reached: u64,
    merged: u64,
}

#[derive(Debug, Serialize)]
struct Violation {
    message: String,
    story: Option<String>,
    place: Option<EntryPlace>,
    token: String,
    clients: Vec<String>,
    /// What stood in Redis and in the database when the clients started.
    start: Vec<Placed>,
    steps: Vec<EntryStep>,
}

#[derive(Debug, Serialize)]
struct EntryPlace {
    file: String,
    line: u32,
}

/// A key or a row, and what it holds.
#[derive(Debug, Serialize)]
struct Placed {
    #[serde(flatten)]
    item: EntryItem,
    #[serde(flatten)]
    content: EntryContent,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum EntryItem {
    Key { key: String },
    Row { table: String, row: String },
}

#[derive(Debug, Serialize)]
struct EntryContent {
    /// A text, or an object of texts: the fields of a hash, the columns of a row.
    value: EntryValue,
    /// Virtual time, as `clock_ms` of a step.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_ms: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum EntryValue {
    Whole(String),
    Fields(Fields),
}

/// Fields in their order.
#[derive(Debug)]
struct Fields(Vec<(String, String)>);

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(field, value)| (field, value)))
    }
}

/// A key or a row that a step changed.
#[derive(Debug, Serialize)]
struct EntryChange {
    #[serde(flatten)]
    item: EntryItem,
    before: Option<EntryContent>,
    after: Option<EntryContent>,
    /// Part of a transaction that has not committed.
    uncommitted: bool,
}

#[derive(Debug, Serialize)]
struct EntryStep {
    n: usize,
    client: String,
    kind: &'static str,
    text: String,
    reply: String,
    clock_ms: i64,
    /// The client never learnt of the step.
    unanswered: bool,
    changes: Vec<EntryChange>,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Confirmed {
    server: String,
    same_outcome: bool,
    difference: Option<String>,
}

#[derive(Debug, Serialize)]
struct EntryPlayed {
    server: String,
    executions: u64,
    difference: Option<String>,
    refused: Option<String>,
}

/// What `--list` tells of a scenario.
#[derive(Debug, Serialize)]
struct Listed {
    name: String,
    file: String,
    expect: Option<&'static str>,
    about: String,
}

/// One scenario's part of the document.
pub(crate) fn entry(selected: &Selected, finding: &Finding, strategy: &Strategy, confirm: bool) -> Entry {
    let (scenario, report) = (&selected.scenario, &finding.report);
    let Bounds { pauses, faults, persistence, steps_per_client, preemptions, depth } = report.bounds;
    let persistence = persistence.name();
    let faults = faults.iter().map(|(fault, times)| (fault.name(), times)).collect();
    Entry {
        name: scenario.name().to_owned(),
        file: scenario.file().to_owned(),
        expect: scenario.expect().map(|expected| word(expected.verdict)),
        verdict: word(report.verdict),
        executions: report.executions,
        seconds: report.elapsed.as_secs_f64(),
        stopped: report.cover.stopped.map(|why| match why {
            Stopped::Time | Stopped::Executions => "limit",
            Stopped::First => "first",
            Stopped::Asked => "interrupted",
        }),
        incomplete: (report.verdict == Verdict::NoViolationFound).then(|| incomplete(report, strategy)),
        cover: cover(&report.cover),
        sampled: report.cover.then.as_deref().map(sampled),
        bounds: EntryBounds { pauses, faults, persistence, steps_per_client, preemptions, depth },
        states: report.states.map(|states| EntryStates { reached: states.reached, merged: states.merged }),
        violation: report.violation.as_ref().map(violation),
        confirmed: confirm.then(|| match &finding.real {
            Some(Real::Confirmed(confirmation)) => Some(confirmed(confirmation)),
            _ => None,
        }),
        played: confirm.then(|| match &finding.real {
            Some(Real::Played(of)) => Some(played(of.clone())),
            _ => None,
        }),
    }
}

fn cover(cover: &Cover) -> EntryCover {
    EntryCover {
        traces: cover.traces.map(|traces| EntryTraces { estimate: traces.number, error: traces.error }),
        odds: cover.odds.map(|odds| {
            let Odds { depth, actors, steps, executions } = odds;
            EntryOdds { depth, actors, steps, executions, of_one: odds.of_one(), of_all: odds.of_all() }
        }),
    }
}

fn sampled(sampled: &Sampled) -> EntrySampled {
    let strategy = match sampled.strategy {
        Strategy::Exhaustive => "exhaustive",
        Strategy::States => "states",
        Strategy::Random { .. } => "random",
        Strategy::Pct { .. } => "pct",
        Strategy::Uniform { .. } => "uniform",
        Strategy::Replay { .. } => "replay",
    };
    EntrySampled { strategy, executions: sampled.executions, cover: cover(&sampled.cover) }
}

fn violation(found: &Counterexample) -> Violation {
    let placed = |held: &Held| Placed { item: item(&held.item), content: content(&held.content) };
    Violation {
        message: found.message.clone(),
        story: found.story.clone(),
        place: found.place.as_ref().map(|place| EntryPlace { file: place.file.clone(), line: place.line }),
        token: found.token.clone(),
        clients: found.clients.clone(),
        start: found.start.iter().map(placed).collect(),
        steps: found.steps.iter().map(step).collect(),
    }
}

fn step(step: &Step) -> EntryStep {
    let kind = match step.kind {
        StepKind::Redis => "redis",
        StepKind::Message => "message",
        StepKind::Sql => "sql",
        StepKind::Shared => "shared",
        StepKind::Clock => "clock",
        StepKind::Fault => "fault",
    };
    let changes = step.changes.iter().map(change).collect();
    let Step { n, client, text, reply, clock_ms, unanswered, notes, .. } = step.clone();
    EntryStep { n, client, kind, text, reply, clock_ms, unanswered, changes, notes }
}

fn change(change: &Change) -> EntryChange {
    EntryChange {
        item: item(&change.item),
        before: change.before.as_ref().map(content),
        after: change.after.as_ref().map(content),
        uncommitted: change.uncommitted,
    }
}

fn item(item: &Item) -> EntryItem {
    match item.clone() {
        Item::Key(key) => EntryItem::Key { key },
        Item::Row { table, row } => EntryItem::Row { table, row },
    }
}

fn content(content: &Content) -> EntryContent {
    let value = match content.value.clone() {
        Value::Whole(text) => EntryValue::Whole(text),
        Value::Fields(fields) => EntryValue::Fields(Fields(fields)),
    };
    EntryContent { value, expires_ms: content.expires_ms }
}

fn confirmed(confirmation: &Confirmation) -> Confirmed {
    Confirmed {
        server: confirmation.server.clone(),
        same_outcome: confirmation.same_outcome,
        difference: confirmation.difference.clone(),
    }
}

fn played(of: Played) -> EntryPlayed {
    let Played { server, executions, difference, refused } = of;
    EntryPlayed { server, executions, difference, refused }
}

/// The document of a check.
pub(crate) fn document(entries: Vec<Entry>) -> String {
    written(&Document { version: VERSION, scenarios: entries })
}

/// The document of `--list`.
pub(crate) fn list(scenarios: &[Selected]) -> String {
    let listed = |selected: &Selected| {
        let scenario = &selected.scenario;
        Listed {
            name: scenario.name().to_owned(),
            file: scenario.file().to_owned(),
            expect: scenario.expect().map(|expected| word(expected.verdict)),
            about: scenario.about().to_owned(),
        }
    };
    written(&Document { version: VERSION, scenarios: scenarios.iter().map(listed).collect() })
}

fn written(document: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(document).expect("strings and numbers can always be written");
    text + "\n"
}

//! What each step of a counterexample says, and in which lane.

use super::page::{Line, Role};
use super::text::{harmless, shorten, shorten_values, thousands};
use crate::report::{Counterexample, Step, StepKind};
use crate::state::Item;

/// Values and words wider than this are shortened in the middle.
const VALUE_COLUMNS: usize = 40;
/// A whole command wider than this is shortened in the middle.
const COMMAND_COLUMNS: usize = 240;
/// A whole reply or remark wider than this is shortened in the middle.
const REPLY_COLUMNS: usize = 120;
/// More keys and rows than this would crowd out the lanes: then their values are not shown beside them.
const MOST_ITEMS: usize = 2;

/// A counterexample, ready to be arranged.
pub(super) struct Sheet {
    /// The names of the lanes: the clients, then whatever else took a step, the clock last.
    pub(super) lanes: Vec<String>,
    /// The keys and rows whose values are shown.
    pub(super) items: Vec<String>,
    pub(super) rows: Vec<Row>,
}

/// One step.
pub(super) struct Row {
    pub(super) number: String,
    pub(super) lane: usize,
    /// The command, or what the clock or the fault did.
    pub(super) did: Line,
    /// `→ reply`, if there is one.
    pub(super) reply: Option<Line>,
    pub(super) remarks: Vec<Line>,
    /// The value of each item after the step, where the step changed it.
    pub(super) state: Vec<Option<Line>>,
    /// Lanes whose client goes on after this step or has gone before it: they show that they are idle.
    pub(super) idle: Vec<bool>,
}

impl Sheet {
    /// `rows`: whether the rows of the database are shown beside the keys.
    pub(super) fn of(found: &Counterexample, rows: bool) -> Self {
        let (mut lanes, clock) = lanes(found);
        let items = items(found, rows);
        let mut alive = vec![true; lanes.len()];
        let mut before_ms = 0;
        let mut steps = Vec::with_capacity(found.steps.len());
        for step in &found.steps {
            let lane = lane_of(step, &lanes, clock);
            let idle = (0..lanes.len()).map(|other| other != lane && Some(other) != clock && alive[other]).collect();
            steps.push(Row {
                number: step.n.to_string(),
                lane,
                did: did(step, before_ms),
                reply: reply(step),
                remarks: step.notes.iter().map(|note| remark(note)).collect(),
                state: items.iter().map(|item| state(step, item)).collect(),
                idle,
            });
            if step.is_death() {
                alive[lane] = false;
            }
            before_ms = step.clock_ms;
        }
        lanes.iter_mut().for_each(|name| *name = shorten(&harmless(name), VALUE_COLUMNS));
        let titles = items.iter().map(|item| shorten(&harmless(&item.to_string()), VALUE_COLUMNS));
        Self { lanes, items: titles.collect(), rows: steps }
    }
}

/// The names of the lanes, and which of them is the clock's.
fn lanes(found: &Counterexample) -> (Vec<String>, Option<usize>) {
    let mut lanes = found.clients.clone();
    for step in found.steps.iter().filter(|step| step.kind != StepKind::Clock) {
        if !lanes.contains(&step.client) {
            lanes.push(step.client.clone());
        }
    }
    let clock = found.steps.iter().any(|step| step.kind == StepKind::Clock).then_some(lanes.len());
    if clock.is_some() {
        lanes.push("clock".to_owned());
    }
    (lanes, clock)
}

fn lane_of(step: &Step, lanes: &[String], clock: Option<usize>) -> usize {
    match clock {
        Some(clock) if step.kind == StepKind::Clock => clock,
        _ => lanes.iter().position(|name| *name == step.client).unwrap_or_default(),
    }
}

/// What was changed, in the order of the first change: keys, and rows if they are asked for. None if there is too much
/// to show.
fn items(found: &Counterexample, rows: bool) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for change in found.steps.iter().flat_map(|step| &step.changes) {
        if (rows || matches!(change.item, Item::Key(_))) && !items.contains(&change.item) {
            items.push(change.item.clone());
        }
    }
    if items.len() > MOST_ITEMS { Vec::new() } else { items }
}

fn did(step: &Step, before_ms: i64) -> Line {
    match step.kind {
        StepKind::Clock => Line::default().with(Role::Clock, passed(step.clock_ms, before_ms)),
        StepKind::Fault => Line::default().with(Role::Bad, format!("✗ {}", one_line(&step.text, COMMAND_COLUMNS))),
        StepKind::Redis | StepKind::Message | StepKind::Sql | StepKind::Shared => {
            Line::default().with(Role::Plain, one_line(&step.text, COMMAND_COLUMNS))
        }
    }
}

/// `⏩ +30,001 ms`; where earlier steps had let time pass already, with the time that it is now.
fn passed(now_ms: i64, before_ms: i64) -> String {
    let by = thousands(now_ms.saturating_sub(before_ms).unsigned_abs());
    if before_ms == 0 {
        format!("⏩ +{by} ms")
    } else {
        format!("⏩ +{by} ms (at {} ms)", thousands(now_ms.unsigned_abs()))
    }
}

fn reply(step: &Step) -> Option<Line> {
    let text = one_line(&step.reply, REPLY_COLUMNS);
    (!text.is_empty()).then(|| Line::default().with(Role::Faint, "→ ").with(Role::Plain, text))
}

fn remark(note: &str) -> Line {
    Line::default().with(Role::Faint, format!("↳ {}", shorten(&harmless(note), REPLY_COLUMNS)))
}

fn state(step: &Step, item: &Item) -> Option<Line> {
    let change = step.changes.iter().rev().find(|change| change.item == *item)?;
    Some(match &change.after {
        Some(content) => {
            let text = shorten_values(&harmless(&content.shown(step.clock_ms)), VALUE_COLUMNS);
            let line = Line::default().with(Role::State, text);
            if change.uncommitted { line.with(Role::Faint, " (uncommitted)") } else { line }
        }
        None if step.kind == StepKind::Clock => Line::default().with(Role::Faint, "(expired)"),
        None => Line::default().with(Role::Faint, "(gone)"),
    })
}

pub(super) fn one_line(text: &str, limit: usize) -> String {
    shorten(&shorten_values(&harmless(&joined_lines(text)), VALUE_COLUMNS), limit)
}

/// A statement that was written over several lines, on one: line breaks and the indentation around them become one
/// blank, but for those inside quotes.
fn joined_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quote = None;
    let mut broken = false;
    for character in text.trim().chars() {
        match quote {
            Some(open) if open == character => quote = None,
            None if matches!(character, '\'' | '"') => quote = Some(character),
            None if matches!(character, '\n' | '\r' | '\t') => {
                broken = true;
                continue;
            }
            None if broken && character == ' ' => continue,
            _ => {}
        }
        if std::mem::take(&mut broken) {
            out.truncate(out.trim_end_matches(' ').len());
            out.push(' ');
        }
        out.push(character);
    }
    out
}

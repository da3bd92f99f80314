//! What each step of a counterexample says, and in which lane.

use super::page::{Line, Role};
use super::text::{harmless, shorten, shorten_values, thousands};
use crate::report::{Counterexample, Step, StepKind};

/// Values and words wider than this are shortened in the middle.
const VALUE_COLUMNS: usize = 40;
/// A whole command wider than this is shortened in the middle.
const COMMAND_COLUMNS: usize = 240;
/// A whole reply or remark wider than this is shortened in the middle.
const REPLY_COLUMNS: usize = 120;
/// More keys than this would crowd out the lanes: then what is in Redis is not shown beside them.
const MOST_KEYS: usize = 2;

/// A counterexample, ready to be arranged.
pub(super) struct Sheet {
    /// The names of the lanes: the clients, then whatever else took a step, the clock last.
    pub(super) lanes: Vec<String>,
    /// The keys whose values are shown.
    pub(super) keys: Vec<String>,
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
    /// The value of each key after the step, where the step changed it.
    pub(super) state: Vec<Option<Line>>,
    /// Lanes whose client goes on after this step or has gone before it: they show that they are idle.
    pub(super) idle: Vec<bool>,
}

impl Sheet {
    pub(super) fn of(found: &Counterexample) -> Self {
        let (mut lanes, clock) = lanes(found);
        let keys = keys(found);
        let mut alive = vec![true; lanes.len()];
        let mut before_ms = 0;
        let mut rows = Vec::with_capacity(found.steps.len());
        for step in &found.steps {
            let lane = lane_of(step, &lanes, clock);
            let idle = (0..lanes.len()).map(|other| other != lane && Some(other) != clock && alive[other]).collect();
            rows.push(Row {
                number: step.n.to_string(),
                lane,
                did: did(step, before_ms),
                reply: reply(step),
                remarks: step.notes.iter().map(|note| remark(note)).collect(),
                state: keys.iter().map(|key| state(step, key)).collect(),
                idle,
            });
            if step.kind == StepKind::Fault {
                alive[lane] = false;
            }
            before_ms = step.clock_ms;
        }
        lanes.iter_mut().for_each(|name| *name = shorten(&harmless(name), VALUE_COLUMNS));
        Self { lanes, keys: keys.iter().map(|key| shorten(&harmless(key), VALUE_COLUMNS)).collect(), rows }
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

/// The keys that were changed, in the order of their first change; none if there are too many to show.
fn keys(found: &Counterexample) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for (key, _) in found.steps.iter().flat_map(|step| &step.state) {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    if keys.len() > MOST_KEYS { Vec::new() } else { keys }
}

fn did(step: &Step, before_ms: i64) -> Line {
    match step.kind {
        StepKind::Clock => Line::default().with(Role::Clock, passed(step.clock_ms, before_ms)),
        StepKind::Fault => Line::default().with(Role::Bad, format!("✗ {}", one_line(&step.text, COMMAND_COLUMNS))),
        StepKind::Redis | StepKind::Sql | StepKind::Shared => {
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

fn state(step: &Step, key: &str) -> Option<Line> {
    let (_, value) = step.state.iter().rev().find(|(changed, _)| changed == key)?;
    Some(match value {
        Some(value) => Line::default().with(Role::State, shorten_values(&harmless(value), VALUE_COLUMNS)),
        None if step.kind == StepKind::Clock => Line::default().with(Role::Faint, "(expired)"),
        None => Line::default().with(Role::Faint, "(gone)"),
    })
}

fn one_line(text: &str, limit: usize) -> String {
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

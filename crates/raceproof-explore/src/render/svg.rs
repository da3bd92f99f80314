//! A counterexample as one picture: a sequence diagram in SVG, readable on a light and on a dark page.
//!
//! Text cannot be measured here, so it is set in a monospaced font and counted in columns; a column is taken a little
//! wider than those fonts are.

use std::fmt::Write;

use super::check_name;
use super::entry::{Entry, Unique, safe_name};
use super::html::markup::Safe;
use super::page::{Line, Role};
use super::sequence::{LaneKind, Message, Sequence, Shown, Text};
use super::text::{width, wrap};
use crate::report::{Counterexample, StepKind};

/// The width of a column of text, and the height of a line (px).
const COLUMN: usize = 8;
const LINE: usize = 18;
/// Where the first lane's line can be at the earliest, and how far apart lanes are at least.
const MARGIN: usize = 48;
const APART: usize = 120;
/// Labels are wrapped at so many columns.
const LABEL: usize = 44;
const STATE: usize = 44;

const STYLE: &str = include_str!("assets/picture.css");

/// A picture of each counterexample, with the name of its file, which is made from that of its protocol.
#[must_use]
pub fn svgs(entries: &[Entry]) -> Vec<(String, String)> {
    let mut unique = Unique::default();
    let mut pictures = Vec::new();
    for entry in entries {
        for found in entry.searches.iter().filter_map(|searched| searched.report.violation.as_ref()) {
            let name = unique.name(safe_name(&entry.name, '-'));
            pictures.push((format!("{name}.svg"), svg(&entry.name, found)));
        }
    }
    pictures
}

/// A picture of one counterexample, as an SVG document that needs nothing else.
#[must_use]
pub fn svg(name: &str, found: &Counterexample) -> String {
    let sequence = Sequence::of(found);
    let mut picture = Picture::new(&sequence);
    let message = found.message.lines().next().unwrap_or("a check does not hold");
    picture.title(name, message);
    picture.heads(&sequence);
    let start = state(&sequence.start, 0, true);
    if !start.is_empty() {
        picture.row(None, &start);
    }
    for message in &sequence.messages {
        picture.message(message);
    }
    let mut verdict = format!("{}: {message}", check_name(&found.broken));
    if let Some(place) = &found.place {
        let _ = write!(verdict, "   {}:{}", place.file, place.line);
    }
    picture.verdict(&verdict);
    picture.finish(name, message, found)
}

/// What stands beside a step: its text, and whether it is new.
type StateLines = Vec<(String, bool)>;

fn state(after: &[Shown<'_>], clock_ms: i64, all: bool) -> StateLines {
    let mut lines = Vec::new();
    for shown in after.iter().filter(|shown| all || shown.changed.is_some()) {
        let mut text = match shown.content {
            Some(content) => format!("{} = {}", shown.item, content.shown(clock_ms)),
            None if all => continue,
            None => format!("{} is gone", shown.item),
        };
        if shown.uncommitted {
            text.push_str(" (uncommitted)");
        }
        lines.extend(wrapped(&Text::value(&text).short, STATE).into_iter().map(|line| (line, !all)));
    }
    lines
}

fn wrapped(text: &str, columns: usize) -> Vec<String> {
    wrap(&Line::default().with(Role::Plain, text), columns, 2).iter().map(Line::to_string).collect()
}

/// A picture that grows downwards.
struct Picture {
    /// The middle of each lane.
    lanes: Vec<usize>,
    /// Where each lane's line ends, once its client is dead.
    ends: Vec<Option<usize>>,
    /// Where the lines begin, and where they end.
    top: usize,
    bottom: usize,
    /// Where the state stands.
    state: usize,
    width: usize,
    y: usize,
    body: String,
}

impl Picture {
    fn new(sequence: &Sequence<'_>) -> Self {
        let names: Vec<usize> =
            sequence.lanes.iter().map(|lane| width(&Text::value(&lane.name).short) * COLUMN).collect();
        let mut lanes: Vec<usize> = Vec::with_capacity(names.len());
        for (at, name) in names.iter().enumerate() {
            let left = lanes.last().map_or(MARGIN, |last| last + (names[at - 1] / 2 + 32).max(APART / 2));
            lanes.push(left + (name / 2).max(APART / 2));
        }
        let mut right = 0;
        for message in &sequence.messages {
            let (from, to) = (message.from.min(message.to), message.from.max(message.to));
            let needed = label(message).iter().map(|line| width(line)).max().unwrap_or(0) * COLUMN + 24;
            if from == to {
                right = right.max(lanes[to] + needed / 2);
            } else if lanes[to] - lanes[from] < needed {
                let more = needed - (lanes[to] - lanes[from]);
                lanes[to..].iter_mut().for_each(|lane| *lane += more);
            }
        }
        let last = lanes.last().copied().unwrap_or(MARGIN) + names.last().map_or(0, |name| name / 2);
        let state_at = right.max(last) + 48;
        let all = sequence.messages.iter().flat_map(|one| state(&one.after, one.step.clock_ms, false));
        let widest = all.chain(state(&sequence.start, 0, true)).map(|(line, _)| width(&line)).max().unwrap_or(0);
        let ends = vec![None; lanes.len()];
        let width = if widest == 0 { state_at } else { state_at + widest * COLUMN + 32 };
        Self { lanes, ends, top: 0, bottom: 0, state: state_at, width, y: 0, body: String::new() }
    }

    fn text(&mut self, x: usize, y: usize, class: &str, text: &str) {
        let _ = writeln!(self.body, "<text x=\"{x}\" y=\"{y}\" class=\"{class}\">{}</text>", Safe(text));
    }

    fn title(&mut self, name: &str, message: &str) {
        self.y = 34;
        let name = Text::value(name).short;
        let columns = (self.width / COLUMN).saturating_sub(6).max(LABEL);
        for (at, line) in wrapped(&format!("✗ {name}: {message}"), columns).iter().enumerate() {
            self.text(24, self.y + at * LINE, "title", line);
            self.y += if at > 0 { LINE } else { 0 };
            self.width = self.width.max(24 + width(line) * COLUMN + 24);
        }
        self.y += 34;
    }

    fn heads(&mut self, sequence: &Sequence<'_>) {
        for (at, lane) in sequence.lanes.iter().enumerate() {
            let class = if lane.kind == LaneKind::Client { "head client" } else { "head" };
            self.text(self.lanes[at], self.y, class, &Text::value(&lane.name).short);
        }
        self.y += 12;
        self.top = self.y;
    }

    /// A row with only the state beside it, or the room for a step.
    fn row(&mut self, number: Option<usize>, beside: &StateLines) {
        let y = self.y + LINE;
        match number {
            Some(number) => self.text(36, y, "number", &number.to_string()),
            None => self.text(36, y, "number", "○"),
        }
        for (at, (line, new)) in beside.iter().enumerate() {
            self.text(self.state, y + at * LINE, if *new { "new" } else { "old" }, line);
        }
        if number.is_none() {
            self.y += 14 + beside.len() * LINE;
        }
    }

    fn message(&mut self, message: &Message<'_>) {
        let beside = state(&message.after, message.step.clock_ms, false);
        self.row(Some(message.step.n), &beside);
        let before = self.y;
        let (from, to) = (self.lanes[message.from], self.lanes[message.to]);
        let lines = label(message);
        match message.step.kind {
            StepKind::Clock => self.clock(from, &lines),
            StepKind::Fault => {
                let (left, right) = (from.min(to), from.max(to));
                self.labels(left + 10, "fault", &lines);
                let y = self.y + 6;
                self.line(left, right, y, "fault-line");
                let _ = writeln!(self.body, "<text x=\"{to}\" y=\"{}\" class=\"cross\">✗</text>", y + 6);
                self.y = y + 8;
            }
            StepKind::Message => {
                self.labels(to + 14, "reply", &lines);
                let y = self.y + 6;
                self.line(to, from, y, "answer");
                self.arrow(to, y, true);
                self.y = y;
            }
            StepKind::Redis | StepKind::Sql | StepKind::Shared => {
                self.labels(from + 10, "label", &lines[..lines.len() - reply_lines(message).len()]);
                let y = self.y + 6;
                self.line(from, to, y, "ask");
                self.arrow(to, y, false);
                self.y = y + 2;
                self.answer(message, from, to);
            }
        }
        for gone in &message.gone {
            self.ends[*gone].get_or_insert(self.y);
        }
        self.y = self.y.max(before + 14 + beside.len() * LINE) + 10;
    }

    fn labels(&mut self, x: usize, class: &str, lines: &[String]) {
        for line in lines {
            self.y += LINE;
            self.masked(x, self.y, class, line);
        }
    }

    /// A text over the lines of the lanes that it crosses.
    fn masked(&mut self, x: usize, y: usize, class: &str, text: &str) {
        let (top, wide) = (y - 13, width(text) * COLUMN + 4);
        let _ =
            writeln!(self.body, "<rect x=\"{}\" y=\"{top}\" width=\"{wide}\" height=\"17\" class=\"page\"/>", x - 2);
        self.text(x, y, class, text);
    }

    fn clock(&mut self, at: usize, lines: &[String]) {
        let y = self.y + LINE;
        let right = self.state - 32;
        self.line(MARGIN + 8, right, y - 4, "time");
        for (number, line) in lines.iter().enumerate() {
            let wide = width(line) * COLUMN;
            let left = at.saturating_sub(wide / 2);
            self.masked(left, y + number * LINE, "clock", line);
        }
        self.y = y + (lines.len().max(1) - 1) * LINE;
    }

    fn answer(&mut self, message: &Message<'_>, from: usize, to: usize) {
        if message.step.unanswered {
            let y = self.y + 14;
            let middle = usize::midpoint(from, to);
            self.line(middle, to, y, "answer");
            let _ = writeln!(self.body, "<text x=\"{middle}\" y=\"{}\" class=\"cross\">✗</text>", y + 6);
            self.y = y;
        } else if !message.reply.full.is_empty() {
            let lines = reply_lines(message);
            self.labels(from + 14, "reply", &lines);
            let y = self.y + 6;
            self.line(from, to, y, "answer");
            self.arrow(from, y, true);
            self.y = y;
        }
    }

    fn line(&mut self, from: usize, to: usize, y: usize, class: &str) {
        let _ = writeln!(self.body, "<path d=\"M{from} {y}H{to}\" class=\"{class}\"/>");
    }

    fn arrow(&mut self, x: usize, y: usize, left: bool) {
        let (top, low, back) = (y - 4, y + 4, if left { x + 8 } else { x - 8 });
        let class = if left { "tip back" } else { "tip" };
        let _ = writeln!(self.body, "<path d=\"M{x} {y}L{back} {top}V{low}Z\" class=\"{class}\"/>");
    }

    fn verdict(&mut self, verdict: &str) {
        self.bottom = self.y + 12;
        self.y += 34;
        let columns = (self.width / COLUMN).saturating_sub(9).max(LABEL);
        for line in wrapped(&format!("✗ {verdict}"), columns) {
            self.width = self.width.max(36 + width(&line) * COLUMN + 24);
            self.text(30, self.y, "verdict", &line);
            self.y += LINE;
        }
    }

    fn finish(self, name: &str, message: &str, found: &Counterexample) -> String {
        let (wide, high) = (self.width, self.y + 14);
        let mut out = String::with_capacity(self.body.len() + 4096);
        let _ = writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide}\" height=\"{high}\" viewBox=\"0 0 {wide} {high}\" role=\"img\">"
        );
        let _ = writeln!(out, "<title>{}: {}</title>", Safe(name), Safe(message));
        if let Some(story) = &found.story {
            let _ = writeln!(out, "<desc>{}</desc>", Safe(story));
        }
        let _ = writeln!(out, "<style>\n{STYLE}</style>\n<rect width=\"{wide}\" height=\"{high}\" class=\"page\"/>");
        for (lane, end) in self.lanes.iter().zip(&self.ends) {
            let end = end.unwrap_or(self.bottom);
            let _ = writeln!(out, "<path d=\"M{lane} {}V{end}\" class=\"life\"/>", self.top);
        }
        out.push_str(&self.body);
        out.push_str("</svg>\n");
        out
    }
}

/// What stands at an arrow: what was sent, then what came back.
fn label(message: &Message<'_>) -> Vec<String> {
    let mut lines = wrapped(&message.did.short, LABEL);
    lines.extend(reply_lines(message));
    lines
}

fn reply_lines(message: &Message<'_>) -> Vec<String> {
    if message.step.unanswered || message.reply.full.is_empty() {
        return Vec::new();
    }
    wrapped(&message.reply.short, LABEL)
}

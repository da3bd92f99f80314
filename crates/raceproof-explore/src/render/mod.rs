//! How a counterexample looks: one lane per client, numbered steps, the clock where time passed, what was in Redis
//! after each change, and how to see it again.
//!
//! The same [`Page`] serves the terminal, a `cargo test` failure and a JUnit file: it is text whose pieces know their
//! [`Role`], and only the terminal turns roles into colours. [`counterexample`] first decides what each step says,
//! then picks the widest arrangement that the columns at hand can bear: lanes with the values in Redis beside them,
//! lanes alone, or a list with the clients' names.

mod entry;
pub mod github;
mod html;
mod lanes;
mod matrix;
mod page;
mod sequence;
mod steps;
mod svg;
mod text;

#[cfg(test)]
mod page_tests;
#[cfg(test)]
mod tests;

pub use entry::{Entry, Searched};
pub use html::html;
pub use page::{Line, Page, Role, Span};
pub use svg::{svg, svgs};
pub use text::{cut, harmless, shorten, thousands, width, wrap};

use crate::report::{Broken, Counterexample, Report, Strategy};

/// The columns of a page whose reader is unknown: a file, a pipe, the output of `cargo test`.
pub const PLAIN_WIDTH: usize = 120;

/// What stands around a counterexample.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heading {
    /// The name of the scenario or of the check.
    pub name: String,
    /// How the search met it, see [`met`].
    pub met: Option<String>,
    /// What to do next, each with a label: how to replay it, how to confirm it. Never wrapped, so that it can be
    /// copied.
    pub next: Vec<(String, String)>,
}

/// A counterexample on a page of `columns` columns.
#[must_use]
pub fn counterexample(found: &Counterexample, heading: &Heading, columns: usize) -> Page {
    let mut page = Page::default();
    let mut message = found.message.lines();
    let title = Line::default()
        .with(Role::Bad, "✗ ")
        .with(Role::Strong, harmless(&heading.name))
        .with(Role::Plain, format!(": {}", harmless(message.next().unwrap_or("a check does not hold"))));
    wrap(&title, columns, 2).into_iter().for_each(|line| page.push(line));
    page.gap();
    if !found.steps.is_empty() {
        lanes::draw(found, columns, &mut page);
        page.gap();
    }
    if let Some(story) = &found.story {
        story.lines().for_each(|line| indented(&mut page, &Line::default().with(Role::Plain, harmless(line)), columns));
    }
    broken(&mut page, found, columns);
    page.gap();
    if let Some(met) = &heading.met {
        indented(&mut page, &Line::default().with(Role::Faint, met), columns);
    }
    let label_width = heading.next.iter().map(|(label, _)| width(label)).max().unwrap_or(0);
    for (label, what) in &heading.next {
        let mut line = Line::default().with(Role::Faint, format!("  {label}"));
        line.pad_to(2 + label_width + 2);
        page.push(line.with(Role::Plain, what));
    }
    page
}

/// How the search met its counterexample: `met at execution 2 of 4, exhaustive · every step shown is needed`.
#[must_use]
pub fn met(report: &Report, strategy: &Strategy) -> String {
    let (at, of) = (report.met_at.map(thousands), thousands(report.executions));
    let at = at.map_or_else(|| format!("met in {of} executions"), |at| format!("met at execution {at} of {of}"));
    let how = match strategy {
        // Any schedule can be replayed: whether it was shrunk is not known.
        Strategy::Replay { .. } => return "replayed".to_owned(),
        Strategy::Exhaustive | Strategy::States if report.exhaustive => "exhaustive".to_owned(),
        Strategy::Exhaustive | Strategy::States => "the search was cut short".to_owned(),
        Strategy::Random { seed } => format!("random (seed {seed})"),
    };
    let needed = if report.shrunk { "every step shown is needed" } else { "too many schedules to find the shortest" };
    format!("{at}, {how} · {needed}")
}

/// The counterexample as the text of a failed `cargo test`, with the line that replays that test. `test` is the name
/// that `cargo test` knows it by, empty if it has none.
#[must_use]
pub fn test_failure(name: &str, found: &Counterexample, met: String, test: &str) -> String {
    let replay = format!("RACEPROOF_REPLAY={} cargo test {test}", found.token);
    let next = vec![("replay".to_owned(), replay.trim_end().to_owned())];
    counterexample(found, &Heading { name: name.to_owned(), met: Some(met), next }, PLAIN_WIDTH).to_string()
}

/// What a check is called in a scenario file.
fn check_name(broken: &Broken) -> &str {
    match broken {
        Broken::Always => "always",
        Broken::History => "history",
        Broken::Finally => "finally",
        Broken::Quiet => "quiet",
        Broken::Client(name) => name,
        Broken::Setup => "setup",
        Broken::Deadlock => "deadlock",
    }
}

/// Which check does not hold, in its words, and where it stands.
fn broken(page: &mut Page, found: &Counterexample, columns: usize) {
    if found.broken == Broken::History && found.place.is_none() && found.story.is_some() {
        // The title and the story have said it all.
        return;
    }
    let check = check_name(&found.broken);
    let mut lines = found.message.lines();
    let mut first = Line::default().with(Role::Faint, format!("{}: ", harmless(check)));
    first.push(Role::Plain, harmless(lines.next().unwrap_or("a check does not hold")));
    let more: Vec<&str> = lines.collect();
    let place = found.place.as_ref().map(|place| format!("{}:{}", harmless(&place.file), place.line));
    match place {
        // Beside the expectation where there is room, else on a line of its own.
        Some(place) if more.is_empty() && 2 + first.width() + 3 + width(&place) <= columns => {
            page.push(Line::default().with(Role::Plain, "  ").joined(first).with(Role::Faint, format!("   {place}")));
        }
        place => {
            indented(page, &first, columns);
            for line in more {
                indented(page, &Line::default().with(Role::Plain, harmless(&format!("  {line}"))), columns);
            }
            if let Some(place) = place {
                page.push(Line::default().with(Role::Faint, format!("  {place}")));
            }
        }
    }
}

/// A paragraph, indented by two.
fn indented(page: &mut Page, line: &Line, columns: usize) {
    for part in wrap(line, columns.saturating_sub(2), 0) {
        page.push(Line::default().with(Role::Plain, "  ").joined(part));
    }
}

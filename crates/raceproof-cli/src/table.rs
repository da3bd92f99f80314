//! One aligned row per scenario.

use std::time::Duration;

use raceproof_explore::render::{Line, Role, cut, harmless, thousands, width};
use raceproof_explore::{Report, Verdict};

use crate::judge::verified;
use crate::run::Finding;

/// Less of a message than this says nothing.
const LEAST_MESSAGE: usize = 24;
/// Where nothing is known of the messages to come.
const USUAL_MESSAGE: usize = 30;
const GAP: usize = 3;

/// A column of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Steps,
    Executions,
    Time,
}

impl Number {
    const ALL: [Self; 3] = [Self::Steps, Self::Executions, Self::Time];

    const fn title(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Executions => "executions",
            Self::Time => "time",
        }
    }

    const fn columns(self) -> usize {
        match self {
            Self::Steps => 5,
            Self::Executions => 10,
            Self::Time => 7,
        }
    }

    fn of(self, report: &Report) -> String {
        match self {
            Self::Steps => report.violation.as_ref().map(|found| found.steps.len().to_string()).unwrap_or_default(),
            Self::Executions => thousands(report.executions),
            Self::Time => duration(report.elapsed),
        }
    }
}

/// The widths of a table. They are known before the first result, so that rows can be shown as they come.
#[derive(Debug)]
pub(crate) struct Table {
    name: usize,
    message: usize,
    numbers: Vec<Number>,
    /// Whether messages are cut to their column. A file or a pipe gets them whole.
    cuts: bool,
}

impl Table {
    /// `names` and the messages that are expected; `terminal`: its columns, if there is one.
    pub(crate) fn new<'a>(
        names: impl Iterator<Item = &'a str>,
        messages: impl Iterator<Item = &'a str>,
        terminal: Option<usize>,
    ) -> Self {
        let name = names.map(|name| width(&harmless(name))).max().unwrap_or(0);
        let message = messages.map(|message| width(&harmless(message))).max().unwrap_or(0).max(USUAL_MESSAGE);
        let mut table = Self { name, message, numbers: Number::ALL.to_vec(), cuts: terminal.is_some() };
        if let Some(columns) = terminal {
            // What is least missed goes first.
            for number in [Number::Steps, Number::Time] {
                if table.total() - table.message + LEAST_MESSAGE > columns {
                    table.numbers.retain(|kept| *kept != number);
                }
            }
            let spare = columns.saturating_sub(table.total() - table.message);
            table.message = table.message.min(spare).max(LEAST_MESSAGE);
        }
        table
    }

    fn total(&self) -> usize {
        let numbers: usize = self.numbers.iter().map(|number| GAP + number.columns()).sum();
        2 + self.name + GAP + 2 + self.message + numbers
    }

    pub(crate) fn titles(&self) -> Line {
        let mut line = Line::default().with(Role::Faint, "  scenario");
        line.pad_to(2 + self.name + GAP);
        self.numbers(line.with(Role::Faint, "  verdict"), Role::Faint, |number| number.title().to_owned())
    }

    /// A row; `wrong` marks it.
    pub(crate) fn row(&self, name: &str, finding: &Finding, wrong: bool) -> Line {
        let report = &finding.report;
        let (mark, message) = match (&report.violation, report.verdict) {
            (Some(found), _) => ((Role::Bad, "✗ "), first_line(&found.message)),
            (None, Verdict::Verified) => ((Role::Good, "✓ "), verified(report)),
            (None, _) => ((Role::Plain, "? "), "no violation found".to_owned()),
        };
        let mut line = self.start(name, wrong).with(mark.0, mark.1);
        line.push(Role::Plain, self.fitted(&message));
        self.numbers(line, Role::Plain, |number| number.of(report))
    }

    /// The row of a scenario that could not be run.
    pub(crate) fn broken(&self, name: &str, what: &str) -> Line {
        let mut line = self.start(name, true).with(Role::Bad, "error ");
        // The whole error stands below.
        line.push(Role::Plain, cut(&first_line(what), self.message - 4));
        line
    }

    fn start(&self, name: &str, wrong: bool) -> Line {
        let mut line = Line::default().with(Role::Bad, if wrong { "! " } else { "  " });
        line.push(Role::Strong, harmless(name));
        line.pad_to(2 + self.name + GAP);
        line
    }

    fn fitted(&self, message: &str) -> String {
        if self.cuts { cut(message, self.message) } else { message.to_owned() }
    }

    fn numbers(&self, mut line: Line, role: Role, text: impl Fn(Number) -> String) -> Line {
        line.pad_to(2 + self.name + GAP + 2 + self.message);
        for number in &self.numbers {
            let text = text(*number);
            let blanks = (GAP + number.columns()).saturating_sub(width(&text)).max(2);
            line.push(Role::Plain, " ".repeat(blanks));
            line.push(role, text);
        }
        line
    }
}

fn first_line(text: &str) -> String {
    harmless(text.lines().next().unwrap_or_default())
}

/// A duration with two figures or more: `0.1 ms`, `38 ms`, `2.4 s`, `1 min 05 s`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 0.009_95 {
        format!("{:.1} ms", seconds * 1e3)
    } else if seconds < 0.999_5 {
        format!("{:.0} ms", seconds * 1e3)
    } else if seconds < 59.95 {
        format!("{seconds:.1} s")
    } else {
        let whole = seconds.round();
        format!("{:.0} min {:02.0} s", (whole / 60.0).floor(), whole % 60.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_figures_or_more() {
        let shown = |seconds: f64| duration(Duration::from_secs_f64(seconds));
        assert_eq!(shown(0.000_04), "0.0 ms");
        assert_eq!(shown(0.000_12), "0.1 ms");
        assert_eq!(shown(0.009_94), "9.9 ms");
        assert_eq!(shown(0.009_96), "10 ms");
        assert_eq!(shown(0.038), "38 ms");
        assert_eq!(shown(0.999_6), "1.0 s");
        assert_eq!(shown(2.44), "2.4 s");
        assert_eq!(shown(59.96), "1 min 00 s");
        assert_eq!(shown(3725.0), "62 min 05 s");
    }

    #[test]
    fn a_narrow_terminal_loses_the_steps_first() {
        let table = |columns| Table::new(["cache/database-then-delete"].into_iter(), ["x"].into_iter(), columns);
        assert_eq!(
            table(None).titles().to_string(),
            "  scenario                       verdict                          steps   executions      time"
        );
        assert_eq!(
            table(Some(80)).titles().to_string(),
            "  scenario                       verdict                    executions      time"
        );
        assert_eq!(
            table(Some(60)).titles().to_string(),
            "  scenario                       verdict                    executions"
        );
    }
}

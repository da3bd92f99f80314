//! A progress bar on standard error, if that is a terminal and there is something to wait for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use raceproof_explore::Progress as Searching;
use raceproof_explore::render::thousands;

/// Most catalogues are done before a bar could be read.
const PATIENCE: Duration = Duration::from_millis(300);
/// The length of the bar.
const WHOLE: u64 = 1_000;

#[derive(Debug)]
pub(crate) struct Progress {
    scenarios: usize,
    started: Instant,
    /// Absent until it is worth showing.
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn new(scenarios: usize) -> Self {
        Self { scenarios, started: Instant::now(), bar: None }
    }

    pub(crate) fn show(&mut self, done: usize, searches: &[Arc<Searching>]) {
        if self.started.elapsed() < PATIENCE {
            return;
        }
        let executions = searches.iter().map(|one| one.executions()).sum();
        let seen = match searches {
            [one] => Seen { executions, traces: one.traces(), violated: one.violated() },
            _ => Seen { executions, traces: None, violated: false },
        };
        let bar = self.bar.get_or_insert_with(new_bar);
        bar.set_message(seen.message(done, self.scenarios));
        bar.set_position(seen.thousandths(done, self.scenarios));
    }

    /// Runs `print` with the bar out of its way.
    pub(crate) fn aside(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    pub(crate) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// What is to be shown.
#[derive(Clone, Copy, Debug)]
struct Seen {
    executions: u64,
    /// The estimated number of executions of the one search that there is.
    traces: Option<u64>,
    violated: bool,
}

impl Seen {
    fn message(self, done: usize, scenarios: usize) -> String {
        let executions = thousands(self.executions);
        match self.traces {
            Some(traces) => {
                let violated = if self.violated { " · a violation is found" } else { "" };
                format!("{executions} of some {} executions{violated}", thousands(traces.max(self.executions)))
            }
            None if scenarios == 1 => format!("{executions} executions"),
            None => format!("{done} of {scenarios} · {executions} executions"),
        }
    }

    /// How much is done, of [`WHOLE`].
    fn thousandths(self, done: usize, scenarios: usize) -> u64 {
        let part = |part: u64, whole: u64| part.saturating_mul(WHOLE) / whole.max(1);
        match self.traces {
            Some(traces) => part(self.executions.min(traces), traces),
            None => part(count(done), count(scenarios)),
        }
    }
}

fn new_bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(WHOLE), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("  {bar:24}  {msg} · {elapsed}") {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_search_is_held_against_the_estimate_of_its_size() {
        let seen = Seen { executions: 1_500, traces: Some(6_000), violated: false };
        assert_eq!(seen.message(0, 1), "1,500 of some 6,000 executions");
        assert_eq!(seen.thousandths(0, 1), 250);
        let more = Seen { executions: 7_000, violated: true, ..seen };
        assert_eq!(more.message(0, 1), "7,000 of some 7,000 executions · a violation is found");
        assert_eq!(more.thousandths(0, 1), 1_000);
    }

    #[test]
    fn several_searches_are_counted() {
        let seen = Seen { executions: 1_500, traces: None, violated: false };
        assert_eq!(seen.message(2, 8), "2 of 8 · 1,500 executions");
        assert_eq!(seen.thousandths(2, 8), 250);
        assert_eq!(seen.message(0, 1), "1,500 executions");
    }
}

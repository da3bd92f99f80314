//! A progress bar on standard error, if that is a terminal and there is something to wait for.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use raceproof_explore::render::thousands;

/// Most catalogues are done before a bar could be read.
const PATIENCE: Duration = Duration::from_millis(300);

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

    pub(crate) fn show(&mut self, done: usize, executions: u64) {
        if self.started.elapsed() < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| new_bar(self.scenarios));
        bar.set_message(thousands(executions));
        bar.set_position(count(done));
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

fn new_bar(scenarios: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(count(scenarios)), ProgressDrawTarget::stderr());
    let template = "  {bar:24}  {pos} of {len} · {msg} executions · {elapsed}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

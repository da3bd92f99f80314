//! A progress bar on standard error, if that is a terminal and there is something to wait for.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use raceproof_explore::render::thousands;

/// Most catalogues are done before a bar could be read.
const PATIENCE: Duration = Duration::from_millis(300);

#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
}

impl Progress {
    pub(crate) fn new(scenarios: usize) -> Self {
        let bar = ProgressBar::with_draw_target(u64::try_from(scenarios).ok(), ProgressDrawTarget::stderr());
        let template = "  {bar:24}  {pos} of {len} scenarios · {msg} executions · {elapsed}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        Self { bar, started: Instant::now() }
    }

    pub(crate) fn show(&self, done: usize, executions: u64) {
        if self.started.elapsed() >= PATIENCE {
            self.bar.set_message(thousands(executions));
            self.bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
        }
    }

    /// Runs `print` with the bar out of its way.
    pub(crate) fn aside(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

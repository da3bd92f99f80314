//! How far a search went, in words.

use crate::report::{Odds, Report, Stopped, Strategy, Traces};

use super::{harmless, thousands};

/// How executions were sampled: `random (seed 7)`.
pub(super) fn sampling(strategy: &Strategy) -> String {
    match strategy {
        Strategy::Random { seed } => format!("random (seed {seed})"),
        Strategy::Pct { seed, depth } => format!("random priorities (PCT, depth {depth}, seed {seed})"),
        Strategy::Uniform { seed } => format!("random walks over traces (seed {seed})"),
        Strategy::Exhaustive | Strategy::States => "exhaustive".to_owned(),
        Strategy::Replay { .. } => "replayed".to_owned(),
    }
}

/// Why a search that found no violation verifies nothing, and what it has seen. `strategy` is how schedules were chosen.
#[must_use]
pub fn incomplete(report: &Report, strategy: &Strategy) -> String {
    if let (None, Some(what)) = (&report.cut_off, &report.undecided) {
        return harmless(what);
    }
    if report.cut_off.is_none() && report.too_deep {
        let steps = thousands(report.bounds.depth.unwrap_or_default().into());
        return format!("an execution was cut off after {steps} steps");
    }
    if let (None, Some(states)) = (&report.cut_off, report.states.filter(|states| states.full)) {
        return format!("there is no room for more than {} states", thousands(states.reached));
    }
    let ran = executions(report.executions);
    match (&report.cut_off, strategy) {
        (Some(client), _) => {
            let steps = thousands(report.bounds.steps_per_client.into());
            format!("{client} was cut off after {steps} steps")
        }
        (None, Strategy::Replay { .. }) => "only one execution was replayed".to_owned(),
        (None, Strategy::Exhaustive | Strategy::States) => match &report.cover.then {
            Some(then) => {
                let more = format!("then {} sampled: {}", thousands(then.executions), sampling(&then.strategy));
                let stopped = stopped_early(report.cover.stopped);
                let guarantee = guarantee(then.cover.odds, then.cover.traces);
                format!("exhaustive search stopped after {ran}{}, {more}{stopped}{guarantee}", share(report))
            }
            None => format!("the search {} after {ran}{}", cut(report.cover.stopped), share(report)),
        },
        (None, sampled) => {
            let stopped = stopped_early(report.cover.stopped);
            let guarantee = guarantee(report.cover.odds, report.cover.traces);
            format!("{ran} were only sampled: {}{stopped}{guarantee}", sampling(sampled))
        }
    }
}

fn cut(stopped: Option<Stopped>) -> &'static str {
    match stopped {
        Some(Stopped::Asked) => "was interrupted",
        Some(Stopped::Time) => "ran out of time",
        Some(Stopped::Executions) => "came to its limit",
        Some(Stopped::First) | None => "was cut short",
    }
}

fn stopped_early(stopped: Option<Stopped>) -> &'static str {
    if stopped == Some(Stopped::Asked) { ", interrupted" } else { "" }
}

/// ` (≈ 12 % of the tree)`
fn share(report: &Report) -> String {
    let Some(Traces { number, .. }) = report.cover.traces else { return String::new() };
    #[expect(clippy::cast_precision_loss, reason = "a count of executions")]
    let percent = 100.0 * report.executions as f64 / number;
    match percent {
        percent if percent < 1.0 => " (< 1 % of the tree, as far as can be told)".to_owned(),
        // It was not all.
        percent => format!(" (≈ {:.0} % of the tree)", percent.min(99.0)),
    }
}

fn guarantee(odds: Option<Odds>, traces: Option<Traces>) -> String {
    let mut text = String::new();
    if let Some(odds) = odds {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturating")]
        let one_in = (1.0 / odds.of_one()).round() as u64;
        text.push_str(&format!(
            "; one of depth {} is found with probability ≥ 1/{} per run, ≥ {} over {} of them",
            odds.depth,
            thousands(one_in),
            percent(odds.of_all()),
            thousands(odds.executions)
        ));
    }
    if let Some(Traces { number, error: Some(error) }) = traces {
        text.push_str(&format!("; there are about {} traces (± {})", rounded(number), rounded(error)));
    }
    text
}

/// A probability; certainty is not claimed.
fn percent(probability: f64) -> String {
    match 100.0 * probability {
        percent if percent > 99.9 => "99.9 %".to_owned(),
        percent if percent >= 1.0 => format!("{:.0} %", percent.floor()),
        percent => format!("{percent:.2} %"),
    }
}

fn rounded(number: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative, and saturating")]
    let whole = number.round() as u64;
    thousands(whole)
}

/// `1 execution`, `1,204 executions`.
#[must_use]
pub fn executions(number: u64) -> String {
    format!("{} {}", thousands(number), if number == 1 { "execution" } else { "executions" })
}

//! Whether a verdict is the expected one, and if not, what to say about it.

use raceproof_explore::render::thousands;
use raceproof_explore::scenario::{Expectation, Scenario};
use raceproof_explore::{Report, Strategy, Verdict};

use crate::run::Finding;

/// A verdict, held against what the scenario expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    AsExpected,
    /// The file expects nothing, and no violation was found.
    Unpinned,
    /// The file expects nothing, and it is violated.
    Violated,
    /// Not as expected: why.
    Wrong(String),
}

impl Judgement {
    pub(crate) fn of(scenario: &Scenario, finding: &Finding) -> Self {
        let report = &finding.report;
        let not_confirmed = finding.confirmation.as_ref().filter(|confirmation| !confirmation.same_outcome);
        match scenario.expect() {
            Some(expected) if !expected.met_by(report) => Self::Wrong(difference(expected, report)),
            _ if not_confirmed.is_some() => Self::Wrong("not confirmed on the real server".to_owned()),
            Some(_) => Self::AsExpected,
            None if report.verdict == Verdict::Violated => Self::Violated,
            None => Self::Unpinned,
        }
    }

    /// Whether all is as it should be.
    pub(crate) const fn is_good(&self) -> bool {
        matches!(self, Self::AsExpected | Self::Unpinned)
    }

    pub(crate) const fn reason(&self) -> Option<&String> {
        match self {
            Self::Wrong(reason) => Some(reason),
            Self::AsExpected | Self::Unpinned | Self::Violated => None,
        }
    }
}

/// The word for a verdict, as the command line's contract has it.
pub(crate) const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Violated => "violated",
        Verdict::Verified => "verified",
        Verdict::NoViolationFound => "no-violation-found",
    }
}

fn difference(expected: &Expectation, report: &Report) -> String {
    match (&expected.message, report.verdict) {
        (Some(message), Verdict::Violated) => format!("expected the message \"{message}\""),
        (_, Verdict::NoViolationFound) => format!("expected {}", word(expected.verdict)),
        (_, found) => format!("expected {}, found {}", word(expected.verdict), word(found)),
    }
}

/// Why a search without a violation proves nothing.
pub(crate) fn incomplete(report: &Report, strategy: &Strategy) -> String {
    match (&report.cut_off, strategy) {
        (Some(client), _) => {
            let steps = thousands(report.bounds.steps_per_client.into());
            format!("{client} was cut off after {steps} steps")
        }
        (None, Strategy::Random { seed }) => {
            format!("{} were only sampled (seed {seed})", executions(report.executions))
        }
        (None, Strategy::Replay { .. }) => "only one execution was replayed".to_owned(),
        (None, Strategy::Exhaustive) => format!("the search was cut short after {}", executions(report.executions)),
    }
}

/// `1 execution`, `1,204 executions`.
pub(crate) fn executions(number: u64) -> String {
    format!("{} {}", thousands(number), if number == 1 { "execution" } else { "executions" })
}

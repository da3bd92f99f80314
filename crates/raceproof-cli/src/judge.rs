//! Whether a verdict is the expected one, and if not, what to say about it.

use raceproof_explore::render::{harmless, thousands};
use raceproof_explore::scenario::{Expectation, Scenario};
use raceproof_explore::{Confirmation, Report, Strategy, Verdict};

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
    /// As expected, but a real server did something else: what.
    NotConfirmed(String),
}

impl Judgement {
    pub(crate) fn of(scenario: &Scenario, finding: &Finding) -> Self {
        let report = &finding.report;
        match (scenario.expect(), &finding.confirmation) {
            (Some(expected), _) if !expected.met_by(report) => Self::Wrong(difference(expected, report)),
            (_, Some(confirmation)) if !confirmation.same_outcome => Self::NotConfirmed(not_confirmed(confirmation)),
            (Some(_), _) => Self::AsExpected,
            (None, _) if report.verdict == Verdict::Violated => Self::Violated,
            (None, _) => Self::Unpinned,
        }
    }

    /// Whether all is as it should be.
    pub(crate) const fn is_good(&self) -> bool {
        matches!(self, Self::AsExpected | Self::Unpinned)
    }

    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Self::Wrong(reason) | Self::NotConfirmed(reason) => Some(reason),
            Self::AsExpected | Self::Unpinned | Self::Violated => None,
        }
    }
}

/// What a real server did instead.
pub(crate) fn not_confirmed(confirmation: &Confirmation) -> String {
    let difference = confirmation.difference.as_deref().unwrap_or("another outcome");
    format!("not confirmed on {}: {}", confirmation.server, harmless(difference))
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
    if let Some(client) = &report.cut_off {
        let steps = thousands(report.bounds.steps_per_client.into());
        return format!("{client} was cut off after {steps} steps");
    }
    if let Some(what) = &report.undecided {
        return harmless(what);
    }
    if report.too_deep {
        let steps = thousands(report.bounds.depth.unwrap_or_default().into());
        return format!("an execution was cut off after {steps} steps");
    }
    if let Some(states) = report.states.filter(|states| states.full) {
        return format!("there is no room for more than {} states", thousands(states.reached));
    }
    match strategy {
        Strategy::Random { seed } => format!("{} were only sampled (seed {seed})", executions(report.executions)),
        Strategy::Replay { .. } => "only one execution was replayed".to_owned(),
        Strategy::Exhaustive | Strategy::States => {
            format!("the search was cut short after {}", executions(report.executions))
        }
    }
}

/// The verdict that a search without a violation verified, with the bound that makes it less than all schedules.
pub(crate) fn verified(report: &Report) -> String {
    match report.bounds.preemptions {
        None => "verified".to_owned(),
        Some(1) => "verified within 1 preemption".to_owned(),
        Some(most) => format!("verified within {most} preemptions"),
    }
}

/// What was run so that nothing is missing.
pub(crate) fn complete(report: &Report) -> String {
    let executions = executions(report.executions);
    match report.states {
        None => format!("every trace was run and none breaks a check: {executions}, exhaustive"),
        Some(states) => format!(
            "every state was reached and none breaks a check: {} states, {executions} ({} cut where states met)",
            thousands(states.reached),
            thousands(states.merged)
        ),
    }
}

/// `1 execution`, `1,204 executions`.
pub(crate) fn executions(number: u64) -> String {
    format!("{} {}", thousands(number), if number == 1 { "execution" } else { "executions" })
}

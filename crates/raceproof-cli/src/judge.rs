//! Whether a verdict is the expected one, and if not, what to say about it.

use raceproof_explore::render::{executions, harmless, thousands};
use raceproof_explore::scenario::{Expectation, Scenario};
use raceproof_explore::{Confirmation, Played, Report, Stopped, Verdict};

use crate::real::Real;
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
    /// The search was interrupted before it found anything.
    Interrupted,
    /// As expected, but a real server did something else: what.
    NotConfirmed(String),
}

impl Judgement {
    pub(crate) fn of(scenario: &Scenario, finding: &Finding) -> Self {
        let report = &finding.report;
        if report.verdict == Verdict::NoViolationFound && report.cover.stopped == Some(Stopped::Asked) {
            return Self::Interrupted;
        }
        match (scenario.expect(), finding.real.as_ref().and_then(doubt)) {
            (Some(expected), _) if !expected.met_by(report) => Self::Wrong(difference(expected, report)),
            (_, Some(doubt)) => Self::NotConfirmed(doubt),
            (Some(_), _) => Self::AsExpected,
            (None, _) if report.verdict == Verdict::Violated => Self::Violated,
            (None, _) => Self::Unpinned,
        }
    }

    /// Whether all is as it should be.
    pub(crate) const fn is_good(&self) -> bool {
        matches!(self, Self::AsExpected | Self::Unpinned | Self::Interrupted)
    }

    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Self::Wrong(reason) | Self::NotConfirmed(reason) => Some(reason),
            Self::AsExpected | Self::Unpinned | Self::Violated | Self::Interrupted => None,
        }
    }
}

/// What a real server did instead, if it did.
fn doubt(real: &Real) -> Option<String> {
    match real {
        Real::Confirmed(confirmation) => (!confirmation.same_outcome).then(|| not_confirmed(confirmation)),
        Real::Played(of) => of.difference.is_some().then(|| played(of)),
    }
}

/// What came of schedules that break nothing.
pub(crate) fn played(played: &Played) -> String {
    let Played { server, executions, difference, refused } = played;
    match (difference, refused) {
        (Some(difference), _) => format!("played otherwise on {server}: {}", harmless(difference)),
        (None, Some(why)) => format!("cannot be played on {server}: {}", harmless(why)),
        (None, None) => format!("played on {server}: {executions} random schedules, same replies, same data"),
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
    let ran = executions(report.executions);
    match report.states {
        None => format!("every trace was run and none breaks a check: {ran}, exhaustive"),
        Some(states) => format!(
            "every state was reached and none breaks a check: {} states, {ran} ({} cut where states met)",
            thousands(states.reached),
            thousands(states.merged)
        ),
    }
}

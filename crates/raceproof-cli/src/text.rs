//! The report for people: a table, counterexamples, a summary.

use std::time::Duration;

use raceproof_explore::render::{self, Heading, Line, Page, Role, harmless, thousands, wrap};
use raceproof_explore::{Bounds, Confirmation, Strategy, Verdict};

use crate::judge::{self, Judgement};
use crate::run::Finding;
use crate::select::Selected;
use crate::table::duration;

/// The page of one scenario: its counterexample, or what stands behind its verdict.
pub(crate) fn page(selected: &Selected, finding: &Finding, strategy: &Strategy, columns: usize) -> Page {
    match &finding.report.violation {
        Some(found) => {
            let again = format!("raceproof check {}", selected.argument);
            let mut next = vec![("replay".to_owned(), format!("{again} --replay {}", found.token))];
            next.push(match &finding.confirmation {
                None => ("confirm".to_owned(), format!("{again} --confirm")),
                Some(confirmation) => confirmed(confirmation),
            });
            let name = selected.scenario.name().to_owned();
            let heading = Heading { name, met: Some(render::met(&finding.report, strategy)), next };
            render::counterexample(found, &heading, columns)
        }
        None => unbroken(selected, finding, strategy, columns),
    }
}

fn confirmed(confirmation: &Confirmation) -> (String, String) {
    let server = &confirmation.server;
    if confirmation.same_outcome {
        return ("confirmed".to_owned(), format!("on {server}: same replies, same outcome"));
    }
    let difference = confirmation.difference.as_deref().unwrap_or("another outcome");
    ("not confirmed".to_owned(), format!("on {server}: {}", harmless(difference)))
}

fn unbroken(selected: &Selected, finding: &Finding, strategy: &Strategy, columns: usize) -> Page {
    let report = &finding.report;
    let verified = report.verdict == Verdict::Verified;
    let mark = if verified { (Role::Good, "✓ ") } else { (Role::Plain, "? ") };
    let verdict = if verified { "verified" } else { "no violation found" };
    let name = harmless(selected.scenario.name());
    let mut page = Page::default();
    page.push(Line::default().with(mark.0, mark.1).with(Role::Strong, name).with(Role::Plain, format!(": {verdict}")));
    page.gap();
    let mut paragraph = |text: String, role| {
        for line in wrap(&Line::default().with(role, text), columns.saturating_sub(2), 0) {
            page.push(Line::default().with(Role::Plain, "  ").joined(line));
        }
    };
    if !selected.scenario.about().is_empty() {
        paragraph(harmless(selected.scenario.about()), Role::Plain);
    }
    let bounds = bounds(report.bounds);
    if verified {
        let executions = judge::executions(report.executions);
        paragraph(format!("every trace was run, and none breaks a check: {executions}, {bounds}"), Role::Faint);
    } else {
        paragraph(format!("{}: others may break a check ({bounds})", judge::incomplete(report, strategy)), Role::Faint);
    }
    page
}

/// The bounds of a verdict in words.
fn bounds(bounds: Bounds) -> String {
    let Bounds { pauses, crashes, steps_per_client } = bounds;
    let steps = thousands(steps_per_client.into());
    format!("with pauses = {pauses}, crashes = {crashes}, at most {steps} steps per client")
}

/// The counts of all verdicts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) violated: usize,
    pub(crate) verified: usize,
    pub(crate) not_found: usize,
    pub(crate) broken: usize,
    pub(crate) wrong: usize,
    pub(crate) unpinned: usize,
    pub(crate) confirmed: usize,
}

impl Tally {
    pub(crate) fn add(&mut self, finding: &Finding, judgement: &Judgement) {
        match finding.report.verdict {
            Verdict::Violated => self.violated += 1,
            Verdict::Verified => self.verified += 1,
            Verdict::NoViolationFound => self.not_found += 1,
        }
        match judgement {
            Judgement::AsExpected => {}
            Judgement::Unpinned => self.unpinned += 1,
            Judgement::Wrong(_) => self.wrong += 1,
        }
        let confirmed = finding.confirmation.as_ref().is_some_and(|confirmation| confirmation.same_outcome);
        self.confirmed += usize::from(confirmed);
    }

    /// `31 scenarios: 13 verified, 18 violated, all as expected · 0.4 s · embedded engine (Redis 7.0), SQLite 3.50`
    pub(crate) fn summary(&self, took: Duration) -> Line {
        let ran = self.violated + self.verified + self.not_found;
        let total = ran + self.broken;
        let mut parts = Vec::new();
        for (count, what) in
            [(self.verified, "verified"), (self.violated, "violated"), (self.not_found, "without a violation found")]
        {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        if self.broken > 0 {
            parts.push(format!("{} that could not be run", self.broken));
        }
        if self.wrong > 0 {
            parts.push(format!("{} not as expected", self.wrong));
        } else if self.broken == 0 && ran > 0 && self.unpinned == 0 {
            parts.push(if total == 1 { "as expected" } else { "all as expected" }.to_owned());
        }
        if self.confirmed > 0 {
            parts.push(format!("{} confirmed", self.confirmed));
        }
        let scenarios = format!("{} {}", thousands_of(total), if total == 1 { "scenario" } else { "scenarios" });
        let role = if self.wrong + self.broken > 0 { Role::Bad } else { Role::Plain };
        Line::default().with(role, format!("  {scenarios}: {}", parts.join(", "))).with(
            Role::Faint,
            format!(
                " · {} · embedded engine (Redis 7.0), SQLite {}",
                duration(took),
                raceproof_explore::sqlite_version()
            ),
        )
    }
}

fn thousands_of(count: usize) -> String {
    thousands(u64::try_from(count).unwrap_or(u64::MAX))
}

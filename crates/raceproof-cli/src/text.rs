//! The report for people: a table, counterexamples, a summary.

use std::time::Duration;

use raceproof_explore::render::{self, Heading, Line, Page, Role, harmless, thousands, wrap};
use raceproof_explore::{Bounds, Confirmation, Strategy, Verdict};

use crate::judge::{self, Judgement};
use crate::real::Real;
use crate::run::Finding;
use crate::select::Selected;
use crate::table::duration;

/// The page of one scenario: its counterexample, or what stands behind its verdict.
pub(crate) fn page(selected: &Selected, finding: &Finding, strategy: &Strategy, columns: usize) -> Page {
    match &finding.report.violation {
        Some(found) => {
            let name = selected.scenario.name().to_owned();
            let met = Some(render::met(&finding.report, strategy));
            let heading = Heading { name, met, next: next(selected, finding) };
            render::counterexample(found, &heading, columns)
        }
        None => unbroken(selected, finding, strategy, columns),
    }
}

/// What to do next with a counterexample: how to replay it, how to confirm it or what came of that.
pub(crate) fn next(selected: &Selected, finding: &Finding) -> Vec<(String, String)> {
    let Some(found) = &finding.report.violation else { return Vec::new() };
    let again = format!("raceproof check {}", selected.argument);
    let confirm = match &finding.real {
        Some(Real::Confirmed(confirmation)) => confirmed(confirmation),
        _ => ("confirm".to_owned(), format!("{again} --confirm")),
    };
    vec![("replay".to_owned(), format!("{again} --replay {}", found.token)), confirm]
}

fn confirmed(confirmation: &Confirmation) -> (String, String) {
    if confirmation.same_outcome {
        ("confirmed".to_owned(), format!("on {}: same replies, same outcome", confirmation.server))
    } else {
        ("confirm".to_owned(), judge::not_confirmed(confirmation))
    }
}

fn unbroken(selected: &Selected, finding: &Finding, strategy: &Strategy, columns: usize) -> Page {
    let (scenario, report) = (&selected.scenario, &finding.report);
    let (mark, role, verdict, searched) = match report.verdict {
        Verdict::Verified => ("✓ ", Role::Good, judge::verified(report), judge::complete(report)),
        Verdict::Violated | Verdict::NoViolationFound => {
            let searched = format!("{}: others may break a check", render::incomplete(report, strategy));
            ("? ", Role::Plain, "no violation found".to_owned(), searched)
        }
    };
    let mut page = Page::default();
    let title = Line::default().with(role, mark).with(Role::Strong, harmless(scenario.name()));
    page.push(title.with(Role::Plain, format!(": {verdict}")));
    page.gap();
    let bounds = format!("within the bounds {}", bounds(report.bounds));
    let played = match &finding.real {
        Some(Real::Played(played)) => judge::played(played),
        _ => String::new(),
    };
    let played_role = if matches!(&finding.real, Some(Real::Played(played)) if played.difference.is_some()) {
        Role::Bad
    } else {
        Role::Faint
    };
    let told = [(Role::Faint, searched), (Role::Faint, bounds), (played_role, played)];
    for (role, text) in std::iter::once((Role::Plain, harmless(scenario.about()))).chain(told) {
        for line in wrap(&Line::default().with(role, text), columns.saturating_sub(2), 0) {
            if !line.spans.is_empty() {
                page.push(Line::default().with(Role::Plain, "  ").joined(line));
            }
        }
    }
    page
}

/// The bounds of a verdict in words.
fn bounds(bounds: Bounds) -> String {
    let Bounds { pauses, faults, persistence, steps_per_client, preemptions, depth } = bounds;
    let kept = if bounds.loses_writes() { format!(" (persistence = {persistence})") } else { String::new() };
    let optional = |name: &str, bound: Option<u32>| {
        bound.map_or_else(String::new, |bound| format!("{name} = {}, ", thousands(bound.into())))
    };
    format!(
        "{}{}pauses = {pauses}, faults = {faults}{kept}, {} steps per client",
        optional("preemptions", preemptions),
        optional("depth", depth),
        thousands(steps_per_client.into())
    )
}

/// The counts of all verdicts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) violated: usize,
    pub(crate) verified: usize,
    pub(crate) not_found: usize,
    /// Could not be run.
    pub(crate) broken: usize,
    /// Not as expected.
    pub(crate) wrong: usize,
    /// Interrupted before anything was found.
    pub(crate) interrupted: usize,
    /// Nothing is expected of them.
    pub(crate) unpinned: usize,
    /// Nothing is expected of them, and they are violated.
    pub(crate) unpinned_violated: usize,
    /// Counterexamples that a real server showed as well.
    pub(crate) confirmed: usize,
    /// Scenarios with which a real server did something else.
    pub(crate) not_confirmed: usize,
    /// Schedules without a violation that a real server has played.
    pub(crate) played: u64,
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
            Judgement::Interrupted => self.interrupted += 1,
            Judgement::Violated => self.unpinned_violated += 1,
            Judgement::Wrong(_) => self.wrong += 1,
            Judgement::NotConfirmed(_) => self.not_confirmed += 1,
        }
        match &finding.real {
            Some(Real::Confirmed(confirmation)) => self.confirmed += usize::from(confirmation.same_outcome),
            Some(Real::Played(played)) => self.played += played.executions,
            None => {}
        }
    }

    const fn total(&self) -> usize {
        self.violated + self.verified + self.not_found + self.broken
    }

    /// Whether every scenario could be run and is as it should be.
    pub(crate) const fn is_good(&self) -> bool {
        self.broken + self.wrong + self.unpinned_violated + self.not_confirmed == 0
    }

    /// `31 scenarios: 13 verified, 18 violated, all as expected · 0.4 s · embedded engine (Redis 7.0), SQLite 3.50`
    pub(crate) fn summary(&self, took: Duration) -> Line {
        let role = if self.is_good() { Role::Plain } else { Role::Bad };
        let counts = match self.total() {
            0 => "  no scenarios".to_owned(),
            1 => format!("  {}", self.parts().join(", ")),
            total => format!("  {total} scenarios: {}", self.parts().join(", ")),
        };
        let (took, sqlite) = (duration(took), raceproof_explore::sqlite_version());
        let with = format!(" · {took} · embedded engine (Redis 7.0), SQLite {sqlite}");
        Line::default().with(role, counts).with(Role::Faint, with)
    }

    /// What there is to say, with counts where there is more than one scenario.
    fn parts(&self) -> Vec<String> {
        let one = self.total() == 1;
        let counts = [
            (self.verified, "verified"),
            (self.violated, "violated"),
            (self.not_found, "no violation found"),
            (self.broken, "could not be run"),
            (self.wrong, "not as expected"),
            (self.interrupted, "interrupted"),
        ];
        let confirmed = [(self.confirmed, "confirmed"), (self.not_confirmed, "not confirmed")];
        let counted = |(count, what): (usize, &str)| if one { what.to_owned() } else { format!("{count} {what}") };
        let some = |(count, _): &(usize, &str)| *count > 0;
        let mut parts: Vec<String> = counts.into_iter().filter(some).map(counted).collect();
        if self.broken + self.wrong + self.interrupted + self.unpinned + self.unpinned_violated == 0 {
            parts.push(if one { "as expected" } else { "all as expected" }.to_owned());
        }
        parts.extend(confirmed.into_iter().filter(some).map(counted));
        match self.played {
            0 => {}
            1 => parts.push("1 schedule played".to_owned()),
            played => parts.push(format!("{} schedules played", thousands(played))),
        }
        parts
    }
}

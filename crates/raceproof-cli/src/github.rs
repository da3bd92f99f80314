//! `--format github`: an annotation for each scenario that is not as it should be, and a notice with the counts.

use std::path::Path;
use std::time::Duration;

use raceproof_explore::render::github::{Annotation, Level};
use raceproof_explore::render::incomplete;
use raceproof_explore::{Strategy, Verdict};

use crate::judge::Judgement;
use crate::run::Finding;
use crate::select::Selected;
use crate::text::{self, Tally};

/// Narrower than a page in a file: annotations stand in a narrow box.
const COLUMNS: usize = 100;

/// The annotation of one scenario; empty if there is nothing to say.
pub(crate) fn finding(selected: &Selected, finding: &Finding, judgement: &Judgement, strategy: &Strategy) -> String {
    let (scenario, report) = (&selected.scenario, &finding.report);
    let found = report.violation.as_ref();
    let level = match judgement {
        Judgement::AsExpected => return String::new(),
        Judgement::Unpinned if report.verdict == Verdict::Verified => return String::new(),
        Judgement::Unpinned | Judgement::Interrupted => Level::Warning,
        Judgement::Violated | Judgement::Wrong(_) | Judgement::NotConfirmed(_) => Level::Error,
    };
    let what = match (judgement.reason(), found) {
        (Some(reason), _) => reason.to_owned(),
        (None, Some(found)) => found.message.lines().next().unwrap_or_default().to_owned(),
        (None, None) => format!("no violation found: {}", incomplete(report, strategy)),
    };
    let place = found.and_then(|found| found.place.as_ref());
    let place = place.map_or((scenario.file(), 1), |place| (place.file.as_str(), place.line));
    written(&Annotation {
        level,
        place: Some((in_repository(place.0), place.1)),
        title: format!("{}: {what}", scenario.name()),
        message: text::page(selected, finding, strategy, COLUMNS).to_string(),
    })
}

/// The annotation of a scenario that could not be run.
pub(crate) fn error(file: &str, what: &str) -> String {
    // Errors name the line in the way of the terminal: `┌ my-design.lua:3`.
    let line = what.split(&format!("┌ {file}:")).nth(1).and_then(|rest| {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..digits].parse().ok()
    });
    written(&Annotation {
        level: Level::Error,
        place: Some((in_repository(file), line.unwrap_or(1))),
        title: what.lines().next().unwrap_or_default().to_owned(),
        message: what.to_owned(),
    })
}

/// The counts of a run.
pub(crate) fn summary(tally: &Tally, took: Duration) -> String {
    let message = tally.summary(took).to_string().trim_start().to_owned();
    written(&Annotation { level: Level::Notice, place: None, title: "raceproof check".to_owned(), message })
}

fn written(annotation: &Annotation) -> String {
    format!("{annotation}\n")
}

/// A file from the root of the repository: so GitHub finds it wherever the command ran.
fn in_repository(file: &str) -> String {
    let root = std::env::var_os("GITHUB_WORKSPACE").and_then(|root| Path::new(&root).canonicalize().ok());
    let whole = Path::new(file).canonicalize().ok();
    match (root, whole) {
        (Some(root), Some(whole)) => whole.strip_prefix(&root).map_or_else(
            |_| file.to_owned(),
            |inner| inner.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/"),
        ),
        _ => file.to_owned(),
    }
}

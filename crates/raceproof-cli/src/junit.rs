//! The JUnit report: a test case for each scenario; a verdict that is not the expected one is a failure.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::judge::Judgement;
use crate::run::Finding;

/// A report on its way to a file. The file appears whole when it is finished, and not before.
#[derive(Debug)]
pub(crate) struct Junit {
    path: PathBuf,
    unfinished: PathBuf,
    suite: TestSuite,
}

impl Junit {
    /// Claims the place of the report before any search begins.
    ///
    /// # Errors
    /// If no file can be made there; the text names it.
    pub(crate) fn create(path: &Path) -> Result<Self, String> {
        let mut name = path.file_name().ok_or_else(|| format!("--junit {}: not a file", path.display()))?.to_owned();
        if path.is_dir() {
            return Err(format!("--junit {}: this is a folder, give the name of a file", path.display()));
        }
        name.push(format!(".{}.unfinished", std::process::id()));
        let unfinished = path.with_file_name(name);
        fs::write(&unfinished, "").map_err(|error| cannot_write(path, &error))?;
        Ok(Self { path: path.to_owned(), unfinished, suite: TestSuite::new("raceproof check") })
    }

    pub(crate) fn add(&mut self, name: &str, finding: &Finding, judgement: &Judgement, page: &str) {
        let status = match judgement {
            Judgement::AsExpected | Judgement::Unpinned => TestCaseStatus::success(),
            Judgement::Interrupted => TestCaseStatus::skipped(),
            Judgement::Violated | Judgement::Wrong(_) | Judgement::NotConfirmed(_) => {
                let broken = finding.report.violation.as_ref().map(|found| found.message.as_str());
                let parts: Vec<&str> = broken.into_iter().chain(judgement.reason()).collect();
                failed(NonSuccessKind::Failure, &parts.join(": "), page)
            }
        };
        self.case(name, status, finding.report.elapsed);
    }

    pub(crate) fn add_error(&mut self, name: &str, what: &str) {
        let first = what.lines().next().unwrap_or_default();
        self.case(name, failed(NonSuccessKind::Error, first, what), Duration::ZERO);
    }

    fn case(&mut self, name: &str, status: TestCaseStatus, took: Duration) {
        let mut case = TestCase::new(name, status);
        case.set_classname("raceproof").set_time(took);
        self.suite.add_test_case(case);
    }

    /// Writes the report.
    ///
    /// # Errors
    /// If it cannot be written; the text names the file.
    pub(crate) fn finish(mut self, took: Duration) -> Result<(), String> {
        let mut suite = std::mem::replace(&mut self.suite, TestSuite::new(""));
        suite.set_time(took);
        let mut report = Report::new("raceproof");
        report.set_time(took).add_test_suite(suite);
        let text = report.to_string().map_err(|error| format!("cannot write {}: {error}", self.path.display()))?;
        fs::write(&self.unfinished, text)
            .and_then(|()| fs::rename(&self.unfinished, &self.path))
            .map_err(|error| cannot_write(&self.path, &error))
    }
}

impl Drop for Junit {
    fn drop(&mut self) {
        // Gone already if the report was finished.
        let _ = fs::remove_file(&self.unfinished);
    }
}

fn failed(kind: NonSuccessKind, message: &str, description: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message).set_description(description);
    status
}

fn cannot_write(path: &Path, error: &io::Error) -> String {
    format!("cannot write the JUnit report to {}: {error}", path.display())
}

//! The JUnit report: a test case for each scenario; a verdict that is not the expected one is a failure.

use std::path::Path;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::file::Claimed;
use crate::judge::Judgement;
use crate::run::Finding;

/// A report on its way to a file.
#[derive(Debug)]
pub(crate) struct Junit {
    file: Claimed,
    suite: TestSuite,
}

impl Junit {
    /// Claims the place of the report before any search begins.
    ///
    /// # Errors
    /// If no file can be made there; the text names it.
    pub(crate) fn create(path: &Path) -> Result<Self, String> {
        Ok(Self { file: Claimed::new("--junit", "JUnit report", path)?, suite: TestSuite::new("raceproof check") })
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
        self.suite.set_time(took);
        let mut report = Report::new("raceproof");
        report.set_time(took).add_test_suite(self.suite);
        let path = self.file.path().display();
        let text = report.to_string().map_err(|error| format!("cannot write {path}: {error}"))?;
        self.file.finish(&text)
    }
}

fn failed(kind: NonSuccessKind, message: &str, description: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message).set_description(description);
    status
}

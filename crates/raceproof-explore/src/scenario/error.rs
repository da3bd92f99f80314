//! Why a scenario file cannot be used: what, where, and the way out.

use std::fmt;

/// A mistake in a scenario file. It is an error of the input and never a violation.
///
/// Displayed without a leading `error: `, which is the caller's to add:
///
/// ```text
/// scenario has no clients
///   ┌ my-design.lua:1
///   │ a scenario needs at least one client("name", function() … end)
///   └ docs/scenarios.md#clients
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    /// The file, as it was named by the caller.
    pub file: String,
    /// The line (from 1), where one line is at fault.
    pub line: Option<u32>,
    /// What is wrong, with the name or the value that is.
    pub what: String,
    /// What to do instead.
    pub way_out: String,
    /// The section of docs/scenarios.md that tells more.
    pub anchor: String,
}

impl ScenarioError {
    pub(super) fn new(
        file: &str,
        line: Option<u32>,
        what: impl Into<String>,
        way_out: impl Into<String>,
        anchor: &str,
    ) -> Self {
        Self { file: file.to_owned(), line, what: what.into(), way_out: way_out.into(), anchor: anchor.to_owned() }
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  ┌ {}", self.what, self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        for line in self.way_out.lines() {
            write!(f, "\n  │ {line}")?;
        }
        write!(f, "\n  └ docs/scenarios.md#{}", self.anchor)
    }
}

impl std::error::Error for ScenarioError {}

impl From<ScenarioError> for crate::Error {
    fn from(error: ScenarioError) -> Self {
        Self::Scenario(error.to_string())
    }
}

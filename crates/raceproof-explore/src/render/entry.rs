//! What a page is made of: protocols, and what the searches found of each.

use crate::report::{Report, Strategy};

/// A protocol and what became of it.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// Its name; what stands before the last `/` is its group.
    pub name: String,
    /// What it models, in a line; may be empty.
    pub about: String,
    /// Where the pattern is known from; may be empty.
    pub known_from: String,
    /// The searches, each with its own bounds.
    pub searches: Vec<Searched>,
    /// What is not as it should be: another verdict than the expected one, an error that kept it from being searched.
    pub remark: Option<String>,
}

/// A search and what it found.
#[derive(Clone, Debug)]
pub struct Searched {
    /// What it found.
    pub report: Report,
    /// How schedules were chosen.
    pub strategy: Strategy,
    /// What to do next, each with a label: how to replay a counterexample, how to confirm it.
    pub next: Vec<(String, String)>,
}

impl Entry {
    /// A protocol of which nothing is known yet.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Says what it models.
    #[must_use]
    pub fn about(mut self, about: impl Into<String>) -> Self {
        self.about = about.into();
        self
    }

    /// Says where the pattern is known from.
    #[must_use]
    pub fn known_from(mut self, known_from: impl Into<String>) -> Self {
        self.known_from = known_from.into();
        self
    }

    /// Adds a search.
    #[must_use]
    pub fn searched(mut self, report: Report, strategy: Strategy, next: Vec<(String, String)>) -> Self {
        self.searches.push(Searched { report, strategy, next });
        self
    }

    /// Says what is not as it should be.
    #[must_use]
    pub fn remark(mut self, remark: impl Into<String>) -> Self {
        self.remark = Some(remark.into());
        self
    }

    /// What stands before the last `/` of the name, and what stands after it.
    pub(super) fn group_and_name(&self) -> (&str, &str) {
        self.name.rsplit_once('/').unwrap_or(("", &self.name))
    }
}

/// A name as a part of an address or of a file's name: letters, digits and `.`, `_`, `-`, and in an address `/`; all else
/// becomes `-`. Not empty, and nothing that a shell or a file system takes for something else.
pub(super) fn safe_name(name: &str, slash: char) -> String {
    let safe = |c: char| match c {
        '/' => slash,
        _ if c.is_alphanumeric() || matches!(c, '.' | '_' | '-') => c,
        _ => '-',
    };
    let name: String = name.chars().map(safe).take(120).collect();
    let name = name.trim_matches(['-', '.', '/']);
    if name.is_empty() { "unnamed".to_owned() } else { name.to_owned() }
}

/// Gives each name once: a second `a` becomes `a-2`.
#[derive(Debug, Default)]
pub(super) struct Unique(std::collections::HashSet<String>);

impl Unique {
    pub(super) fn name(&mut self, name: String) -> String {
        // File systems that do not tell upper from lower case must not lose one of two files.
        let mut candidate = name.clone();
        for number in 2.. {
            if self.0.insert(candidate.to_lowercase()) {
                break;
            }
            candidate = format!("{name}-{number}");
        }
        candidate
    }
}

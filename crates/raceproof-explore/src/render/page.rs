//! Text that knows what each of its parts means, so that a terminal may colour it and a file need not.

use std::fmt;

use super::text::width;

/// What a piece of text is. Colour may follow from it; meaning never depends on colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Commands, replies, sentences.
    #[default]
    Plain,
    /// The mark of a violation, and what a fault did.
    Bad,
    /// The mark of a verdict that holds.
    Good,
    /// Names: of the scenario, of a lane.
    Strong,
    /// What the eye may skip: step numbers, idle lanes, labels, remarks.
    Faint,
    /// The passing of time.
    Clock,
    /// Values in Redis after a step.
    State,
}

/// A piece of one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The text, without line breaks.
    pub text: String,
    /// What it is.
    pub role: Role,
}

impl Span {
    /// A piece of text with its role.
    pub fn new(role: Role, text: impl Into<String>) -> Self {
        Self { text: text.into(), role }
    }
}

/// One line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Its pieces, from left to right.
    pub spans: Vec<Span>,
}

impl Line {
    /// Appends a piece.
    #[must_use]
    pub fn with(mut self, role: Role, text: impl Into<String>) -> Self {
        self.push(role, text);
        self
    }

    /// Appends a piece; one without text leaves no trace.
    pub fn push(&mut self, role: Role, text: impl Into<String>) {
        let text = text.into();
        match self.spans.last_mut() {
            _ if text.is_empty() => {}
            Some(last) if last.role == role => last.text.push_str(&text),
            _ => self.spans.push(Span { text, role }),
        }
    }

    /// Appends the pieces of another line.
    #[must_use]
    pub fn joined(mut self, other: Self) -> Self {
        for Span { text, role } in other.spans {
            self.push(role, text);
        }
        self
    }

    /// Fills up with blanks to `columns`.
    pub fn pad_to(&mut self, columns: usize) {
        let missing = columns.saturating_sub(self.width());
        self.push(Role::Plain, " ".repeat(missing));
    }

    /// Takes blanks off the right end.
    pub fn trim_end(&mut self) {
        while let Some(last) = self.spans.last_mut() {
            last.text.truncate(last.text.trim_end_matches(' ').len());
            if !last.text.is_empty() {
                return;
            }
            self.spans.pop();
        }
    }

    /// How many terminal columns it takes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.spans.iter().map(|span| width(&span.text)).sum()
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spans.iter().try_for_each(|span| f.write_str(&span.text))
    }
}

/// Lines that belong together. `Display` is the plain text, every line ended by a line break.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// From top to bottom.
    pub lines: Vec<Line>,
}

impl Page {
    /// Appends a line.
    pub fn push(&mut self, mut line: Line) {
        line.trim_end();
        self.lines.push(line);
    }

    /// Appends an empty line.
    pub fn gap(&mut self) {
        self.lines.push(Line::default());
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

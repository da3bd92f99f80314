//! Annotations of GitHub Actions: lines of a log that its runner reads.
//!
//! The runner takes every line that begins with `::` for a command. Whatever a client wrote is therefore escaped, and
//! stays inside the one line.

use std::fmt::{self, Write};

use super::text::harmless;

/// How loud an annotation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something is wrong.
    Error,
    /// Something may be wrong.
    Warning,
    /// Something to know.
    Notice,
}

/// An annotation. Displayed it is one line, without a line break at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// How loud.
    pub level: Level,
    /// The file, from the root of the repository with `/`, and its line.
    pub place: Option<(String, u32)>,
    /// What it is about, on one line.
    pub title: String,
    /// What it says; may have several lines.
    pub message: String,
}

impl fmt::Display for Annotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.level {
            Level::Error => "::error ",
            Level::Warning => "::warning ",
            Level::Notice => "::notice ",
        })?;
        if let Some((file, line)) = &self.place {
            write!(f, "file={},line={line},", Property(file))?;
        }
        write!(f, "title={}::", Property(&self.title))?;
        for (at, line) in self.message.trim_end().lines().enumerate() {
            let next = if at > 0 { "%0A" } else { "" };
            write!(f, "{next}{}", Data(line))?;
        }
        Ok(())
    }
}

/// A line of a message.
struct Data<'t>(&'t str);

impl fmt::Display for Data<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Line breaks and other control characters are shown as escapes.
        f.write_str(&harmless(self.0).replace('%', "%25"))
    }
}

/// A value in front of the message, where `:` and `,` mean something.
struct Property<'t>(&'t str);

impl fmt::Display for Property<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in harmless(self.0).chars() {
            match character {
                '%' => f.write_str("%25")?,
                ':' => f.write_str("%3A")?,
                ',' => f.write_str("%2C")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

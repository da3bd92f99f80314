//! Text in markup: whatever a client wrote stays text.

use std::fmt::{self, Write};

use super::super::sequence::Text;
use super::super::text::harmless;

/// A text in HTML or in SVG, in an element or in a quoted attribute. Control characters and marks that turn the direction
/// of writing are shown as escapes, so that nothing can pose as something else.
pub(in crate::render) struct Safe<'t>(pub(in crate::render) &'t str);

impl fmt::Display for Safe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in harmless(self.0).chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // Neither is a character in XML.
                '\u{fffe}' | '\u{ffff}' => f.write_str("\u{fffd}")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// Code: a command, a value. What was shortened can be opened.
pub(super) struct Code<'t>(pub(super) &'t Text);

impl fmt::Display for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Text { full, short } = self.0;
        if full == short {
            return write!(f, "<code>{}</code>", Safe(full));
        }
        let (short, full) = (Safe(short), Safe(full));
        write!(f, "<details class=\"long\"><summary title=\"{full}\"><code>{short}</code></summary>")?;
        // The lines of a script under each other.
        let lines = full.to_string().replace("\\n", "\\n\n");
        write!(f, "<code class=\"full\">{lines}</code></details>")
    }
}

//! A report on its way to a file: the file appears whole when it is finished, and not before.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A place for a report, claimed before any search begins.
#[derive(Debug)]
pub(crate) struct Claimed {
    what: &'static str,
    path: PathBuf,
    unfinished: PathBuf,
}

impl Claimed {
    /// Claims the place. `flag` asked for it, `what` is what goes there.
    ///
    /// # Errors
    /// If no file can be made there; the text names it.
    pub(crate) fn new(flag: &str, what: &'static str, path: &Path) -> Result<Self, String> {
        if path.is_dir() {
            return Err(format!("{flag} {}: this is a folder, give the name of a file", path.display()));
        }
        let name = path.file_name().ok_or_else(|| format!("{flag} {}: not a file", path.display()))?;
        let mut name = name.to_owned();
        name.push(format!(".{}.unfinished", std::process::id()));
        let claimed = Self { what, path: path.to_owned(), unfinished: path.with_file_name(name) };
        fs::write(&claimed.unfinished, "").map_err(|error| claimed.cannot_write(&error))?;
        Ok(claimed)
    }

    /// Writes the report.
    ///
    /// # Errors
    /// If it cannot be written; the text names the file.
    pub(crate) fn finish(self, text: &str) -> Result<(), String> {
        fs::write(&self.unfinished, text)
            .and_then(|()| fs::rename(&self.unfinished, &self.path))
            .map_err(|error| self.cannot_write(&error))
    }

    /// The file that is to be.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn cannot_write(&self, error: &io::Error) -> String {
        format!("cannot write the {} to {}: {error}", self.what, self.path.display())
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        // Gone already if the report was finished.
        let _ = fs::remove_file(&self.unfinished);
    }
}

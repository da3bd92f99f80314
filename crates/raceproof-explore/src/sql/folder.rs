//! The folder of a database, which vanishes with its owner, or when the process is about to end without it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

/// All that there are.
static FOLDERS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn folders() -> MutexGuard<'static, Vec<PathBuf>> {
    FOLDERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A temporary folder, in memory where the system offers that.
#[derive(Debug)]
pub(super) struct Folder(TempDir);

impl Folder {
    pub(super) fn new() -> std::io::Result<Self> {
        let memory = Path::new("/dev/shm");
        let mut folder = tempfile::Builder::new();
        folder.prefix("raceproof-");
        let folder = if memory.is_dir() { folder.tempdir_in(memory)? } else { folder.tempdir()? };
        folders().push(folder.path().to_owned());
        Ok(Self(folder))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        folders().retain(|folder| folder != self.0.path());
    }
}

/// Removes the temporary folders of all searches of this process: for a process that ends without waiting for them. A
/// search that is still running fails at its next statement.
pub fn remove_temporary_folders() {
    for folder in folders().drain(..) {
        // What cannot be removed now could not be removed later.
        drop(std::fs::remove_dir_all(folder));
    }
}

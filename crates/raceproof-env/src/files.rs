//! Small files that several processes share.

use std::future::Future;
use std::io;
use std::path::Path;

/// Reads, replaces and locks files.
pub trait Files {
    /// A lock that is held until it is dropped, or the process ends.
    type Lock: 'static;

    /// The contents of a file, `None` if there is none.
    fn read(&self, path: &Path) -> impl Future<Output = io::Result<Option<Vec<u8>>>>;

    /// Replaces a file, or makes it: a reader sees all of the old contents or all of the new ones, also after a power
    /// failure, and once this has ended the new ones survive one. The parent folder must exist.
    fn replace(&self, path: &Path, contents: &[u8]) -> impl Future<Output = io::Result<()>>;

    /// Locks a file against all other processes (and other locks of this one), `None` if somebody else holds it. The
    /// file is made if there is none; the lock is good only as long as nobody unlinks or replaces the file, which the
    /// call checks after locking.
    fn try_lock(&self, path: &Path) -> impl Future<Output = io::Result<Option<Self::Lock>>>;
}

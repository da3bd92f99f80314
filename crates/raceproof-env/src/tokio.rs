//! The production implementation, on tokio.

use std::fs::{File, OpenOptions, TryLockError};
use std::future::Future;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::runtime::{Handle, TryCurrentError};
use tokio::sync::watch;

use crate::{Bell, Clock, Files, Notify, Sleep, Spawn, Tokens};

/// The real surroundings: this machine's clocks, random generator and files, and the tasks of a tokio runtime.
///
/// It holds the runtime's handle, so that tasks can be spawned from places that do not run in it, such as a `Drop`.
#[derive(Clone, Debug)]
pub struct TokioEnv {
    runtime: Handle,
}

impl TokioEnv {
    /// The surroundings whose tasks run on `runtime`. Its time driver must be enabled (`Builder::enable_time`).
    #[must_use]
    pub const fn new(runtime: Handle) -> Self {
        Self { runtime }
    }

    /// The surroundings whose tasks run on the runtime that this is called in.
    ///
    /// # Errors
    /// If this is not called in a tokio runtime.
    pub fn current() -> Result<Self, TryCurrentError> {
        Handle::try_current().map(Self::new)
    }

    /// Runs a blocking file operation where it blocks no task.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        self.runtime.spawn_blocking(work).await.map_err(io::Error::other)?
    }
}

impl Clock for TokioEnv {
    fn unix_ms(&self) -> i64 {
        let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => millis(since),
            Err(before) => -millis(before.duration()),
        }
    }

    fn boot_ms(&self) -> u64 {
        boot_ms()
    }
}

/// The clock that runs through suspend. Linux stops `CLOCK_MONOTONIC` then; macOS and the BSDs do not.
#[cfg(unix)]
fn boot_ms() -> u64 {
    use rustix::time::{ClockId, clock_gettime};
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: ClockId = ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: ClockId = ClockId::Monotonic;
    let now = clock_gettime(CLOCK);
    u64::try_from(now.tv_sec * 1000 + now.tv_nsec / 1_000_000).unwrap_or(0)
}

/// Windows' performance counter, which `Instant` reads, runs through suspend.
#[cfg(not(unix))]
fn boot_ms() -> u64 {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// A sleep on tokio's timer, whose clock stands still while a Linux machine is suspended: it may end that much later.
pub type Sleeping = tokio::time::Sleep;

impl Sleep for TokioEnv {
    type Sleeping = Sleeping;

    fn sleep(&self, ms: u64) -> Sleeping {
        let _inside = self.runtime.enter();
        tokio::time::sleep(Duration::from_millis(ms))
    }
}

impl Spawn for TokioEnv {
    fn spawn(&self, _name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.runtime.spawn(task));
    }
}

impl Tokens for TokioEnv {
    /// # Panics
    /// If the operating system has no randomness to give, which no supported one lets happen after it has booted.
    fn token(&self) -> String {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        format!("{:032x}", u128::from_be_bytes(bytes))
    }
}

/// A bell between tasks of any runtime of this process.
#[derive(Clone, Debug)]
pub struct TokioBell {
    rings: Arc<watch::Sender<u64>>,
}

impl Notify for TokioEnv {
    type Bell = TokioBell;

    fn bell(&self) -> TokioBell {
        TokioBell { rings: Arc::new(watch::Sender::new(0)) }
    }
}

impl Bell for TokioBell {
    type Ringing = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn ring(&self) {
        self.rings.send_modify(|rings| *rings += 1);
    }

    fn rings(&self) -> u64 {
        *self.rings.borrow()
    }

    fn after(&self, seen: u64) -> Self::Ringing {
        // The future keeps the bell: a bell that was dropped by all others never rings again, and its waiter waits.
        let bell = Arc::clone(&self.rings);
        Box::pin(async move {
            let mut rings = bell.subscribe();
            let rang = rings.wait_for(|rings| *rings > seen).await;
            debug_assert!(rang.is_ok(), "the sender lives as long as its waiter");
        })
    }
}

/// A locked file. The lock ends when this is dropped.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

impl Files for TokioEnv {
    type Lock = FileLock;

    async fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        let path = path.to_owned();
        self.blocking(move || match std::fs::read(&path) {
            Ok(contents) => Ok(Some(contents)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(named(&path, &error)),
        })
        .await
    }

    async fn replace(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        let (path, contents, token) = (path.to_owned(), contents.to_owned(), self.token());
        self.blocking(move || replace(&path, &contents, &token)).await
    }

    async fn try_lock(&self, path: &Path) -> io::Result<Option<FileLock>> {
        let path = path.to_owned();
        self.blocking(move || try_lock(&path)).await
    }
}

/// Writes beside the file, makes the bytes durable, renames over the file, makes the name durable.
fn replace(path: &Path, contents: &[u8], token: &str) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let name = path.file_name().ok_or_else(|| {
        let problem = "is no file name; give the path of a file";
        io::Error::new(io::ErrorKind::InvalidInput, format!("{} {problem}", path.display()))
    })?;
    let temporary = folder.join(format!(".{}.{token}.tmp", name.display()));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        file.write_all(contents)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    })();
    if let Err(error) = written {
        // Best effort: the error that matters is the one above.
        drop(std::fs::remove_file(&temporary));
        return Err(named(path, &error));
    }
    #[cfg(unix)]
    File::open(&folder).and_then(|folder| folder.sync_all()).map_err(|error| named(&folder, &error))?;
    Ok(())
}

/// Locks the file that has this name *now*: one that was replaced between opening and locking is nobody's lock.
fn try_lock(path: &Path) -> io::Result<Option<FileLock>> {
    loop {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|error| named(path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(named(path, &error)),
        }
        if still_named(&file, path)? {
            return Ok(Some(FileLock { _file: file }));
        }
    }
}

#[cfg(unix)]
fn still_named(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let ours = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(named) => Ok((ours.dev(), ours.ino()) == (named.dev(), named.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(named(path, &error)),
    }
}

/// Windows refuses to unlink or replace an open file.
#[cfg(not(unix))]
fn still_named(_file: &File, _path: &Path) -> io::Result<bool> {
    Ok(true)
}

/// The error with the path that it is about.
fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

//! The surroundings of a primitive in simulation: [`Ctx`] as a `raceproof-env` environment.
//!
//! Time is the explorer's, a task in the background is a client, waking and files are shared state whose every access
//! the explorer sees, and tokens are unique within an execution and the same in each of its re-runs.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use raceproof_engine::Access;
use raceproof_env::{Bell, Clock, Consequence, Files, Notify, Sleep, Spawn, Sql, SqlRows, SqlValue, Tokens};

use crate::ctx::Ctx;
use crate::mailbox::{CellId, CellOp, Op, Port};
use crate::sql::{Database, SqlError};

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl Clock for Ctx {
    fn unix_ms(&self) -> i64 {
        self.now()
    }

    /// The virtual clock never goes back, so it serves as both.
    fn boot_ms(&self) -> u64 {
        u64::try_from(self.now()).unwrap_or_default()
    }
}

/// A sleep in virtual time.
pub struct Sleeping(Boxed<()>);

/// The next ring of a [`SimBell`].
pub struct Ringing(Boxed<()>);

macro_rules! boxed_future {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }

        impl Future for $name {
            type Output = ();

            fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
                self.0.as_mut().poll(context)
            }
        }
    };
}

boxed_future!(Sleeping);
boxed_future!(Ringing);

impl Sleep for Ctx {
    type Sleeping = Sleeping;

    fn sleep(&self, ms: u64) -> Sleeping {
        let port = *self.port();
        let until = port.after(ms);
        Sleeping(Box::pin(async move { port.sleep_until(until).await }))
    }
}

impl Spawn for Ctx {
    fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        Self::spawn(self, name, |_| task);
    }
}

impl Tokens for Ctx {
    fn token(&self) -> String {
        format!("{:016x}{:016x}", self.port().unique(), self.port().unique())
    }
}

/// A bell whose rings the explorer orders.
#[derive(Clone, Debug)]
pub struct SimBell {
    port: Port,
    cell: CellId,
    rings: Arc<AtomicU64>,
}

impl Notify for Ctx {
    type Bell = SimBell;

    fn bell(&self) -> SimBell {
        SimBell { port: *self.port(), cell: CellId(self.port().unique()), rings: Arc::default() }
    }
}

impl Bell for SimBell {
    type Ringing = Ringing;

    fn ring(&self) {
        self.port.current().touch(self.cell, Access::Write);
        self.rings.fetch_add(1, Ordering::Relaxed);
    }

    fn rings(&self) -> u64 {
        self.port.current().touch(self.cell, Access::Read);
        self.rings.load(Ordering::Relaxed)
    }

    fn after(&self, seen: u64) -> Ringing {
        let (maker, cell, rings) = (self.port, self.cell, self.rings.clone());
        let ready = move || rings.load(Ordering::Relaxed) > seen;
        let text = "wait for a bell".to_owned();
        let op = CellOp { cell, access: Access::Read, text, ready: Some(Box::new(ready)), run: Box::new(String::new) };
        Ringing(Box::pin(async move { drop(maker.current().ask(Op::Cell(Box::new(op))).await) }))
    }
}

#[derive(Debug, Default)]
struct Contents {
    files: HashMap<PathBuf, Vec<u8>>,
    locked: HashSet<PathBuf>,
}

/// The files of one execution, in memory: a replacement is durable at once and a lock ends with its holder.
#[derive(Clone, Debug, Default)]
pub struct Disk(Arc<Mutex<Contents>>);

/// A held file lock.
#[derive(Debug)]
pub struct DiskLock {
    disk: Disk,
    path: PathBuf,
    port: Port,
}

impl Drop for DiskLock {
    fn drop(&mut self) {
        self.port.current().touch(cell_of(&self.path), Access::Write);
        self.disk.0.lock().unwrap_or_else(PoisonError::into_inner).locked.remove(&self.path);
    }
}

/// Each path is a piece of shared state of its own.
fn cell_of(path: &Path) -> CellId {
    let bytes = path.as_os_str().as_encoded_bytes();
    CellId(
        bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)),
    )
}

impl Ctx {
    async fn file_step<T: Send + 'static>(
        &self,
        path: &Path,
        access: Access,
        what: &str,
        work: impl FnOnce(&mut Contents, PathBuf) -> T + Send + 'static,
    ) -> T {
        let (disk, path) = (self.stage().files().clone(), path.to_owned());
        let (cell, text) = (cell_of(&path), format!("{what} {}", path.display()));
        let run = move || {
            let done = work(&mut disk.0.lock().unwrap_or_else(PoisonError::into_inner), path);
            (done, String::new())
        };
        self.port().step_on(cell, access, text, run).await
    }
}

impl Files for Ctx {
    type Lock = DiskLock;

    async fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        Ok(self.file_step(path, Access::Read, "read file", |disk, path| disk.files.get(&path).cloned()).await)
    }

    async fn replace(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        let contents = contents.to_vec();
        let write = |disk: &mut Contents, path| drop(disk.files.insert(path, contents));
        self.file_step(path, Access::Write, "replace file", write).await;
        Ok(())
    }

    async fn try_lock(&self, path: &Path) -> io::Result<Option<DiskLock>> {
        // The guard is made with the lock, so that a client that dies before it hears of the lock gives it back.
        let (disk, port) = (self.stage().files().clone(), *self.port());
        let take = move |contents: &mut Contents, path: PathBuf| {
            let taken = contents.locked.insert(path.clone());
            taken.then(|| DiskLock { disk, path, port })
        };
        Ok(self.file_step(path, Access::Write, "lock file", take).await)
    }
}

fn refused(error: SqlError) -> raceproof_env::SqlError {
    let code = error.stale_snapshot.then(|| "SQLITE_BUSY_SNAPSHOT".to_owned());
    let consequence = if error.maybe_applied { Consequence::MaybeApplied } else { Consequence::Refused };
    raceproof_env::SqlError { consequence, code, message: error.message }
}

impl Sql for Database {
    async fn execute(&mut self, statement: &str, params: &[SqlValue]) -> Result<u64, raceproof_env::SqlError> {
        let changed = Self::execute(self, statement, params.to_vec()).await.map_err(refused)?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    async fn query(&mut self, statement: &str, params: &[SqlValue]) -> Result<SqlRows, raceproof_env::SqlError> {
        let reply = self.run(statement, params.to_vec()).await.map_err(refused)?;
        Ok(SqlRows { columns: reply.columns, rows: reply.rows })
    }

    async fn begin(&mut self) -> Result<(), raceproof_env::SqlError> {
        Self::begin(self).await.map_err(refused)
    }

    async fn commit(&mut self) -> Result<(), raceproof_env::SqlError> {
        Self::commit(self).await.map_err(refused)
    }

    async fn rollback(&mut self) -> Result<(), raceproof_env::SqlError> {
        match Self::rollback(self).await {
            // The trait's contract, unlike SQLite's: without a transaction it does nothing.
            Err(error) if error.message.contains("no transaction is active") => Ok(()),
            ended => ended.map_err(refused),
        }
    }
}

//! Session memories: one Redis hash per session, changed by many clients at once, without losing anything.
//!
//! # The idea
//!
//! A session's memory grows field by field, written by whoever learns something. The designs that one meets store it as
//! one serialized value (read, change, write back: the last writer erases the others), or set the fields and the expiry
//! by two commands (a crash in between makes it live for ever), or give every message a life time of its own (the
//! history decays from the front). Here a session is one hash, and whatever one operation does to it is **one script**:
//! it looks, decides, writes and sets the expiry in one step that nobody can come between. What remains is what a script
//! cannot solve alone, the network: a request may be executed and its reply lost, or be executed late. So
//!
//! - each change has an **operation id**, and the session a ring of the last ids that were applied: sent again, a change
//!   is not applied again, and gives the result of the first time;
//! - each session has an **incarnation**, a random token made with its first field: a change for a session that expired
//!   since, or was begun anew, finds that out;
//! - forgetting leaves a **tombstone**, so that a change under way cannot bring the session back.
//!
//! # Guarantees
//!
//! Named as in `docs/memory.md` and in the tests, each of which fails when its mechanism is taken out of the scripts:
//!
//! - **M1** An acknowledged merge is visible to every later read until the session expires or is forgotten, or the
//!   server loses data.
//! - **M2** An operation whose id is in the ring is applied once.
//! - **M3** Both keys of a session have one deadline, at most [`Options::max_age_ms`] after the session began.
//! - **M4** Within a tombstone's life nothing brings the session back.
//! - **M5** A session that is touched (an acknowledged merge or read) at gaps of at most 0.9 ×
//!   [`Options::sliding_ttl_ms`] does not expire before its maximal age. A read extends the life unless more than nine
//!   tenths of it remain, so that reading costs a write only now and then; hence the last tenth is not promised.
//!
//! Not guaranteed, because it cannot be: what a server loses (a crash without persistence, a failover to a replica that
//! lagged, an eviction) is lost. A ring that was lost is noticed: a change made [`after`](Change::after) a version gets
//! `OpWindowExceeded` instead of being applied twice.
//!
//! # Use
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use raceproof::memory::{Error, Memory, Options};
//! # use raceproof::env::Tokens;
//! # #[derive(Clone)] struct Env;
//! # impl Tokens for Env { fn token(&self) -> String { String::new() } }
//! # let env = Env; // TokioEnv::current()? in production
//!
//! let connection = redis::Client::open("redis://127.0.0.1/")?.get_multiplexed_async_connection().await?;
//! let memory = Memory::new(connection, env, Options::default())?;
//!
//! let change = memory.change().set("name", "Ada").incr("visits", 1).append("said", "hello", 50);
//! let merged = loop {
//!     match memory.merge("user:123", &change).await {
//!         Err(Error::Uncertain { .. }) => continue, // the same change again: applied once in all
//!         answer => break answer?,
//!     }
//! };
//! assert_eq!(merged.counters, [1]);
//!
//! if let Some(session) = memory.read("user:123").await? {
//!     println!("{:?}, for {} ms", session.text("name"), session.ttl_ms);
//! }
//! # Ok(()) }
//! ```
//!
//! Dropping the future of a merge or a forget leaves it as uncertain as a lost reply does: make the same call again.

mod change;
mod error;
mod io;
mod options;
mod reply;
mod request;
mod scripts;
mod session;

use raceproof_env::Tokens;
use redis::aio::ConnectionLike;

pub use change::{Change, Forget, OpId, Version};
pub use error::{BadInput, Error, Gone};
pub use options::Options;
pub use session::{Cursor, Field, Forgotten, Merged, Page, Session, Value};

#[doc(hidden)]
pub use scripts::Scripts;

use reply::About;
use request::Keys;

/// Session memories on one Redis, over one connection that is cloned per call.
#[derive(Clone, Debug)]
pub struct Memory<C, E> {
    connection: C,
    env: E,
    options: Options,
    scripts: Scripts,
}

impl<C: ConnectionLike + Clone, E: Tokens> Memory<C, E> {
    /// The memories behind `connection`. Nothing is sent yet.
    ///
    /// # Errors
    /// An option that is out of its range.
    pub fn new(connection: C, env: E, options: Options) -> Result<Self, BadInput> {
        Self::with_scripts(connection, env, options, Scripts::default())
    }

    /// The same with other scripts, for tests.
    #[doc(hidden)]
    pub fn with_scripts(connection: C, env: E, options: Options, scripts: Scripts) -> Result<Self, BadInput> {
        options.validate()?;
        Ok(Self { connection, env, options, scripts })
    }

    /// The surroundings that the memory was given.
    #[must_use]
    pub const fn env(&self) -> &E {
        &self.env
    }

    /// A change under a fresh operation id.
    #[must_use]
    pub fn change(&self) -> Change {
        Change::new(OpId::new(self.env.token()))
    }

    /// Applies a change to a session, all of it or nothing, and extends the session's life. An absent session begins
    /// with it. Once this has given `Ok`, the change is visible until the session ends (M1); given the same change
    /// again, it is not applied again (M2).
    ///
    /// # Errors
    /// [`Error::Uncertain`]: make the same call again. [`Error::RevConflict`], [`Error::SessionGone`],
    /// [`Error::OpWindowExceeded`], [`Error::OpReused`], [`Error::TooLarge`], [`Error::WrongShape`],
    /// [`Error::CounterRange`], [`Error::NotAMemory`], [`Error::Unavailable`], [`Error::BadInput`]: nothing was applied
    /// by this call.
    pub async fn merge(&self, session: &str, change: &Change) -> Result<Merged, Error> {
        let keys = Keys::of(session, &self.options)?;
        let arguments = request::merge(session, change, &self.env.token(), &self.options)?;
        let reply = io::run(&mut self.connection.clone(), &self.scripts.merge, &keys, &arguments).await;
        self.about(session, &keys, Some(change.op())).merged(reply)
    }

    /// Reads a whole session, `None` if there is none, and extends its life unless more than nine tenths of it remain (M5).
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::NotAMemory`], [`Error::BadInput`].
    pub async fn read(&self, session: &str) -> Result<Option<Session>, Error> {
        let keys = Keys::of(session, &self.options)?;
        let arguments = request::read_all(&self.options);
        let reply = io::run(&mut self.connection.clone(), &self.scripts.read, &keys, &arguments).await;
        self.about(session, &keys, None).session(reply, None)
    }

    /// Reads some fields of a session, as [`Memory::read`] does; fields that do not exist are left out.
    ///
    /// # Errors
    /// As [`Memory::read`]; [`Error::TooLarge`] for more fields than [`Options::max_changes`].
    pub async fn read_fields(&self, session: &str, fields: &[&str]) -> Result<Option<Session>, Error> {
        let keys = Keys::of(session, &self.options)?;
        let arguments = request::read_some(session, fields, &self.options)?;
        let reply = io::run(&mut self.connection.clone(), &self.scripts.read, &keys, &arguments).await;
        self.about(session, &keys, None).session(reply, Some(fields))
    }

    /// Reads a page of about `count` fields of a large session, as [`Memory::read`] does: the first page, or the one at
    /// `from`. (Redis gives a small hash in one page whatever the count.)
    ///
    /// # Errors
    /// As [`Memory::read`]; [`Error::SessionGone`] if `from` belongs to a session that has ended since.
    pub async fn read_page(&self, session: &str, from: Option<&Cursor>, count: u32) -> Result<Option<Page>, Error> {
        let keys = Keys::of(session, &self.options)?;
        let arguments = request::read_page(from, count, &self.options)?;
        let reply = io::run(&mut self.connection.clone(), &self.scripts.read, &keys, &arguments).await;
        self.about(session, &keys, None).page(reply)
    }

    /// Forgets a session, under a fresh operation id. Nothing can be merged under the session's id until its tombstone's
    /// life ends (M4), also if there was no session: one whose first merge is under way is forgotten too.
    ///
    /// # Errors
    /// [`Error::Uncertain`]: call it again (`existed` is then as that call finds it; [`Memory::forget_as`] gives the first
    /// answer again). [`Error::Unavailable`], [`Error::NotAMemory`], [`Error::BadInput`].
    pub async fn forget(&self, session: &str) -> Result<Forgotten, Error> {
        self.forget_as(session, &Forget::new(OpId::new(self.env.token()))).await
    }

    /// Forgets a session under an operation id of the caller's own, or only one incarnation of it. Given the same
    /// request again within the tombstone's life, it gives the same answer and does nothing more.
    ///
    /// # Errors
    /// As [`Memory::forget`].
    pub async fn forget_as(&self, session: &str, forget: &Forget) -> Result<Forgotten, Error> {
        let keys = Keys::of(session, &self.options)?;
        let arguments = request::forget(forget, &self.options)?;
        let reply = io::run(&mut self.connection.clone(), &self.scripts.forget, &keys, &arguments).await;
        self.about(session, &keys, Some(forget.op())).forgotten(reply)
    }

    fn about<'a>(&self, session: &'a str, keys: &'a Keys, op: Option<&'a OpId>) -> About<'a> {
        About { session, key: &keys.hash, op, resends: self.options.driver_may_resend }
    }
}

//! Access control: users, what they may run, and on which keys and channels.
//!
//! A user has selectors, the first of which is the user's own rules; a command is allowed if one of them allows all of
//! it. `rules.rs` changes users, `check.rs` asks them, `describe.rs` shows them.

mod check;
mod describe;
mod rules;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

pub(crate) use check::{Denial, denial};
pub(crate) use describe::{describe_channels, describe_commands, describe_keys, describe_user, flags};
pub(crate) use rules::{CATEGORIES, change, merge_selectors};

use crate::{
    Version,
    command::{self, Command},
    sha256,
};

pub(crate) const DEFAULT: &str = "default";

/// What keys may be used for.
pub(crate) const READ: u8 = 1;
pub(crate) const WRITE: u8 = 2;

/// Rules that a command must satisfy as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Selector {
    /// The full names of the commands and subcommands that are allowed.
    pub(crate) commands: BTreeSet<&'static str>,
    /// Commands that are allowed with some first arguments only.
    pub(crate) first_args: BTreeMap<&'static str, Vec<Bytes>>,
    /// Everything was allowed, and nothing was taken away since.
    pub(crate) all_commands: bool,
    /// Everything was allowed once, and not all of it taken away since: how the rules are described.
    pub(crate) from_all: bool,
    pub(crate) all_keys: bool,
    pub(crate) all_channels: bool,
    /// Patterns, with what they are for.
    pub(crate) keys: Vec<(Bytes, u8)>,
    pub(crate) channels: Vec<Bytes>,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct User {
    pub(crate) on: bool,
    pub(crate) nopass: bool,
    pub(crate) sanitize_payload: Option<bool>,
    /// SHA-256 digests in hexadecimal.
    pub(crate) passwords: Vec<String>,
    pub(crate) root: Selector,
    pub(crate) selectors: Vec<Selector>,
}

impl User {
    /// A user as `ACL SETUSER` creates it: off, and allowed nothing.
    pub(crate) fn new() -> Self {
        Self {
            on: false,
            nopass: false,
            sanitize_payload: None,
            passwords: Vec::new(),
            root: Selector::default(),
            selectors: Vec::new(),
        }
    }

    /// The default user of a server that nobody has configured: its rules name every command, so all servers share it.
    fn all_powerful() -> &'static Arc<Self> {
        static USER: OnceLock<Arc<User>> = OnceLock::new();
        USER.get_or_init(|| {
            let mut user = Self { on: true, nopass: true, ..Self::new() };
            user.root.allow_all_commands();
            (user.root.all_keys, user.root.all_channels) = (true, true);
            Arc::new(user)
        })
    }

    fn is_unlimited(&self) -> bool {
        self.root.all_commands && self.root.all_keys && self.root.all_channels
    }

    pub(crate) fn allows_all_channels(&self) -> bool {
        self.all_selectors().any(|selector| selector.all_channels)
    }

    /// Whether one of the selectors allows to subscribe to a channel, or to a pattern: then it must be one of theirs as it is.
    pub(crate) fn allows_channel(&self, channel: &[u8], is_pattern: bool) -> bool {
        self.all_selectors().any(|selector| selector.allows_channel(channel, is_pattern))
    }

    fn all_selectors(&self) -> impl Iterator<Item = &Selector> {
        std::iter::once(&self.root).chain(&self.selectors)
    }

    fn admits(&self, password: &[u8]) -> bool {
        self.on && (self.nopass || self.passwords.contains(&sha256::hex(password)))
    }
}

/// Something that was refused, as `ACL LOG` shows it.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Refusal {
    /// Which entry of the log it is, counted from 0 on. Shown from 7.2 on, and 0 before.
    pub(crate) id: i64,
    pub(crate) count: i64,
    pub(crate) reason: &'static str,
    pub(crate) context: &'static str,
    pub(crate) object: Bytes,
    pub(crate) user: Bytes,
    pub(crate) at_ms: i64,
    /// When the first of its kind came.
    pub(crate) since_ms: i64,
    pub(crate) client: Bytes,
}

/// Refusals of the same kind within this time are one entry (ms).
const SAME_ENTRY_MS: i64 = 60_000;

/// All users, and what they were refused.
#[derive(Clone, Debug)]
pub(crate) struct Acl {
    users: BTreeMap<Bytes, Arc<User>>,
    /// The latest first.
    pub(crate) log: VecDeque<Refusal>,
    /// How many entries the log was given, where that is shown.
    logged: i64,
    /// Whether the default user may do everything. Follows from the users.
    default_is_unlimited: bool,
}

impl Hash for Acl {
    /// A user that is as the default user was at the start counts as that, which is all that most servers ever have.
    fn hash<H: Hasher>(&self, to: &mut H) {
        let Self { users, log, logged, default_is_unlimited: _ } = self;
        let first = User::all_powerful();
        users.len().hash(to);
        for (name, user) in users {
            let unchanged = Arc::ptr_eq(user, first) || user == first;
            (name, unchanged).hash(to);
            if !unchanged {
                user.hash(to);
            }
        }
        log.hash(to);
        logged.hash(to);
    }
}

impl Acl {
    /// The users of a server that nobody has configured. All such servers share them.
    pub(crate) fn first() -> Arc<Self> {
        static FIRST: OnceLock<Arc<Acl>> = OnceLock::new();
        let make = || {
            let users = BTreeMap::from([(Bytes::from_static(DEFAULT.as_bytes()), User::all_powerful().clone())]);
            Arc::new(Self { users, log: VecDeque::new(), logged: 0, default_is_unlimited: true })
        };
        FIRST.get_or_init(make).clone()
    }

    pub(crate) fn user(&self, name: &[u8]) -> Option<&User> {
        self.users.get(name).map(|user| &**user)
    }

    pub(crate) fn users(&self) -> impl Iterator<Item = (&Bytes, &User)> {
        self.users.iter().map(|(name, user)| (name, &**user))
    }

    pub(crate) fn set(&mut self, name: Bytes, user: User) {
        self.users.insert(name, Arc::new(user));
        self.default_is_unlimited = self.user(DEFAULT.as_bytes()).is_some_and(User::is_unlimited);
    }

    pub(crate) fn remove(&mut self, name: &[u8]) -> bool {
        self.users.remove(name).is_some()
    }

    /// Whether a new connection is the default user's without a password.
    pub(crate) fn greets_everybody(&self) -> bool {
        self.user(DEFAULT.as_bytes()).is_some_and(|user| user.on && user.nopass)
    }

    /// Whether a user may do everything, which is quickly known of the default user only.
    pub(crate) fn is_unlimited(&self, name: &[u8]) -> bool {
        self.default_is_unlimited && name == DEFAULT.as_bytes()
    }

    /// Whether there are users besides the default one.
    pub(crate) fn has_users(&self) -> bool {
        self.users.len() > 1
    }

    pub(crate) fn authenticates(&self, name: &[u8], password: &[u8]) -> bool {
        self.user(name).is_some_and(|user| user.admits(password))
    }

    /// Sets the one password of the default user, or none.
    pub(crate) fn require_password(&mut self, password: &[u8]) {
        let Some(user) = self.user(DEFAULT.as_bytes()) else { return };
        let mut user = user.clone();
        user.nopass = password.is_empty();
        user.passwords = if user.nopass { Vec::new() } else { vec![sha256::hex(password)] };
        self.set(Bytes::from_static(DEFAULT.as_bytes()), user);
    }

    /// Notes a refusal, with an earlier one if it is of the same kind. Its number and its count are given here.
    pub(crate) fn note(&mut self, refusal: Refusal, longest: usize, version: Version) {
        let same = |known: &Refusal| {
            (known.reason, known.context, &known.object, &known.user)
                == (refusal.reason, refusal.context, &refusal.object, &refusal.user)
                && refusal.at_ms - known.at_ms <= SAME_ENTRY_MS
        };
        let earlier = self.log.iter().position(same).and_then(|at| self.log.remove(at));
        let noted = match earlier {
            Some(Refusal { id, count, since_ms, .. }) => Refusal { id, count: count + 1, since_ms, ..refusal },
            None => Refusal { id: self.logged, count: 1, ..refusal },
        };
        if noted.count == 1 && version >= Version::V7_2 {
            self.logged += 1;
        }
        self.log.push_front(noted);
        self.log.truncate(longest);
    }
}

/// All commands and subcommands of a version, containers before what they contain.
pub(crate) fn everything(version: Version) -> impl Iterator<Item = &'static Command> {
    command::all_in(version).flat_map(move |command| std::iter::once(command).chain(command.subcommands_in(version)))
}

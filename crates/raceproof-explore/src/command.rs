//! Redis commands as clients send them.
//!
//! A search sends the same few commands millions of times, so each thread keeps those that it has seen: sending one again
//! costs no allocation.

use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use redis::{Arg, Cmd, ErrorKind, RedisError, RedisResult};
use rustc_hash::FxHasher;

use crate::event::Reach;

thread_local! {
    /// By their hash, each in the place that it names.
    static KNOWN: RefCell<Vec<Option<Command>>> = const { RefCell::new(Vec::new()) };

    /// By where they were sent from the last time.
    static LIKELY: RefCell<Vec<Option<Command>>> = const { RefCell::new(Vec::new()) };
}

/// How many commands a thread keeps, a power of two. One that comes to the place of another takes it.
const MOST_KNOWN: usize = 1024;

/// For how many places a thread keeps what was sent from there last, a power of two.
const MOST_LIKELY: usize = 256;

/// How long a command may be to be kept (bytes): few are longer, and those would cost memory.
const LONGEST_KNOWN: usize = 256;

/// The arguments of one command, name included; derefs to them.
#[derive(Clone, Debug)]
pub(crate) struct Command(Arc<Arguments>);

#[derive(Debug)]
struct Arguments {
    args: Vec<Bytes>,
    hash: u64,
    reach: Reach,
}

impl Arguments {
    fn new(args: Vec<Bytes>, hash: u64) -> Self {
        Self { reach: reach(&args), args, hash }
    }
}

impl Deref for Command {
    type Target = [Bytes];

    fn deref(&self) -> &[Bytes] {
        &self.0.args
    }
}

impl PartialEq for Command {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.0.hash == other.0.hash && self.0.args == other.0.args)
    }
}

impl Eq for Command {}

/// Equal commands hash alike.
impl Hash for Command {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}

impl From<Vec<Bytes>> for Command {
    fn from(args: Vec<Bytes>) -> Self {
        let (hash, _) = hash(args.iter().map(|arg| &arg[..]));
        Self(Arc::new(Arguments::new(args, hash)))
    }
}

impl Command {
    /// What redis-rs would send. `place` is a number of where it is sent from: nearly always a client's first command is
    /// the one that it was in the execution before, and so on, and to compare is less work than to hash.
    pub(crate) fn of_redis_rs(cmd: &Cmd, place: usize) -> RedisResult<Self> {
        LIKELY.with_borrow_mut(|likely| {
            if likely.is_empty() {
                likely.resize(MOST_LIKELY, None);
            }
            let likely = &mut likely[place % MOST_LIKELY];
            match likely {
                Some(command) if command.is(cmd.args_iter().map(text)) => Ok(command.clone()),
                _ => {
                    let (command, is_short) = Self::found(cmd)?;
                    *likely = is_short.then(|| command.clone());
                    Ok(command)
                }
            }
        })
    }

    /// What redis-rs would send, by its hash; and whether it may be kept.
    fn found(cmd: &Cmd) -> RedisResult<(Self, bool)> {
        let mut understood = true;
        let args = cmd.args_iter().map(text);
        let (hash, bytes) = hash(args.clone().map(|arg| {
            understood &= arg.is_some();
            arg.unwrap_or_default()
        }));
        if !understood {
            return Err(RedisError::from((
                ErrorKind::Client,
                "an argument of a kind this version of raceproof does not know",
            )));
        }
        let args = args.map(Option::unwrap_or_default);
        let is_short = bytes <= LONGEST_KNOWN;
        Ok((if is_short { Self::known(args, hash) } else { Self::new(args, hash) }, is_short))
    }

    pub(crate) fn reach(&self) -> Reach {
        self.0.reach
    }

    /// A short command, as it is kept or to be kept from now on.
    fn known<'c>(args: impl Iterator<Item = &'c [u8]> + Clone, hash: u64) -> Self {
        KNOWN.with_borrow_mut(|known| {
            if known.is_empty() {
                known.resize(MOST_KNOWN, None);
            }
            // The upper bits of a hash are its best.
            let place = &mut known[(hash >> 32) as usize % MOST_KNOWN];
            match place {
                Some(command) if command.0.hash == hash && command.is(args.clone().map(Some)) => command.clone(),
                _ => {
                    let command = Self::new(args, hash);
                    *place = Some(command.clone());
                    command
                }
            }
        })
    }

    #[inline]
    fn is<'c>(&self, args: impl Iterator<Item = Option<&'c [u8]>>) -> bool {
        let mut known = self.iter();
        // The last of them ends the loop.
        for arg in args {
            if known.next().is_none_or(|known| arg.is_none_or(|arg| known != arg)) {
                return false;
            }
        }
        known.next().is_none()
    }

    /// A copy, with all arguments in one allocation.
    fn new<'c>(args: impl Iterator<Item = &'c [u8]>, hash: u64) -> Self {
        let args: Vec<&[u8]> = args.collect();
        let mut rest = Bytes::from(args.concat());
        let args = args.iter().map(|arg| rest.split_to(arg.len())).collect();
        Self(Arc::new(Arguments::new(args, hash)))
    }
}

/// An argument; nothing if it is of a kind that is not known.
fn text(arg: Arg<&[u8]>) -> Option<&[u8]> {
    match arg {
        Arg::Simple(bytes) => Some(bytes),
        Arg::Cursor => Some(b"0"),
        _ => None,
    }
}

/// A number that few other commands have, and how many bytes the arguments have together.
fn hash<'c>(args: impl Iterator<Item = &'c [u8]>) -> (u64, usize) {
    let (mut hasher, mut bytes) = (FxHasher::default(), 0);
    for arg in args {
        arg.hash(&mut hasher);
        bytes += arg.len();
    }
    (hasher.finish(), bytes)
}

/// Commands of which it is known that in any state they touch the keys that they name and nothing else, with how much
/// they can do to them.
fn reach(args: &[Bytes]) -> Reach {
    const READS: [&[u8]; 12] = [
        b"GET",
        b"MGET",
        b"STRLEN",
        b"GETRANGE",
        b"EXISTS",
        b"TYPE",
        b"HGET",
        b"HMGET",
        b"HGETALL",
        b"HLEN",
        b"HEXISTS",
        b"HKEYS",
    ];
    // Only what writes whatever it finds: INCR reads a value that is no number and leaves it, DEL a key that is not there.
    const WRITES: [&[u8]; 4] = [b"SET", b"MSET", b"SETEX", b"PSETEX"];
    let Some(name) = args.first() else { return Reach::Anything };
    let is = |known: &&[u8]| name.eq_ignore_ascii_case(known);
    if READS.iter().any(is) {
        Reach::Reads
    } else if WRITES.iter().any(is) && (args.len() == 3 || !name.eq_ignore_ascii_case(b"SET")) {
        Reach::Writes
    } else {
        Reach::Anything
    }
}

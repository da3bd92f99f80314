//! The command table: what drives dispatch, arity checks, `COMMAND` and the extraction of keys.

use std::{fmt, sync::OnceLock};

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::{
    Version, commands,
    context::Context,
    failure::{self, Answer, Failure},
    number::{leading_integer, parse_integer},
};

/// A command's function. It gets the whole command, name included.
pub(crate) type Run = fn(&mut Context<'_>, &[Bytes]) -> Answer;

/// One row of the table. A subcommand is a row of its container, named `container|subcommand`.
pub(crate) struct Command {
    pub(crate) name: &'static str,
    pub(crate) run: Run,
    /// How many arguments, name included; a negative number is a minimum.
    pub(crate) arity: i32,
    pub(crate) flags: u32,
    pub(crate) group: Group,
    pub(crate) keys: &'static [KeySpec],
    pub(crate) tips: &'static [&'static str],
    pub(crate) subcommands: &'static [Command],
    pub(crate) since: Version,
    /// The row in whose place this one is from a later version on.
    pub(crate) later: Option<&'static Self>,
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The flags of `COMMAND INFO`.
pub(crate) mod flag {
    pub(crate) const WRITE: u32 = 1;
    pub(crate) const READONLY: u32 = 1 << 1;
    pub(crate) const DENYOOM: u32 = 1 << 2;
    pub(crate) const ADMIN: u32 = 1 << 3;
    pub(crate) const NOSCRIPT: u32 = 1 << 4;
    pub(crate) const LOADING: u32 = 1 << 5;
    pub(crate) const STALE: u32 = 1 << 6;
    pub(crate) const SKIP_MONITOR: u32 = 1 << 7;
    pub(crate) const SKIP_SLOWLOG: u32 = 1 << 8;
    pub(crate) const FAST: u32 = 1 << 9;
    pub(crate) const NO_AUTH: u32 = 1 << 10;
    pub(crate) const ALLOW_BUSY: u32 = 1 << 11;
    pub(crate) const NO_MANDATORY_KEYS: u32 = 1 << 12;
    pub(crate) const MOVABLE_KEYS: u32 = 1 << 13;
    pub(crate) const BLOCKING: u32 = 1 << 14;
    pub(crate) const NO_ASYNC_LOADING: u32 = 1 << 15;
    /// Refused between `MULTI` and `EXEC`.
    pub(crate) const NO_MULTI: u32 = 1 << 16;
    pub(crate) const ASKING: u32 = 1 << 17;
    pub(crate) const PUBSUB: u32 = 1 << 18;
    /// Refused unless the server's configuration file allows it, which none does. Not shown.
    pub(crate) const PROTECTED: u32 = 1 << 26;
    /// Looks at keys without leaving a trace in how they were used. Not shown.
    pub(crate) const NO_TOUCH: u32 = 1 << 27;
    /// Executed at once between `MULTI` and `EXEC` instead of being queued. Not shown.
    pub(crate) const IMMEDIATE: u32 = 1 << 30;
    /// Allowed in the subscribed mode of RESP2. Not shown.
    pub(crate) const SUBSCRIBED: u32 = 1 << 28;
    /// May find keys to remove anywhere, and then does not frame the removals. Not shown.
    pub(crate) const ANY_KEYS: u32 = 1 << 29;

    /// The names in the order in which Redis lists them.
    pub(crate) const NAMES: [(u32, &str); 19] = [
        (WRITE, "write"),
        (READONLY, "readonly"),
        (DENYOOM, "denyoom"),
        (ADMIN, "admin"),
        (PUBSUB, "pubsub"),
        (NOSCRIPT, "noscript"),
        (BLOCKING, "blocking"),
        (LOADING, "loading"),
        (STALE, "stale"),
        (SKIP_MONITOR, "skip_monitor"),
        (SKIP_SLOWLOG, "skip_slowlog"),
        (ASKING, "asking"),
        (FAST, "fast"),
        (NO_ASYNC_LOADING, "no_async_loading"),
        (NO_MULTI, "no_multi"),
        (NO_AUTH, "no_auth"),
        (ALLOW_BUSY, "allow_busy"),
        (NO_MANDATORY_KEYS, "no_mandatory_keys"),
        (MOVABLE_KEYS, "movablekeys"),
    ];
}

/// Commands that do not write and still go to replicas, beside those that run scripts.
pub(crate) const SENT_ON: [&str; 3] = ["pfcount", "publish", "spublish"];

/// The family of a command, which gives its access-control category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Admin,
    Bitmap,
    Connection,
    Dangerous,
    Geo,
    Hash,
    HyperLogLog,
    Keyspace,
    List,
    PubSub,
    /// `SWAPDB`, `FLUSHALL`, `KEYS`, …
    KeyspaceDangerous,
    Scripting,
    Server,
    Set,
    /// `SORT`
    Sort,
    SortedSet,
    Stream,
    String,
    Transaction,
}

/// Where a command's keys are, and what it does to them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeySpec {
    /// The index of the first argument that matters.
    pub(crate) begin: usize,
    pub(crate) find: FindKeys,
    pub(crate) flags: &'static [&'static str],
    pub(crate) notes: Option<&'static str>,
}

/// How keys are found from the beginning on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FindKeys {
    /// Every `step`th argument up to `last`, counted from the beginning, or from the end if negative.
    Range { last: i32, step: i32 },
    /// A count of keys, then the keys, with `step - 1` arguments after each.
    Count { step: usize },
    /// The first half of what follows the word `STREAMS`, which is at `begin` or after it.
    AfterStreams,
    /// The one after a word, which may be anywhere from `begin` on; none without the word.
    AfterWord(&'static str),
    /// All behind the word `KEYS`, in place of the keys before, if that was left empty (`MIGRATE`).
    AfterKeys,
    /// Nobody can say without the data.
    Unknown,
}

/// The keys from `begin` to `last`, every `step`th.
pub(crate) const fn keys(begin: usize, last: i32, step: i32, flags: &'static [&'static str]) -> KeySpec {
    KeySpec { begin, find: FindKeys::Range { last, step }, flags, notes: None }
}

/// A count of keys at `begin`, then the keys.
pub(crate) const fn first_keys(begin: usize, flags: &'static [&'static str]) -> KeySpec {
    KeySpec { begin, find: FindKeys::Count { step: 1 }, flags, notes: None }
}

impl Command {
    /// A row without keys, tips and subcommands, in every version.
    pub(crate) const fn new(name: &'static str, run: Run, arity: i32, flags: u32, group: Group) -> Self {
        Self {
            name,
            run,
            arity,
            flags,
            group,
            keys: &[],
            tips: &[],
            subcommands: &[],
            since: Version::V7_0,
            later: None,
        }
    }

    pub(crate) const fn keys(mut self, keys: &'static [KeySpec]) -> Self {
        self.keys = keys;
        self
    }

    pub(crate) const fn tips(mut self, tips: &'static [&'static str]) -> Self {
        self.tips = tips;
        self
    }

    pub(crate) const fn subcommands(mut self, subcommands: &'static [Self]) -> Self {
        self.subcommands = subcommands;
        self
    }

    /// The subcommands that there are in a version.
    pub(crate) fn subcommands_in(&self, version: Version) -> impl Iterator<Item = &'static Self> + use<> {
        self.subcommands.iter().filter_map(move |row| row.in_version(version))
    }

    /// The row as a version has it, if there is such a command in it.
    pub(crate) fn in_version(&'static self, version: Version) -> Option<&'static Self> {
        let later = self.later.and_then(|row| row.in_version(version));
        later.or_else(|| (self.since <= version).then_some(self))
    }

    /// Says what the command is from the version of another row on.
    pub(crate) const fn then(mut self, later: &'static Self) -> Self {
        self.later = Some(later);
        self
    }

    pub(crate) const fn since(mut self, version: Version) -> Self {
        self.since = version;
        self
    }

    /// Whether it runs a script or a function.
    pub(crate) fn runs_script(&self) -> bool {
        matches!(self.name, "eval" | "eval_ro" | "evalsha" | "evalsha_ro" | "fcall" | "fcall_ro")
    }

    pub(crate) const fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// Whether that many arguments, name included, are right.
    pub(crate) const fn accepts(&self, count: usize) -> bool {
        let needed = self.arity.unsigned_abs() as usize;
        if self.arity < 0 { count >= needed } else { count == needed }
    }

    /// What a call does to the keys of a spec: `SET` reads, and `BITFIELD` writes, only if asked to.
    fn flags_of(&self, spec: &KeySpec, args: &[Bytes]) -> &'static [&'static str] {
        let from = if self.name == "set" { 3 } else { 2 };
        let asks = |words: &[&str]| {
            let mut options = args.iter().skip(from);
            options.any(|option| words.iter().any(|word| option.eq_ignore_ascii_case(word.as_bytes())))
        };
        match self.name {
            "set" if asks(&["get"]) => &["RW", "access", "update"],
            "set" => &["OW", "update"],
            "bitfield" if !asks(&["set", "incrby"]) => &["RO", "access"],
            "bitfield" => &["RW", "access", "update"],
            _ => spec.flags,
        }
    }

    /// The indices of the keys of a call, each with what is done to it; `None` if its number of keys makes no sense.
    pub(crate) fn key_uses(&self, args: &[Bytes]) -> Option<Vec<KeyUse>> {
        let mut positions = Vec::new();
        let mut later = None;
        for spec in self.keys {
            let (first, last, step) = match spec.find {
                FindKeys::Range { last, step } => {
                    let last = if last < 0 {
                        args.len().checked_sub(last.unsigned_abs() as usize)?
                    } else {
                        spec.begin + last.unsigned_abs() as usize
                    };
                    (spec.begin, last, step.unsigned_abs() as usize)
                }
                FindKeys::Unknown => {
                    // The last `STORE` of a `SORT` counts.
                    if spec.flags.contains(&"OW") {
                        positions.extend(store_position(args).map(|at| (at, spec.flags)));
                    }
                    continue;
                }
                FindKeys::AfterWord(word) => {
                    let words = args.get(spec.begin..).unwrap_or_default();
                    let found = words.iter().position(|known| known.eq_ignore_ascii_case(word.as_bytes()));
                    let found = found.map(|at| spec.begin + at + 1).filter(|at| *at < args.len());
                    positions.extend(found.map(|at| (at, spec.flags)));
                    continue;
                }
                FindKeys::AfterKeys => {
                    let words = args.get(spec.begin..).unwrap_or_default();
                    let found = words.iter().position(|word| word.eq_ignore_ascii_case(b"keys"));
                    if let Some(at) = found
                        && at + 1 < words.len()
                        && args[3].is_empty()
                    {
                        positions.clear();
                        positions.extend((spec.begin + at + 1..args.len()).map(|at| (at, spec.flags)));
                    }
                    continue;
                }
                FindKeys::AfterStreams => {
                    let words = args.get(spec.begin..)?;
                    let first = spec.begin + 1 + words.iter().position(|word| word.eq_ignore_ascii_case(b"streams"))?;
                    let count = args.len().checked_sub(first)? / 2;
                    (first, first + count.checked_sub(1)?, 1)
                }
                FindKeys::Count { step } => {
                    let text = args.get(spec.begin)?;
                    if parse_integer(text).is_none() {
                        // Redis falls back on functions that name the counted keys first, and do not know what is done to them.
                        later = Some(positions.len());
                    }
                    let count = usize::try_from(leading_integer(text)).ok().filter(|count| *count > 0)?;
                    let last = count.checked_mul(step)?.checked_add(spec.begin + 1)? - step;
                    (spec.begin + 1, last, step)
                }
            };
            if last < first || last >= args.len() {
                return None;
            }
            let flags = self.flags_of(spec, args);
            positions.extend((first..=last).step_by(step).map(|at| (at, flags)));
        }
        if let Some(later) = later {
            positions.rotate_left(later);
            positions.iter_mut().for_each(|(_, flags)| *flags = &[]);
        }
        Some(positions)
    }
}

/// The index of a key, and the flags of its key spec.
pub(crate) type KeyUse = (usize, &'static [&'static str]);

/// Where `SORT` has the key that it stores in; arguments of other options are passed over.
fn store_position(args: &[Bytes]) -> Option<usize> {
    let (mut at, mut found) = (2, None);
    while let Some(option) = args.get(at) {
        at += match option.to_ascii_lowercase().as_slice() {
            b"limit" => 3,
            b"get" | b"by" => 2,
            b"store" if at + 1 < args.len() => {
                found = Some(at + 1);
                1
            }
            _ => 1,
        };
    }
    found
}

/// The longest name in the table; longer ones are unknown without looking.
const MAX_NAME: usize = 24;

/// A name in lower case, as numbers: comparing and hashing it takes no loop.
fn folded(name: &[u8]) -> Option<[u64; MAX_NAME / 8]> {
    if name.len() > MAX_NAME {
        return None;
    }
    let mut bytes = [0; MAX_NAME];
    bytes[..name.len()].copy_from_slice(name);
    bytes.make_ascii_lowercase();
    let (words, _) = bytes.as_chunks::<8>();
    Some([words[0], words[1], words[2]].map(u64::from_le_bytes))
}

/// As [`folded`], of one of 3 to 8 bytes, as most names are: its halves, which may overlap, are read at once.
fn folded_short(name: &[u8]) -> Option<u64> {
    let word = match name {
        [first, second, third] => u64::from_le_bytes([*first, *second, *third, 0, 0, 0, 0, 0]),
        [..] if (4..=8).contains(&name.len()) => {
            let (first, last) = (name.first_chunk::<4>()?, name.last_chunk::<4>()?);
            let last = u64::from(u32::from_le_bytes(*last)) << (8 * (name.len() - 4));
            u64::from(u32::from_le_bytes(*first)) | last
        }
        _ => return None,
    };
    Some(in_lower_case(word))
}

/// Eight bytes, each in lower case if it is a letter.
const fn in_lower_case(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * EACH;
    // Sums of seven bits stay within their byte; their highest bit tells whether they reach a letter.
    let low = word & !HIGH;
    let (from_a, beyond_z) = (low + (0x80 - b'A' as u64) * EACH, low + (0x7f - b'Z' as u64) * EACH);
    let capital = (from_a ^ beyond_z) & !word & HIGH;
    word | capital >> 2
}

/// The commands by name.
struct Index {
    short: FxHashMap<u64, &'static Command>,
    other: FxHashMap<[u64; MAX_NAME / 8], &'static Command>,
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| Index {
        short: all().filter_map(|command| Some((folded_short(command.name.as_bytes())?, command))).collect(),
        other: all().filter_map(|command| Some((folded(command.name.as_bytes())?, command))).collect(),
    })
}

/// Every command of every version as it was at first, without subcommands.
fn all() -> impl Iterator<Item = &'static Command> {
    commands::FAMILIES.iter().copied().flatten()
}

/// The commands of a version, without subcommands.
pub(crate) fn all_in(version: Version) -> impl Iterator<Item = &'static Command> {
    all().filter_map(move |command| command.in_version(version))
}

/// The command of a name in any case, without looking at subcommands.
pub(crate) fn by_name(name: &[u8], version: Version) -> Option<&'static Command> {
    let command = *match folded_short(name) {
        Some(short) => index().short.get(&short)?,
        None => index().other.get(&folded(name)?)?,
    };
    // A zero that ends a name is none of its bytes to a number.
    if command.name.len() == name.len() { command.in_version(version) } else { None }
}

/// The command that is called, which is the subcommand if there is one.
pub(crate) fn find(args: &[Bytes], version: Version) -> Option<&'static Command> {
    let command = by_name(args.first()?, version)?;
    match args.get(1) {
        Some(subcommand) if !command.subcommands.is_empty() => command
            .subcommands_in(version)
            .find(|row| row.name.as_bytes()[command.name.len() + 1..].eq_ignore_ascii_case(subcommand)),
        _ => Some(command),
    }
}

/// The command that is called, with a suitable number of arguments.
pub(crate) fn resolve(args: &[Bytes], version: Version) -> Result<&'static Command, Failure> {
    match find(args, version) {
        Some(command) if command.accepts(args.len()) => Ok(command),
        Some(command) => Err(failure::wrong_arity(command.name)),
        None if args.len() > 1 && by_name(&args[0], version).is_some() => Err(failure::unknown_subcommand(args)),
        None => Err(failure::unknown_command(args)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_in_lower_case_all_at_once_as_one_by_one() {
        for byte in 0..=u8::MAX {
            for neighbour in [0, b'A', b'Z', b'z', 0x7f, 0x80, 0xff] {
                let mut bytes = [neighbour, byte, neighbour, byte, byte, neighbour, neighbour, byte];
                let folded = in_lower_case(u64::from_le_bytes(bytes)).to_le_bytes();
                bytes.make_ascii_lowercase();
                assert_eq!(folded, bytes);
            }
        }
    }

    #[test]
    fn every_name_is_found_in_any_case_and_no_other() {
        for command in all() {
            let name = command.name.to_ascii_uppercase();
            assert!(
                by_name(name.as_bytes(), Version::NEWEST).is_some_and(|found| found.name == command.name),
                "{name}"
            );
            for other in [format!("{name}\0"), format!("{name}x"), name[1..].to_owned(), format!(" {name}")] {
                let known = all().any(|command| command.name == other.to_ascii_lowercase());
                assert_eq!(by_name(other.as_bytes(), Version::NEWEST).is_some(), known, "{other:?}");
            }
        }
    }
}

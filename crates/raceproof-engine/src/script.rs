//! The seam between the engine and whatever runs its scripts.
//!
//! The engine is plain data and can be cloned at any time; a Lua state cannot. So the engine does not own one: the
//! caller keeps a [`ScriptHost`] and lends it to every call of the engine.

use bytes::Bytes;

use crate::{Engine, Reply};

/// A script and its arguments.
#[derive(Clone, Copy, Debug)]
pub struct Script<'a> {
    /// The SHA1 of the source, 40 lower-case hexadecimal digits. A host may cache what it compiled under it.
    pub sha1: &'a str,
    /// The source.
    pub source: &'a Bytes,
    /// `KEYS`
    pub keys: &'a [Bytes],
    /// `ARGV`
    pub args: &'a [Bytes],
}

/// A function as its library registered it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LibraryFunction {
    /// Its name: letters, digits and underscores.
    pub name: Bytes,
    /// What `FUNCTION LIST` says of it.
    pub description: Option<Bytes>,
    /// What it may do, and when.
    pub flags: FunctionFlags,
}

/// The flags of a function, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FunctionFlags(u8);

impl FunctionFlags {
    /// It must not write.
    pub const NO_WRITES: Self = Self(1);
    /// It may run when memory is over its limit.
    pub const ALLOW_OOM: Self = Self(2);
    const NAMES: [&'static str; 5] = ["no-writes", "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys"];

    /// Adds the flag of a name; tells whether there is one.
    pub fn set(&mut self, name: &[u8]) -> bool {
        let at = Self::NAMES.iter().position(|known| known.as_bytes() == name);
        at.inspect(|at| self.0 |= 1 << at).is_some()
    }

    /// Whether all flags of another one are set.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names of the flags, in Redis's order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().enumerate().filter(move |(at, _)| self.0 & 1 << at != 0).map(|(_, name)| name)
    }
}

/// Runs scripts.
pub trait ScriptHost {
    /// Compiles without running, as `SCRIPT LOAD` does.
    ///
    /// # Errors
    /// The text of the error reply, with its code.
    fn compile(&mut self, sha1: &str, source: &Bytes) -> Result<(), Bytes>;

    /// Runs a script. What it sends by `redis.call` goes to `calls`; a failure of the script is an error reply.
    fn run(&mut self, script: Script<'_>, calls: &mut dyn ScriptCalls) -> Reply;

    /// Runs the body of a library, as `FUNCTION LOAD` does, and gives what it registers, by name. By default there are no
    /// libraries.
    ///
    /// # Errors
    /// The text of the error reply, with its code.
    fn load_library(&mut self, _sha1: &str, _source: &Bytes) -> Result<Vec<LibraryFunction>, Bytes> {
        Err(Bytes::from_static(b"ERR this script host has no libraries"))
    }

    /// Runs a function of a library that was loaded, maybe by another host. `library` holds the library's source and the
    /// arguments of the function. What the function leaves behind in its library is gone when it ends.
    fn run_function(&mut self, _name: &Bytes, _library: Script<'_>, _calls: &mut dyn ScriptCalls) -> Reply {
        Reply::Error(Bytes::from_static(b"ERR this script host has no libraries"))
    }
}

/// What a running script can do to the engine.
pub trait ScriptCalls {
    /// Executes one command of the script and gives its reply (also an error reply; `redis.call` raises it,
    /// `redis.pcall` returns it).
    fn call(&mut self, args: &[Bytes]) -> Reply;

    /// `redis.setresp(2 | 3)`: the shape in which replies are converted to Lua values.
    fn set_resp(&mut self, version: u8);

    /// `redis.log(level, message)`.
    fn log(&mut self, level: i64, message: &[u8]);

    /// `redis.set_repl(flags)`: where the script's further writes are propagated to (1 the append-only file, 2 replicas,
    /// 3 both, 0 neither). By default ignored.
    fn set_repl(&mut self, _flags: u8) {}

    /// The engine as it is in the midst of the script, for whoever has something else to do with it before the script goes
    /// on ([`Engine::execute_meanwhile`]). By default there is none.
    fn engine(&mut self) -> Option<&mut Engine> {
        None
    }

    /// `redis.acl_check_cmd(…)`: whether the user may run the command; nothing if there is no such command. By default
    /// every command exists and is allowed.
    fn acl_check(&mut self, _args: &[Bytes]) -> Option<bool> {
        Some(true)
    }
}

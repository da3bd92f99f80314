//! The seam between the engine and whatever runs its scripts.
//!
//! The engine is plain data and can be cloned at any time; a Lua state cannot. So the engine does not own one: the
//! caller keeps a [`ScriptHost`] and lends it to every call of the engine.

use bytes::Bytes;

use crate::Reply;

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

/// Runs scripts.
pub trait ScriptHost {
    /// Compiles without running, as `SCRIPT LOAD` does.
    ///
    /// # Errors
    /// The text of the error reply, with its code.
    fn compile(&mut self, sha1: &str, source: &Bytes) -> Result<(), Bytes>;

    /// Runs a script. What it sends by `redis.call` goes to `calls`; a failure of the script is an error reply.
    fn run(&mut self, script: Script<'_>, calls: &mut dyn ScriptCalls) -> Reply;
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

    /// `redis.acl_check_cmd(…)`: whether the user may run the command; nothing if there is no such command. By default
    /// every command exists and is allowed.
    fn acl_check(&mut self, _args: &[Bytes]) -> Option<bool> {
        Some(true)
    }
}

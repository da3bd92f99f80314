//! Scripts in real Lua 5.1, sandboxed as Redis does it.
//!
//! A [`LuaHost`] holds one Lua state and runs any number of scripts in it, since a new state costs some 60 µs. Nothing
//! is left of a run when it ends: globals and libraries are read-only, `KEYS` and `ARGV` are taken away, the random
//! generator and the settings of `cjson` begin anew. So the reply to a script depends on the script, its arguments and
//! the replies of the engine alone.
//!
//! A script ends: a hook counts instructions, and allocations have a limit. `docs/fidelity.md` lists where the host
//! differs from Redis.

mod bits;
mod cjson;
mod cmsgpack;
mod convert;
mod failure;
mod native;
mod number;
mod random;
mod redis_lib;
pub(crate) mod shebang;
mod structs;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bytes::Bytes;
use mlua::{Function, HookTriggers, Lua, LuaOptions, StdLib, Table, Value, VmState};
use rustc_hash::FxHashMap;

use crate::{Reply, Script, ScriptCalls, ScriptHost};
use failure::Failures;
use native::{Fail, Raised, native};
use random::Random;
use redis_lib::Channel;

/// The default of [`LuaHost::with_instruction_limit`].
const INSTRUCTION_LIMIT: u64 = 50_000_000;
/// How many instructions run between two looks at the budget.
const INSTRUCTIONS_PER_LOOK: u32 = 1_000;
const MEMORY_LIMIT_BYTES: usize = 512 << 20;
/// A run that leaves more than this in use is followed by a full collection, so that the next one has its memory.
const COLLECT_ABOVE_BYTES: usize = 32 << 20;
const COMPILED_MAX: usize = 1_000;

/// Runs scripts, one at a time.
pub struct LuaHost {
    /// Made for the first script.
    state: Option<mlua::Result<State>>,
    instruction_limit: u64,
}

impl std::fmt::Debug for LuaHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LuaHost").field("instruction_limit", &self.instruction_limit).finish_non_exhaustive()
    }
}

impl Default for LuaHost {
    fn default() -> Self {
        Self::new()
    }
}

impl LuaHost {
    /// A host. Its Lua state is made for its first script, which takes some 100 µs longer than the later ones. Should
    /// the state not come to be for want of memory, every script's reply says so.
    #[must_use]
    pub fn new() -> Self {
        Self { state: None, instruction_limit: INSTRUCTION_LIMIT }
    }

    /// Sets how many instructions of the Lua machine a script may take; the default is 50 million, about half a second.
    /// One that needs more ends with an error reply that its own `pcall` cannot catch. The count is exact to about a
    /// thousand.
    #[must_use]
    pub fn with_instruction_limit(mut self, limit: u64) -> Self {
        self.instruction_limit = limit;
        self
    }
}

impl ScriptHost for LuaHost {
    fn compile(&mut self, sha1: &str, source: &Bytes) -> Result<(), Bytes> {
        match self.state.get_or_insert_with(State::new) {
            Ok(state) => state.function(sha1, source).map(drop),
            Err(error) => Err(no_state(error)),
        }
    }

    fn run(&mut self, script: Script<'_>, calls: &mut dyn ScriptCalls) -> Reply {
        let state = match self.state.get_or_insert_with(State::new) {
            Ok(state) => state,
            Err(error) => return Reply::Error(no_state(error)),
        };
        let function = match state.function(script.sha1, script.source) {
            Ok(function) => function,
            Err(text) => return Reply::Error(text),
        };
        let reply = state.run(script, &function, calls, self.instruction_limit);
        let reply = reply.unwrap_or_else(|error| Reply::Error(failure::host_error(script.sha1, &error)));
        state.clean_up(reply)
    }
}

fn no_state(error: &mlua::Error) -> Bytes {
    Bytes::from(format!("ERR the Lua state could not be made: {}", failure::first_line(error)))
}

/// The Lua state and what belongs to it.
struct State {
    lua: Lua,
    /// Lua's own `xpcall`.
    xpcall: Function,
    /// The message handler of every script.
    handler: Function,
    /// Removes what a script left.
    reset: Function,
    /// The table behind the read-only globals.
    globals: Table,
    /// Compiles a source; gives a function, or nil and the message.
    compile: Function,
    compiled: FxHashMap<Box<str>, Function>,
    channel: Rc<Channel>,
    random: Rc<Random>,
    cjson: cjson::Shared,
    failures: Rc<Failures>,
    /// Instructions that the running script has left.
    budget: Rc<Cell<u64>>,
}

impl State {
    fn new() -> mlua::Result<Self> {
        let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH;
        let lua = Lua::new_with(libraries, LuaOptions::new())?;
        let channel = Rc::<Channel>::default();
        let random = Rc::<Random>::default();
        let cjson = cjson::Shared::default();
        let failures = Rc::<Failures>::default();

        let host = lua.create_table()?;
        host.raw_set("redis", redis_lib::library(&lua, &channel)?)?;
        host.raw_set("cjson", cjson::library(&lua, &cjson)?)?;
        host.raw_set("cmsgpack", cmsgpack::library(&lua)?)?;
        host.raw_set("struct", structs::library(&lua)?)?;
        host.raw_set("bit", bits::library(&lua)?)?;
        random::install(&lua, &lua.globals().raw_get("math")?, &random)?;
        add_guards(&lua, &host)?;
        failure::install(&lua, &host, &failures)?;

        let prelude = lua.load(include_str!("lua/prelude.lua")).set_name(failure::PRELUDE_CHUNK);
        let made: Table = prelude.call(host)?;
        lua.set_globals(made.raw_get("environment")?)?;
        Ok(Self {
            xpcall: made.raw_get("xpcall")?,
            handler: made.raw_get("handler")?,
            reset: made.raw_get("reset")?,
            globals: made.raw_get("globals")?,
            compile: made.raw_get("compile")?,
            compiled: FxHashMap::default(),
            lua,
            channel,
            random,
            cjson,
            failures,
            budget: Rc::default(),
        })
    }

    /// The compiled script.
    fn function(&mut self, sha1: &str, source: &Bytes) -> Result<Function, Bytes> {
        if let Some(function) = self.compiled.get(sha1) {
            return Ok(function.clone());
        }
        let body = &source[shebang::parse(source)?.len..];
        let compiled = self.lua.create_string(body).and_then(|body| self.compile.call::<(Value, Value)>(body));
        match compiled {
            Ok((Value::Function(function), _)) => {
                if self.compiled.len() >= COMPILED_MAX {
                    self.compiled.clear();
                }
                self.compiled.insert(sha1.into(), function.clone());
                Ok(function)
            }
            Ok((_, message)) => Err(failure::compile_error(&message)),
            Err(error) => Err(failure::host_error(sha1, &error)),
        }
    }

    fn run(
        &self,
        script: Script<'_>,
        function: &Function,
        calls: &mut dyn ScriptCalls,
        instruction_limit: u64,
    ) -> mlua::Result<Reply> {
        self.begin(instruction_limit)?;
        self.globals.raw_set("KEYS", self.strings(script.keys)?)?;
        self.globals.raw_set("ARGV", self.strings(script.args)?)?;
        let outcome = self.lua.scope(|scope| {
            let calls = RefCell::new(calls);
            let gate = scope.create_function(move |_, ()| {
                // A command cannot run a script's function, so the engine is never asked twice at once.
                if let Ok(mut calls) = calls.try_borrow_mut() {
                    self.channel.serve(&mut **calls);
                }
                Ok(())
            })?;
            *self.channel.gate.borrow_mut() = Some(gate);
            // Only while the script runs: where allocations may fail, mlua guards each of its own at a cost.
            self.lua.set_memory_limit(MEMORY_LIMIT_BYTES)?;
            let outcome = self.xpcall.call::<(bool, Value)>((function, &self.handler));
            self.lua.set_memory_limit(0)?;
            *self.channel.gate.borrow_mut() = None;
            outcome
        });
        match outcome? {
            (true, value) => convert::from_lua(&self.lua, value, self.channel.resp3.get()),
            (false, message) => Ok(Reply::Error(self.failures.reply(script.sha1, instruction_limit, &message))),
        }
    }

    /// Makes the state what it is for every script.
    fn begin(&self, instruction_limit: u64) -> mlua::Result<()> {
        self.channel.resp3.set(false);
        self.random.seed(0);
        *self.cjson.borrow_mut() = cjson::Settings::default();
        self.failures.clear();
        self.budget.set(instruction_limit);
        let budget = Rc::clone(&self.budget);
        let triggers = HookTriggers::new().every_nth_instruction(INSTRUCTIONS_PER_LOOK);
        self.lua.set_global_hook(triggers, move |_, _| {
            match budget.get().checked_sub(u64::from(INSTRUCTIONS_PER_LOOK)) {
                Some(left) => budget.set(left),
                None => return Err(mlua::Error::external(Raised::Limit)),
            }
            Ok(VmState::Continue)
        })
    }

    fn strings(&self, texts: &[Bytes]) -> mlua::Result<Table> {
        let table = self.lua.create_table_with_capacity(texts.len(), 0)?;
        for text in texts {
            table.raw_push(self.lua.create_string(text)?)?;
        }
        Ok(table)
    }

    /// Ends a run: gives its reply, unless what it left cannot be removed.
    fn clean_up(&self, reply: Reply) -> Reply {
        // The budget is for the script alone.
        self.budget.set(u64::MAX);
        if let Err(error) = self.reset.call::<()>(()) {
            return Reply::Error(failure::host_error("reset", &error));
        }
        if self.lua.used_memory() > COLLECT_ABOVE_BYTES {
            // Should even that fail for want of memory, the next run tells.
            let _ = self.lua.gc_collect();
        }
        reply
    }
}

/// What the prelude needs to refuse writes and unknown globals.
fn add_guards(lua: &Lua, host: &Table) -> mlua::Result<()> {
    const READONLY: &str = "Attempt to modify a readonly table";
    host.raw_set("readonly", native(lua, |_| Err::<(), _>(Fail::at(READONLY)))?)?;
    host.raw_set("readonly_plain", native(lua, |_| Err::<(), _>(Fail::Plain(READONLY.into())))?)?;
    host.raw_set("fail_arg", native::fail_arg(lua)?)?;
    host.raw_set("fail_at", native::fail_at(lua)?)?;
    host.raw_set(
        "missing_global",
        native(lua, |args| {
            let Ok(name) = args.string(2) else {
                return Err(Fail::at("Second argument to luaProtectedTableError must be a string or number"));
            };
            let mut text = b"Script attempted to access nonexistent global variable '".to_vec();
            text.extend_from_slice(&name.as_bytes());
            text.push(b'\'');
            Err::<(), Fail>(Fail::At(text))
        })?,
    )
}

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
mod library;
mod native;
pub(crate) mod number;
mod random;
mod redis_lib;
pub(crate) mod shebang;
mod structs;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bytes::Bytes;
use mlua::{Function, HookTriggers, Lua, LuaOptions, StdLib, Table, Value, VmState};
use rustc_hash::FxHashMap;

use crate::{LibraryFunction, Reply, Script, ScriptCalls, ScriptHost};
use failure::Failures;
use library::{Registered, Registry};
use native::{Fail, Raised, native};
use random::Random;
use redis_lib::Channel;

/// The default of [`LuaHost::with_instruction_limit`].
const INSTRUCTION_LIMIT: u64 = 50_000_000;
/// How many instructions run between two looks at the budget.
const INSTRUCTIONS_PER_LOOK: u32 = 1_000;
/// After how many of those looks whoever runs the engine may look up: some milliseconds.
const LOOKS_PER_PAUSE: u32 = 200;
const MEMORY_LIMIT_BYTES: usize = 512 << 20;
/// A run that leaves more than this in use is followed by a full collection, so that the next one has its memory.
const COLLECT_ABOVE_BYTES: usize = 32 << 20;
const COMPILED_MAX: usize = 1_000;

/// What is done while a script runs on; tells whether the script is to end.
type Meanwhile<'a> = dyn FnMut(&mut dyn ScriptCalls) -> bool + 'a;

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
        let limit = self.instruction_limit;
        self.run_within(script, calls, limit, &mut |_| false)
    }

    fn load_library(&mut self, sha1: &str, source: &Bytes) -> Result<Vec<LibraryFunction>, Bytes> {
        let state = self.state.get_or_insert_with(State::new).as_mut().map_err(|error| no_state(error))?;
        let body = state.library(sha1, source)?;
        let registered = state.begin(self.instruction_limit).and_then(|()| state.register(&body));
        let registered = registered.unwrap_or_else(|error| Err(failure::host_error(sha1, &error)));
        state.clean_up(Reply::Null);
        let mut functions: Vec<LibraryFunction> =
            registered?.into_iter().map(|registered| registered.function).collect();
        functions.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(functions)
    }

    fn run_function(&mut self, name: &Bytes, library: Script<'_>, calls: &mut dyn ScriptCalls) -> Reply {
        let limit = self.instruction_limit;
        self.run_function_within(name, library, calls, limit, &mut |_| false)
    }
}

impl LuaHost {
    fn run_within(
        &mut self,
        script: Script<'_>,
        calls: &mut dyn ScriptCalls,
        limit: u64,
        meanwhile: &mut Meanwhile<'_>,
    ) -> Reply {
        let state = match self.state.get_or_insert_with(State::new) {
            Ok(state) => state,
            Err(error) => return Reply::Error(no_state(error)),
        };
        let function = match state.function(script.sha1, script.source) {
            Ok(function) => function,
            Err(text) => return Reply::Error(text),
        };
        let reply = state.run(script, &function, calls, limit, meanwhile);
        let reply = reply.unwrap_or_else(|error| Reply::Error(failure::host_error(script.sha1, &error)));
        state.clean_up(reply)
    }

    fn run_function_within(
        &mut self,
        name: &Bytes,
        library: Script<'_>,
        calls: &mut dyn ScriptCalls,
        limit: u64,
        meanwhile: &mut Meanwhile<'_>,
    ) -> Reply {
        let state = match self.state.get_or_insert_with(State::new) {
            Ok(state) => state,
            Err(error) => return Reply::Error(no_state(error)),
        };
        let body = match state.library(library.sha1, library.source) {
            Ok(body) => body,
            Err(text) => return Reply::Error(text),
        };
        let reply = state.run_function(name, library, &body, calls, limit, meanwhile);
        let shown = String::from_utf8_lossy(name);
        let reply = reply.unwrap_or_else(|error| Reply::Error(failure::host_error(&shown, &error)));
        state.clean_up(reply)
    }

    /// The same host for one who looks up from its scripts every few milliseconds of them: `meanwhile` gets at the engine by
    /// [`ScriptCalls::engine`], and tells whether the script is to end. An `endless` host lets scripts take as many
    /// instructions as they like.
    pub fn patient<'a>(&'a mut self, endless: bool, meanwhile: &'a mut Meanwhile<'a>) -> PatientHost<'a> {
        let limit = if endless { u64::MAX } else { self.instruction_limit };
        PatientHost { host: self, limit, meanwhile }
    }
}

/// A [`LuaHost`] and what is done while its scripts run: [`LuaHost::patient`].
pub struct PatientHost<'a> {
    host: &'a mut LuaHost,
    limit: u64,
    meanwhile: &'a mut Meanwhile<'a>,
}

impl std::fmt::Debug for PatientHost<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PatientHost").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl ScriptHost for PatientHost<'_> {
    fn compile(&mut self, sha1: &str, source: &Bytes) -> Result<(), Bytes> {
        self.host.compile(sha1, source)
    }

    fn run(&mut self, script: Script<'_>, calls: &mut dyn ScriptCalls) -> Reply {
        self.host.run_within(script, calls, self.limit, self.meanwhile)
    }

    fn load_library(&mut self, sha1: &str, source: &Bytes) -> Result<Vec<LibraryFunction>, Bytes> {
        self.host.load_library(sha1, source)
    }

    fn run_function(&mut self, name: &Bytes, library: Script<'_>, calls: &mut dyn ScriptCalls) -> Reply {
        self.host.run_function_within(name, library, calls, self.limit, self.meanwhile)
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
    compiled: Kept,
    /// The same for the body of a library.
    compile_library: Function,
    libraries: Kept,
    /// Runs the body of a library.
    register: Function,
    /// Calls a function of a library.
    call_function: Function,
    registry: Rc<Registry>,
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
        let registry = Rc::<Registry>::default();
        let redis = redis_lib::library(&lua, &channel)?;
        host.raw_set("load_redis", library::library(&lua, &redis, &registry)?)?;
        host.raw_set("redis", redis)?;
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
            compiled: Kept::new(&lua)?,
            compile_library: made.raw_get("compile_library")?,
            libraries: Kept::new(&lua)?,
            register: made.raw_get("register")?,
            call_function: made.raw_get("call_function")?,
            registry,
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
            return Ok(function);
        }
        let body = &source[shebang::parse(source)?.len..];
        let compile = |body: &[u8]| self.compile.call::<(Value, Value)>(self.lua.create_string(body)?);
        let function = failure::compiled(sha1, compile(body), failure::COMPILING_SCRIPT)?;
        self.compiled.keep(sha1, &function);
        Ok(function)
    }

    /// The compiled body of a library.
    fn library(&mut self, sha1: &str, source: &Bytes) -> Result<Function, Bytes> {
        if let Some(function) = self.libraries.get(sha1) {
            return Ok(function);
        }
        let body = source.iter().position(|byte| *byte == b'\n').map_or(&[][..], |end| &source[end..]);
        let compile = |body: &[u8]| self.compile_library.call::<(Value, Value)>(self.lua.create_string(body)?);
        let function = failure::compiled(sha1, compile(body), failure::COMPILING_LIBRARY)?;
        self.libraries.keep(sha1, &function);
        Ok(function)
    }

    fn run(
        &self,
        script: Script<'_>,
        function: &Function,
        calls: &mut dyn ScriptCalls,
        instruction_limit: u64,
        meanwhile: &mut Meanwhile<'_>,
    ) -> mlua::Result<Reply> {
        self.begin(instruction_limit)?;
        self.globals.raw_set("KEYS", self.strings(script.keys)?)?;
        self.globals.raw_set("ARGV", self.strings(script.args)?)?;
        let outcome = self.served(calls, meanwhile, || self.xpcall.call((function, &self.handler)))?;
        self.reply(script.sha1, instruction_limit, outcome)
    }

    /// Runs a function of a library, after the library's body.
    fn run_function(
        &self,
        name: &Bytes,
        library: Script<'_>,
        body: &Function,
        calls: &mut dyn ScriptCalls,
        instruction_limit: u64,
        meanwhile: &mut Meanwhile<'_>,
    ) -> mlua::Result<Reply> {
        self.begin(instruction_limit)?;
        let registered = match self.register(body)? {
            Ok(registered) => registered,
            Err(text) => return Ok(Reply::Error(text)),
        };
        let Some(called) = registered.iter().find(|registered| registered.function.name == *name) else {
            return Ok(Reply::Error(Bytes::from_static(b"ERR Function not found")));
        };
        let (keys, args) = (self.strings(library.keys)?, self.strings(library.args)?);
        let outcome = self.served(calls, meanwhile, || self.call_function.call((&called.callback, keys, args)))?;
        self.reply(&String::from_utf8_lossy(name), instruction_limit, outcome)
    }

    /// Runs the body of a library; gives what it registers, or the error.
    fn register(&self, body: &Function) -> mlua::Result<Result<Vec<Registered>, Bytes>> {
        self.registry.open();
        self.channel.silent.set(true);
        let outcome = self.limited(|| self.register.call::<(bool, Value)>(body));
        self.channel.silent.set(false);
        let registered = self.registry.close();
        Ok(match outcome? {
            (true, _) => Ok(registered),
            (false, message) => Err(self.failures.load_error(&message)),
        })
    }

    /// Runs something that may call the engine.
    fn served(
        &self,
        calls: &mut dyn ScriptCalls,
        meanwhile: &mut Meanwhile<'_>,
        run: impl FnOnce() -> mlua::Result<(bool, Value)>,
    ) -> mlua::Result<(bool, Value)> {
        self.lua.scope(|scope| {
            let calls = RefCell::new((calls, meanwhile));
            let gate = scope.create_function(move |_, ()| {
                // A command cannot run a script's function, so the engine is never asked twice at once.
                if let Ok(mut calls) = calls.try_borrow_mut() {
                    let (calls, meanwhile) = &mut *calls;
                    self.channel.serve(&mut **calls, meanwhile);
                }
                Ok(())
            })?;
            *self.channel.gate.borrow_mut() = Some(gate);
            let outcome = self.limited(run);
            *self.channel.gate.borrow_mut() = None;
            outcome
        })
    }

    /// Limits the memory only while a script runs: where allocations may fail, mlua guards each of its own at a cost.
    fn limited(&self, run: impl FnOnce() -> mlua::Result<(bool, Value)>) -> mlua::Result<(bool, Value)> {
        self.lua.set_memory_limit(MEMORY_LIMIT_BYTES)?;
        let outcome = run();
        self.lua.set_memory_limit(0)?;
        outcome
    }

    fn reply(&self, name: &str, instruction_limit: u64, outcome: (bool, Value)) -> mlua::Result<Reply> {
        match outcome {
            (true, value) => convert::from_lua(&self.lua, value, self.channel.resp3.get()),
            (false, message) => Ok(Reply::Error(self.failures.reply(name, instruction_limit, &message))),
        }
    }

    /// Makes the state what it is for every script.
    fn begin(&self, instruction_limit: u64) -> mlua::Result<()> {
        self.channel.resp3.set(false);
        self.channel.prepare(&self.lua)?;
        self.random.seed(0);
        *self.cjson.borrow_mut() = cjson::Settings::default();
        self.failures.clear();
        self.budget.set(instruction_limit);
        let (budget, channel, looks) = (Rc::clone(&self.budget), Rc::clone(&self.channel), Cell::new(0));
        let triggers = HookTriggers::new().every_nth_instruction(INSTRUCTIONS_PER_LOOK);
        self.lua.set_global_hook(triggers, move |_, _| {
            looks.set((looks.get() + 1) % LOOKS_PER_PAUSE);
            if looks.get() == 0 && channel.look_up() {
                return Err(mlua::Error::external(Raised::Killed));
            }
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

/// What was compiled, by the sum of its source. The functions are kept in Lua: of what is held outside there are some 8,000
/// at a time, which scripts need.
struct Kept {
    functions: Table,
    places: FxHashMap<Box<str>, usize>,
}

impl Kept {
    fn new(lua: &Lua) -> mlua::Result<Self> {
        Ok(Self { functions: lua.create_table()?, places: FxHashMap::default() })
    }

    fn get(&self, sha1: &str) -> Option<Function> {
        self.functions.raw_get(*self.places.get(sha1)?).ok()
    }

    /// When that is too much, all of it goes. What cannot be kept for want of memory is compiled again.
    fn keep(&mut self, sha1: &str, function: &Function) {
        if self.places.len() >= COMPILED_MAX {
            self.places.clear();
            let _ = self.functions.clear();
        }
        let place = self.places.len() + 1;
        if self.functions.raw_set(place, function).is_ok() {
            self.places.insert(sha1.into(), place);
        }
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

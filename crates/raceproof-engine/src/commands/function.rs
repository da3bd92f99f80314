//! `FUNCTION` and `FCALL`: libraries of functions, and calls of them.

use std::sync::Arc;

use bytes::Bytes;

use super::{bulk, help, scripting, text};
use crate::{
    Access, FunctionFlags, LibraryFunction, Object, Reply, Script, busy,
    command::{Command, Group, Run, flag::*},
    context::Context,
    failure::{self, Answer, Failure},
    glob,
    libraries::{self, Libraries, Library},
    number::parse_integer,
    rdb,
};

const ALL_SHARDS: &[&str] = &["request_policy:all_shards", "response_policy:all_succeeded"];

const fn row(name: &'static str, run: Run, arity: i32, flags: u32) -> Command {
    Command::new(name, run, arity, NOSCRIPT | flags, Group::Scripting)
}

pub(super) const COMMANDS: &[Command] = &[
    Command::new("function", help::function, -2, 0, Group::Server).subcommands(&[
        row("function|load", load, -3, WRITE | DENYOOM).tips(ALL_SHARDS),
        row("function|delete", delete, 3, WRITE).tips(ALL_SHARDS),
        row("function|flush", flush, -2, WRITE).tips(ALL_SHARDS),
        row("function|dump", dump, 2, 0),
        row("function|restore", restore, -3, WRITE | DENYOOM).tips(ALL_SHARDS),
        row("function|list", list, -2, 0).tips(&["nondeterministic_output_order"]),
        row("function|stats", stats, 2, ALLOW_BUSY).tips(&[
            "nondeterministic_output",
            "request_policy:all_shards",
            "response_policy:special",
        ]),
        row("function|kill", kill, 2, ALLOW_BUSY).tips(&["request_policy:all_shards", "response_policy:one_succeeded"]),
        Command::new("function|help", help::function, 2, LOADING | STALE, Group::Scripting),
    ]),
    scripting::call_row("fcall", |context, args| fcall(context, args, false), 0).keys(scripting::CALL_KEYS),
    scripting::call_row("fcall_ro", |context, args| fcall(context, args, true), READONLY).keys(scripting::CALL_RO_KEYS),
];

fn load(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let (code, options) = args[2..].split_last().ok_or(failure::SYNTAX)?;
    if let Some(unknown) = options.iter().find(|option| !option.eq_ignore_ascii_case(b"replace")) {
        return Err(Failure::quoting("ERR Unknown option given: ", unknown, ""));
    }
    let name = libraries::name_of(code)?;
    context.touch(Object::Functions, Access::Write);
    if options.is_empty() && context.engine.libraries.contains(&name) {
        return Err(Failure::quoting("ERR Library '", &name, "' already exists"));
    }
    let library = compiled(context, code)?;
    Arc::make_mut(&mut context.engine.libraries).insert(name.clone(), library)?;
    context.propagate(args);
    Ok(Reply::Bulk(name))
}

/// The library of a source: its body is run once to see what it registers.
fn compiled(context: &mut Context<'_>, code: &Bytes) -> Result<Library, Failure> {
    let sha1 = sha1_smol::Sha1::from(code).digest().to_string();
    let Some(host) = context.host.as_deref_mut() else { return Err(scripting::NOT_FROM_SCRIPT) };
    let functions = host.load_library(&sha1, code).map_err(Failure::Bytes)?;
    if functions.is_empty() {
        return Err(Failure::Constant("ERR No functions registered"));
    }
    Ok(Library { code: code.clone(), sha1, functions })
}

fn delete(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    context.touch(Object::Functions, Access::Read);
    if !context.engine.libraries.contains(&args[2]) {
        return Err(Failure::Constant("ERR Library not found"));
    }
    context.touch(Object::Functions, Access::Write);
    Arc::make_mut(&mut context.engine.libraries).remove(&args[2]);
    context.propagate(args);
    Ok(Reply::Simple("OK"))
}

fn flush(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    match &args[2..] {
        [] => {}
        [how] if how.eq_ignore_ascii_case(b"sync") || how.eq_ignore_ascii_case(b"async") => {}
        [_] => return Err(Failure::Constant("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")),
        _ => return Err(failure::wrong_subcommand(args)),
    }
    context.touch(Object::Functions, Access::Write);
    context.engine.libraries = Arc::default();
    context.propagate(args);
    Ok(Reply::Simple("OK"))
}

fn list(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let (mut pattern, mut with_code) = (None, false);
    let mut options = args[2..].iter();
    while let Some(option) = options.next() {
        if !with_code && option.eq_ignore_ascii_case(b"withcode") {
            with_code = true;
        } else if pattern.is_none() && option.eq_ignore_ascii_case(b"libraryname") {
            let name = options.next().ok_or(Failure::Constant("ERR library name argument was not given"))?;
            pattern = Some(name);
        } else {
            return Err(Failure::quoting("ERR Unknown argument ", option, ""));
        }
    }
    context.touch(Object::Functions, Access::Read);
    let shown = context
        .engine
        .libraries
        .iter()
        .filter(|(name, _)| pattern.is_none_or(|pattern| glob::matches(pattern, name, true)));
    Ok(Reply::Array(shown.map(|(name, library)| describe(name, library, with_code)).collect()))
}

fn describe(name: &Bytes, library: &Library, with_code: bool) -> Reply {
    let mut parts = vec![
        (text("library_name"), bulk(name)),
        (text("engine"), text("LUA")),
        (text("functions"), Reply::Array(library.functions.iter().map(describe_function).collect())),
    ];
    if with_code {
        parts.push((text("library_code"), bulk(&library.code)));
    }
    Reply::Map(parts)
}

fn describe_function(function: &LibraryFunction) -> Reply {
    Reply::Map(vec![
        (text("name"), bulk(&function.name)),
        (text("description"), function.description.as_ref().map_or(Reply::Null, bulk)),
        (text("flags"), Reply::Set(function.flags.names().map(Reply::Simple).collect())),
    ])
}

/// A function is one step here: while one runs, nobody can ask.
fn stats(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    let running = match &context.engine.busy {
        Some(busy) if let Some(name) = &busy.function => Reply::Map(vec![
            (text("name"), bulk(name)),
            (text("command"), Reply::Array(busy.command.iter().map(bulk).collect())),
            (text("duration_ms"), Reply::Integer(context.now_ms() - busy.since.ms())),
        ]),
        Some(busy) => return Err(busy.refusal()),
        None => Reply::Null,
    };
    context.touch(Object::Functions, Access::Read);
    let libraries = &context.engine.libraries;
    let count = |count: usize| Reply::Integer(count as i64);
    let engine = Reply::Map(vec![
        (text("libraries_count"), count(libraries.len())),
        (text("functions_count"), count(libraries.functions())),
    ]);
    Ok(Reply::Map(vec![(text("running_script"), running), (text("engines"), Reply::Map(vec![(text("LUA"), engine)]))]))
}

fn kill(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    busy::end_script(context, true)
}

fn dump(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    context.touch(Object::Functions, Access::Read);
    context.touch(Object::Server, Access::Read);
    let sources = context.engine.libraries.iter().map(|(_, library)| &library.code);
    Ok(Reply::Bulk(rdb::dump_libraries(sources, &context.engine.config)))
}

fn restore(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let (flush, replace) = match &args[3..] {
        [] => (false, false),
        [policy] if policy.eq_ignore_ascii_case(b"append") => (false, false),
        [policy] if policy.eq_ignore_ascii_case(b"replace") => (false, true),
        [policy] if policy.eq_ignore_ascii_case(b"flush") => (true, false),
        [_] => {
            return Err(Failure::Constant(
                "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.",
            ));
        }
        _ => return Err(failure::wrong_subcommand(args)),
    };
    let mut restored = Libraries::default();
    for code in rdb::restore_libraries(&args[2], context.engine.options.version).map_err(Failure::Constant)? {
        let name = libraries::name_of(&code)?;
        if restored.contains(&name) {
            return Err(Failure::quoting("ERR Library '", &name, "' already exists"));
        }
        restored.insert(name, compiled(context, &code)?)?;
    }
    context.touch(Object::Functions, Access::Write);
    if flush {
        context.engine.libraries = Arc::new(restored);
    } else {
        let mut joined = Libraries::clone(&context.engine.libraries);
        for (name, _) in restored.iter().filter(|(name, _)| joined.contains(name)) {
            if !replace {
                return Err(Failure::quoting("ERR Library ", name, " already exists"));
            }
        }
        // What is replaced is out of the way of all that comes.
        for (name, _) in restored.iter() {
            joined.remove(name);
        }
        for (name, library) in restored.iter() {
            joined.insert(name.clone(), library.clone())?;
        }
        context.engine.libraries = Arc::new(joined);
    }
    context.propagate(args);
    Ok(Reply::Simple("OK"))
}

fn fcall(context: &mut Context<'_>, args: &[Bytes], read_only: bool) -> Answer {
    scripting::tell_monitors(context, args);
    context.touch(Object::Functions, Access::Read);
    let found = context.engine.libraries.function(&args[1]).map(|(library, function)| (library, function.clone()));
    let Some((library, function)) = found else { return Err(Failure::Constant("ERR Function not found")) };
    let count = parse_integer(&args[2]).ok_or(Failure::Constant("ERR Bad number of keys provided"))?;
    let keys = scripting::checked_key_count(count, args.len())?;
    let no_writes = function.flags.has(FunctionFlags::NO_WRITES);
    if !no_writes {
        scripting::may_write(context, read_only)?;
    }
    let allows_oom = function.flags.has(FunctionFlags::ALLOW_OOM);
    if !no_writes && !allows_oom && context.out_of_memory {
        return Err(scripting::OOM_NOT_ALLOWED);
    }
    let caller = scripting::Caller { function: Some(&args[1]), command: args };
    let (keys, args) = args[3..].split_at(keys);
    let script = Script { sha1: &library.sha1, source: &library.code, keys, args };
    scripting::running(context, caller, no_writes, allows_oom, |host, calls| {
        host.run_function(&function.name, script, calls)
    })
}

//! The script host on its own: scripts end, leave nothing behind, and never bring the host down.

mod lua_support;

use std::time::{Duration, Instant};

use bytes::Bytes;
use lua_support::{Store, encode, run, run_on, texts};
use proptest::prelude::*;
use raceproof_engine::{LuaHost, Reply, Script, ScriptHost};

fn bulk(text: &str) -> Reply {
    Reply::Bulk(Bytes::copy_from_slice(text.as_bytes()))
}

fn error_of(reply: Reply) -> String {
    match reply {
        Reply::Error(text) => String::from_utf8_lossy(&text).into_owned(),
        other => panic!("not an error: {other:?}"),
    }
}

/// Runs a script that must fail, on a host that must still work afterwards.
fn fails(host: &mut LuaHost, source: &str) -> String {
    let error = error_of(run(host, source.as_bytes(), &[], &[]));
    assert_eq!(run(host, b"return KEYS[1]", &["still here"], &[]), bulk("still here"), "after {source}");
    error
}

#[test]
fn endless_scripts_are_stopped_and_named() {
    let mut host = LuaHost::new().with_instruction_limit(100_000);
    let loops = [
        "local x = 1\nwhile true do\nx = x + 1 end",
        "local x = 1\nwhile true do pcall(function() while true do end end) end",
        "local x = 1\nwhile true do xpcall(function() while true do end end, function() return 1 end) end",
        "local x = 1\nwhile true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "local x = 1\nwhile true do load(function() while true do end end) end",
        "local x = 1\nlocal f = coroutine.wrap(function() while true do coroutine.yield() end end) while true do f() end",
        "local x = 1\nwhile true do coroutine.wrap(function() end)() end",
        "local x = 1\nwhile true do redis.call('ping') end",
        "local x = 1\nlocal function f() return f() end return f()",
        "local x = 1\nfor k in function() return 1 end do end",
        "local x = 1\ntable.sort({1,2,3,4,5}, function(a, b) while true do end end)",
        "local x = 1\nreturn ('x'):gsub('x', function() while true do end end)",
        "local x = 1\nreturn tostring(setmetatable({}, {__tostring = function() while true do end end}))",
    ];
    for source in loops {
        let error = fails(&mut host, source);
        let sha1 = sha1_smol::Sha1::from(source).digest().to_string();
        assert!(error.starts_with("ERR the script took more than 100000 instructions"), "{source}: {error}");
        assert!(error.contains(&sha1), "{source}: {error}");
        let line = error.rsplit(':').next().unwrap_or_default();
        assert!(["2.", "3.", "?."].contains(&line), "{source}: {error}");
    }
}

#[test]
fn the_limit_is_per_script() {
    let mut host = LuaHost::new().with_instruction_limit(100_000);
    let source = b"local n = 0 for i = 1, 20000 do n = n + 1 end return n";
    for _ in 0..20 {
        assert_eq!(run(&mut host, source, &[], &[]), Reply::Integer(20_000));
    }
}

#[test]
fn huge_values_and_deep_calls_are_errors() {
    let mut host = LuaHost::new();
    for (source, expected) in [
        ("return ('xxxxxxxxxxxxxxxx'):rep(2^30)", "not enough memory"),
        ("local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1e7) .. i end", "not enough memory"),
        ("local function f() return f() + 1 end return f()", "stack overflow"),
        (
            "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end return t.x",
            "C stack overflow",
        ),
        ("return ('('):rep(100):find(('('):rep(100))", "too many captures"),
        ("return unpack({}, 1, 1e8)", "too many results to unpack"),
        ("return loadstring(('('):rep(1000))", ""),
        ("local function f() return pcall(f) end f() error('done')", "done"),
        ("local s = 'x' while true do s = s .. s end", "not enough memory"),
        (
            "return {xpcall(function() local s = 'x' while true do s = s .. s end end, function(e) return e end)} and error('caught')",
            "caught",
        ),
    ] {
        let started = Instant::now();
        if expected.is_empty() {
            run(&mut host, source.as_bytes(), &[], &[]);
        } else {
            let error = fails(&mut host, source);
            assert!(error.contains(expected), "{source}: {error}");
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{source} took {:?}", started.elapsed());
    }
}

#[test]
fn replies_nest_only_so_deep() {
    let mut host = LuaHost::new();
    for source in [
        "local t = {} t[1] = t return t",
        "local t = {} t.map = {x = t} return t",
        "local s = {} s.set = {[s] = 1} return s",
    ] {
        let reply = encode(&run(&mut host, source.as_bytes(), &[], &[]), false);
        assert!(reply.escape_ascii().to_string().contains("-ERR reached lua stack limit"), "{source}");
    }
}

#[test]
fn nothing_leaks_into_the_next_script() {
    let mut host = LuaHost::new();
    let mut store = Store::default();
    for (leave, look, expected) in [
        (
            "table.insert(redis, 'x') table.insert(_G, 'y') return 1",
            "return {rawget(redis, 1) or 'no', rawget(_G, 1) or 'no'}",
            r#"no no"#,
        ),
        (
            "cjson.encode_max_depth(1) cjson.encode_number_precision(2) return 1",
            "return {cjson.encode({{}}), cjson.encode(1/3)}",
            "[{}] 0.33333333333333",
        ),
        ("math.randomseed(99) return math.random(1000)", "return {tostring(math.random(1000))}", "171"),
        ("redis.setresp(3) return 1", "return {type(redis.call('get', 'absent'))}", "boolean"),
        ("ARGV.x = 1 KEYS[5] = 1 return 1", "return {tostring(ARGV.x), tostring(KEYS[5]), #KEYS}", "nil nil 0"),
        ("return #tostring({})", "return {tostring({})}", "table: 0x7f0000000020"),
        (
            "local t = {} for i = 1, 100000 do t[i] = {} end return collectgarbage('count')",
            "return collectgarbage('count')",
            "64",
        ),
        ("collectgarbage('stop') return 1", "return {'x'}", "x"),
        ("getmetatable({}) error({err = 'A b'})", "return {'y'}", "y"),
    ] {
        run_on(&mut host, &mut store, leave.as_bytes(), &["k"], &["a"]);
        let reply = run_on(&mut host, &mut store, look.as_bytes(), &[], &[]);
        let items = match reply {
            Reply::Array(items) => items,
            other => vec![other],
        };
        let words: Vec<String> = items
            .iter()
            .map(|item| match item {
                Reply::Bulk(text) => String::from_utf8_lossy(text).into_owned(),
                Reply::Integer(n) => n.to_string(),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(words.join(" "), expected, "{leave} then {look}");
    }
}

#[test]
fn keys_and_args_are_gone_between_scripts() {
    let mut host = LuaHost::new();
    run(&mut host, b"return KEYS", &["k"], &["a"]);
    assert_eq!(run(&mut host, b"return #KEYS + #ARGV", &[], &[]), Reply::Integer(0));
}

#[test]
fn the_log_and_errors_reach_the_engine() {
    let mut host = LuaHost::new();
    let mut store = Store::default();
    run_on(&mut host, &mut store, b"redis.log(redis.LOG_NOTICE, 'a', {}, 5, 'b')", &[], &[]);
    assert_eq!(store.log, [(2, b"a 5 b".to_vec())]);
}

#[test]
fn compile_reports_what_run_would() {
    let mut host = LuaHost::new();
    let source = Bytes::from_static(b"return (");
    let compiled = host.compile("sha", &source).expect_err("it does not compile");
    let script = Script { sha1: "sha", source: &source, keys: &[], args: &[] };
    assert_eq!(host.run(script, &mut Store::default()), Reply::Error(compiled));
    assert!(host.compile("other", &Bytes::from_static(b"#!lua flags=no-writes\nreturn 1")).is_ok());
    assert!(host.compile("third", &Bytes::from_static(b"#!lua flags=bad\nreturn 1")).is_err());
}

#[test]
fn an_error_table_without_a_message_is_an_error() {
    let mut host = LuaHost::new();
    assert!(fails(&mut host, "error({1})").starts_with("ERR unknown error script: "));
    assert!(fails(&mut host, "error(cjson.null)").starts_with("ERR userdata"));
    assert!(fails(&mut host, "error(function() end)").starts_with("ERR function: 0x7f"));
    assert!(fails(&mut host, "error(redis)").starts_with("ERR unknown error"));
}

#[test]
fn more_scripts_than_the_cache_holds() {
    let mut host = LuaHost::new();
    for round in 0..2 {
        for number in 0..1_500 {
            let source = format!("return {number}");
            assert_eq!(run(&mut host, source.as_bytes(), &[], &[]), Reply::Integer(number), "round {round}");
        }
    }
}

/// Prints the time of a cached script with two commands: `cargo test --release --test lua speed -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn speed() {
    let mut host = LuaHost::new();
    let mut store = Store::default();
    let keys = texts(&["k"]);
    let args = texts(&["1", "2"]);
    for text in ["return 1", "redis.call('SET', KEYS[1], ARGV[1])\nlocal v = redis.call('GET', KEYS[1])\nreturn v"] {
        let source = Bytes::from_static(text.as_bytes());
        let sha1 = sha1_smol::Sha1::from(text).digest().to_string();
        let script = Script { sha1: &sha1, source: &source, keys: &keys, args: &args };
        let runs = 200_000;
        let started = Instant::now();
        for _ in 0..runs {
            host.run(script, &mut store);
        }
        println!("{:.2} µs a run of {text:?}", started.elapsed().as_secs_f64() * 1e6 / f64::from(runs));
    }
}

/// Pieces that make sources which often compile.
fn fragments() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<&'static str> = vec![
        "return ",
        "local x = ",
        "x",
        " ",
        "\n",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "\"a\"",
        "1",
        "0/0",
        "-1",
        "nil",
        "true",
        ",",
        ".",
        ":",
        "=",
        "..",
        "#",
        "function() ",
        " end ",
        "if x then ",
        "for i=1,3 do ",
        "while true do ",
        "error",
        "pcall",
        "xpcall",
        "redis.call",
        "redis.pcall",
        "redis.error_reply",
        "redis.setresp",
        "redis.log",
        "cjson.encode",
        "cjson.decode",
        "cmsgpack.pack",
        "cmsgpack.unpack",
        "struct.pack",
        "struct.unpack",
        "bit.band",
        "string.rep",
        "string.format",
        "tostring",
        "setmetatable",
        "getmetatable",
        "_G",
        "KEYS",
        "ARGV",
        "next",
        "pairs",
        "rawset",
        "load",
        "loadstring",
        "string.dump",
        "coroutine.wrap",
        "coroutine.yield",
        "table.sort",
        "table.concat",
        "unpack",
        "select",
        "math.random",
        "math.randomseed",
        "{err=",
        "{ok=",
        "{map=",
        "{set=",
        "{double=",
        "'get'",
        "'\\0\\255'",
        "[[",
        "]]",
        "--",
        "#!lua ",
        "flags=",
        "\u{1b}Lua",
    ];
    prop::collection::vec(prop::sample::select(words), 0..25).prop_map(|words| words.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_source_gets_a_reply(source in prop_oneof![prop::collection::vec(any::<u8>(), 0..200), fragments()]) {
        let mut host = LuaHost::new().with_instruction_limit(200_000);
        let first = encode(&run(&mut host, &source, &["k"], &["a"]), true);
        let again = encode(&run(&mut host, &source, &["k"], &["a"]), true);
        let fresh = encode(&run(&mut LuaHost::new().with_instruction_limit(200_000), &source, &["k"], &["a"]), true);
        prop_assert_eq!(&first, &again, "a second run differs");
        prop_assert_eq!(&first, &fresh, "a fresh host differs");
        prop_assert_eq!(run(&mut host, b"return 7", &[], &[]), Reply::Integer(7));
    }

    #[test]
    fn any_bytes_decode_or_fail(data in prop::collection::vec(any::<u8>(), 0..60), format in "[bBhHlLTfdsxciI0-9<>! ]{0,8}") {
        let mut host = LuaHost::new();
        let data: String = data.iter().map(|byte| format!("\\{byte:03}")).collect();
        let source = format!(
            "local d = \"{data}\" local o = {{}} \
             for i, f in ipairs({{cjson.decode, cmsgpack.unpack, function(d) return struct.unpack('{format}', d) end, \
             function(d) return struct.pack('{format}', d, d, 1, 2) end, function() return struct.size('{format}') end}}) do \
             local ok, v = pcall(f, d) o[i] = type(v) end return o"
        );
        prop_assert!(matches!(run(&mut host, source.as_bytes(), &[], &[]), Reply::Array(_)));
    }
}

//! The language of scenario files: what its functions do, how replies arrive, what one execution leaves to the next.

use proptest::prelude::*;
use raceproof_explore::scenario::Scenario;
use raceproof_explore::{Broken, Fault, Place, Report, StepKind, Verdict};

fn parse(body: &str) -> Scenario {
    Scenario::parse("t.lua", &format!("scenario {{ name = \"t\" }}\n{body}")).unwrap_or_else(|error| panic!("{error}"))
}

fn run(body: &str) -> Report {
    let scenario = parse(body);
    scenario.run(&scenario.check()).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs a body of one client, whose expectations must all hold.
fn holds(client: &str) {
    holds_after("", client);
}

/// The same, with a setup.
fn holds_after(setup: &str, client: &str) {
    let report = run(&format!("setup(function() {setup} end)\nclient(\"c\", function()\n{client}\nend)"));
    assert_eq!(report.verdict, Verdict::Verified, "{:?}", report.violation);
}

/// The message and the place of the violation that a body must show.
fn violated(body: &str) -> (String, Option<Place>) {
    let violation = run(body).violation.expect("a violation");
    (violation.message, violation.place)
}

fn at(line: u32) -> Option<Place> {
    Some(Place { file: "t.lua".to_owned(), line })
}

#[test]
fn replies_become_values() {
    holds(
        r#"
        expect(redis("SET", "k", "v") == "OK")
        expect(redis("GET", "k") == "v")
        expect(redis("GET", "absent") == nil)
        expect(redis("INCRBY", "n", 5) == 5)
        expect(redis("GET", "n") == "5")
        expect(redis("SET", "k", 30000) and redis("GET", "k") == "30000")
        expect(redis("SET", "k", 0.1) and redis("GET", "k") == "0.1")
        expect(redis("SET", "k", 2 ^ 53) and redis("GET", "k") == "9007199254740992")
        local list = redis("MGET", "k", "absent", "n")
        expect(#list == 3 and list[2] == null and list[3] == "5")
        expect(tostring(null) == "null")
        redis("SET", "binary", "a\0b\255")
        expect(redis("GET", "binary") == "a\0b\255")
        "#,
    );
}

#[test]
fn a_hash_becomes_a_table_and_a_table_becomes_arguments() {
    holds(
        r#"
        redis("HSET", "h", { b = 2, a = "x" })
        local hash = redis("HGETALL", "h")
        expect(hash.a == "x" and hash.b == "2")
        local fields = {}
        for field, value in pairs(hash) do fields[#fields + 1] = field .. value end
        expect(table.concat(fields, " ") == "ax b2", "pairs goes by name")
        expect(redis("DEL", { "h", "absent" }) == 1)
        expect(next(redis("HGETALL", "h")) == nil)
        "#,
    );
}

#[test]
fn an_error_reply_is_raised_and_can_be_caught() {
    holds(
        r##"
        redis("SET", "k", "v")
        local ok, message = pcall(redis, "HGET", "k", "f")
        expect(not ok and message:find("^WRONGTYPE"))
        ok, message = pcall(redis, "NOPE")
        expect(not ok and message:find("^ERR unknown command"))
        expect(select("#", pcall(function() return redis("GET", "k"), 2, nil end)) == 4)
        local handled = { xpcall(function() redis("INCR", "k") end, function(e) return "handled " .. e end) }
        expect(not handled[1] and handled[2]:find("^handled ERR value is not an integer"))
        "##,
    );
    let uncaught = "client(\"c\", function()\n  redis(\"SET\", \"k\", 1)\n  redis(\"HGET\", \"k\", \"f\")\nend)";
    let wrongtype = "WRONGTYPE Operation against a key holding the wrong kind of value".to_owned();
    assert_eq!(violated(uncaught), (wrongtype, at(4)));
}

#[test]
fn failures_name_their_line() {
    let (nil, place) = violated("client(\"c\", function()\n  local m = redis(\"GET\", \"k\")\n  return m.x\nend)");
    assert_eq!((nil.as_str(), place), ("attempt to index local 'm' (a nil value)", at(4)));
    let nested =
        "local function check(x)\n  expect(x, \"no x\")\nend\nclient(\"c\", function() pcall(check) check() end)";
    assert_eq!(violated(nested), ("no x".to_owned(), at(3)), "an expectation is never caught");
    let within = "client(\"c\", function()\n  pcall(function()\n    expect(false)\n  end)\nend)";
    assert_eq!(violated(within), ("expectation failed".to_owned(), at(4)));
    let raised = "client(\"c\", function()\n  error({ message = \"boom\" })\nend)";
    assert_eq!(violated(raised).0, "boom");
    let argument = "client(\"c\", function()\n  redis(\"SET\", \"k\", nil)\nend)";
    assert_eq!(violated(argument), ("argument 2 of SET is nil".to_owned(), at(3)));
}

#[test]
fn a_failure_tells_who_failed() {
    let broken = |body: &str| run(body).violation.unwrap().broken;
    let client = "client(\"c\", function() end)\n";
    assert_eq!(broken("client(\"c\", function() expect(false) end)"), Broken::Client("c".to_owned()));
    assert_eq!(broken(&format!("{client}setup(function() expect(false) end)")), Broken::Setup);
    assert_eq!(broken(&format!("{client}always(function() expect(false) end)")), Broken::Always);
    assert_eq!(broken(&format!("{client}finally(function() expect(false) end)")), Broken::Finally);
    assert_eq!(broken(&format!("{client}quiet(function() expect(false) end)")), Broken::Quiet);
}

#[test]
fn multi_is_one_step() {
    let report = run(r#"
        client("c", function()
          local replies = multi(function()
            redis("SET", "k", 1)
            redis("INCR", "k")
            redis("GET", "absent")
          end)
          expect(replies[1] == "OK" and replies[2] == 2 and replies[3] == null)
          redis("WATCH", "k")
          redis("SET", "k", 7)
          expect(multi(function() redis("SET", "k", 8) end) == nil, "a changed key refuses EXEC")
          expect(not pcall(multi, function() redis("SET", "k", "x") redis("INCR", "k") end))
          expect(redis("GET", "k") == "x", "what came before the failed command stays")
          expect(not pcall(multi, function() redis("SET", "k") end))
          local ok, e = pcall(multi, function() error("in the function", 0) end)
          expect(not ok and e == "in the function")
        end)
        finally(function() expect(false, "show the steps") end)
    "#);
    let steps = report.violation.unwrap().steps;
    let multis = steps.iter().filter(|step| step.text.starts_with("MULTI")).count();
    assert_eq!((steps.len(), multis), (7, 4), "{steps:#?}");
}

#[test]
fn rows_become_tables() {
    holds_after(
        r#"sql("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, x REAL, b BLOB)")"#,
        r#"
        expect(sql("INSERT INTO t VALUES (1, ?, ?, ?), (2, NULL, 3, NULL)", "ann", 1.5, "\255") == 2)
        local rows = sql("SELECT * FROM t ORDER BY id")
        expect(#rows == 2 and rows[1].id == 1 and rows[1].name == "ann" and rows[1].x == 1.5 and rows[1].b == "\255")
        expect(rows[2].name == nil and rows[2].x == 3)
        expect(#sql("SELECT id FROM t WHERE name = ?", "bob") == 0)
        expect(sql("UPDATE t SET name = ? WHERE id = ?", null, 1) == 1)
        expect(sql("SELECT count(*) AS n FROM t WHERE name IS NULL")[1].n == 2)
        "#,
    );
}

#[test]
fn a_transaction_commits_or_rolls_back() {
    holds_after(
        r#"sql("CREATE TABLE t (x)")"#,
        r#"
        local a, b = transaction(function()
          sql("INSERT INTO t VALUES (1)")
          return "a", "b"
        end)
        expect(a == "a" and b == "b")
        local ok, message = pcall(transaction, function()
          sql("INSERT INTO t VALUES (2)")
          error("refused", 0)
        end)
        expect(not ok and message == "refused")
        expect(sql("SELECT count(*) AS n FROM t")[1].n == 1)
        "#,
    );
    let uncaught = "setup(function() sql(\"CREATE TABLE t (x)\") end)\nclient(\"c\", function()\n  transaction(function()\n    \
                    sql(\"INSERT INTO t VALUES (1)\")\n    error(\"boom\")\n  end)\nend)";
    assert_eq!(violated(uncaught), ("boom".to_owned(), at(6)));
}

#[test]
fn a_deferred_transaction_can_meet_a_newer_snapshot() {
    let body = |mode: &str| {
        format!(
            r#"
            setup(function() sql("CREATE TABLE t (x)") sql("INSERT INTO t VALUES (0)") end)
            clients {{ "a", "b", function()
              transaction(function()
                local x = sql("SELECT x FROM t")[1].x
                sql("UPDATE t SET x = ?", x + 1)
              end{mode})
            end }}
            finally(function() expect(sql("SELECT x FROM t")[1].x == 2) end)
            "#
        )
    };
    assert_eq!(run(&body("")).verdict, Verdict::Verified);
    let (message, _) = violated(&body(", \"deferred\""));
    assert!(message.contains("another transaction has committed"), "{message}");
}

#[test]
fn time_is_virtual() {
    let report = run(r#"
        client("c", function()
          local start = now()
          redis("SET", "k", "v", "PX", 100)
          sleep(100)
          expect(now() - start == 100)
          note("slept")
        end)
        finally(function()
          local before = now()
          advance(50)
          expect(now() - before == 50)
          expect(not redis("GET", "k"), "gone")
          expect(false, "show the steps")
        end)
    "#);
    let violation = report.violation.unwrap();
    let clock: Vec<_> = violation.steps.iter().filter(|step| step.kind == StepKind::Clock).collect();
    assert_eq!(clock.len(), 1);
    assert_eq!(clock[0].clock_ms, 100);
}

#[test]
fn operations_make_a_history() {
    let body = |check: &str| {
        format!(
            r#"
            setup(function() redis("SET", "k", 1) end)
            client("writer", function()
              write("row", 2, function() redis("SET", "k", 2) redis("SET", "other", 1) end)
            end)
            client("reader", function()
              local seen = read("row", function() redis("GET", "other") return 1 end)
              expect(seen == 1)
            end)
            {check}
            "#
        )
    };
    let (message, _) = violated(&body("fresh(\"row\")"));
    assert!(message.contains("row was not seen"), "{message}");
    assert_eq!(run(&body("fresh(\"another\")")).verdict, Verdict::Verified);
}

#[test]
fn a_stay_ends_with_its_function_even_if_that_fails() {
    let body = |work: &str| {
        format!(
            r#"
            clients {{ "a", "b", function(me)
              if redis("SET", "lock", me, "NX") then
                pcall(inside, "s", function() {work} end)
                redis("DEL", "lock")
              end
            end }}
            exclusive("s")
            "#
        )
    };
    assert_eq!(run(&body("redis(\"GET\", \"k\") error(\"x\")")).verdict, Verdict::Verified);
    let (message, _) = violated(&body("redis(\"DEL\", \"lock\") redis(\"GET\", \"k\")"));
    assert_eq!(message, "two clients inside s");
}

#[test]
fn nothing_is_left_from_one_execution_to_the_next() {
    let report = run(r#"
        local upvalue, shared = 0, {}
        global = 0
        clients { "a", "b", function(me)
          upvalue = upvalue + 1
          shared[me] = true
          expect(upvalue <= 2 and global == 0, "something is left")
          redis("SET", "k", me)
        end }
    "#);
    assert_eq!((report.verdict, report.executions), (Verdict::Verified, 2));
}

#[test]
fn a_stated_step_limit_is_a_bound_and_not_an_error() {
    let source =
        "scenario { name = \"t\", steps = 3 }\nclient(\"c\", function() for _ = 1, 4 do redis(\"GET\", \"k\") end end)";
    let scenario = Scenario::parse("t.lua", source).unwrap();
    let report = scenario.run(&scenario.check()).unwrap();
    assert_eq!((report.verdict, report.cut_off), (Verdict::NoViolationFound, Some("c".to_owned())));
}

#[test]
fn the_header_is_read() {
    let scenario = Scenario::parse(
        "t.lua",
        r#"scenario {
            name = "group/t", about = "what", known_from = "where",
            expect = "violated", message = "lost", pauses = 2, faults = { crash = 1 }, steps = 50, preemptions = 3, depth = 60,
        }
        clients({ "a", "b" }, function() end)
        client("c", function() end)"#,
    )
    .unwrap();
    assert_eq!((scenario.name(), scenario.file(), scenario.about()), ("group/t", "t.lua", "what"));
    assert_eq!(scenario.known_from(), "where");
    assert_eq!(scenario.expect().unwrap().message.as_deref(), Some("lost"));
    let bounds = scenario.bounds();
    assert_eq!((bounds.pauses, bounds.faults.get(Fault::Crash), bounds.steps_per_client), (2, 1, 50));
    assert_eq!((bounds.preemptions, bounds.depth), (Some(3), Some(60)));
    assert_eq!(scenario.clients(), ["a", "b", "c"]);
    assert_eq!(scenario.without_client("b").clients(), ["a", "c"]);
}

#[test]
fn a_mutant_edits_the_protocol() {
    let scenario = Scenario::parse(
        "t.lua",
        r#"scenario { name = "t", expect = "verified", mutants = { { name = "two", from = "1)", to = "2)" } } }
        client("c", function() redis("SET", "k", 1) end)
        finally(function() expect(redis("GET", "k") == "1", "not one") end)"#,
    )
    .unwrap();
    let mutant = scenario.mutated("two").unwrap();
    assert_eq!((mutant.name(), mutant.expect().unwrap().verdict), ("t [two]", Verdict::Violated));
    let report = mutant.run(&mutant.check()).unwrap();
    assert_eq!(report.violation.unwrap().message, "not one");
    let unknown = scenario.mutated("three").unwrap_err();
    assert_eq!(unknown.what, "t has no mutant 'three'");
}

/// Runs whatever a source is, a little; all that matters is that nothing panics.
fn survive(source: &str) {
    if let Ok(scenario) = Scenario::parse("fuzz.lua", source) {
        let _ = scenario.run(&scenario.check().max_executions(20));
        for mutant in scenario.mutants() {
            let _ = scenario.mutated(&mutant.name);
        }
    }
}

const SEED: &str = r#"scenario { name = "t", expect = "verified", pauses = 1, faults = { crash = 1 },
  mutants = { { name = "m", from = [[redis("SET"]], to = "" } } }
setup(function() sql("CREATE TABLE t (x)") redis("HSET", "h", { a = 1 }) end)
clients { "a", "b", function(me)
  read("row", function() return redis("GET", "k") end)
  write("row", me, function() redis("SET", "k", me, "PX", 10) sleep(5) end)
  pcall(transaction, function() sql("INSERT INTO t VALUES (?)", null) error("x") end)
  inside("s", function() multi(function() redis("DEL", "k") end) note(tostring(now())) end)
end }
always(function() expect(#sql("SELECT x FROM t") == 0) end)
finally(function() advance(1) end)
fresh("row", "commit") exclusive("s")
"#;

/// Pieces that a mistyped file may have anywhere.
const PIECES: &[&str] = &[
    "(", ")", "{", "}", "end", "function", "nil", "null", "\"", "[[", "]]", "--", "0", "-1", "1e300", "0/0", "{}",
    "'k'", "redis", "multi", "pcall", "error", "expect", "scenario", "client", "read", "sleep(", "advance(", ",", "=",
    "..", "#", "\0", "é", "\u{1b}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(source in "\\PC*") {
        survive(&source);
    }

    #[test]
    fn no_changed_scenario_panics(edits in prop::collection::vec((0..SEED.len(), 0..12_usize, 0..PIECES.len() * 2), 1..4)) {
        let mut source = SEED.to_owned();
        for (at, removed, piece) in edits {
            let start = at.min(source.len());
            let end = (start + removed).min(source.len());
            if source.is_char_boundary(start) && source.is_char_boundary(end) {
                source.replace_range(start..end, PIECES.get(piece).copied().unwrap_or_default());
            }
        }
        survive(&source);
    }
}

#[test]
fn a_check_knows_who_has_come_to_the_end() {
    let crash = "scenario { name = \"t\", faults = { crash = 1 } }\n";
    let body = |expectation: &str| {
        let text = format!(
            "{crash}client(\"a\", function() redis(\"SET\", \"k\", 1) end)\nfinally(function() {expectation} end)"
        );
        let scenario = Scenario::parse("t.lua", &text).unwrap_or_else(|error| panic!("{error}"));
        scenario.run(&scenario.check()).unwrap_or_else(|error| panic!("{error}"))
    };
    let acknowledged = r#"expect(not returned("a") or redis("GET", "k"), "lost")"#;
    assert_eq!(body(acknowledged).verdict, Verdict::Verified, "who has come to its end has written");
    let everybody = body(r#"expect(returned("a"), "died")"#);
    assert_eq!(everybody.violation.map(|found| found.message).as_deref(), Some("died"), "who has died has not");
    let nobody = body(r#"expect(not returned("a"), "came through")"#);
    assert_eq!(nobody.violation.map(|found| found.message).as_deref(), Some("came through"));
    let unknown = body(r#"returned("b")"#).violation.expect("b is no client").message;
    assert_eq!(unknown, "returned() takes the name of a client, not b");
}

#[test]
fn a_locked_file_has_one_holder_and_is_given_back_by_a_client_that_ends() {
    let clients = |rest: &str| {
        format!(
            "clients {{ \"a\", \"b\", function(me)
               if lock_file(\"/data/lock\") then inside(\"job\", function() redis(\"SET\", me, 1) end) {rest} end
             end }}
             exclusive(\"job\")\n"
        )
    };
    let one_of_two = "finally(function() expect(redis(\"EXISTS\", \"a\", \"b\") >= 1, \"nobody\") end)";
    assert_eq!(run(&format!("{}{one_of_two}", clients(""))).verdict, Verdict::Verified);
    let both = "finally(function() expect(redis(\"EXISTS\", \"a\", \"b\") < 2, \"both\") end)";
    assert_eq!(violated(&format!("{}{both}", clients(""))).0, "both", "it ends with its client");
    let unlocked =
        format!("{}{both}", clients("expect(unlock_file(\"/data/lock\") and not unlock_file(\"/data/lock\"))"));
    assert_eq!(violated(&unlocked).0, "both");
}

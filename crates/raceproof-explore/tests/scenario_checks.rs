//! The checks over the history as scenario files declare them: an example of each that holds and one that does not.

use raceproof_explore::scenario::Scenario;
use raceproof_explore::{Report, Verdict};

fn run(text: &str) -> Report {
    let source = format!("scenario {{ name = \"t\" }}\n{text}");
    let scenario = Scenario::parse("t.lua", &source).unwrap_or_else(|error| panic!("{error}"));
    scenario.run(&scenario.check()).unwrap_or_else(|error| panic!("{error}"))
}

fn verified(text: &str) {
    let report = run(text);
    assert_eq!((report.verdict, report.violation), (Verdict::Verified, None));
}

/// The message and the story of the violation that a file must show.
fn violated(text: &str) -> (String, String) {
    let found = run(text).violation.expect("a violation");
    (found.message, found.story.expect("a story"))
}

fn error(text: &str) -> String {
    let source = format!("scenario {{ name = \"t\" }}\n{text}");
    match Scenario::parse("t.lua", &source) {
        Err(error) => error.to_string(),
        Ok(scenario) => scenario.run(&scenario.check()).expect_err("an error").to_string(),
    }
}

#[test]
fn linearizable() {
    let counter = |increment: &str| {
        format!(
            r#"
            clients {{ "web", "mobile", function()
              operation("n", "inc", function() {increment} end)
            end }}
            value("n", function() return redis("GET", "n") end)
            linearizable("n", "counter")
            "#
        )
    };
    verified(&counter(r#"return redis("INCR", "n")"#));
    let (message, story) = violated(&counter(r#"redis("SET", "n", (redis("GET", "n") or 0) + 1)"#));
    assert_eq!(message, "n is not linearizable as a counter");
    let expected = "the read at the end gave 1: no order of the operations, each at a moment between \
                    its start and its end, explains that. Before it or beside it: mobile's inc from step 2 to step 3; \
                    web's inc from step 1 to step 4.";
    assert_eq!(story, expected);
}

#[test]
fn operations_with_arguments_and_lists() {
    verified(
        r#"
        setup(function() redis("HSET", "s", "old", 1) end)
        clients { "web", "mobile", function(me)
          expect(operation("s", "add", me, function() return redis("HSETNX", "s", me, 1) end) == 1)
          operation("s", "remove", "old", function() return redis("HDEL", "s", "old") end)
          operation("s", "contains", me, function() return redis("HEXISTS", "s", me) end)
        end }
        value("s", function() return redis("HKEYS", "s") end)
        linearizable("s", "set")
        "#,
    );
    verified(
        r#"
        clients { "web", "mobile", function(me)
          operation("h", "put", me, 1, function() redis("HSET", "h", me, 1) end)
          operation("h", "read", function() return redis("HGETALL", "h") end)
        end }
        value("h", function() return redis("HGETALL", "h") end)
        linearizable("h", "map")
        "#,
    );
}

#[test]
fn writes_that_are_refused_or_fail() {
    let writer = |ending: &str| {
        format!(
            r#"
            client("writer", function()
              pcall(write, "x", "new", function() redis("SET", "elsewhere", 1) {ending} end)
            end)
            client("reader", function() read("x", function() return redis("GET", "x") end) end)
            linearizable("x", "register")
            value("x", function() return redis("GET", "x") end)
            "#
        )
    };
    assert_eq!(violated(&writer("")).0, "x is not linearizable as a register");
    verified(&writer("return false"));
    verified(&writer("error('connection lost')"));
}

#[test]
fn serializable() {
    let counter = |body: &str| format!(r#"clients {{ "web", "mobile", function() {body} end }} serializable()"#);
    verified(&counter(r#"redis("INCR", "n")"#));
    let (message, story) = violated(&counter(r#"redis("SET", "n", (redis("GET", "n") or 0) + 1)"#));
    assert_eq!(message, "lost update: web overwrote mobile's write of n without having seen it");
    let expected = "web read n at step 1 and wrote it at step 4; in between, mobile wrote it at step 3. One after another \
                    the clients would leave n = \"2\"; here it is \"1\".";
    assert_eq!(story, expected);
}

#[test]
fn mistakes() {
    let model = error("client('c', function() end)\nlinearizable('x', 'queue')");
    let expected = "the second argument of linearizable() is register, counter, set, map or lock, not queue\n  ┌ t.lua:3\n  \
                    │ linearizable(\"name\", \"register\")\n  └ docs/scenarios.md#history";
    assert_eq!(model, expected);
    let unnamed = error("client('c', function() end)\nvalue(function() end)");
    assert!(unnamed.starts_with("value() needs a name, not function\n  ┌ t.lua:3\n"), "{unnamed}");
    let no_function = error("client('c', function() end)\nvalue('x')");
    assert!(no_function.starts_with("value() needs a function, not nil\n"), "{no_function}");
    let fails = error("client('c', function() redis('SET', 'x', 1) end)\nvalue('x', function() error('no idea') end)");
    assert!(fails.starts_with("world.value cannot tell what x holds: no idea"), "{fails}");
    let unknown = error(
        "client('c', function() operation('x', 'push', function() redis('SET', 'x', 1) end) end)\n\
         linearizable('x', 'counter')",
    );
    assert!(unknown.ends_with("push is no operation of a counter, which has read, inc and dec"), "{unknown}");
}

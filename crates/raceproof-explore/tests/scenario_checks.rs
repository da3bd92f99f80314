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
fn no_lost_update() {
    let counter = |check: &str| {
        format!(
            r#"
            clients {{ "web", "mobile", function()
              local n = read("n", function() return redis("GET", "n") end) or 0
              write("n", n + 1, function() redis("SET", "n", n + 1) end)
            end }}
            {check}
            "#
        )
    };
    assert_eq!(violated(&counter(r#"no_lost_update("n")"#)).0, "lost update of n");
    verified(&counter(r#"no_lost_update("m")"#));
}

/// A writer of a row, and a reader that looks into a copy which lives for a second.
fn cached(check: &str) -> String {
    format!(
        r#"
        setup(function() redis("SET", "copy", "old", "PX", 1000) end)
        client("writer", function() write("x", "new", function() redis("SET", "x", "new") end) end)
        client("reader", function()
          sleep(600)
          read("x", function() return redis("GET", "copy") or redis("GET", "x") end)
        end)
        {check}
        "#
    )
}

#[test]
fn staleness() {
    verified(&cached(r#"staleness("x", 600)"#));
    verified(&cached(r#"staleness("x", 0, "commit")"#));
    let (message, story) = violated(&cached(r#"staleness("x", 599)"#));
    assert_eq!(message, "stale read: x was out of date for more than 599 ms");
    assert!(story.ends_with("and returned old, out of date for 600 ms."), "{story}");
}

#[test]
fn what_a_client_relies_on() {
    let replica = |check: &str| {
        format!(
            r#"
            client("user", function()
              write("x", "new", function() redis("SET", "primary", "new") end)
              read("x", function() return redis("GET", "primary") end)
              read("x", function() return redis("GET", "replica") end)
            end)
            {check}
            "#
        )
    };
    assert!(violated(&replica(r#"monotonic_reads("x")"#)).0.starts_with("reads of x go back"));
    assert_eq!(violated(&replica(r#"read_your_writes("x")"#)).0, "a client did not read its own write of x");
}

#[test]
fn fencing_and_effects() {
    let resource = |accepts: &str| {
        format!(
            r#"
            clients {{ "A", "B", function()
              local token = redis("INCR", "token")
              {accepts}
              fenced("job", token)
            end }}
            fencing("job")
            "#
        )
    };
    let looks = r#"if redis("EVAL", [[
                       if tonumber(redis.call("GET", KEYS[1]) or "0") > tonumber(ARGV[1]) then return 0 end
                       redis.call("SET", KEYS[1], ARGV[1]) return 1
                     ]], 1, "job", token) == 0 then return end"#;
    verified(&resource(looks));
    let (message, _) = violated(&resource(r#"redis("SET", "job", token)"#));
    assert_eq!(message, "job accepted a fencing token that is lower than one before");

    let charge = |body: &str| format!(r#"clients {{ "A", "B", function() {body} end }} at_most_once("charge")"#);
    verified(&charge(r#"if redis("SET", "done", 1, "NX") then effect("charge", 42) end"#));
    let twice = r#"if not redis("GET", "done") then redis("APPEND", "bank", "42;") effect("charge", 42) redis("SET", "done", 1) end"#;
    let (message, story) = violated(&charge(twice));
    assert_eq!(message, "charge happened twice for one key");
    assert!(story.contains("did it for 42 at step"), "{story}");
}

#[test]
fn survives() {
    let lossy = |check: &str| {
        let source = format!(
            r#"
            scenario {{ name = "t", faults = {{ power_loss = 1 }} }}
            client("writer", function()
              write("x", 1, function() redis("SET", "x", 1) end)
              sleep(1500)
              redis("SET", "y", 1)
            end)
            value("x", function() return redis("GET", "x") end)
            {check}
            "#
        );
        let scenario = Scenario::parse("t.lua", &source).unwrap_or_else(|error| panic!("{error}"));
        scenario.run(&scenario.check()).unwrap_or_else(|error| panic!("{error}"))
    };
    assert_eq!(lossy(r#"survives("x", 2000)"#).verdict, Verdict::Verified);
    let found = lossy(r#"survives("x")"#).violation.expect("everysec loses it");
    assert_eq!(found.message, "an acknowledged write of x is lost");
}

#[test]
fn agrees() {
    let copy = |ttl: &str| {
        format!(
            r#"
            setup(function() redis("SET", "row", "old") end)
            client("reader", function() redis("SET", "copy", redis("GET", "row"){ttl}) end)
            client("writer", function() redis("SET", "row", "new") redis("DEL", "copy") end)
            agrees("row", function() return redis("GET", "copy") end, function() return redis("GET", "row") end)
            "#
        )
    };
    let (message, story) = violated(&copy(r#", "EX", 300"#));
    assert_eq!(message, "row: the cache holds old and the row new, until a key expires (300 s)");
    assert!(story.starts_with("reader read row at step 1 and wrote copy"), "{story}");
    assert_eq!(violated(&copy("")).0, "row: the cache holds old and the row new, for ever");
}

#[test]
fn mistakes_in_checks() {
    let client = "client('c', function() end)\n";
    for (text, expected) in [
        ("staleness('x')", "the second argument of staleness() is a number of milliseconds, not nil"),
        ("staleness('x', 5, 'now')", "the third argument of staleness() is \"commit\" or nothing, not now"),
        ("survives('x', 'long')", "the second argument of survives() is a number of milliseconds, not long"),
        ("fencing()", "fencing() needs a name, not nil"),
        ("agrees('x', function() end)", "agrees() needs two functions: what the cache holds, and what the row holds"),
    ] {
        let error = error(&format!("{client}{text}"));
        assert!(error.starts_with(&format!("{expected}\n  ┌ t.lua:3\n")), "{text}: {error}");
        assert!(error.ends_with("docs/scenarios.md#history"), "{text}: {error}");
    }
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

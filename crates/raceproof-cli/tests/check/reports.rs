//! The documents for programs: JSON and JUnit.

use std::os::unix::fs::PermissionsExt;

use quick_junit::{NonSuccessKind, Report, TestCaseStatus};
use serde_json::{Value, json};

use crate::{KEPT, LOST, Ran, Workshop};

fn document(workshop: &Workshop, args: &[&str], status: i32) -> Value {
    let ran = workshop.check(args.iter().chain(&["--format", "json"])).exits(status);
    serde_json::from_str(&ran.stdout).expect("one JSON document")
}

#[test]
fn json_has_the_form_of_the_contract() {
    let mut document = document(&Workshop::with_both(), &["."], 0);
    let scenarios = document["scenarios"].as_array_mut().expect("scenarios");
    for scenario in scenarios.iter_mut() {
        let seconds = scenario["seconds"].take();
        assert!(seconds.as_f64().is_some_and(|seconds| seconds > 0.0), "{seconds}");
    }
    let token = scenarios[1]["violation"]["token"].take();
    assert!(token.as_str().is_some_and(|token| token.starts_with("rp1.")), "{token}");
    let bounds = json!({ "pauses": 0, "faults": {}, "persistence": "everysec", "steps_per_client": 1000 });
    let step = |n: u32, client: &str, text: &str, reply: &str, changes: Value| {
        json!({
            "n": n, "client": client, "kind": "redis", "text": text, "reply": reply, "clock_ms": 0,
            "unanswered": false, "changes": changes, "notes": [],
        })
    };
    let change = |before: &str, after: &str| json!([{ "key": "user:123", "before": { "value": before }, "after": { "value": after }, "uncommitted": false }]);
    let story = "web read user:123 at step 1 and wrote it at step 4; in between, mobile changed it at step 3.";
    let expected = json!({
        "version": 1,
        "scenarios": [
            {
                "name": "design/kept", "file": "kept.lua", "expect": "verified", "verdict": "verified",
                "executions": 1, "seconds": null, "stopped": null, "incomplete": null, "traces": null, "odds": null, "sampled": null,
                "bounds": bounds, "violation": null,
            },
            {
                "name": "design/lost", "file": "lost.lua", "expect": "violated", "verdict": "violated",
                "executions": 4, "seconds": null, "stopped": null, "incomplete": null, "traces": null, "odds": null, "sampled": null,
                "bounds": bounds,
                "violation": {
                    "message": "memory of mobile lost",
                    "story": story,
                    "place": { "file": "lost.lua", "line": 7 },
                    "token": null,
                    "clients": ["web", "mobile"],
                    "start": [{ "key": "user:123", "value": "\"1,2\"" }],
                    "steps": [
                        step(1, "web", "GET user:123", "\"1,2\"", json!([])),
                        step(2, "mobile", "GET user:123", "\"1,2\"", json!([])),
                        step(3, "mobile", "SET user:123 1,2,mobile", "OK", change("\"1,2\"", "\"1,2,mobile\"")),
                        step(4, "web", "SET user:123 1,2,web", "OK", change("\"1,2,mobile\"", "\"1,2,web\"")),
                    ],
                },
            },
        ],
    });
    assert_eq!(document, expected);
}

#[test]
fn json_tells_what_a_search_that_was_not_done_has_seen() {
    let kept = Workshop::with_both();
    let scenario = |args: &[&str], status: i32| document(&kept, args, status)["scenarios"][0].clone();
    let pct = scenario(&["kept.lua", "--strategy", "pct", "--executions", "50", "--pct-depth", "2"], 1);
    assert_eq!(pct["stopped"], "limit");
    let odds = json!({ "depth": 2, "actors": 2, "steps": 2, "executions": 49, "of_one": 0.25, "of_all": null });
    let mut found = pct["odds"].clone();
    assert!(found["of_all"].take().as_f64().is_some_and(|all| (0.999..=1.0).contains(&all)), "{found}");
    assert_eq!(found, odds);
    let uniform = scenario(&["kept.lua", "--strategy", "uniform", "--executions", "200"], 1);
    assert_eq!(uniform["stopped"], "limit");
    let near = |value: &Value, wanted: f64| value.as_f64().is_some_and(|value| (value - wanted).abs() < 0.5);
    assert!(near(&uniform["traces"]["estimate"], 1.0) && near(&uniform["traces"]["error"], 0.0), "{uniform}");
    let cut = scenario(&["lost.lua", "--executions", "1"], 1);
    assert_eq!((&cut["stopped"], &cut["traces"]["estimate"]), (&json!("limit"), &json!(2.0)));
    assert_eq!(cut["incomplete"], "the search came to its limit after 1 execution (≈ 50 % of the tree)");
    assert_eq!(scenario(&["lost.lua", "--first"], 0)["stopped"], "first");
}

#[test]
fn the_document_in_the_docs_is_what_is_printed() {
    let docs = include_str!("../../../../docs/output.md");
    let block = docs.split("```json").nth(1).and_then(|rest| rest.split("```").next()).expect("the docs show one");
    let mut shown: Value = serde_json::from_str(block).expect("it is JSON");
    let mut printed = document(&Workshop::new(), &["memory/serialized-value"], 0);
    for document in [&mut shown, &mut printed] {
        document["scenarios"][0]["seconds"].take();
    }
    let steps = printed["scenarios"][0]["violation"]["steps"].take();
    printed["scenarios"][0]["violation"]["steps"] = json!([steps[2]]);
    assert_eq!(shown, printed);
}

#[test]
fn json_tells_statements_clock_steps_and_faults_apart() {
    let text = r#"
scenario { name = "kinds", pauses = 1, faults = { crash = 1 } }
setup(function() sql("CREATE TABLE t (n INTEGER)") end)
client("a", function() redis("SET", "k", "v", "PX", "1000"); sql("INSERT INTO t VALUES (1)") end)
client("b", function() expect(redis("EXISTS", "k") == 1 or #sql("SELECT n FROM t") == 0, "gone too soon") end)
finally(function() expect(#sql("SELECT n FROM t") == 1, "never inserted") end)
"#;
    let document = document(&Workshop::new().file("kinds.lua", text, ""), &["kinds.lua"], 1);
    let scenario = &document["scenarios"][0];
    assert_eq!(scenario["expect"], Value::Null);
    assert_eq!(
        scenario["bounds"],
        json!({ "pauses": 1, "faults": { "crash": 1 }, "persistence": "everysec", "steps_per_client": 1000 })
    );
    let steps = scenario["violation"]["steps"].as_array().expect("steps");
    let kinds: Vec<&str> = steps.iter().filter_map(|step| step["kind"].as_str()).collect();
    assert_eq!(kinds.len(), steps.len());
    assert!(kinds.iter().all(|kind| ["redis", "sql", "clock", "fault"].contains(kind)), "{kinds:?}");
    assert!(kinds.contains(&"fault") || kinds.contains(&"clock"), "{kinds:?}");
}

#[test]
fn json_tells_what_each_step_changed() {
    let text = r#"
scenario { name = "changes" }
setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
end)
client("a", function()
  transaction(function() sql("UPDATE users SET plan = 'pro'") end)
  redis("HSET", "h", "field", "v")
  redis("PEXPIRE", "h", 500)
  sql("DELETE FROM users")
end)
finally(function() expect(false, "show it") end)
"#;
    let document = document(&Workshop::new().file("changes.lua", text, ""), &["changes.lua"], 1);
    let found = &document["scenarios"][0]["violation"];
    let row = |before: Value, after: Value, uncommitted: bool| json!([{ "table": "users", "row": "id 1", "before": before, "after": after, "uncommitted": uncommitted }]);
    let plan = |plan: &str| json!({ "value": { "plan": plan } });
    assert_eq!(found["start"], json!([{ "table": "users", "row": "id 1", "value": { "plan": "'free'" } }]));
    let changes: Vec<&Value> = found["steps"].as_array().expect("steps").iter().map(|step| &step["changes"]).collect();
    let hash = json!({ "value": { "field": "\"v\"" } });
    let expiring = json!({ "value": { "field": "\"v\"" }, "expires_ms": 500 });
    assert_eq!(
        changes,
        [
            &json!([]),
            &row(plan("'free'"), plan("'pro'"), true),
            &row(plan("'free'"), plan("'pro'"), false),
            &json!([{ "key": "h", "before": null, "after": hash, "uncommitted": false }]),
            &json!([{ "key": "h", "before": hash, "after": expiring, "uncommitted": false }]),
            &row(plan("'pro'"), Value::Null, false),
        ]
    );
}

#[test]
fn errors_stay_off_standard_output() {
    let workshop = Workshop::with_both().file("broken.lua", "scenario {", "");
    let ran = workshop.check([".", "--format", "json"]).exits(2).complains("broken.lua");
    let document: Value = serde_json::from_str(&ran.stdout).expect("one JSON document");
    assert_eq!(document["scenarios"].as_array().map(Vec::len), Some(2));
}

#[test]
fn confirmation_says_what_a_real_server_did() {
    let workshop = Workshop::with_both();
    let document = document(&workshop, &[".", "--confirm"], 0);
    assert_eq!(document["scenarios"][0]["confirmed"], Value::Null);
    assert!(document["scenarios"][0].as_object().expect("an object").contains_key("confirmed"));
    let confirmed = &document["scenarios"][1]["confirmed"];
    assert_eq!(confirmed["same_outcome"], true);
    assert!(confirmed["server"].as_str().expect("a name").starts_with("redis-server 7."), "{confirmed}");
    workshop
        .check(["lost.lua", "--confirm"])
        .exits(0)
        .shows("confirmed  on redis-server 7.")
        .shows("same replies, same outcome");
}

#[test]
fn schedules_are_played_where_there_is_nothing_to_confirm() {
    let workshop = Workshop::with_both();
    let document = document(&workshop, &[".", "--confirm"], 0);
    let played = &document["scenarios"][0]["played"];
    assert_eq!(
        (&played["executions"], &played["difference"], &played["refused"]),
        (&json!(10), &Value::Null, &Value::Null)
    );
    assert!(played["server"].as_str().expect("a name").starts_with("redis-server 7."), "{played}");
    assert_eq!(document["scenarios"][1]["played"], Value::Null);
    workshop
        .check(["kept.lua", "--confirm"])
        .exits(0)
        .shows("  played on redis-server 7.")
        .shows(": 10 random schedules, same replies, same data")
        .shows("  verified, as expected, 10 schedules played");
}

#[test]
fn what_a_real_server_does_otherwise_is_told_with_the_step_and_both_replies() {
    let ported = KEPT.replace("\"seen\"", r#"redis("CONFIG", "GET", "port").port"#);
    let workshop = Workshop::new().file("ported.lua", &ported, r#"expect = "verified","#);
    let told = "CONFIG GET port → {\"port\": \"6379\"} in simulation, [\"port\", \"0\"] on the server";
    let ran = workshop.check(["ported.lua", "--confirm"]).exits(1);
    let text = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("played otherwise on redis-server 7.") && text.contains(told), "{text}");
    assert!(text.contains("verified, as expected, not confirmed, 1 schedule played"), "{text}");
    let document = document(&workshop, &[".", "--confirm"], 1);
    let difference = document["scenarios"][0]["played"]["difference"].as_str().expect("a difference");
    assert!(difference.starts_with("step ") && difference.ends_with(told), "{difference}");
}

#[test]
fn what_cannot_be_played_on_a_real_server_is_told_and_its_verdict_stands() {
    let timed = |text: &str| text.replace("function(me) ", "function(me) redis(\"TIME\") ");
    let workshop = Workshop::new().file("lost.lua", &timed(LOST), r#"expect = "violated","#).file(
        "kept.lua",
        &timed(KEPT),
        r#"expect = "verified","#,
    );
    workshop.check(["lost.lua", "--confirm"]).exits(0).shows("confirmed");
    // A server whose clock cannot be held, as that of a statically linked one.
    let server = workshop.path().join("another-redis-server");
    std::fs::write(&server, "#!/bin/sh\nunset LD_PRELOAD\nexec redis-server \"$@\"\n").expect("a file");
    std::fs::set_permissions(&server, PermissionsExt::from_mode(0o700)).expect("it is ours");
    let check = |file| {
        let mut command = workshop.command();
        command.env("RACEPROOF_REDIS_SERVER", &server).args([file, "--confirm"]);
        Ran::of(command.output().expect("the binary runs"))
    };
    let why = "TIME needs the lab's clock";
    check("lost.lua").exits(1).shows("it cannot be played there: ").shows(why);
    check("kept.lua").exits(0).shows("cannot be played on redis-server 7.").shows(why);
}

#[test]
fn junit_counts_what_is_not_expected_as_failed() {
    let workshop = Workshop::with_both()
        .file("wrong.lua", &LOST.replace("design/lost", "design/wrong"), r#"expect = "verified","#)
        .file("free.lua", &KEPT.replace("design/kept", "design/free"), "")
        .file("broken.lua", "scenario { name = 'x' }", "");
    workshop.check([".", "--junit", "report.xml"]).exits(2);
    let text = std::fs::read_to_string(workshop.path().join("report.xml")).expect("the report");
    let report = Report::deserialize_from_str(&text).expect("well-formed JUnit");
    assert_eq!((report.tests, report.failures, report.errors), (5, 1, 1));
    let cases = &report.test_suites[0].test_cases;
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names, ["design/free", "design/kept", "design/lost", "design/wrong", "broken.lua"]);
    let TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, message, description, .. } = &cases[3].status
    else {
        panic!("design/wrong failed: {:?}", cases[3].status);
    };
    let message = message.as_ref().expect("a message").as_str();
    assert_eq!(message, "memory of mobile lost: expected verified, found violated");
    let page = description.as_ref().expect("the counterexample").as_str();
    assert!(page.contains("4   SET user:123 1,2,web → OK"), "{page}");
    let left: Vec<_> = std::fs::read_dir(workshop.path()).expect("the folder").filter_map(Result::ok).collect();
    assert!(left.iter().all(|file| !file.file_name().to_string_lossy().contains("unfinished")), "{left:?}");
}

#[test]
fn json_lists_too() {
    let document = document(&Workshop::with_both(), &["lost.lua", "--list"], 0);
    let about = "GET, append in the application, SET";
    let listed = json!({ "name": "design/lost", "file": "lost.lua", "expect": "violated", "about": about });
    assert_eq!(document, json!({ "version": 1, "scenarios": [listed] }));
}

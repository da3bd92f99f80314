//! Whole pages, to the letter.

use super::*;
use crate::report::{Bounds, Place, Step, StepKind, Verdict};
use crate::state::{Change, Content, Item, Value};

pub(super) fn step(client: &str, kind: StepKind, text: &str, reply: &str) -> Step {
    let (client, text, reply) = (client.to_owned(), text.to_owned(), reply.to_owned());
    Step { n: 0, client, kind, text, reply, clock_ms: 0, unanswered: false, changes: Vec::new(), notes: Vec::new() }
}

pub(super) fn whole(value: &str, expires_ms: Option<i64>) -> Content {
    Content { value: Value::Whole(value.to_owned()), expires_ms }
}

pub(super) fn change(item: Item, before: Option<Content>, after: Option<Content>) -> Change {
    Change { item, before, after, uncommitted: false }
}

pub(super) fn redis(client: &str, text: &str, reply: &str) -> Step {
    step(client, StepKind::Redis, text, reply)
}

impl Step {
    pub(super) fn at(mut self, clock_ms: i64) -> Self {
        self.clock_ms = clock_ms;
        self
    }

    pub(super) fn leaves(mut self, key: &str, value: Option<&str>) -> Self {
        self.changes.push(change(Item::Key(key.to_owned()), None, value.map(|value| whole(value, None))));
        self
    }

    pub(super) fn leaves_until(mut self, key: &str, value: &str, expires_ms: i64) -> Self {
        self.changes.push(change(Item::Key(key.to_owned()), None, Some(whole(value, Some(expires_ms)))));
        self
    }

    pub(super) fn noting(mut self, note: &str) -> Self {
        self.notes.push(note.to_owned());
        self
    }
}

pub(super) fn found(message: &str, clients: &[&str], steps: Vec<Step>) -> Counterexample {
    let steps = steps.into_iter().enumerate().map(|(at, step)| Step { n: at + 1, ..step }).collect();
    Counterexample {
        message: message.to_owned(),
        story: None,
        broken: Broken::Finally,
        place: None,
        clients: clients.iter().map(|&name| name.to_owned()).collect(),
        start: Vec::new(),
        steps,
        used: Bounds::default(),
        token: "rp1.abba.9f3c21d0".to_owned(),
    }
}

pub(super) fn lost_memory() -> Counterexample {
    let steps = vec![
        redis("web", "GET user:123", "\"1,2\""),
        redis("mobile", "GET user:123", "\"1,2\""),
        redis("mobile", "SET user:123 \"1,2,mobile\"", "OK").leaves("user:123", Some("\"1,2,mobile\"")),
        redis("web", "SET user:123 \"1,2,web\"", "OK").leaves("user:123", Some("\"1,2,web\"")),
    ];
    Counterexample {
        story: Some(
            "mobile's write was acknowledged at step 3; step 4 overwrote it with a value computed from the read at step 1."
                .to_owned(),
        ),
        place: Some(Place { file: "scenarios/memory/serialized-value.lua".to_owned(), line: 9 }),
        ..found("memory of mobile lost", &["web", "mobile"], steps)
    }
}

fn heading() -> Heading {
    let name = "memory/serialized-value".to_owned();
    let met = Some("met at execution 2 of 4, exhaustive · every step shown is needed".to_owned());
    let command = |flags: &str| format!("raceproof check {name} {flags}");
    let next = vec![
        ("replay".to_owned(), command("--replay rp1.abba.9f3c21d0")),
        ("confirm".to_owned(), command("--confirm")),
    ];
    Heading { name, met, next }
}

/// The steps alone: what stands between the title and the broken check.
fn steps_of(found: &Counterexample, columns: usize) -> String {
    let page = counterexample(found, &Heading { name: "x".to_owned(), ..Heading::default() }, columns).to_string();
    let mut parts = page.split("\n\n");
    format!("{}\n", parts.nth(1).expect("a title, the steps, the broken check"))
}

fn expect(shown: &str, expected: &str) {
    assert!(shown == expected, "--- shown\n{shown}--- expected\n{expected}---");
}

pub(super) fn lock() -> Counterexample {
    let set = |me: &str| format!("SET lock:job1 {me} NX PX 30000");
    let steps = vec![
        redis("worker-A", &set("A"), "OK").leaves_until("lock:job1", "\"A\"", 30_000),
        step("worker-A", StepKind::Sql, "SELECT runs\n          FROM job WHERE id = 1", "0"),
        step("clock", StepKind::Clock, "advance", "").at(30_001).leaves("lock:job1", None),
        redis("worker-B", &set("B"), "OK").at(30_001).leaves_until("lock:job1", "\"B\"", 60_001),
        step("worker-B", StepKind::Sql, "SELECT runs FROM job WHERE id = 1", "0").at(30_001),
        step("worker-A", StepKind::Sql, "UPDATE job SET runs = 1 WHERE id = 1", "1 row")
            .at(30_001)
            .noting("left the section"),
        step("clock", StepKind::Clock, "advance", "").at(60_002).leaves("lock:job1", None),
        step("worker-B", StepKind::Sql, "UPDATE job SET runs = 1 WHERE id = 1", "1 row").at(60_002),
    ];
    found("two workers inside", &["worker-A", "worker-B"], steps)
}

pub(super) fn crash() -> Counterexample {
    let steps = vec![
        redis("A", "SETNX lock:job1 A", "1").leaves("lock:job1", Some("\"A\"")),
        step("A", StepKind::Fault, "dies before EXPIRE lock:job1 30", ""),
        redis("B", "SETNX lock:job1 B", "0"),
    ];
    found("the lock is held for ever", &["A", "B"], steps)
}

fn wide() -> Counterexample {
    let letters = "abcdefghijklmnopqrstuvwxyz".repeat(4);
    let rows = (1..60).map(|row| format!("({row}, 'row')")).collect::<Vec<_>>().join(" ");
    let steps = vec![
        redis("A", &format!("SET {letters} \"{letters}\""), "OK").leaves(&letters, Some(&format!("\"{letters}\""))),
        redis("A", &format!("SET {letters} \"{}\"", "\\x00".repeat(40)), "OK"),
        step("B", StepKind::Sql, "SELECT id, name FROM rows", &rows),
    ];
    found("wide", &["A", "B"], steps)
}

#[test]
fn two_clients_stand_side_by_side_with_the_value_between_them() {
    expect(
        &counterexample(&lost_memory(), &heading(), 120).to_string(),
        r#"✗ memory/serialized-value: memory of mobile lost

      web                           mobile                           user:123
  1   GET user:123 → "1,2"          ·
  2   ·                             GET user:123 → "1,2"
  3   ·                             SET user:123 "1,2,mobile" → OK   "1,2,mobile"
  4   SET user:123 "1,2,web" → OK   ·                                "1,2,web"

  mobile's write was acknowledged at step 3; step 4 overwrote it with a value computed from the read at step 1.
  finally: memory of mobile lost   scenarios/memory/serialized-value.lua:9

  met at execution 2 of 4, exhaustive · every step shown is needed
  replay   raceproof check memory/serialized-value --replay rp1.abba.9f3c21d0
  confirm  raceproof check memory/serialized-value --confirm
"#,
    );
}

#[test]
fn eighty_columns_hold_the_same_lanes() {
    expect(
        &counterexample(&lost_memory(), &heading(), 80).to_string(),
        r#"✗ memory/serialized-value: memory of mobile lost

      web                          mobile                          user:123
  1   GET user:123 → "1,2"         ·
  2   ·                            GET user:123 → "1,2"
  3   ·                            SET user:123 "1,2,mobile" → OK  "1,2,mobile"
  4   SET user:123 "1,2,web" → OK  ·                               "1,2,web"

  mobile's write was acknowledged at step 3; step 4 overwrote it with a value
  computed from the read at step 1.
  finally: memory of mobile lost   scenarios/memory/serialized-value.lua:9

  met at execution 2 of 4, exhaustive · every step shown is needed
  replay   raceproof check memory/serialized-value --replay rp1.abba.9f3c21d0
  confirm  raceproof check memory/serialized-value --confirm
"#,
    );
}

#[test]
fn fewer_columns_tear_replies_then_drop_the_values_then_the_lanes() {
    expect(
        &steps_of(&lost_memory(), 72),
        r#"      web                        mobile                     user:123
  1   GET user:123 → "1,2"       ·
  2   ·                          GET user:123 → "1,2"
  3   ·                          SET user:123 "1,2,mobile"  "1,2,mobile"
                                 → OK
  4   SET user:123 "1,2,web"     ·                          "1,2,web"
      → OK
"#,
    );
    expect(
        &steps_of(&lost_memory(), 60),
        r#"      web                         mobile
  1   GET user:123 → "1,2"        ·
  2   ·                           GET user:123 → "1,2"
  3   ·                           SET user:123 "1,2,mobile"
                                  → OK
  4   SET user:123 "1,2,web"      ·
      → OK
"#,
    );
    expect(
        &counterexample(&lost_memory(), &heading(), 40).to_string(),
        r#"✗ memory/serialized-value: memory of
  mobile lost

  1   web     GET user:123 → "1,2"
  2   mobile  GET user:123 → "1,2"
  3   mobile  SET user:123 "1,2,mobile"
              → OK
              user:123 = "1,2,mobile"
  4   web     SET user:123 "1,2,web"
              → OK
              user:123 = "1,2,web"

  mobile's write was acknowledged at
  step 3; step 4 overwrote it with a
  value computed from the read at step
  1.
  finally: memory of mobile lost
  scenarios/memory/serialized-value.lua:9

  met at execution 2 of 4, exhaustive ·
  every step shown is needed
  replay   raceproof check memory/serialized-value --replay rp1.abba.9f3c21d0
  confirm  raceproof check memory/serialized-value --confirm
"#,
    );
}

#[test]
fn the_clock_has_a_lane_and_says_how_much_time_passed() {
    expect(
        &steps_of(&lock(), 140),
        r#"      worker-A                                      worker-B                                      clock                         lock:job1
  1   SET lock:job1 A NX PX 30000 → OK              ·                                                                           "A" (30 s)
  2   SELECT runs FROM job WHERE id = 1 → 0         ·
  3   ·                                             ·                                             ⏩ +30,001 ms                 (expired)
  4   ·                                             SET lock:job1 B NX PX 30000 → OK                                            "B" (30 s)
  5   ·                                             SELECT runs FROM job WHERE id = 1 → 0
  6   UPDATE job SET runs = 1 WHERE id = 1 → 1 row  ·
      ↳ left the section
  7   ·                                             ·                                             ⏩ +30,001 ms (at 60,002 ms)  (expired)
  8   ·                                             UPDATE job SET runs = 1 WHERE id = 1 → 1 row
"#,
    );
}

#[test]
fn statements_that_lanes_would_tear_make_a_list() {
    expect(
        &steps_of(&lock(), 80),
        r#"                                                              lock:job1
  1   worker-A  SET lock:job1 A NX PX 30000 → OK              "A" (30 s)
  2   worker-A  SELECT runs FROM job WHERE id = 1 → 0
  3   clock     ⏩ +30,001 ms                                 (expired)
  4   worker-B  SET lock:job1 B NX PX 30000 → OK              "B" (30 s)
  5   worker-B  SELECT runs FROM job WHERE id = 1 → 0
  6   worker-A  UPDATE job SET runs = 1 WHERE id = 1 → 1 row
                ↳ left the section
  7   clock     ⏩ +30,001 ms (at 60,002 ms)                  (expired)
  8   worker-B  UPDATE job SET runs = 1 WHERE id = 1 → 1 row
"#,
    );
}

#[test]
fn a_client_that_died_is_neither_busy_nor_idle() {
    expect(
        &steps_of(&crash(), 80),
        r#"      A                                   B                       lock:job1
  1   SETNX lock:job1 A → 1               ·                       "A"
  2   ✗ dies before EXPIRE lock:job1 30   ·
  3                                       SETNX lock:job1 B → 0
"#,
    );
}

#[test]
fn wide_values_lose_their_middle_and_keep_their_escapes_whole() {
    expect(
        &steps_of(&wide(), 140),
        r#"  1   A  SET abcdefghijklmnopqrstuvwx…lmnopqrstuvwxyz "abcdefghijklmnopqrstuvw…mnopqrstuvwxyz" → OK
         abcdefghijklmnopqrstuvwx…lmnopqrstuvwxyz = "abcdefghijklmnopqrstuvw…mnopqrstuvwxyz"
  2   A  SET abcdefghijklmnopqrstuvwx…lmnopqrstuvwxyz "\x00\x00\x00\x00\x00\x00…\x00\x00\x00" → OK
  3   B  SELECT id, name FROM rows
         → (1, 'row') (2, 'row') (3, 'row') (4, 'row') (5, 'row') (6, 'row') (7, 'r…(56, 'row') (57, 'row') (58, 'row') (59, 'row')
"#,
    );
}

#[test]
fn a_script_is_known_by_its_first_line() {
    let script = "\\n  if redis.call(\\\"GET\\\", KEYS[1]) == ARGV[1] then\\n    return redis.call(\\\"DEL\\\", KEYS[1])\\n  end\\n";
    let steps = vec![redis("A", &format!("EVAL \"{script}\" 1 lock:job A"), "1").leaves("lock:job", None)];
    expect(
        &steps_of(&found("lost", &["A"], steps), 100),
        r#"      A                                                                lock:job
  1   EVAL "if redis.call(\"GET\", …, KEYS[1]) end" 1 lock:job A → 1   (gone)
"#,
    );
}

#[test]
fn what_a_history_check_found_is_not_said_twice() {
    let found = Counterexample {
        broken: Broken::History,
        story: Some("A was inside from step 1; B came in at step 1.".to_owned()),
        ..found("two clients inside job", &["A"], vec![redis("A", "GET k", "nil")])
    };
    expect(
        &counterexample(&found, &Heading { name: "x".to_owned(), ..Heading::default() }, 80).to_string(),
        "✗ x: two clients inside job

      A
  1   GET k → nil

  A was inside from step 1; B came in at step 1.

",
    );
}

#[test]
fn many_clients_need_a_list_where_columns_are_few() {
    let names = ["one", "two", "three", "four"];
    let counts = names.iter().map(|name| redis(name, "INCR counter", "1").leaves("counter", Some("\"1\""))).collect();
    let found = found("lost", &names, counts);
    expect(
        &steps_of(&found, 100),
        r#"      one                two                three              four               counter
  1   INCR counter → 1   ·                  ·                  ·                  "1"
  2   ·                  INCR counter → 1   ·                  ·                  "1"
  3   ·                  ·                  INCR counter → 1   ·                  "1"
  4   ·                  ·                  ·                  INCR counter → 1   "1"
"#,
    );
    expect(
        &steps_of(&found, 60),
        r#"                               counter
  1   one    INCR counter → 1  "1"
  2   two    INCR counter → 1  "1"
  3   three  INCR counter → 1  "1"
  4   four   INCR counter → 1  "1"
"#,
    );
}

#[test]
fn lanes_align_in_any_script_and_nothing_moves_the_cursor() {
    let clients = ["東京", "e\u{301}a", "evil\x1b[31m"];
    let steps = vec![
        redis(clients[0], "SET ключ \"значение\"", "OK").leaves("ключ", Some("\"значение\"")),
        redis(clients[1], "GET ключ", "\"日本語\""),
        redis(clients[2], "GET x\u{202e}y", "\"a\nb\"").noting("line\nbreak"),
    ];
    expect(
        &counterexample(&found("\x07bell", &clients, steps), &Heading::default(), 120).to_string(),
        "✗ : \\x07bell

      東京                       e\u{301}a                    evil\\x1b[31m              ключ
  1   SET ключ \"значение\" → OK   ·                     ·                         \"значение\"
  2   ·                          GET ключ → \"日本語\"   ·
  3   ·                          ·                     GET x\\u{202e}y → \"a\\nb\"
                                                       ↳ line\\nbreak

  finally: \\x07bell

",
    );
}

#[test]
fn more_than_two_keys_are_left_out() {
    let steps =
        (1..=3).map(|n| redis("A", &format!("SET k{n} v"), "OK").leaves(&format!("k{n}"), Some("\"v\""))).collect();
    expect(
        &steps_of(&found("lost", &["A"], steps), 80),
        "      A\n  1   SET k1 v → OK\n  2   SET k2 v → OK\n  3   SET k3 v → OK\n",
    );
}

#[test]
fn a_failed_test_shows_the_whole_assertion_and_its_own_replay_line() {
    let found = Counterexample {
        broken: Broken::Client("web".to_owned()),
        place: Some(Place { file: "tests/memory.rs".to_owned(), line: 31 }),
        ..found(
            "assertion `left == right` failed\n  left: 1\n right: 2",
            &["web"],
            vec![redis("web", "GET k", "(nil)")],
        )
    };
    expect(
        &test_failure("two devices", &found, "met at execution 1 of 1, exhaustive".to_owned(), "two_devices_merge"),
        "✗ two devices: assertion `left == right` failed

      web
  1   GET k → (nil)

  web: assertion `left == right` failed
      left: 1
     right: 2
  tests/memory.rs:31

  met at execution 1 of 1, exhaustive
  replay  RACEPROOF_REPLAY=rp1.abba.9f3c21d0 cargo test two_devices_merge
",
    );
}

#[test]
fn a_failed_setup_has_no_steps() {
    let found = Counterexample { broken: Broken::Setup, ..found("WRONGTYPE", &["A"], Vec::new()) };
    expect(
        &counterexample(&found, &Heading { name: "x".to_owned(), ..Heading::default() }, 80).to_string(),
        "✗ x: WRONGTYPE\n\n  setup: WRONGTYPE\n\n",
    );
}

#[test]
fn how_it_was_met_never_claims_more_than_was_searched() {
    let report = Report {
        verdict: Verdict::Violated,
        executions: 1204,
        redundant: 0,
        impossible: 0,
        met_at: Some(1061),
        cut_off: None,
        too_deep: false,
        states: None,
        undecided: None,
        bounds: Bounds::default(),
        exhaustive: true,
        shrunk: true,
        cover: crate::report::Cover::default(),
        elapsed: std::time::Duration::ZERO,
        violation: None,
    };
    let needed = "every step shown is needed";
    let sampled = Report { exhaustive: false, ..report.clone() };
    let long = Report { shrunk: false, ..report.clone() };
    assert_eq!(
        met(&long, &Strategy::Exhaustive),
        "met at execution 1,061 of 1,204, exhaustive · too many schedules to find the shortest"
    );
    let replay = Strategy::Replay { token: "rp1.a.b".to_owned() };
    assert_eq!(met(&report, &Strategy::Exhaustive), format!("met at execution 1,061 of 1,204, exhaustive · {needed}"));
    assert_eq!(
        met(&sampled, &Strategy::Exhaustive),
        format!("met at execution 1,061 of 1,204, the search was cut short · {needed}")
    );
    assert_eq!(
        met(&sampled, &Strategy::Random { seed: 7 }),
        format!("met at execution 1,061 of 1,204, random (seed 7) · {needed}")
    );
    assert_eq!(met(&sampled, &replay), "replayed");
}

mod any_input {
    use proptest::prelude::*;

    use super::*;

    fn any_step() -> impl Strategy<Value = Step> {
        let kind =
            prop_oneof![Just(StepKind::Redis), Just(StepKind::Sql), Just(StepKind::Clock), Just(StepKind::Fault)];
        let state = proptest::collection::vec(
            (".{0,6}", proptest::option::of(".{0,80}".prop_map(|value| whole(&value, None)))),
            0..3,
        );
        (
            ".{0,4}",
            kind,
            "(?s).{0,90}",
            "(?s).{0,90}",
            0..i64::MAX,
            state,
            proptest::collection::vec("(?s).{0,20}", 0..2),
        )
            .prop_map(|(client, kind, text, reply, clock_ms, state, notes)| Step {
                n: 1,
                client,
                kind,
                text,
                reply,
                clock_ms,
                unanswered: false,
                changes: state.into_iter().map(|(key, value)| super::change(Item::Key(key), None, value)).collect(),
                notes,
            })
    }

    use proptest::strategy::Strategy;

    proptest! {
        /// Whatever the clients send, a page has no control characters, and its steps stay within the columns once
        /// there are enough of them for a list.
        #[test]
        fn pages_are_harmless_and_fit(
            message in "(?s).{0,60}",
            steps in proptest::collection::vec(any_step(), 1..8),
            columns in 1_usize..200,
        ) {
            let found = found(&message, &["A", "B"], steps);
            let page = counterexample(&found, &heading(), columns);
            for line in &page.lines {
                prop_assert!(!line.to_string().chars().any(char::is_control), "{line}");
            }
            let first = page.lines.iter().position(|line| line.spans.is_empty()).unwrap_or_default();
            for line in page.lines[first + 1..].iter().take_while(|line| !line.spans.is_empty()) {
                prop_assert!(line.width() <= columns.max(44), "{} columns: {line}", line.width());
            }
        }
    }
}

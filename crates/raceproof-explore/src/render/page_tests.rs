//! Pages, pictures and annotations: what stands where, and that texts stay texts.

use std::time::Duration;

use super::entry::{Unique, safe_name};
use super::github::{Annotation, Level};
use super::matrix::{Cell, cell, columns};
use super::sequence::{LaneKind, Sequence};
use super::tests::{change, crash, found, lock, lost_memory, redis, step, whole};
use super::{Entry, html, svg, svgs};
use crate::faults::Fault;
use crate::report::{Bounds, Counterexample, Place, Report, StepKind, Stopped, Strategy, Verdict};
use crate::state::{Content, Held, Item, Value};

fn report(bounds: Bounds, violation: Option<Counterexample>) -> Report {
    let verdict = if violation.is_some() { Verdict::Violated } else { Verdict::Verified };
    Report {
        verdict,
        executions: 1204,
        redundant: 0,
        impossible: 0,
        met_at: violation.as_ref().map(|_| 2),
        cut_off: None,
        too_deep: false,
        states: None,
        undecided: None,
        cover: crate::report::Cover::default(),
        bounds,
        exhaustive: true,
        shrunk: true,
        elapsed: Duration::ZERO,
        violation,
    }
}

fn searched(entry: Entry, bounds: Bounds, violation: Option<Counterexample>) -> Entry {
    let replay = ("replay".to_owned(), format!("raceproof check {} --replay t", entry.name));
    entry.searched(report(bounds, violation), Strategy::Exhaustive, vec![replay])
}

fn using(pauses: u32, crashes: u32, found: Counterexample) -> Counterexample {
    Counterexample { used: bounds(pauses, crashes), ..found }
}

fn bounds(pauses: u32, crashes: u32) -> Bounds {
    Bounds { pauses, ..Bounds::default() }.with(Fault::Crash, crashes)
}

#[test]
fn the_columns_are_what_the_searches_allowed() {
    let plain = searched(Entry::new("a"), bounds(0, 0), None);
    let crashing = searched(Entry::new("b"), bounds(0, 1), None);
    let both = searched(searched(Entry::new("c"), bounds(0, 0), None), bounds(1, 2), None);
    assert_eq!(columns(std::slice::from_ref(&plain)), Vec::<&str>::new());
    assert_eq!(columns(&[plain.clone(), crashing.clone()]), ["crash"]);
    assert_eq!(columns(&[crashing, plain, both]), ["pauses", "crash"], "in the order of the budgets");
}

#[test]
fn a_verified_search_says_something_of_every_fault_it_allowed_and_of_none() {
    let entry = searched(Entry::new("a"), bounds(0, 2), None);
    assert_eq!(cell(&entry, None), Cell::Holds(0));
    assert_eq!(cell(&entry, Some("crash")), Cell::Holds(2));
    assert_eq!(cell(&entry, Some("pauses")), Cell::Unknown);
    let more = searched(entry, bounds(1, 1), None);
    assert_eq!(cell(&more, Some("crash")), Cell::Holds(2), "the larger of the budgets");
    assert_eq!(cell(&more, Some("pauses")), Cell::Holds(1));
}

#[test]
fn a_counterexample_says_something_of_the_faults_that_took_place() {
    let crashed = searched(Entry::new("a"), bounds(1, 1), Some(using(0, 1, crash())));
    assert_eq!(cell(&crashed, Some("crash")), Cell::Broken { search: 0, with: Vec::new() });
    assert_eq!(cell(&crashed, Some("pauses")), Cell::Unknown, "the search ended without an answer");
    assert_eq!(cell(&crashed, None), Cell::Unknown, "nobody has looked at it without faults");
    let answered = searched(crashed, bounds(0, 0), None);
    assert_eq!(cell(&answered, None), Cell::Holds(0));
    let plain = searched(Entry::new("a"), bounds(0, 0), Some(lost_memory()));
    assert_eq!(cell(&plain, None), Cell::Broken { search: 0, with: Vec::new() });
    let together = searched(Entry::new("a"), bounds(1, 1), Some(using(1, 1, lock())));
    assert_eq!(cell(&together, Some("pauses")), Cell::Broken { search: 0, with: vec!["crash"] });
    let alone = searched(together, bounds(1, 0), Some(using(1, 0, lock())));
    assert_eq!(cell(&alone, Some("pauses")), Cell::Broken { search: 1, with: Vec::new() }, "the simpler one");
}

#[test]
fn a_sampled_search_verifies_nothing() {
    let sampled = Report { verdict: Verdict::NoViolationFound, exhaustive: false, ..report(bounds(1, 0), None) };
    let entry = Entry::new("a").searched(sampled, Strategy::Random { seed: 0 }, Vec::new());
    assert_eq!(cell(&entry, Some("pauses")), Cell::Sampled(1204));
    assert_eq!(cell(&entry, None), Cell::Sampled(1204));
    let page = html(&[entry, Entry::new("b").remark("error: no such file")]);
    assert!(page.contains("no violation found under pauses in 1,204 executions"));
    assert!(page.contains("0 of 2 protocols hold"));
    assert!(page.contains("1 without a violation found · 1 not searched · 1 not as expected"));
}

#[test]
fn lanes_are_clients_then_what_they_talk_to_then_what_happens() {
    let mut steps = lock().steps;
    steps.push(step("worker-A", StepKind::Shared, "take the file lock", ""));
    steps.push(step("worker-B", StepKind::Fault, "dies before GET k", ""));
    steps.push(step("server", StepKind::Fault, "FLUSHALL", ""));
    let found = found("x", &["worker-A", "worker-B"], steps);
    let sequence = Sequence::of(&found);
    let names: Vec<&str> = sequence.lanes.iter().map(|lane| lane.name.as_str()).collect();
    assert_eq!(names, ["worker-A", "worker-B", "Redis", "database", "shared state", "clock", "faults"]);
    let ends: Vec<_> = sequence.messages.iter().map(|message| (message.from, message.to)).collect();
    assert_eq!(ends, [(0, 2), (0, 3), (5, 5), (1, 2), (1, 3), (0, 3), (5, 5), (1, 3), (0, 4), (6, 1), (6, 2)]);
    let last = &sequence.messages[10];
    assert_eq!(last.gone, [1], "a fault of the server is nobody's death");
    assert!(sequence.lives(1, 9) && !sequence.lives(1, 10), "its line ends at its death");
    assert_eq!(sequence.messages[2].did.short, "+30,001 ms");
    assert_eq!(sequence.messages[6].did.short, "+30,001 ms (at 60,002 ms)");
}

#[test]
fn only_a_death_ends_a_client() {
    let lost = step("A", StepKind::Fault, "gets no reply: the connection breaks", "");
    let found = found("x", &["A"], vec![redis("A", "SET k 1", "OK"), lost]);
    assert!(Sequence::of(&found).messages.iter().all(|message| message.gone.is_empty()));
    let dead = crash();
    assert_eq!(Sequence::of(&dead).messages[1].gone, [0]);
}

#[test]
fn the_state_goes_on_from_step_to_step() {
    let row = Item::Row { table: "t".to_owned(), row: "id 1".to_owned() };
    let columns = |n: &str| Content { value: Value::Fields(vec![("n".to_owned(), n.to_owned())]), expires_ms: None };
    let mut update = step("A", StepKind::Sql, "UPDATE t SET n = 1", "1 row");
    update.changes.push(change(row.clone(), Some(columns("0")), Some(columns("1"))));
    update.changes[0].uncommitted = true;
    let mut commit = step("A", StepKind::Sql, "COMMIT", "");
    commit.changes.push(change(row.clone(), Some(columns("0")), Some(columns("1"))));
    let steps = vec![update, redis("B", "GET k", "nil"), commit];
    let start = vec![
        Held { item: Item::Key("k".to_owned()), content: whole("\"v\"", Some(500)) },
        Held { item: row, content: columns("0") },
    ];
    let found = Counterexample { start, ..found("x", &["A", "B"], steps) };
    let sequence = Sequence::of(&found);
    assert_eq!(sequence.start.len(), 2, "the key and the row");
    let of_row: Vec<(bool, bool)> = sequence
        .messages
        .iter()
        .map(|message| (message.after[1].changed.is_some(), message.after[1].uncommitted))
        .collect();
    assert_eq!(of_row, [(true, true), (false, true), (true, false)]);
    assert!(sequence.messages.iter().all(|message| message.after[0].content.is_some()), "what nobody changes stays");
    let page = html(&[searched(Entry::new("x"), Bounds::default(), Some(found))]);
    assert_eq!(page.matches("uncommitted</span>").count(), 2);
    assert_eq!(page.matches("500 ms left").count(), 4, "at the start and after each step");
    assert_eq!(page.matches("was <code>n 0</code>").count(), 2);
}

#[test]
fn of_many_keys_only_those_that_change_are_shown() {
    let held = |n: usize| Held { item: Item::Key(format!("key:{n}")), content: whole("\"v\"", None) };
    let steps = vec![redis("A", "SET key:3 w", "OK").leaves("key:3", Some("\"w\""))];
    let few = Counterexample { start: (0..8).map(held).collect(), ..found("x", &["A"], steps) };
    assert_eq!(Sequence::of(&few).start.len(), 8);
    let many = Counterexample { start: (0..9).map(held).collect(), ..few };
    let names: Vec<String> = Sequence::of(&many).start.iter().map(|shown| shown.item.to_string()).collect();
    assert_eq!(names, ["key:3"]);
}

#[test]
fn the_page_has_every_step_with_what_it_changed() {
    let counterexample = Counterexample {
        start: vec![Held { item: Item::Key("user:123".to_owned()), content: whole("\"1,2\"", None) }],
        ..lost_memory()
    };
    let page = html(&[
        searched(Entry::new("memory/serialized-value").about("GET, SET"), Bounds::default(), Some(counterexample)),
        searched(Entry::new("memory/lua-merge"), Bounds::default(), None),
    ]);
    assert!(page.starts_with("<!doctype html>\n<html lang=\"en\">"));
    for part in [
        "<title>1 of 2 protocols hold · raceproof</title>",
        "<section class=\"case\" id=\"memory/serialized-value\"",
        "<tr id=\"memory/lua-merge\">",
        "<a class=\"bad\" href=\"#memory/serialized-value\" title=\"broken without faults\">✗</a>",
        "<p class=\"route\">mobile → Redis</p>",
        "<code>SET user:123 &quot;1,2,mobile&quot;</code>",
        "<b>finally</b> memory of mobile lost<span class=\"place\">scenarios/memory/serialized-value.lua:9</span>",
        "met at execution 2 of 1,204, exhaustive · every step shown is needed",
        "<code class=\"command\">rp1.abba.9f3c21d0</code>",
        "<code class=\"command\">raceproof check memory/serialized-value --replay t</code>",
    ] {
        assert!(page.contains(part), "no {part} in\n{page}");
    }
    for n in 0..=4 {
        assert_eq!(page.matches(&format!("id=\"memory/serialized-value:{n}\"")).count(), 1, "step {n}");
    }
    assert_eq!(page.matches("<div class=\"item changed\">").count(), 2);
    assert_eq!(page.matches("http://").count() + page.matches("https://").count(), 0, "it needs nothing else");
}

/// A counterexample all of whose texts are `text`.
fn all_of(text: &str) -> Entry {
    let own = || text.to_owned();
    let fields = |value: &str| Content { value: Value::Fields(vec![(own(), value.to_owned())]), expires_ms: Some(5) };
    let row = Item::Row { table: own(), row: own() };
    let mut steps = vec![
        redis(text, text, text).leaves(text, Some(text)).noting(text),
        step(text, StepKind::Sql, text, text),
        step("clock", StepKind::Clock, text, text).at(7).leaves(text, None),
        step(text, StepKind::Fault, text, text),
    ];
    steps[1].changes.push(change(row.clone(), Some(fields(text)), Some(fields("new"))));
    let start = vec![Held { item: row, content: fields(text) }];
    let (story, place) = (Some(own()), Some(Place { file: own(), line: 1 }));
    let found = Counterexample { story, place, start, token: own(), ..found(text, &[text], steps) };
    let name = text.replace('/', "");
    let entry = Entry::new(format!("{name}/{name}")).about(own()).known_from(own()).remark(own());
    entry.searched(report(bounds(0, 1), Some(found)), Strategy::Exhaustive, vec![(own(), own())])
}

/// The markup without texts and without the values of attributes.
fn skeleton(markup: &str) -> String {
    let (mut out, mut tag, mut quoted) = (String::new(), false, false);
    for character in markup.chars() {
        match character {
            '"' if tag => quoted = !quoted,
            '<' if !quoted => tag = true,
            '>' if tag && !quoted => {
                out.push_str(">\n");
                tag = false;
                continue;
            }
            _ => {}
        }
        if tag && !quoted {
            out.push(character);
        }
    }
    out
}

/// What stands between the style with the script, which are ours, and the end.
fn body(page: &str) -> &str {
    page.split_once("<body>").expect("a body").1
}

const HOSTILE: [&str; 9] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</style></script></title><b>",
    "]]><!--",
    "&lt;b&gt;&#60;&amp",
    "javascript:alert(1)",
    "\u{202e}txet\u{0}\u{1b}[31m\u{7f}",
    "\u{fffe}\u{ffff}\u{2028}",
];

#[test]
fn whatever_a_text_says_the_markup_is_the_same() {
    let (page, picture) = (html(&[all_of("plain")]), svgs(&[all_of("plain")]).remove(0).1);
    for hostile in HOSTILE {
        let entry = all_of(hostile);
        let shown = html(std::slice::from_ref(&entry));
        assert!(skeleton(body(&shown)) == skeleton(body(&page)), "{hostile} becomes markup in\n{}", body(&shown));
        let head = shown.split_once("<style>").expect("a style").0;
        assert_eq!(skeleton(head), skeleton(page.split_once("<style>").expect("a style").0), "{hostile}");
        let drawn = svgs(&[entry]).remove(0).1;
        assert_eq!(tags(&drawn), tags(&picture), "{hostile}");
        for text in [body(&shown), drawn.as_str()] {
            assert!(
                !text.chars().any(|c| (c.is_control() && c != '\n') || "\u{202e}\u{2028}\u{fffe}\u{ffff}".contains(c))
            );
        }
    }
}

/// The kinds of elements: how many lines a text is wrapped into depends on its length.
fn tags(picture: &str) -> Vec<String> {
    let mut tags: Vec<String> =
        skeleton(picture).lines().map(|tag| tag.split([' ', '>']).next().unwrap_or_default().to_owned()).collect();
    tags.sort();
    tags.dedup();
    tags
}

#[test]
fn a_long_value_is_shortened_and_can_be_opened() {
    let long = format!("\"{}\"", "0123456789".repeat(20));
    let steps = vec![redis("A", &format!("SET k {long}"), "OK").leaves("k", Some(&long))];
    let page = html(&[searched(Entry::new("x"), Bounds::default(), Some(found("x", &["A"], steps)))]);
    let whole = format!("&quot;{}&quot;", "0123456789".repeat(20));
    assert!(page.contains(&format!("<summary title=\"SET k {whole}\"><code>SET k &quot;012345678901")));
    assert!(page.contains(&format!("<code class=\"full\">{whole}</code>")));
    assert!(page.contains("…"));
    let picture = svg("x", &found("x", &["A"], vec![redis("A", &format!("SET k {long}"), "OK")]));
    assert!(picture.contains("…") && !picture.contains(&whole));
}

#[test]
fn a_script_that_is_opened_has_its_lines_under_each_other() {
    let script = format!("EVAL \"local a = 1\\n{}return a\\n\" 0", "a = a + 1\\n".repeat(20));
    let page =
        html(&[searched(Entry::new("x"), Bounds::default(), Some(found("x", &["A"], vec![redis("A", &script, "1")])))]);
    assert!(page.contains("<code class=\"full\">EVAL &quot;local a = 1\\n\na = a + 1\\n\na = a + 1"), "{page}");
}

#[test]
fn bytes_are_escaped_as_redis_cli_does() {
    let steps = vec![redis("A", "SET k \"\\x00\\xff\\n\"", "OK").leaves("k", Some("\"\\x00\\xff\\n\""))];
    let found = found("x", &["A"], steps);
    let page = html(&[searched(Entry::new("x"), Bounds::default(), Some(found.clone()))]);
    assert!(page.contains("<code>&quot;\\x00\\xff\\n&quot;</code>"));
    assert!(svg("x", &found).contains("SET k &quot;\\x00\\xff\\n&quot;"));
}

#[test]
fn a_picture_says_what_the_page_says() {
    let picture = svg("lock/token", &Counterexample { used: bounds(1, 0), ..lock() });
    let texts: Vec<&str> = picture
        .lines()
        .filter_map(|line| line.strip_prefix("<text ")?.split_once('>')?.1.strip_suffix("</text>"))
        .collect();
    assert_eq!(
        texts,
        [
            "✗ lock/token: two workers inside",
            "worker-A",
            "worker-B",
            "Redis",
            "database",
            "clock",
            "1",
            "lock:job1 = &quot;A&quot; (30 s)",
            "SET lock:job1 A NX PX 30000",
            "OK",
            "2",
            "SELECT runs FROM job WHERE id = 1",
            "0",
            "3",
            "lock:job1 is gone",
            "+30,001 ms",
            "4",
            "lock:job1 = &quot;B&quot; (30 s)",
            "SET lock:job1 B NX PX 30000",
            "OK",
            "5",
            "SELECT runs FROM job WHERE id = 1",
            "0",
            "6",
            "UPDATE job SET runs = 1 WHERE id = 1",
            "1 row",
            "7",
            "lock:job1 is gone",
            "+30,001 ms (at 60,002 ms)",
            "8",
            "UPDATE job SET runs = 1 WHERE id = 1",
            "1 row",
            "✗ finally: two workers inside",
        ]
    );
}

#[test]
fn an_unanswered_step_has_no_reply() {
    let mut steps = crash().steps;
    steps[0].unanswered = true;
    let found = found("x", &["A", "B"], steps);
    let page = html(&[searched(Entry::new("x"), Bounds::default(), Some(found.clone()))]);
    assert_eq!(page.matches("the reply never arrives").count(), 1);
    assert!(!page.contains("<div class=\"answer\" style=\"grid-column:2/6\"><code>1</code></div>"));
    assert!(svg("x", &found).contains("class=\"cross\">✗</text>"));
}

#[test]
fn names_are_safe_and_unique() {
    for (name, address, file) in [
        ("memory/serialized-value", "memory/serialized-value", "memory-serialized-value"),
        ("../../etc/passwd", "etc/passwd", "etc-passwd"),
        ("a b\"<>:*?|\\c", "a-b--------c", "a-b--------c"),
        (".hidden", "hidden", "hidden"),
        ("-rf", "rf", "rf"),
        ("größe", "größe", "größe"),
        ("///", "unnamed", "unnamed"),
        ("", "unnamed", "unnamed"),
    ] {
        assert_eq!((safe_name(name, '/').as_str(), safe_name(name, '-').as_str()), (address, file), "{name}");
    }
    assert!(safe_name(&"x".repeat(5000), '-').len() < 200);
    let mut unique = Unique::default();
    let names = ["a", "a", "A", "a-2", "b"].map(|name| unique.name(name.to_owned()));
    assert_eq!(names, ["a", "a-2", "A-3", "a-2-2", "b"]);
    let twice = searched(searched(Entry::new("x"), bounds(0, 0), Some(lost_memory())), bounds(1, 0), Some(lock()));
    let names: Vec<String> = svgs(std::slice::from_ref(&twice)).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["x.svg", "x-2.svg"]);
    let page = html(&[twice, searched(Entry::new("theme"), bounds(0, 0), None)]);
    for id in ["x", "x-2", "theme", "theme-2"] {
        assert_eq!(page.matches(&format!(" id=\"{id}\"")).count(), 1, "{id}");
    }
}

#[test]
fn annotations_are_one_line_each() {
    let annotation = |place, title: &str, message: &str| Annotation {
        level: Level::Error,
        place,
        title: title.to_owned(),
        message: message.to_owned(),
    };
    assert_eq!(
        annotation(Some(("a,b:c%.lua".to_owned(), 7)), "x: y, 50 %", "a, b: 100 %\nsecond\n").to_string(),
        "::error file=a%2Cb%3Ac%25.lua,line=7,title=x%3A y%2C 50 %25::a, b: 100 %25%0Asecond"
    );
    let hostile =
        annotation(None, "a\n::set-output name=x::y", "m\r\n::stop-commands::t\r::add-mask::x\u{0}").to_string();
    assert_eq!(
        hostile,
        "::error title=a\\n%3A%3Aset-output name=x%3A%3Ay::m%0A::stop-commands::t\\r::add-mask::x\\x00"
    );
    assert!(!hostile.contains(['\n', '\r']));
    let notice = Annotation { level: Level::Notice, ..annotation(None, "t", "m") };
    assert_eq!(notice.to_string(), "::notice title=t::m");
    assert_eq!(Annotation { level: Level::Warning, ..notice }.to_string(), "::warning title=t::m");
}

#[test]
fn lanes_of_a_picture_hold_the_longest_label() {
    let found = lock();
    let kinds: Vec<LaneKind> = Sequence::of(&found).lanes.iter().map(|lane| lane.kind).collect();
    assert_eq!(kinds[2..], [LaneKind::Redis, LaneKind::Database, LaneKind::Clock]);
    let picture = svg("x", &found);
    let heads: Vec<usize> = picture
        .lines()
        .filter(|line| line.contains("class=\"head"))
        .filter_map(|line| line.split('"').nth(1)?.parse().ok())
        .collect();
    // From worker-B to the database: a label of 36 columns.
    assert!(heads[3] - heads[1] >= 36 * 8, "{heads:?}");
    assert!(heads.windows(2).all(|pair| pair[1] >= pair[0] + 60), "{heads:?}");
}

#[test]
fn a_search_that_is_not_complete_says_why() {
    let open = |change: fn(&mut Report)| {
        let mut open = report(bounds(0, 0), None);
        open.verdict = Verdict::NoViolationFound;
        change(&mut open);
        html(&[Entry::new("x").searched(open, Strategy::Exhaustive, Vec::new())])
    };
    let says = |page: &str, why: &str| {
        assert!(page.contains(&format!("<span class=\"remark\">{why}</span>")), "{why}: {page}");
    };
    says(
        &open(|open| open.undecided = Some("linearizable(n): too many <states>".to_owned())),
        "linearizable(n): too many &lt;states&gt;",
    );
    says(&open(|open| open.cover.stopped = Some(Stopped::Time)), "the search ran out of time after 1,204 executions");
    says(
        &open(|open| open.cover.stopped = Some(Stopped::Executions)),
        "the search came to its limit after 1,204 executions",
    );
    says(&open(|open| (open.too_deep, open.bounds.depth) = (true, Some(7))), "an execution was cut off after 7 steps");
    let done = html(&[Entry::new("x").searched(report(bounds(0, 0), None), Strategy::Exhaustive, Vec::new())]);
    assert!(!done.contains("class=\"remark\""), "{done}");
}

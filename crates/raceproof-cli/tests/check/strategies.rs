//! How schedules are chosen, limits, and what an interrupt leaves.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::{Ran, Workshop};

/// More traces than any test waits for.
const HUGE: &str = r#"
scenario { name = "huge", EXPECT about = "never done" }
setup(function()
  sql("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)")
  sql("INSERT INTO t VALUES (1, 0)")
end)
clients { "a", "b", "c", "d", "e", function()
  for _ = 1, 6 do redis("INCR", "n") end
  sql("UPDATE t SET v = v + 1 WHERE id = 1")
end }
finally(function() expect(redis("GET", "n") == "30", "an increment was lost") end)
"#;

fn huge() -> Workshop {
    Workshop::new().file("huge.lua", HUGE, "")
}

/// Without line breaks.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn pct_prints_what_it_guarantees() {
    let bench = Workshop::with_both();
    let ran = bench
        .check(["kept.lua", "--strategy", "pct", "--executions", "500", "--seed", "7", "--pct-depth", "2"])
        .exits(1);
    let text = words(&ran.stdout);
    assert!(text.contains("500 executions were only sampled: random priorities (PCT, depth 2, seed 7)"), "{text}");
    assert!(text.contains("one of depth 2 is found with probability ≥ 1/"), "{text}");
    bench.check(["lost.lua", "--strategy", "pct"]).exits(0).shows("random priorities (PCT, depth 3, seed 0)");
}

#[test]
fn uniform_walks_count_the_traces() {
    let bench = Workshop::with_both();
    bench
        .check(["kept.lua", "--strategy", "uniform", "--executions", "300"])
        .exits(1)
        .shows("300 executions were only sampled: random walks over traces (seed 0)")
        .shows("there are about ");
    bench
        .check(["lost.lua", "--strategy", "uniform", "--seed", "2"])
        .exits(0)
        .shows("random walks over traces (seed 2)");
}

#[test]
fn the_first_violation_may_be_the_end() {
    let bench = Workshop::with_both();
    bench.check(["lost.lua", "--first"]).exits(0).shows(", where the search stopped · ");
}

#[test]
fn a_search_that_takes_too_long_samples_and_says_so() {
    let ran = huge().check(["huge.lua", "--seconds", "0.6"]).exits(0);
    let text = words(&ran.stdout);
    assert!(text.contains("no violation found"), "{text}");
    assert!(text.contains("exhaustive search stopped after "), "{text}");
    assert!(text.contains("% of the tree"), "{text}");
    assert!(text.contains("sampled: random priorities (PCT, depth 3, seed 0)"), "{text}");
    assert!(!text.contains("verified"), "{text}");
}

#[test]
fn options_that_a_strategy_does_not_know() {
    let bench = Workshop::with_both();
    bench.check(["kept.lua", "--pct-depth", "2"]).exits(2).complains("--pct-depth 2 has a meaning for pct only");
    bench.check(["kept.lua", "--strategy", "random", "--pct-depth", "2"]).exits(2).complains("--strategy pct");
    bench.check(["kept.lua", "--strategy", "pct", "--pct-depth", "0"]).exits(2);
    bench.check(["kept.lua", "--replay", "rp1.a.00000000", "--first"]).exits(2);
}

#[test]
fn any_number_of_threads_prints_the_same() {
    let bench = Workshop::with_both();
    let one = bench.check(["lost.lua", "-j", "1"]).exits(0).without_times();
    assert_eq!(bench.check(["lost.lua", "-j", "3"]).exits(0).without_times(), one);
}

/// The temporary folder of a process: where its database is.
fn folder(child: &Child) -> Option<PathBuf> {
    let open = std::fs::read_dir(format!("/proc/{}/fd", child.id())).ok()?;
    let files = open.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    let database = files.into_iter().find(|file| file.ends_with("database"))?;
    database.parent().map(PathBuf::from)
}

/// A search in a process of its own, and its folder.
fn started(bench: &Workshop, args: &[&str]) -> (Child, PathBuf) {
    let mut command = bench.command();
    command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(60) {
        if let Some(folder) = folder(&child) {
            return (child, folder);
        }
        std::thread::yield_now();
    }
    drop(child.kill());
    drop(child.wait());
    panic!("the search never opened its database");
}

fn interrupt(child: &Child) {
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_prints_what_is_known_and_leaves_nothing_behind() {
    let bench = huge();
    let (child, folder) = started(&bench, &["huge.lua"]);
    interrupt(&child);
    let ran = Ran::of(child.wait_with_output().expect("it ends")).exits(130);
    ran.shows("no violation found").shows("the search was interrupted after ");
    assert!(!folder.exists(), "{}", folder.display());
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_tells_which_scenarios_were_not_begun() {
    let bench = huge().file("more.lua", &HUGE.replace("huge", "more"), "");
    let (child, folder) = started(&bench, &["huge.lua", "more.lua", "-j", "1", "--format", "json"]);
    interrupt(&child);
    let ran = Ran::of(child.wait_with_output().expect("it ends")).exits(130);
    assert!(ran.stdout.contains("\"stopped\": \"interrupted\""), "{}", ran.stdout);
    assert!(!ran.stdout.contains("\"more\""), "{}", ran.stdout);
    assert!(!folder.exists(), "{}", folder.display());
}

/// A second interrupt does not wait for anything. The first is answered on standard error, so the second comes after it.
#[cfg(target_os = "linux")]
#[test]
fn a_second_interrupt_ends_at_once() {
    use std::io::Read;
    let bench = Workshop::new().file("stuck.lua", &HUGE.replace("for _ = 1, 6 do", "for _ = 1, 300 do"), "");
    let (mut child, folder) = started(&bench, &["stuck.lua", "--strategy", "random"]);
    interrupt(&child);
    let mut said = [0; 8];
    child.stderr.as_mut().expect("it is piped").read_exact(&mut said).expect("the first is answered");
    interrupt(&child);
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(130));
    assert!(!folder.exists(), "{}", folder.display());
}

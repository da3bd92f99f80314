//! `raceproof atlas`, and the page that it writes: docs/atlas.md is what the present scenarios and the present search
//! give.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// How to bring the page up to date.
const WAY_OUT: &str = "cargo run --release -- atlas --write docs/atlas.md";

const DESIGN: &str = r#"
scenario { name = "design/visits", row = "INCR in front of a row", instead = "count rows", about = "INCR", known_from = "us (https://example.org/a)" }
client("visit", function() redis("INCR", "visits") end)
finally(function() expect(not returned("visit") or redis("GET", "visits"), "a visit is lost") end)
"#;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn atlas(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_raceproof"))
        .arg("atlas")
        .args(args)
        .current_dir(folder)
        .output()
        .expect("the binary runs")
}

/// What a run printed, if it ended with this status.
fn printed(folder: &Path, args: &[&str], status: i32) -> (String, String) {
    let ran = atlas(folder, args);
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    let (stdout, stderr) = (text(ran.stdout), text(ran.stderr));
    assert_eq!(ran.status.code(), Some(status), "{stdout}{stderr}");
    (stdout, stderr)
}

fn a_design() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("visits.lua"), DESIGN).expect("a file");
    folder
}

/// The page is what the searches find now, and real servers show what it says is broken.
#[test]
fn the_page_is_up_to_date_and_real_servers_agree() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("atlas.md");
    let ran = atlas(&repository(), &["--confirm", "--write", path.to_str().expect("UTF-8")]);
    let shown = String::from_utf8(ran.stdout).expect("output is UTF-8");
    let doubts: Vec<&str> = shown.lines().filter_map(|line| line.strip_prefix("  ! ")).collect();
    assert!(doubts.is_empty(), "not confirmed on a real server:\n  {}", doubts.join("\n  "));
    assert!(ran.status.success(), "{shown}{}", String::from_utf8_lossy(&ran.stderr));
    let counts = shown.lines().find_map(|line| line.strip_prefix("  confirmed on redis-server ")).expect("the counts");
    let (_, counts) = counts.split_once(": ").expect("a version, and counts");
    let (confirmed, all) = counts.split_once(" of ").expect("two counts");
    let count = |text: &str| text.replace(',', "").parse::<usize>().expect("a number");
    assert_eq!(count(confirmed), count(all));
    assert!(count(all) > 300, "hardly anything was confirmed: {counts}");
    let now = std::fs::read_to_string(&path).expect("the page");
    let kept = std::fs::read_to_string(repository().join("docs/atlas.md")).expect("docs/atlas.md");
    let differs = kept.lines().zip(now.lines()).position(|(kept, now)| kept != now);
    let at = differs.unwrap_or_else(|| kept.lines().count().min(now.lines().count()));
    let line = |text: &str| text.lines().nth(at).unwrap_or("(nothing)").to_owned();
    let (was, is) = (line(&kept), line(&now));
    assert!(
        kept == now,
        "docs/atlas.md:{} says\n  {was}\nand should say\n  {is}\nbring it up to date: {WAY_OUT}",
        at + 1
    );
    let open: Vec<&str> = now.lines().filter(|line| line.starts_with("| [") && line.contains("| ? ")).collect();
    assert!(open.is_empty(), "cells are open, make their scenarios smaller: {open:#?}");
}

#[test]
fn a_design_of_ones_own_has_its_row() {
    let folder = a_design();
    let (shown, _) = printed(folder.path(), &["visits.lua"], 0);
    let row = shown.lines().find(|line| line.contains("INCR in front of a row")).expect("its row");
    let marks: Vec<&str> = row.split_whitespace().skip(6).collect();
    assert_eq!(marks, ["✓", "–", "✓", "✓", "✓", "✓", "–", "–", "✓", "✗", "✗", "–", "✗", "✗", "–", "–"], "{shown}");
    assert!(shown.contains("✗ flush: a visit is lost (2 steps)"), "{shown}");
    assert!(shown.contains("raceproof check visits.lua --faults flush=1 --replay rp1."), "{shown}");
}

#[test]
fn what_the_atlas_tells_can_be_seen_again() {
    let folder = a_design();
    let (shown, _) = printed(folder.path(), &["visits.lua", "--faults", "evict"], 0);
    let command = shown.lines().find_map(|line| line.trim().strip_prefix("raceproof ")).expect("a command");
    let again = Command::new(env!("CARGO_BIN_EXE_raceproof"))
        .args(command.split(' '))
        .current_dir(folder.path())
        .output()
        .expect("the binary runs");
    let text = String::from_utf8(again.stdout).expect("UTF-8");
    assert!(text.contains("✗ design/visits: a visit is lost"), "{command}\n{text}");
}

#[test]
fn columns_can_be_chosen() {
    let folder = a_design();
    let (shown, _) = printed(folder.path(), &["visits.lua", "--faults", "none,flush"], 0);
    let row = shown.lines().find(|line| line.contains("INCR in front of a row")).expect("its row");
    assert!(row.ends_with("✓     ✗"), "{row:?}");
    let (_, complaint) = printed(folder.path(), &["visits.lua", "--faults", "flood"], 2);
    assert!(complaint.contains("nothing called 'flood' can go wrong: there are none, pause, crash"), "{complaint}");
}

#[test]
fn a_real_server_has_its_say_where_it_is_asked() {
    let folder = a_design();
    let (shown, _) = printed(folder.path(), &["visits.lua", "--faults", "none,failover,evict,flush", "--confirm"], 0);
    assert!(shown.contains("confirmed on redis-server ") && shown.trim_end().ends_with(": 3 of 3"), "{shown}");
    let (shown, _) = printed(folder.path(), &["visits.lua", "--faults", "none", "--confirm"], 0);
    assert!(shown.trim_end().ends_with("no counterexample to confirm"), "{shown}");
    let timed = DESIGN.replace(r#"redis("INCR", "visits")"#, r#"redis("TIME") redis("INCR", "visits")"#);
    std::fs::write(folder.path().join("visits.lua"), timed).expect("a file");
    let (shown, _) = printed(folder.path(), &["visits.lua", "--faults", "none,flush", "--confirm"], 0);
    assert!(shown.trim_end().ends_with(": 1 of 1"), "{shown}");
    let ran = Command::new(env!("CARGO_BIN_EXE_raceproof"))
        .args(["atlas", "visits.lua", "--faults", "none,flush", "--confirm"])
        .current_dir(folder.path())
        .env("RACEPROOF_REDIS_SERVER", server_with_a_clock_of_its_own(folder.path()))
        .output()
        .expect("the binary runs");
    assert_eq!(ran.status.code(), Some(1));
    let shown = String::from_utf8(ran.stdout).expect("output is UTF-8");
    let doubt = shown.lines().find_map(|line| line.strip_prefix("  ! ")).expect("a doubt");
    assert!(doubt.starts_with("design/visits, flush: not confirmed on redis-server "), "{doubt}");
    assert!(
        doubt.contains("it cannot be played there: TIME needs the lab's clock: the server's clock cannot be held: "),
        "{doubt}"
    );
}

/// A redis-server whose clock cannot be held, as that of a statically linked one.
fn server_with_a_clock_of_its_own(folder: &Path) -> PathBuf {
    let path = folder.join("another-redis-server");
    std::fs::write(&path, "#!/bin/sh\nunset LD_PRELOAD\nexec redis-server \"$@\"\n").expect("a file");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).expect("it is ours");
    path
}

#[test]
fn a_search_that_is_cut_short_leaves_a_cell_open() {
    let folder = a_design();
    let (shown, _) = printed(folder.path(), &["visits.lua", "--faults", "crash", "--executions", "2"], 0);
    assert!(shown.contains("? crash: no violation in 2 executions; there are others"), "{shown}");
}

#[test]
fn the_page_links_what_breaks_a_protocol_and_what_to_do_instead() {
    let folder = a_design();
    let arguments = ["visits.lua", "--faults", "none,flush", "--write", "page.md"];
    printed(folder.path(), &arguments, 0);
    let page = std::fs::read_to_string(folder.path().join("page.md")).expect("the page");
    for part in [
        "| [INCR in front of a row](#design-visits) | ✓ | [✗](#design-visits-flush) |",
        "### <a id=\"design-visits\"></a>INCR in front of a row",
        "Known from [us](https://example.org/a).",
        "- <a id=\"design-visits-flush\"></a>**a visit is lost**: `raceproof check visits.lua` `--faults flush=1` (flush, 2 steps)",
        "- Instead: count rows",
    ] {
        assert!(page.contains(part), "no {part} in\n{page}");
    }
}

#[test]
fn a_broken_file_is_named_and_the_others_are_drawn() {
    let folder = a_design();
    std::fs::write(folder.path().join("broken.lua"), "scenario {").expect("a file");
    let (shown, complaint) = printed(folder.path(), &[".", "--faults", "none"], 2);
    assert!(shown.contains("INCR in front of a row") && complaint.contains("broken.lua"), "{shown}{complaint}");
    let (_, complaint) = printed(folder.path(), &["visits.lua", "--faults", "none", "--write", "no/such/page.md"], 2);
    assert!(complaint.contains("cannot write no/such/page.md"), "{complaint}");
}

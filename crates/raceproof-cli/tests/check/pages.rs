//! `--html`, `--svg` and `--format github`: what is written where, and what is said when it cannot be.

use std::fs;

use crate::{KEPT, LOST, Workshop};

fn names(workshop: &Workshop, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(workshop.path().join(folder)).expect("the folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_page_and_pictures_are_written_beside_the_report() {
    let workshop = Workshop::with_both();
    let plain = workshop.check(["."]).exits(0);
    let ran = workshop.check([".", "--html", "page.html", "--svg", "new/pictures"]).exits(0);
    assert_eq!(ran.without_times(), plain.without_times(), "standard output is the same");
    let page = fs::read_to_string(workshop.path().join("page.html")).expect("the page");
    for part in [
        "<title>1 of 2 protocols hold · raceproof</title>",
        "id=\"design/lost\"",
        "GET, append in the application, SET",
        "SET user:123 1,2,web",
        "raceproof check lost.lua --replay rp1.",
        "lost.lua:7",
    ] {
        assert!(page.contains(part), "no {part} in\n{page}");
    }
    assert_eq!(names(&workshop, "new/pictures"), ["design-lost.svg"]);
    assert_eq!(names(&workshop, "."), ["kept.lua", "lost.lua", "new", "page.html"], "nothing unfinished is left");
    workshop.check(["lost.lua", "--html", "page.html"]).exits(0);
    let page = fs::read_to_string(workshop.path().join("page.html")).expect("the page");
    assert!(page.contains("<h1>design/lost</h1>"), "an older page is replaced");
}

#[test]
fn a_page_tells_what_is_not_as_expected() {
    let workshop =
        Workshop::new().file("wrong.lua", LOST, r#"expect = "verified","#).file("broken.lua", "scenario {", "");
    workshop.check([".", "--html", "page.html"]).exits(2);
    let page = fs::read_to_string(workshop.path().join("page.html")).expect("the page");
    assert!(page.contains("expected verified, found violated"), "{page}");
    assert!(page.contains("1 violated · 1 not searched · 2 not as expected"), "{page}");
}

#[test]
fn a_place_that_cannot_be_written_is_named_before_anything_is_searched() {
    let workshop = Workshop::with_both();
    workshop.check([".", "--html", "."]).exits(2).complains("--html .: this is a folder, give the name of a file");
    workshop
        .check([".", "--html", "no/such/page.html"])
        .exits(2)
        .complains("cannot write the page to no/such/page.html");
    workshop.check([".", "--svg", "kept.lua"]).exits(2).complains("--svg kept.lua: cannot make the folder");
    let both = workshop.check([".", "--html", "page.html", "--svg", "kept.lua"]).exits(2);
    assert_eq!(both.stdout, "");
    assert_eq!(names(&workshop, "."), ["kept.lua", "lost.lua"]);
    let list = workshop.check([".", "--html", "page.html", "--list"]).exits(2);
    assert!(list.stderr.contains("cannot be used with"), "{}", list.stderr);
}

#[test]
fn github_gets_an_annotation_for_each_scenario_that_is_not_as_it_should_be() {
    let workshop = Workshop::with_both()
        .file("wrong, 50%.lua", &LOST.replace("design/lost", "design/wrong"), r#"expect = "verified","#)
        .file("free.lua", &LOST.replace("design/lost", "free\\n::error::x"), "")
        .file(
            "broken.lua",
            "-- Nothing.\nscenario { name = \"x\", expect = \"maybe\" }\nclient(\"a\", function() end)",
            "",
        );
    let ran = workshop.check([".", "--format", "github"]).exits(2);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{}", ran.stdout);
    assert!(
        lines.iter().all(|line| line.starts_with("::error file=") || line.starts_with("::notice ")),
        "{}",
        ran.stdout
    );
    let starts = |start: &str| lines.iter().find(|line| line.starts_with(start)).copied().unwrap_or_default();
    let wrong =
        starts("::error file=wrong%2C 50%25.lua,line=7,title=design/wrong%3A expected verified%2C found violated::");
    assert!(wrong.contains("✗ design/wrong: memory of mobile lost%0A%0A"), "{wrong}\n{}", ran.stdout);
    assert!(wrong.contains("4   SET user:123 1,2,web → OK"), "{wrong}");
    assert!(wrong.contains("replay   raceproof check 'wrong, 50%25.lua' --replay rp1."), "{wrong}");
    let broken = starts("::error file=broken.lua,line=2,title=");
    assert!(broken.contains("docs/scenarios.md#header"), "{}", ran.stdout);
    assert!(
        lines[3].starts_with("::notice title=raceproof check::5 scenarios: 1 verified, 3 violated"),
        "{}",
        lines[3]
    );
}

#[test]
fn github_gets_a_notice_alone_when_all_is_well() {
    let workshop = Workshop::with_both();
    let ran = workshop.check([".", "--format", "github"]).exits(0);
    assert_eq!(ran.stdout.lines().count(), 1);
    assert!(
        ran.stdout.starts_with("::notice title=raceproof check::2 scenarios: 1 verified, 1 violated, all as expected")
    );
    let sampled = Workshop::new().file("free.lua", KEPT, "");
    let ran = sampled.check(["free.lua", "--strategy", "random", "--executions", "3", "--format", "github"]).exits(0);
    let warning = "::warning file=free.lua,line=1,title=design/kept%3A no violation found%3A 3 executions were only sampled%3A random (seed 0)::";
    assert!(ran.stdout.starts_with(warning), "{}", ran.stdout);
}

#[test]
fn github_finds_the_file_from_the_root_of_its_repository() {
    let workshop = Workshop::new().file("designs/lost.lua", LOST, r#"expect = "verified","#);
    let command = |folder: &str| {
        let mut command = workshop.command();
        command.current_dir(workshop.path().join(folder)).env("GITHUB_WORKSPACE", workshop.path());
        command.args(["lost.lua", "--format", "github"]);
        crate::Ran::of(command.output().expect("the binary runs"))
    };
    command("designs").exits(1).shows("::error file=designs/lost.lua,line=7,");
}

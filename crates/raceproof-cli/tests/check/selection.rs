//! Which scenarios are meant.

use crate::Workshop;

fn names(list: &str) -> Vec<&str> {
    list.lines().filter_map(|line| line.split_whitespace().next()).collect()
}

#[test]
fn the_catalogue_is_built_in_and_listed_with_what_is_expected() {
    let ran = Workshop::new().check(["--list"]).exits(0);
    let names = names(&ran.stdout);
    assert!(names.contains(&"memory/serialized-value"), "{names:?}");
    assert!(names.is_sorted(), "{names:?}");
    let line = ran.stdout.lines().find(|line| line.starts_with("memory/serialized-value ")).expect("its line");
    assert_eq!(line.split_whitespace().nth(1), Some("violated"), "{line}");
}

#[test]
fn names_groups_and_patterns_select_from_the_catalogue() {
    let workshop = Workshop::new();
    let all = workshop.check(["--list"]).stdout;
    let group: Vec<&str> = names(&all).into_iter().filter(|name| name.starts_with("lock/")).collect();
    for argument in ["lock", "lock/", "lock/*", "loc?/*"] {
        let listed = workshop.check(["--list", argument]).exits(0).stdout;
        assert_eq!(names(&listed), group, "{argument}");
    }
    let two =
        workshop.check(["--list", "memory/hmset-merge", "*/serialized-value", "memory/hmset-merge"]).exits(0).stdout;
    assert_eq!(names(&two), ["memory/hmset-merge", "memory/serialized-value"], "each once, in the order asked for");
}

#[test]
fn a_name_runs_that_scenario() {
    Workshop::new()
        .check(["memory/serialized-value"])
        .exits(0)
        .shows("✗ memory/serialized-value: memory of ")
        .shows("raceproof check memory/serialized-value --replay rp1.")
        .shows("scenarios/memory/serialized-value.lua:");
}

#[test]
fn the_names_of_the_catalogue_are_its_paths() {
    let ran = Workshop::new().check(["--list", "--format", "json"]).exits(0);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    for scenario in document["scenarios"].as_array().expect("scenarios") {
        let name = scenario["name"].as_str().expect("a name");
        assert_eq!(scenario["file"], format!("scenarios/{name}.lua"));
        assert_ne!(scenario["expect"], serde_json::Value::Null, "{name} pins its verdict");
    }
}

#[test]
fn files_and_folders_are_taken_together_and_once() {
    let workshop = Workshop::with_both().file("deep/er/more.lua", crate::KEPT, "");
    let listed = workshop.check(["--list", "deep", "lost.lua", ".", "./lost.lua"]).exits(0).stdout;
    assert_eq!(listed.lines().count(), 3, "{listed}");
    assert_eq!(names(&listed), ["design/kept", "design/lost", "design/kept"]);
}

#[test]
fn what_exists_as_a_file_is_a_file() {
    let workshop = Workshop::new().file("memory/mine.lua", crate::KEPT, "");
    let listed = workshop.check(["--list", "memory"]).exits(0).stdout;
    assert_eq!(names(&listed), ["design/kept"], "a folder comes before a group of the catalogue");
}

//! Every malformed scenario gets its one-screen error: what is wrong, where, the way out, and where to read on.

mod header;
mod running;
mod text;

use raceproof_explore::scenario::Scenario;

/// A mistake, the file that makes it, and the error that a user is shown.
type Case = (&'static str, &'static str, &'static str);

fn check(cases: &[Case]) {
    for (mistake, source, expected) in cases {
        let error = match Scenario::parse("my-design.lua", source) {
            Err(error) => error.to_string(),
            Ok(scenario) => match scenario.run(&scenario.check()) {
                Err(error) => error.to_string(),
                Ok(report) => panic!("{mistake}: no error, but {:?}", report.verdict),
            },
        };
        assert_eq!(error, *expected, "{mistake}");
        let anchor = error.rsplit_once('#').unwrap().1;
        assert!(anchors().contains(&anchor.to_owned()), "{mistake}: docs/scenarios.md has no section #{anchor}");
    }
}

/// The anchors of docs/scenarios.md, as they are made from its headings.
fn anchors() -> Vec<String> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/scenarios.md");
    let page = std::fs::read_to_string(page).unwrap();
    let heading = |line: &str| line.strip_prefix("## ").map(|title| title.to_lowercase().replace(' ', "-"));
    page.lines().filter_map(heading).collect()
}

#[test]
fn a_missing_file() {
    let error = Scenario::load("no/such/file.lua").unwrap_err().to_string();
    let expected = "cannot read the scenario: No such file or directory (os error 2)
  ┌ no/such/file.lua
  │ give the path of a .lua file that you may read
  └ docs/scenarios.md#language";
    assert_eq!(error, expected);
}

#[test]
fn a_file_that_is_no_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.lua");
    std::fs::write(&path, b"-- one\n-- \xff").unwrap();
    let error = Scenario::load(&path).unwrap_err();
    assert_eq!((error.what.as_str(), error.line), ("the file is not UTF-8 text", Some(2)));
}

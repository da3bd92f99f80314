//! Rules for scenario files: a comment that says what is modelled, and a scenario in it.

/// The problems of one file.
pub(crate) fn problems(path: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let comment = text.lines().next().and_then(|line| line.strip_prefix("--")).unwrap_or_default();
    if comment.split_whitespace().count() < 2 {
        problems.push(format!("{path}:1: opens with a comment `-- …` that says what is modelled"));
    }
    let declares = |line: &str| {
        let rest = line.trim_start().strip_prefix("scenario").map(str::trim_start);
        rest.is_some_and(|rest| rest.starts_with(['{', '(']))
    };
    if !text.lines().any(declares) {
        problems.push(format!("{path}: declares no `scenario {{ name = … }}`"));
    }
    problems
}

#[test]
fn a_tidy_scenario_has_no_problem() {
    assert_eq!(problems("a.lua", "-- One value, two writers.\nscenario { name = \"a\" }\n"), Vec::<String>::new());
}

#[test]
fn a_missing_comment_or_scenario_is_found() {
    assert_eq!(problems("a.lua", "scenario { name = \"a\" }\n").len(), 1);
    assert_eq!(problems("a.lua", "--\nscenario { name = \"a\" }\n").len(), 1);
    assert_eq!(problems("a.lua", "-- The scenario of one value.\n-- scenario { }\n").len(), 1);
    assert_eq!(problems("a.lua", "").len(), 2);
}

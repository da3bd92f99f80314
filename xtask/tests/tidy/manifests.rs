//! Rules for manifests: everything the workspace fixes is inherited, and crates know only whom they may know.

use std::collections::BTreeSet;

/// Who may depend on whom: the crate, its dependencies among our own, and those of its tests and benches.
///
/// The engine and the traits know nobody, so that they can be understood and used alone. The primitives never depend on
/// the simulator that explores them: what ships is what was explored, and nothing else.
const ARROWS: &[(&str, &[&str], &[&str])] = &[
    ("raceproof-engine", &[], &[]),
    ("raceproof-env", &[], &[]),
    ("raceproof-preload", &[], &[]),
    ("raceproof-explore", &["raceproof-engine", "raceproof-env"], &[]),
    ("raceproof-server", &["raceproof-engine", "raceproof-explore"], &["raceproof-lab"]),
    ("raceproof-lab", &["raceproof-explore"], &[]),
    ("raceproof", &["raceproof-env"], &["raceproof-explore", "raceproof-lab"]),
    ("raceproof-cli", &["raceproof", "raceproof-explore", "raceproof-lab", "raceproof-server"], &[]),
    ("xtask", &[], &[]),
];

/// What a manifest takes from the workspace, line by line as it is written.
const INHERITED: &[(&str, &str)] = &[
    ("package", "version.workspace = true"),
    ("package", "edition.workspace = true"),
    ("package", "rust-version.workspace = true"),
    ("package", "license.workspace = true"),
    ("package", "repository.workspace = true"),
    ("package", "publish.workspace = true"),
    ("lints", "workspace = true"),
];

/// The lines of a manifest with the section they stand in. Enough of TOML for manifests written as ours are.
fn lines(text: &str) -> Vec<(&str, &str)> {
    let mut section = "";
    let mut lines = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(name) => section = name.trim_matches(['[', ']']),
            None => lines.push((section, line)),
        }
    }
    lines
}

/// The problems of one manifest.
pub(crate) fn problems(path: &str, text: &str) -> Vec<String> {
    let lines = lines(text);
    let mut problems = Vec::new();
    for (section, line) in INHERITED.iter().filter(|wanted| !lines.contains(wanted)) {
        problems.push(format!("{path}: [{section}] lacks `{line}`"));
    }
    if !lines.iter().any(|(section, line)| *section == "package" && line.starts_with("description = \"")) {
        problems.push(format!("{path}: [package] lacks a description"));
    }
    let folder = path.split('/').rev().nth(1).unwrap_or_default();
    if !lines.contains(&("package", format!("name = \"{folder}\"").as_str())) {
        problems.push(format!("{path}: the package is not named {folder:?} like its folder"));
    }
    problems.extend(wrong_arrows(path, folder, &lines));
    problems
}

fn wrong_arrows(path: &str, package: &str, lines: &[(&str, &str)]) -> Vec<String> {
    let Some((_, normal, dev)) = ARROWS.iter().find(|(name, ..)| *name == package) else {
        return vec![format!("{path}: whom may {package} depend on? Say so in {} and ARCHITECTURE.md", file!())];
    };
    let mut problems = Vec::new();
    for (section, name) in own_dependencies(lines) {
        let is_dev = section.ends_with("dev-dependencies");
        let allowed = normal.contains(&name) || (is_dev && dev.contains(&name));
        if !allowed {
            problems.push(format!("{path}: [{section}] {package} may not depend on {name}, see ARCHITECTURE.md"));
        }
    }
    problems
}

/// Our own crates among the dependencies, each with the section that names it.
fn own_dependencies<'a>(lines: &[(&'a str, &'a str)]) -> BTreeSet<(&'a str, &'a str)> {
    let ours = |name: &str| ARROWS.iter().any(|(known, ..)| *known == name);
    let mut found = BTreeSet::new();
    for (section, line) in lines {
        if let Some((parent, name)) = section.rsplit_once("dependencies.") {
            // [dependencies.raceproof]
            if ours(name) {
                found.insert((&section[..parent.len() + "dependencies".len()], name));
            }
        } else if section.ends_with("dependencies") {
            let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
            // raceproof.workspace = true, or renamed = { package = "raceproof" }
            let renamed = line.split_once("package = \"").and_then(|(_, rest)| rest.split('"').next());
            let name = renamed.unwrap_or(name);
            if ours(name) {
                found.insert((*section, name));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(name: &str, rest: &str) -> String {
        let package: Vec<&str> =
            INHERITED.iter().filter(|(section, _)| *section == "package").map(|(_, line)| *line).collect();
        let package = package.join("\n");
        format!("[package]\nname = \"{name}\"\ndescription = \"x\"\n{package}\n[lints]\nworkspace = true\n{rest}")
    }

    fn problems_of(name: &str, rest: &str) -> Vec<String> {
        problems(&format!("crates/{name}/Cargo.toml"), &manifest(name, rest))
    }

    #[test]
    fn allowed_arrows_pass() {
        let none = Vec::<String>::new();
        assert_eq!(problems_of("raceproof-lab", "[dependencies]\nraceproof-explore.workspace = true\n"), none);
        assert_eq!(problems_of("raceproof", "[dev-dependencies]\nraceproof-explore.workspace = true\n"), none);
        assert_eq!(problems_of("raceproof", "[dependencies]\nredis.workspace = true\n"), none);
    }

    #[test]
    fn forbidden_arrows_are_found_however_they_are_written() {
        for rest in [
            "[dependencies]\nraceproof-explore.workspace = true\n",
            "[dependencies]\nraceproof-explore = { path = \"../raceproof-explore\" }\n",
            "[dependencies]\nsim = { path = \"../x\", package = \"raceproof-explore\" }\n",
            "[dependencies.raceproof-explore]\nworkspace = true\n",
            "[target.'cfg(unix)'.dependencies]\nraceproof-explore.workspace = true\n",
            "[build-dependencies]\nraceproof-explore.workspace = true\n",
            "[dev-dependencies]\nraceproof-server.workspace = true\n",
        ] {
            assert_eq!(problems_of("raceproof", rest).len(), 1, "{rest}");
        }
    }

    #[test]
    fn what_is_not_inherited_is_found() {
        let whole = manifest("raceproof", "");
        for (section, line) in INHERITED {
            let lacking = whole.replace(&format!("\n{line}\n"), "\n");
            let expected = format!("crates/raceproof/Cargo.toml: [{section}] lacks `{line}`");
            assert_eq!(problems("crates/raceproof/Cargo.toml", &lacking), [expected]);
        }
        assert_eq!(problems("crates/other/Cargo.toml", &whole).len(), 2, "the folder's name, and an unknown crate");
        assert_eq!(problems_of("raceproof", "").len(), 0);
    }
}

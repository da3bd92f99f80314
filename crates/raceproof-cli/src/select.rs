//! Which scenarios are meant: names of the catalogue, files, folders.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use globset::Glob;
use raceproof_explore::scenario::{Scenario, ScenarioError};

use crate::catalogue::CATALOGUE;

/// How close a name must be to be suggested (Jaro-Winkler similarity, 1 is equal).
const NEAR: f64 = 0.85;
const MOST_SUGGESTIONS: usize = 3;

/// A scenario that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Selected {
    pub(crate) scenario: Scenario,
    /// What to write on the command line to get it again.
    pub(crate) argument: String,
}

/// What the arguments stand for.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    pub(crate) scenarios: Vec<Selected>,
    /// Files that are no scenarios.
    pub(crate) broken: Vec<ScenarioError>,
    seen: HashSet<String>,
}

/// Finds the scenarios that the arguments stand for, each once; without arguments the catalogue.
///
/// # Errors
/// An argument that stands for nothing.
pub(crate) fn select(arguments: &[String]) -> Result<Selection, String> {
    let mut selection = Selection::default();
    if arguments.is_empty() {
        CATALOGUE.iter().for_each(|built_in| selection.add_built_in(built_in.file, built_in.source));
        return Ok(selection);
    }
    for argument in arguments {
        let path = Path::new(argument);
        if path.is_dir() {
            selection.add_folder(path)?;
        } else if path.exists() || path.extension().is_some_and(|extension| extension == "lua") {
            selection.add_file(path);
        } else {
            selection.add_named(argument)?;
        }
    }
    Ok(selection)
}

impl Selection {
    fn add_built_in(&mut self, file: &str, source: &str) {
        let scenario = Scenario::parse(file, source);
        let argument = scenario.as_ref().map_or_else(|_| name_of(file).to_owned(), |found| found.name().to_owned());
        self.add(format!("built in: {file}"), argument, scenario);
    }

    fn add_file(&mut self, path: &Path) {
        // `check .` must not name files in a way that nobody would type.
        let path = path.strip_prefix(".").unwrap_or(path);
        let known = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        self.add(known.display().to_string(), quoted(&path.display().to_string()), Scenario::load(path));
    }

    fn add(&mut self, identity: String, argument: String, scenario: Result<Scenario, ScenarioError>) {
        if !self.seen.insert(identity) {
            return;
        }
        match scenario {
            Ok(scenario) => self.scenarios.push(Selected { scenario, argument }),
            Err(error) => self.broken.push(error),
        }
    }

    fn add_folder(&mut self, folder: &Path) -> Result<(), String> {
        let mut files = Vec::new();
        collect(folder, &mut files).map_err(|error| format!("cannot read the folder {}: {error}", folder.display()))?;
        files.sort_by_key(|file| file.with_extension(""));
        if files.is_empty() {
            let way_out = "scenarios are files whose names end in .lua";
            return Err(format!("there is no scenario in the folder {}\n  └ {way_out}", folder.display()));
        }
        files.iter().for_each(|file| self.add_file(file));
        Ok(())
    }

    /// A name of the catalogue, a group of it, or a pattern.
    fn add_named(&mut self, argument: &str) -> Result<(), String> {
        let glob = Glob::new(argument).map_err(|error| format!("{argument} is not a pattern: {}", error.kind()))?;
        let glob = glob.compile_matcher();
        let group = format!("{}/", argument.trim_end_matches('/'));
        let mut found = false;
        for built_in in CATALOGUE {
            let name = name_of(built_in.file);
            if name == argument || name.starts_with(&group) || glob.is_match(name) {
                found = true;
                self.add_built_in(built_in.file, built_in.source);
            }
        }
        if found { Ok(()) } else { Err(unknown(argument)) }
    }
}

/// The name of a scenario of the catalogue: its path without `scenarios/` and `.lua`.
fn name_of(file: &str) -> &str {
    let name = file.strip_prefix("scenarios/").unwrap_or(file);
    name.strip_suffix(".lua").unwrap_or(name)
}

fn unknown(argument: &str) -> String {
    let mut near: Vec<(f64, &str)> = CATALOGUE
        .iter()
        .map(|built_in| name_of(built_in.file))
        .flat_map(|name| [Some(name), name.split_once('/').map(|(group, _)| group)])
        .flatten()
        .map(|name| (similarity(argument, name), name))
        .filter(|(similarity, _)| *similarity >= NEAR)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    near.dedup_by_key(|(_, name)| *name);
    near.truncate(MOST_SUGGESTIONS);
    let mut text = format!("there is no scenario, file or folder named {argument}");
    if !near.is_empty() {
        let names: Vec<&str> = near.into_iter().map(|(_, name)| name).collect();
        text.push_str(&format!("\n  │ did you mean {}?", names.join(" or ")));
    }
    text.push_str("\n  └ raceproof check --list shows the catalogue");
    text
}

/// How alike two names are in what follows their groups: the group is what most names share.
fn similarity(a: &str, b: &str) -> f64 {
    let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_lowercase();
    strsim::jaro_winkler(&last(a), &last(b))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        // A link to a folder may lead round in a circle.
        if path.is_dir() && !path.is_symlink() {
            collect(&path, files)?;
        } else if path.is_file() && path.extension().is_some_and(|extension| extension == "lua") {
            files.push(path);
        }
    }
    Ok(())
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@%=".contains(c);
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_can_be_pasted_into_a_shell() {
        assert_eq!(quoted("designs/my-design.lua"), "designs/my-design.lua");
        assert_eq!(quoted("it's mine.lua"), r"'it'\''s mine.lua'");
    }

    #[test]
    fn near_names_are_suggested() {
        assert!(similarity("serialised-value", "memory/serialized-value") >= NEAR);
        assert!(similarity("memory/Serialised", "memory/serialized-value") >= NEAR);
        assert!(similarity("memroy", "memory") >= NEAR);
        assert!(similarity("memory/serialised", "memory/set-ex") < NEAR);
        assert!(similarity("xyzzy", "memory/serialized-value") < NEAR);
    }
}

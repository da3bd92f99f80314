//! The house's style as tests: what a reviewer should never have to say.
//!
//! Each rule is a pure function from a file's text to its problems, with a test that it catches what it is there for;
//! the tests here run the rules over the repository and list every problem at once, as `path: what and the way out`.

mod manifests;
mod scenarios;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the repository: its path from the root, with `/`, and its text.
struct File {
    path: String,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace's root").to_owned()
}

/// The files below some folders of the root whose names end in `suffix`, in a fixed order.
fn files(folders: &[&str], suffix: &str) -> Vec<File> {
    let root = root();
    let mut pending: Vec<PathBuf> =
        folders.iter().map(|folder| root.join(folder)).filter(|path| path.is_dir()).collect();
    let mut found = Vec::new();
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository can be read") {
            let path = entry.expect("an entry of the repository can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" {
                pending.push(path);
            } else if name.ends_with(suffix) {
                let text = fs::read_to_string(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
                let path = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                found.push(File { path, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Fails with all problems, one a line.
fn report(problems: &[String]) {
    assert!(problems.is_empty(), "{} to tidy:\n  {}", problems.len(), problems.join("\n  "));
}

#[test]
fn sources_are_tidy() {
    let files = files(&["crates", "xtask"], ".rs");
    assert!(files.len() > 10, "the sources were not found below {}", root().display());
    let problems = files.iter().flat_map(|file| sources::problems(&file.path, &file.text));
    report(&problems.chain(sources::stale_exceptions(&files)).collect::<Vec<_>>());
}

#[test]
fn manifests_are_tidy() {
    let files = files(&["crates", "xtask"], "Cargo.toml");
    assert!(files.len() > 5, "the manifests were not found below {}", root().display());
    report(&files.iter().flat_map(|file| manifests::problems(&file.path, &file.text)).collect::<Vec<_>>());
}

#[test]
fn scenarios_are_tidy() {
    let files = files(&["scenarios"], ".lua");
    report(&files.iter().flat_map(|file| scenarios::problems(&file.path, &file.text)).collect::<Vec<_>>());
}

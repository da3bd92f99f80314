//! The examples of docs/any-language.md, run with the client libraries themselves (that of Rust is the test `redis_rs`), and what
//! only such a library shows.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where `cargo xtask setup` installs the libraries.
fn installed(path: &str) -> PathBuf {
    let path = root().join("target/clients").join(path);
    assert!(path.exists(), "{} is not there; `cargo xtask setup` installs it", path.display());
    path
}

fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } =
        command.env("RACEPROOF", env!("CARGO_BIN_EXE_raceproof")).output().expect("the program can be started");
    let text = String::from_utf8_lossy(&stdout).into_owned();
    assert!(status.success(), "{command:?}: {status}\n{text}\n{}", String::from_utf8_lossy(&stderr));
    text
}

#[test]
fn the_python_example_passes() {
    let example = root().join("docs/any-language/test_redis.py");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut pytest = Command::new(installed("python/bin/pytest"));
    pytest.args(["-q", "-p", "no:cacheprovider"]).arg(example).current_dir(folder.path());
    let printed = run(pytest.env("PYTHONDONTWRITEBYTECODE", "1"));
    assert!(printed.contains("3 passed"), "{printed}");
}

#[test]
fn redis_py_caches_on_its_side() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/test_caching.py");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut pytest = Command::new(installed("python/bin/pytest"));
    pytest.args(["-q", "-p", "no:cacheprovider"]).arg(tests).current_dir(folder.path());
    let printed = run(pytest.env("PYTHONDONTWRITEBYTECODE", "1"));
    assert!(printed.contains("5 passed"), "{printed}");
}

#[test]
fn the_node_example_passes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // Modules are looked for beside the file that imports them.
    let example = folder.path().join("redis.test.js");
    std::fs::copy(root().join("docs/any-language/redis.test.js"), &example).expect("the example is there");
    std::fs::write(folder.path().join("package.json"), "{\"type\":\"module\"}").expect("the folder is ours");
    std::os::unix::fs::symlink(installed("node/node_modules"), folder.path().join("node_modules"))
        .expect("the folder is ours");
    let printed = run(Command::new("node").args(["--test", "--test-reporter=tap"]).arg(&example));
    assert!(printed.contains("# pass 3"), "{printed}");
}

#[test]
fn the_page_shows_the_examples_as_they_are_run() {
    let read = |path: &str| std::fs::read_to_string(root().join("docs").join(path)).expect("it is in the repository");
    let page = read("any-language.md");
    for example in ["test_redis.py", "redis.test.js", "redis_rs.rs"] {
        let text = read(&format!("any-language/{example}"));
        assert!(
            page.contains(text.trim_end()),
            "docs/any-language.md shows another {example} than docs/any-language has"
        );
    }
}

//! The tasks against stand-ins for cargo and redis-server: which commands are run, what is said, which code comes out.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A script that is still open for writing in another test's half-started child cannot be run (ETXTBSY).
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A folder with stand-ins, removed on drop.
struct Stage {
    folder: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Stage {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder for the stand-ins");
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let stage = Self { folder, _turn: turn };
        stage.program("redis-server", "echo 'Redis server v=7.0.15 sha=00000000:0'");
        stage.program("chromium", "echo 'Chromium 150.0.0.0'");
        stage.clients();
        stage
    }

    /// The client libraries, as if they were installed.
    fn clients(&self) {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/any-language");
        let read = |name: &str| fs::read_to_string(examples.join(name)).expect("it is beside the examples");
        let node = self.folder.join("clients/node");
        fs::create_dir_all(self.folder.join("clients/python/bin")).expect("a folder for the stand-ins");
        fs::create_dir_all(node.join("node_modules/ioredis")).expect("a folder for the stand-ins");
        fs::write(node.join("package.json"), read("package.json")).expect("a stand-in");
        self.program("clients/python/bin/pip", &format!("echo '{}'", read("requirements.txt").trim_end()));
    }

    /// A shell script by its body.
    fn program(&self, name: &str, body: &str) -> PathBuf {
        let path = self.folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).expect("a stand-in");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a stand-in that can be run");
        path
    }

    /// A cargo that notes what it is asked for and fails with 101 when asked for `failing`.
    fn cargo(&self, failing: &str) {
        let log = self.folder.join("log").display().to_string();
        self.program("cargo", &format!("echo \"$@\" >> '{log}'\ncase \"$1\" in {failing}) exit 101;; esac"));
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(args)
            .env("CARGO", self.folder.join("cargo"))
            .env("PATH", &self.folder)
            .env("RACEPROOF_CLIENTS", self.folder.join("clients"))
            .env_remove("RACEPROOF_REDIS_SERVER")
            .env_remove("RACEPROOF_CHROMIUM")
            .output()
            .expect("xtask can be run")
    }

    fn asked(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn test_runs_the_whole_suite_and_passes_arguments_and_exit_code_on() {
    let stage = Stage::new("test");
    stage.cargo("never");
    let output = stage.run(&["test", "-p", "raceproof-engine", "hash"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(stage.asked(), ["test --workspace --locked -p raceproof-engine hash"]);
    stage.cargo("test");
    let output = stage.run(&["test"]);
    assert_eq!(output.status.code(), Some(101));
    assert!(said(&output).ends_with("xtask: cargo test --workspace --locked\n"), "the end belongs to cargo test");
}

#[test]
fn ci_ends_with_the_tests() {
    let stage = Stage::new("ci");
    stage.cargo("never");
    let output = stage.run(&["ci"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let asked = stage.asked();
    let order: Vec<&str> = asked.iter().filter_map(|args| args.split(' ').next()).collect();
    assert_eq!(order, ["fmt", "clippy", "doc", "deny", "deny", "run", "test"]);
    assert_eq!(asked[5], "run --release --locked -- check");
}

#[test]
fn ci_stops_at_the_first_failure_and_names_it() {
    let stage = Stage::new("stop");
    stage.cargo("clippy");
    let output = stage.run(&["ci"]);
    assert_eq!(output.status.code(), Some(101));
    assert_eq!(stage.asked().len(), 2);
    let expected =
        "error: `cargo clippy --workspace --all-targets --locked -- -D warnings` failed with exit code 101\n";
    assert!(said(&output).ends_with(expected), "{}", said(&output));
}

#[test]
fn ci_says_that_cargo_deny_is_missing_and_goes_on() {
    let stage = Stage::new("deny");
    stage.cargo("deny");
    let output = stage.run(&["ci"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("cargo deny was NOT run"), "{}", said(&output));
    assert_eq!(stage.asked().last().map(String::as_str), Some("test --workspace --locked"));
}

#[test]
fn another_redis_version_is_an_error_that_names_it() {
    let stage = Stage::new("version");
    stage.cargo("never");
    stage.program("redis-server", "echo 'Redis server v=6.0.16 sha=00000000:0'");
    let output = stage.run(&["test"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("is version 6.0.16; the tests need 7.0.x"), "{}", said(&output));
    assert_eq!(stage.asked(), Vec::<String>::new(), "no test runs against it");
}

#[test]
fn without_root_a_missing_redis_is_an_error_that_says_how_to_get_it() {
    let stage = Stage::new("missing");
    fs::remove_file(stage.folder.join("redis-server")).expect("it was there");
    stage.program("id", "echo 1000");
    stage.program("apt-get", "echo called >&2");
    let output = stage.run(&["setup"]);
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(said.contains("sudo apt-get install redis-server") && said.contains("RACEPROOF_REDIS_SERVER"), "{said}");
    assert!(!said.contains("called"), "apt-get is not for users: {said}");
}

#[test]
fn without_root_a_missing_browser_is_an_error_that_says_how_to_get_it() {
    let stage = Stage::new("browser");
    fs::remove_file(stage.folder.join("chromium")).expect("it was there");
    stage.cargo("never");
    stage.program("id", "echo 1000");
    let output = stage.run(&["test"]);
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(said.contains("sudo apt-get install chromium") && said.contains("RACEPROOF_CHROMIUM"), "{said}");
    assert_eq!(stage.asked(), Vec::<String>::new(), "no test is left out in silence");
}

#[test]
fn conformance_compares_as_many_commands_as_one_likes() {
    let stage = Stage::new("conformance");
    stage.program(
        "cargo",
        "echo \"$RACEPROOF_DIFF_COMMANDS $RACEPROOF_DIFF_SEED $RACEPROOF_DIFF_FAILURES $@\" >&2; exit 101",
    );
    let output = stage.run(&["conformance", "--commands", "5,000_000", "--seed", "7"]);
    assert_eq!(output.status.code(), Some(101), "a difference fails the task");
    let said = said(&output);
    assert!(said.contains("5000000 7 3 test --release"), "{said}");
    assert!(said.contains("RACEPROOF_DIFF_SEED='7'"), "the seed can be seen: {said}");
}

#[test]
fn conformance_names_what_it_cannot_use() {
    let stage = Stage::new("conformance-usage");
    for (args, expected) in [
        (&["--comands", "1"][..], "no option \"--comands\"; it has --commands"),
        (&["--seed"], "--seed needs a whole number, got \"\""),
        (&["--commands", "many"], "--commands needs a whole number, got \"many\""),
    ] {
        let output = stage.run(&[&["conformance"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(said(&output).contains(expected), "{}", said(&output));
    }
}

#[test]
fn fuzz_runs_each_target_or_those_that_are_named() {
    let stage = Stage::new("fuzz");
    stage.cargo("never");
    let output = stage.run(&["fuzz"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let asked = stage.asked();
    for target in ["requests", "control", "lua", "restore"] {
        let expected = format!("fuzz run --sanitizer none {target} fuzz/corpus/{target} fuzz/seeds/{target} -- ");
        assert!(asked.iter().any(|args| args.starts_with(&expected) && args.ends_with("-max_total_time=600")));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/fuzz_targets");
    let there = fs::read_dir(folder).expect("the folder of the targets").count();
    assert_eq!(asked.len() - 1, there, "a target is left out");
}

#[test]
fn fuzz_names_what_it_cannot_use() {
    let stage = Stage::new("fuzz-usage");
    stage.cargo("never");
    let output = stage.run(&["fuzz", "lau"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("no target \"lau\"; it has requests, control, lua, restore"), "{}", said(&output));
    assert_eq!(stage.asked(), Vec::<String>::new());
    stage.cargo("fuzz");
    let output = stage.run(&["fuzz", "lua"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("cargo install --locked cargo-fuzz"), "{}", said(&output));
}

#[test]
fn an_unknown_task_is_a_wrong_usage() {
    let stage = Stage::new("usage");
    for args in [&["tset"][..], &[], &["ci", "--fast"], &["setup", "now"]] {
        let output = stage.run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(said(&output).starts_with("usage: cargo xtask <task>"), "{args:?}");
    }
}

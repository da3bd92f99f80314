//! The project's own tasks: `cargo xtask setup | test | ci | conformance | fuzz`.
//!
//! Built from std alone, so that the first thing a newcomer runs compiles in a second. Each task is a list of commands
//! that anyone can also type; a task that fails names the command and its exit code.

mod apt;
mod browser;
mod clients;
mod conformance;
mod fuzz;
mod process;
mod redis;

use std::ffi::OsString;
use std::process::ExitCode;

use process::{Error, cargo};

const USAGE: &str = "\
usage: cargo xtask <task>

  setup         install what the tests need (redis-server 7.0, chromium, redis-py, ioredis)
  test [ARGS]   setup, then the whole test suite; ARGS go to `cargo test`
  ci            formatting, clippy, docs, dependencies, the catalogue, then the whole test suite
  conformance [--commands N] [--seed S] [--differences D]
                random commands on the engine and on redis-server, replies compared (N = 2,000,000, S = another one
                each time); what differs is shrunk to a minimal sequence, and the run ends after D = 3 of them
  fuzz [TARGET…] [--seconds N]
                bytes that the fuzzer makes up, N = 600 seconds for each target: requests, control, lua, restore";

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let task = args.next().unwrap_or_default();
    let rest: Vec<OsString> = args.collect();
    let outcome = match (task.to_str(), rest.is_empty()) {
        (Some("setup"), true) => setup(),
        (Some("test"), _) => test(&rest),
        (Some("ci"), true) => ci(),
        (Some("conformance"), _) => conformance::conformance(&rest),
        (Some("fuzz"), _) => fuzz::fuzz(&rest),
        (Some("help" | "--help" | "-h"), _) => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(Error::Usage(USAGE)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // `cargo test` has already said what failed, and its closing lines are what people and tools read.
            if !matches!(error, Error::Tests { .. }) {
                eprintln!("{error}");
            }
            error.exit_code()
        }
    }
}

/// Everything that the tests need and that is no crate.
fn setup() -> Result<(), Error> {
    redis::setup()?;
    browser::setup()?;
    clients::setup()
}

/// The whole suite, documentation tests included.
fn test(extra: &[OsString]) -> Result<(), Error> {
    setup()?;
    cargo(["test", "--workspace", "--locked"]).args(extra).run().map_err(Error::into_tests)
}

/// Everything a change must pass. The tests come last, so that the run closes with `cargo test`'s own lines.
fn ci() -> Result<(), Error> {
    cargo(["fmt", "--all", "--", "--check"]).run()?;
    cargo(["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]).run()?;
    cargo(["doc", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-D warnings").run()?;
    deny()?;
    cargo(["run", "--release", "--locked", "--", "check"]).run()?;
    test(&[])
}

/// Licences, advisories and sources of the dependencies (`deny.toml`), where `cargo deny` is installed.
fn deny() -> Result<(), Error> {
    if cargo(["deny", "--version"]).succeeds() {
        return cargo(["deny", "--workspace", "check"]).run();
    }
    eprintln!("xtask: cargo deny was NOT run, it is not installed (cargo install --locked cargo-deny)");
    Ok(())
}

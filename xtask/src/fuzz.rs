//! The fuzzer on each of its targets, for as long as one likes.

use std::ffi::OsString;

use crate::process::{Error, Task, cargo};

/// The targets: the names of `fuzz/fuzz_targets` and of the folders of `fuzz/seeds`.
const TARGETS: [&str; 4] = ["requests", "control", "lua", "restore"];
const SECONDS: u64 = 600;

/// Runs each target, or those that are named. What is found is a file in `fuzz/artifacts`, and ends the run.
pub(crate) fn fuzz(args: &[OsString]) -> Result<(), Error> {
    let (targets, seconds) = parse(args)?;
    if !cargo(["fuzz", "--version"]).succeeds() {
        return Err(Error::Setup("cargo-fuzz is not installed: cargo install --locked cargo-fuzz".into()));
    }
    targets.into_iter().try_for_each(|target| run(target, seconds).run())
}

fn run(target: &str, seconds: u64) -> Task {
    let (corpus, seeds) = (format!("fuzz/corpus/{target}"), format!("fuzz/seeds/{target}"));
    // There is no unsafe code that a sanitizer would watch, and without one the stable compiler will do.
    cargo(["fuzz", "run", "--sanitizer", "none", target])
        .args([corpus, seeds])
        .args(["--", "-timeout=60", "-rss_limit_mb=6144"])
        .args([format!("-max_total_time={seconds}")])
}

fn parse(args: &[OsString]) -> Result<(Vec<&'static str>, u64), Error> {
    let (mut targets, mut seconds) = (Vec::new(), SECONDS);
    let mut args = args.iter().map(|arg| arg.to_string_lossy());
    while let Some(arg) = args.next() {
        if arg == "--seconds" {
            let text = args.next().unwrap_or_default();
            seconds =
                text.parse().map_err(|_| Error::Argument(format!("--seconds needs a whole number, got {text:?}")))?;
        } else if let Some(target) = TARGETS.into_iter().find(|target| *target == arg) {
            targets.push(target);
        } else {
            let known = TARGETS.join(", ");
            return Err(Error::Argument(format!("fuzz has no target {arg:?}; it has {known}, and --seconds")));
        }
    }
    Ok((if targets.is_empty() { TARGETS.to_vec() } else { targets }, seconds))
}

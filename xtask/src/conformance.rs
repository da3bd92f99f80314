//! Comparing the engine with a real redis-server for as long as one likes.

use std::ffi::OsString;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::process::{Error, Task, cargo};
use crate::redis;

const COMMANDS: u64 = 2_000_000;

/// What `cargo xtask conformance` is asked for.
struct Options {
    commands: u64,
    seed: u64,
    differences: u64,
}

/// Compares random sequences of commands; differences are shrunk, and shown as they are found.
pub(crate) fn conformance(args: &[OsString]) -> Result<(), Error> {
    let options = Options::parse(args)?;
    redis::setup()?;
    run(&options).run().map_err(Error::into_tests)
}

fn run(options: &Options) -> Task {
    // Optimised: sequences are made and compared some times as fast, and the run may be long.
    let test = "random_sequences_get_the_replies_of_redis_server";
    cargo(["test", "--release", "--locked", "-p", "raceproof-engine", "--test", "differential", "--"])
        .args([test, "--exact", "--nocapture"])
        .env("RACEPROOF_DIFF_COMMANDS", &options.commands.to_string())
        .env("RACEPROOF_DIFF_SEED", &options.seed.to_string())
        .env("RACEPROOF_DIFF_FAILURES", &options.differences.to_string())
}

impl Options {
    fn parse(args: &[OsString]) -> Result<Self, Error> {
        let mut options = Self { commands: COMMANDS, seed: any_seed(), differences: 3 };
        let mut args = args.iter();
        while let Some(name) = args.next() {
            let number = match name.to_str() {
                Some("--commands") => &mut options.commands,
                Some("--seed") => &mut options.seed,
                Some("--differences") => &mut options.differences,
                _ => {
                    let known = "--commands, --seed, --differences";
                    return Err(Error::Argument(format!("conformance has no option {name:?}; it has {known}")));
                }
            };
            let text = args.next().and_then(|value| value.to_str()).unwrap_or_default();
            *number = text.replace(['_', ','], "").parse().map_err(|_| {
                Error::Argument(format!("{} needs a whole number, got {text:?}", name.to_string_lossy()))
            })?;
        }
        Ok(options)
    }
}

/// Another one at each call, so that runs do not repeat each other. The command that is shown names it.
fn any_seed() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs())
}

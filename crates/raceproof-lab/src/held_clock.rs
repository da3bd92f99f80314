//! A clock that servers are given instead of the machine's: it stands still, and moves when the lab says so.
//!
//! A server asks the C library for the time, and a library that is loaded before it (`LD_PRELOAD`) answers from a file
//! that it shares with us (`held_clock/hold.c`). So every time of the server is on that clock, as it is on a machine whose
//! clock is set: deadlines, how long something has been idle, `TIME`, the ends of waits. The server's timers run on.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

use crate::LabError;

/// What the servers load, built by `build.rs`; empty where clocks cannot be held.
const LIBRARY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hold.so"));
/// Where it looks for the time.
const VARIABLE: &str = "RACEPROOF_HELD_CLOCK";
const PRELOAD: &str = "LD_PRELOAD";
/// Where the file has its two times. One counts, by the lowest bit of the file's first byte.
const SLOTS: [u64; 2] = [8, 16];
const FILE_BYTES: usize = 24;
/// Times are counted in ns, in 64 bits.
const LATEST_MS: i64 = i64::MAX / NS_PER_MS;
const NS_PER_MS: i64 = 1_000_000;

/// A clock for one or several servers: [`Builder::clock`](crate::Builder::clock).
///
/// It works for every dynamically linked redis-server (or Valkey) on 64-bit Linux; a server whose clock it does not
/// become is not started ([`LabError::ClockNotHeld`]).
#[derive(Debug)]
pub struct HeldClock {
    folder: TempDir,
    page: File,
    now: Mutex<Now>,
}

#[derive(Debug)]
struct Now {
    turn: u8,
    ms: i64,
}

impl HeldClock {
    /// A clock that shows this Unix time, in ms.
    ///
    /// # Errors
    /// [`LabError::ClockNotHeld`]: not on this system, or not from this temporary folder. [`LabError::Io`]: the temporary
    /// folder cannot be written to.
    pub fn new(now_ms: i64) -> Result<Self, LabError> {
        if LIBRARY.is_empty() {
            return Err(LabError::ClockNotHeld { why: "that takes 64-bit Linux".to_owned() });
        }
        let folder = tempfile::Builder::new()
            .prefix("raceproof-clock-")
            .tempdir()
            .map_err(LabError::io("cannot make a temporary folder"))?;
        let path = folder.path().to_string_lossy();
        if path.contains([' ', ':']) {
            let why = format!(
                "LD_PRELOAD takes no path with a space or a colon, such as {path:?}; set TMPDIR to another folder"
            );
            return Err(LabError::ClockNotHeld { why });
        }
        fs::write(library(&folder), LIBRARY).map_err(LabError::io("cannot write to the temporary folder"))?;
        let page = File::options().read(true).write(true).create_new(true).open(page(&folder));
        let page = page.map_err(LabError::io("cannot write to the temporary folder"))?;
        page.write_all_at(&[0; FILE_BYTES], 0).map_err(LabError::io("cannot set the clock"))?;
        let clock = Self { folder, page, now: Mutex::new(Now { turn: 0, ms: now_ms }) };
        clock.set(now_ms)?;
        Ok(clock)
    }

    /// What it shows: Unix time, in ms.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).ms
    }

    /// Sets it, forward or back. The servers see it when they look next.
    ///
    /// # Errors
    /// [`LabError::NoSuchTime`]: before 1970 or after 2262, which the clocks of Linux do not show.
    pub fn set(&self, now_ms: i64) -> Result<(), LabError> {
        if !(1..=LATEST_MS).contains(&now_ms) {
            return Err(LabError::NoSuchTime { ms: now_ms });
        }
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = now.turn.wrapping_add(1);
        let write = |bytes: &[u8], at| self.page.write_all_at(bytes, at).map_err(LabError::io("cannot set the clock"));
        write(&(now_ms * NS_PER_MS).to_ne_bytes(), SLOTS[usize::from(turn & 1)])?;
        write(&[turn], 0)?;
        *now = Now { turn, ms: now_ms };
        Ok(())
    }

    /// A program that is started so has this clock.
    pub(crate) fn give_to(&self, command: &mut Command) {
        let mut preloaded = OsString::from(library(&self.folder));
        if let Some(others) = std::env::var_os(PRELOAD).filter(|others| !others.is_empty()) {
            preloaded.push(":");
            preloaded.push(others);
        }
        command.env(PRELOAD, preloaded).env(VARIABLE, page(&self.folder));
    }
}

fn library(folder: &TempDir) -> PathBuf {
    folder.path().join("hold.so")
}

fn page(folder: &TempDir) -> PathBuf {
    folder.path().join("clock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shows_what_it_was_set_to_and_no_impossible_time() {
        let clock = HeldClock::new(5_000).expect("clocks can be held here");
        clock.set(4_000).expect("back");
        assert_eq!(clock.now_ms(), 4_000);
        for ms in [0, -1, i64::MAX] {
            let error = clock.set(ms).unwrap_err().to_string();
            assert!(error.contains(&ms.to_string()), "{error}");
        }
        assert_eq!(clock.now_ms(), 4_000);
    }

    #[test]
    fn programs_that_have_it_see_it() {
        let clock = HeldClock::new(1_000_000_000_000).expect("clocks can be held here");
        let date = || {
            let mut command = Command::new("date");
            clock.give_to(&mut command);
            let output = command.args(["-u", "+%s.%N"]).output().expect("date runs");
            String::from_utf8(output.stdout).expect("UTF-8")
        };
        assert_eq!(date(), "1000000000.000000000\n");
        clock.set(1_234_567_890_123).expect("such a time");
        assert_eq!(date(), "1234567890.123000000\n");
    }
}

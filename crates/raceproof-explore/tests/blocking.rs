//! A client that blocks its thread is named, and the process ends instead of hanging.

use std::process::Command;
use std::time::{Duration, Instant};

use raceproof_explore::Check;

const PLAY: &str = "RACEPROOF_TEST_BLOCKS";

/// Run by the other test, in a process of its own.
#[test]
fn a_client_that_blocks() {
    if std::env::var_os(PLAY).is_none() {
        return;
    }
    let _ = Check::new("blocks").run(|world| {
        world.client("patient", |ctx| async move { ctx.sleep(1).await });
        world.client("sleeper", |_| async { std::thread::sleep(Duration::from_secs(60)) });
    });
}

#[test]
fn a_client_that_blocks_its_thread_is_named() {
    let start = Instant::now();
    let this = std::env::current_exe().expect("the test's own path");
    let ran = Command::new(this)
        .args(["--exact", "a_client_that_blocks", "--nocapture"])
        .env(PLAY, "1")
        .env("RACEPROOF_STUCK_SECONDS", "1")
        .output()
        .expect("the test runs");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(2), "{said}");
    assert!(said.contains("error: sleeper has blocked its thread for 1 s"), "{said}");
    assert!(start.elapsed() < Duration::from_secs(30));
}

//! The tokio implementation does what the traits say.

use std::collections::HashSet;
use std::time::Duration;

use raceproof_env::{Bell, Clock, Files, Notify, Sleep, Spawn, Tokens, TokioEnv};

fn env() -> TokioEnv {
    TokioEnv::current().expect("the test runs in a runtime")
}

fn assert_send<T: Send>(value: T) -> T {
    value
}

#[test]
fn there_is_no_environment_outside_a_runtime() {
    assert!(TokioEnv::current().is_err());
}

#[tokio::test]
async fn sleeping_passes_time_on_both_clocks() {
    let env = env();
    let (wall, boot) = (env.unix_ms(), env.boot_ms());
    assert_send(env.sleep(30)).await;
    assert!(env.boot_ms() >= boot + 30, "{} then {}", boot, env.boot_ms());
    assert!(env.unix_ms() >= wall + 29, "{} then {}", wall, env.unix_ms());
    assert!(wall > 1_700_000_000_000, "{wall} is not in ms since 1970");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_boot_clock_is_the_one_of_the_kernel_that_counts_suspend() {
    // /proc/uptime counts suspend, as CLOCK_BOOTTIME does; CLOCK_MONOTONIC does not.
    let before = env().boot_ms();
    let text = std::fs::read_to_string("/proc/uptime").expect("Linux has /proc/uptime");
    let after = env().boot_ms();
    let seconds: f64 = text.split(' ').next().and_then(|word| word.parse().ok()).expect("a number of seconds");
    let uptime_ms = (seconds * 1000.0) as u64;
    // The file shows hundredths of a second.
    assert!(before <= uptime_ms + 10 && uptime_ms <= after, "{before} ms, {uptime_ms} ms, {after} ms");
}

#[test]
fn sleeping_and_spawning_work_from_outside_the_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let env = TokioEnv::new(runtime.handle().clone());
    let (bell, sleeping) = (env.bell(), env.sleep(1));
    env.spawn("ring", {
        let bell = bell.clone();
        async move { bell.ring() }
    });
    runtime.block_on(async {
        sleeping.await;
        bell.after(0).await;
    });
}

#[tokio::test]
async fn a_bell_loses_no_ring() {
    let bell = env().bell();
    assert_eq!(bell.rings(), 0);
    bell.ring();
    // It rang before anyone waited: whoever has seen none is not kept waiting.
    assert_send(bell.after(0)).await;
    assert_eq!(bell.rings(), 1);
    let early = tokio::time::timeout(Duration::from_millis(20), bell.after(1)).await;
    assert!(early.is_err(), "ended without a second ring");
}

#[tokio::test]
async fn a_bell_wakes_all_who_wait() {
    let (env, bell, woken) = (env(), env().bell(), env().bell());
    for _ in 0..3 {
        let (ringing, woken) = (bell.after(0), woken.clone());
        env.spawn("waiter", async move {
            ringing.await;
            woken.ring();
        });
    }
    env.sleep(10).await;
    assert_eq!(woken.rings(), 0);
    bell.ring();
    tokio::time::timeout(Duration::from_secs(5), woken.after(2)).await.expect("all three woke");
}

#[tokio::test]
async fn tokens_are_unique_and_of_one_shape() {
    let env = env();
    let tokens: HashSet<String> = (0..1000).map(|_| env.token()).collect();
    assert_eq!(tokens.len(), 1000);
    assert!(
        tokens.iter().all(|token| token.len() == 32
            && token.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)))
    );
}

#[tokio::test]
async fn files_are_read_and_replaced_whole() {
    let (env, folder) = (env(), tempfile::tempdir().expect("a temporary folder"));
    let path = folder.path().join("record");
    assert_eq!(env.read(&path).await.expect("absent is no error"), None);
    env.replace(&path, b"one").await.expect("made");
    env.replace(&path, b"two").await.expect("replaced");
    assert_eq!(env.read(&path).await.expect("read"), Some(b"two".to_vec()));
    let names: Vec<_> = std::fs::read_dir(folder.path()).expect("listed").collect();
    assert_eq!(names.len(), 1, "temporary files are left: {names:?}");
}

#[tokio::test]
async fn file_errors_name_the_path() {
    let (env, folder) = (env(), tempfile::tempdir().expect("a temporary folder"));
    let path = folder.path().join("absent").join("record");
    for error in [
        env.replace(&path, b"x").await.expect_err("the folder is absent"),
        env.try_lock(&path).await.expect_err("the folder is absent"),
        env.read(folder.path()).await.expect_err("a folder is no file"),
    ] {
        assert!(error.to_string().contains(&*folder.path().to_string_lossy()), "{error}");
    }
}

#[tokio::test]
async fn a_file_is_locked_once_until_the_lock_is_dropped() {
    let (env, folder) = (env(), tempfile::tempdir().expect("a temporary folder"));
    let path = folder.path().join("lock");
    let held = env.try_lock(&path).await.expect("lockable").expect("free");
    assert!(env.try_lock(&path).await.expect("lockable").is_none());
    drop(held);
    assert!(env.try_lock(&path).await.expect("lockable").is_some());
}

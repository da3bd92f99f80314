//! What a command costs in process, beside one client of a real redis-server; and how long a day takes in which a million
//! keys expire. `docs/performance.md` says what the numbers mean.
//!
//! ```text
//! taskset -c 0 cargo bench -p raceproof-engine
//! ```
//!
//! `taskset` makes the server and its client share the core that the engine has to itself. Both take turns, and a ratio is
//! the median of the ratios of the rounds.

use std::hint::black_box;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use raceproof_engine::{Engine, Footprint, LuaHost, Options, Outcome, Timestamp};

const ROUNDS: usize = 5;
/// How many commands a turn of each takes.
const IN_PROCESS: u32 = 1_000_000;
const BY_CLIENT: u32 = 20_000;

const EXPIRING: u32 = 1_000_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const NOW_MS: i64 = 1_700_000_000_000;

fn main() {
    beside_a_client();
    a_day();
}

fn args(words: &[&str]) -> Vec<Bytes> {
    words.iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect()
}

/// Commands per second of an engine that keeps footprints, or of one that does not.
fn in_process(words: &[&str], footprints: bool) -> f64 {
    let mut engine = Engine::new(Options::default());
    let (session, mut host) = (engine.connect(), LuaHost::new());
    let footprint = if footprints { Footprint::default() } else { Footprint::ignoring() };
    let mut outcome = Outcome { footprint, without_effects: !footprints, ..Outcome::default() };
    let args = args(words);
    let begin = Instant::now();
    for _ in 0..IN_PROCESS {
        engine.execute(&mut host, session, black_box(&args), Timestamp::from_ms(NOW_MS), &mut outcome);
        black_box(&outcome.reply);
    }
    f64::from(IN_PROCESS) / begin.elapsed().as_secs_f64()
}

/// A server on a socket; ended when dropped.
struct Server {
    child: Child,
    folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let child = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(folder.path().join("redis.sock"))
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts");
        let begin = Instant::now();
        while !Path::exists(&folder.path().join("redis.sock")) {
            assert!(begin.elapsed() < Duration::from_secs(30), "redis-server does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { child, folder }
    }

    /// Requests per second of one client without pipelining.
    fn by_client(&self, test: &str) -> f64 {
        let output = Command::new("redis-benchmark")
            .arg("-s")
            .arg(self.folder.path().join("redis.sock"))
            .args(["-c", "1", "-P", "1", "-n", &BY_CLIENT.to_string(), "-t", test, "--csv"])
            .output()
            .expect("redis-benchmark runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let rate = text.lines().last().and_then(|line| line.split(',').nth(1));
        rate.and_then(|rate| rate.trim_matches('"').parse().ok()).expect("redis-benchmark says how fast it was")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn median(mut list: Vec<f64>) -> f64 {
    list.sort_by(f64::total_cmp);
    list[list.len() / 2]
}

fn beside_a_client() {
    let server = Server::start();
    println!("{:24} {:>14} {:>14} {:>8}", "", "in process/s", "one client/s", "ratio");
    for (test, words) in [("get", &["GET", "key:000000000000"][..]), ("set", &["SET", "key:000000000000", "xxx"])] {
        for (name, footprints) in [("", false), (" with footprints", true)] {
            let rounds: Vec<(f64, f64)> =
                (0..ROUNDS).map(|_| (in_process(words, footprints), server.by_client(test))).collect();
            let ratio = median(rounds.iter().map(|(ours, theirs)| ours / theirs).collect());
            let (ours, theirs) = rounds.into_iter().unzip();
            println!("{:24} {:14.0} {:14.0} {ratio:8.1}", format!("{test}{name}"), median(ours), median(theirs));
        }
    }
}

/// From deadline to deadline, as a clock is advanced that stops at each.
fn a_day() {
    let mut engine = Engine::new(Options::default());
    let (session, mut host) = (engine.connect(), LuaHost::new());
    let mut outcome = Outcome { footprint: Footprint::ignoring(), without_effects: true, ..Outcome::default() };
    for number in 0..EXPIRING {
        // All over the day, in no order.
        let at_ms = NOW_MS + 1 + i64::from(number.wrapping_mul(2_654_435_761)) * DAY_MS / (1 << 32);
        let args = args(&["SET", &format!("key:{number:012}"), "value", "PXAT", &at_ms.to_string()]);
        engine.execute(&mut host, session, &args, Timestamp::from_ms(NOW_MS), &mut outcome);
    }
    let (begin, mut stops) = (Instant::now(), 0);
    while let Some(deadline_ms) = engine.next_deadline_ms() {
        engine.expire_due(Timestamp::from_ms(deadline_ms + 1), &mut outcome);
        stops += 1;
    }
    assert_eq!(engine.keys().count(), 0);
    println!("24 h in which {EXPIRING} keys expire, with {stops} stops: {:.2} s", begin.elapsed().as_secs_f64());
}

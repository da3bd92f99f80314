//! `maxmemory` and what keys remember of their use: the account, what is refused and what is evicted, beside a real
//! redis-server.

#[path = "differential/resp.rs"]
#[allow(dead_code, reason = "the differential test uses more of it")]
mod resp;
#[path = "differential/server.rs"]
#[allow(dead_code, reason = "the differential test uses more of it")]
mod server;
mod support;

#[path = "maxmemory/account.rs"]
mod account;
#[path = "maxmemory/eviction.rs"]
mod eviction;
#[path = "maxmemory/refusals.rs"]
mod refusals;
#[path = "maxmemory/uses.rs"]
mod uses;

use bytes::Bytes;
use raceproof_engine::{Options, Outcome, Reply};

use server::Connection;
use support::driver::{self, Driver};

const NOW_MS: i64 = 1_700_000_000_123;

/// The words of a line; `$dump` stands for a payload of `RESTORE`, `~` for a space and `|` for a line end within a word.
fn words(line: &str) -> Vec<Bytes> {
    let payload = || {
        let mut driver = engine();
        say(&mut driver, "SET k value");
        match run(&mut driver, "DUMP k").reply {
            Reply::Bulk(payload) => payload,
            other => panic!("no payload but {other:?}"),
        }
    };
    let word = |word: &str| match word {
        "$dump" => payload(),
        _ => Bytes::from(word.replace('~', " ").replace('|', "\n")),
    };
    line.split(' ').map(word).collect()
}

fn engine() -> Driver {
    Driver::new(Options { seed: 1, statistics: true, access_times: true, ..Options::default() })
}

fn run_at(driver: &mut Driver, line: &str, now_ms: i64) -> Outcome {
    driver.run(&mut driver::host(), 0, &words(line), now_ms)
}

fn run(driver: &mut Driver, line: &str) -> Outcome {
    run_at(driver, line, NOW_MS)
}

/// The reply of the engine as text.
fn say(driver: &mut Driver, line: &str) -> String {
    let reply = run(driver, line).reply;
    String::from_utf8_lossy(&driver.bytes(0, &reply)).into_owned()
}

/// The reply of the server as text.
fn ask(connection: &mut Connection, line: &str) -> String {
    connection.send(&[words(line)]);
    String::from_utf8_lossy(&connection.receive().0).into_owned()
}

/// The number in a reply.
fn number(reply: &str) -> i64 {
    reply.trim().trim_start_matches(':').parse().unwrap_or_else(|_| panic!("{reply:?} is no number"))
}

/// A field of `INFO`.
fn field(info: &str, name: &str) -> i64 {
    let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|value| value.trim().parse().ok()).unwrap_or_else(|| panic!("INFO has no {name}"))
}

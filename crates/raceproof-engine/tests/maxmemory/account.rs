//! The account of memory: exact as a sum, and close to what a server says.

use std::cell::Cell;

use raceproof_engine::{Options, Version};

use crate::{
    NOW_MS, ask,
    driver::{self, Driver},
    field, say,
    server::Server,
    support::{
        generate, search,
        sequence::{Action, Sequence, resolve},
    },
};

const BASE_MS: i64 = 1_700_000_000_123;

fn used(driver: &mut Driver) -> i64 {
    // A session of its own: the others may be anywhere.
    let session = driver.engine.connect();
    driver.sessions.push(session);
    let last = driver.sessions.len() - 1;
    let args = ["INFO", "memory"].map(bytes::Bytes::from).to_vec();
    let reply = driver.run(&mut driver::host(), last, &args, NOW_MS).reply;
    let info = String::from_utf8_lossy(&driver.bytes(last, &reply)).into_owned();
    driver.sessions.pop();
    driver.engine.disconnect(session);
    field(&info, "used_memory")
}

/// With a limit the account is kept command by command, without one it is summed when somebody asks.
#[test]
fn the_running_account_is_the_sum_over_all_keys() {
    let (sequences, grown) = (Cell::new(0), Cell::new(0));
    let check = |sequence: &Sequence| {
        let text = sequence.to_string().to_lowercase();
        // Who sets the limit, or may not ask, is not what this is about.
        if text.contains("config") || text.contains("acl") || text.contains("requirepass") {
            return Ok(());
        }
        sequences.set(sequences.get() + 1);
        let start = || Driver::new(Options { version: Version::V7_4, ..Options::default() });
        let (mut kept, mut summed) = (start(), start());
        say(&mut kept, "CONFIG SET maxmemory 1tb");
        let at_start = used(&mut summed);
        let mut now_ms = BASE_MS;
        for step in sequence.all_steps() {
            match step.action {
                Action::Wait(ms) => now_ms += i64::try_from(ms).expect("a short wait"),
                Action::Run(args) => {
                    for driver in [&mut kept, &mut summed] {
                        driver.run(&mut driver::host(), step.session, &resolve(&args, BASE_MS), now_ms);
                    }
                    let (kept, summed) = (used(&mut kept), used(&mut summed));
                    grown.set(grown.get() + i64::from(summed > at_start));
                    if kept != summed {
                        return Err(format!("{} kept, {} summed", kept - at_start, summed - at_start));
                    }
                }
            }
        }
        Ok(())
    };
    let strategy = generate::sequence(20, true);
    let found = search::find(&mut search::runner(8), &strategy, check, || sequences.get() >= 3000);
    println!("{} sequences, {} commands with data", sequences.get(), grown.get());
    if let Some(found) = found {
        panic!("{}\n{}", found.reason, found.value);
    }
    assert!(grown.get() > 5000, "the sequences hardly write");
}

/// Many keys of a kind, how each is made (`%n` is its number, `%x` forty letters), and how far off the account may be (%).
const KINDS: &[(&str, usize, &str, i64)] = &[
    ("numbers", 20_000, "SET k:%n 1%n", 10),
    ("short strings", 20_000, "SET k:%n v%n", 10),
    ("strings of 100 bytes", 20_000, "SET key:%n %x%x....................", 10),
    ("strings of 100 bytes with a TTL", 20_000, "SET key:%n %x%x.................... EX 1000", 15),
    ("small hashes", 5000, "HSET h:%n name %x age %n mail %x@%x", 10),
    ("small lists", 5000, "RPUSH l:%n %x %n %x %n %x", 10),
    ("small sets of integers", 5000, "SADD s:%n %n 1%n 2%n 3%n", 10),
    ("small sets", 5000, "SADD s:%n a%n b%n c%n", 15),
    ("small sorted sets", 5000, "ZADD z:%n 1 a%n 2.5 b%n %n c%n", 10),
    ("streams of one entry", 1000, "XADD x:%n 1-1 name %x age %n", 25),
    ("one list", 20_000, "RPUSH l %x:%n", 10),
    ("one hash", 20_000, "HSET h f:%n %x:%n", 15),
    ("one set", 20_000, "SADD s %x:%n", 15),
    ("one sorted set", 20_000, "ZADD z %n.5 %x:%n", 15),
    ("one stream", 20_000, "XADD x %n-1 name %x", 10),
];

#[test]
fn the_account_is_close_to_what_the_server_uses() {
    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    let mut connection = server.connect();
    let mut wrong = Vec::new();
    ask(&mut connection, "CONFIG SET appendonly no");
    for (name, count, make, tolerance) in KINDS {
        // Twice, so that what the server allocates once for all is not counted.
        let (mut theirs, mut ours) = (0, 0);
        for _ in 0..2 {
            ask(&mut connection, "FLUSHALL SYNC");
            let mut driver = Driver::new(Options::default());
            let (there, here) = (field(&ask(&mut connection, "INFO memory"), "used_memory"), used(&mut driver));
            for number in 0..*count {
                let line = make.replace("%x", &"x".repeat(40)).replace("%n", &number.to_string());
                connection.send(&[crate::words(&line)]);
                connection.receive();
                say(&mut driver, &line);
            }
            theirs = field(&ask(&mut connection, "INFO memory"), "used_memory") - there;
            ours = used(&mut driver) - here;
        }
        let off = (ours - theirs) * 100 / theirs;
        println!("{name:34} {count:6} x: {ours:9} here, {theirs:9} there, {off:3} %");
        if off.abs() > *tolerance {
            wrong.push(format!("{name}: {ours} here, {theirs} there, {off} %"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

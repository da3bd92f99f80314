//! What `MEMORY USAGE` says, compared with a real redis-server over a range of values.

#[path = "differential/resp.rs"]
#[allow(dead_code, reason = "the differential test uses more of it")]
mod resp;
#[path = "differential/server.rs"]
#[allow(dead_code, reason = "the differential test uses more of it")]
mod server;
mod support;

use bytes::Bytes;
use raceproof_engine::{Options, Reply};

use resp::Value;
use server::Server;
use support::driver::{self, Driver};

const NOW_MS: i64 = 1_700_000_000_123;

/// A kind of value, how many elements it is made of, and how far off the count may be (per mille).
struct Case {
    name: &'static str,
    /// The command that adds an element; `N` is its number and `X` forty letters.
    add: &'static str,
    sizes: &'static [usize],
    tolerance: i64,
}

const fn case(name: &'static str, add: &'static str, sizes: &'static [usize], tolerance: i64) -> Case {
    Case { name, add, sizes, tolerance }
}

/// How far off tables are that have just grown, so that Redis keeps the old one as well until all has moved over.
const JUST_GROWN: i64 = 120;

/// Strings that are appended to have more room in Redis, and skip lists have levels by chance.
const CASES: &[Case] = &[
    case("number", "SET k N", &[1], 0),
    case("short string", "SET k vN", &[1], 0),
    case("long string", "SET k X:X:X:N", &[1], 0),
    case("bitmap", "SETBIT k 7999 1", &[1], 0),
    case("list", "RPUSH k element:N", &[1, 10, 100], 0),
    case("long list", "RPUSH k element:N", &[1000, 20_000], 0),
    case("integers", "SADD k N", &[1, 10, 500], 0),
    case("large integers", "SADD k 70000N", &[1, 10, 500], 0),
    case("set", "SADD k member:N", &[1, 10, 1000, 20_000], JUST_GROWN),
    case("small hash", "HSET k field:N value:N", &[1, 10, 500], 0),
    case("hash", "HSET k field:N X:N", &[600, 1000, 20_000], JUST_GROWN),
    case("small sorted set", "ZADD k N.5 member:N", &[1, 10, 128], 0),
    case("sorted set", "ZADD k N.5 member:N", &[129, 1000, 20_000], JUST_GROWN),
    case("stream", "XADD k N-1 field value:N", &[1, 10, 100, 1000], 0),
    case("stream of long entries", "XADD k N-1 field X:X:X:X:X other X:X", &[1, 10, 100, 1000], 0),
    case("HyperLogLog", "PFADD k element:N", &[1], 200),
];

fn args(line: &str, number: usize) -> Vec<Bytes> {
    let filled = |word: &str| word.replace('X', &"x".repeat(40)).replace('N', &number.to_string());
    let (name, rest) = line.split_once(' ').expect("a command has arguments");
    std::iter::once(name.to_owned()).chain(rest.split(' ').map(filled)).map(Bytes::from).collect()
}

#[test]
fn memory_usage_is_close_to_what_the_server_says() {
    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    let mut connection = server.connect();
    let mut wrong = Vec::new();
    for case in CASES {
        for size in case.sizes {
            connection.request(&["FLUSHALL"]);
            let mut driver = Driver::new(Options::default());
            for number in 1..=*size {
                let args = args(case.add, number);
                driver.run(&mut driver::host(), 0, &args, NOW_MS);
                connection.send(&[args]);
                connection.receive();
            }
            let usage = ["MEMORY", "USAGE", "k", "SAMPLES", "0"].map(Bytes::from).to_vec();
            let Reply::Integer(ours) = driver.run(&mut driver::host(), 0, &usage, NOW_MS).reply else {
                panic!("no number for {}", case.name)
            };
            connection.send(&[usage]);
            let (_, Value::Line(b':', theirs)) = connection.receive() else { panic!("no number for {}", case.name) };
            let theirs: i64 = String::from_utf8_lossy(&theirs).parse().expect("a number");
            let off = (ours - theirs) * 1000 / theirs;
            println!("{:24} {size:6} elements: {ours:8} here, {theirs:8} there, {off:4} per mille", case.name);
            if (ours - theirs).abs() * 1000 > theirs * case.tolerance {
                wrong.push(format!("{} of {size}: {ours} here, {theirs} there", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

//! The engine against a real redis-server 7.0.x: random sequences of commands of several sessions, replies and effects compared
//! byte by byte. What cannot be compared bytewise is listed in `differential/canonical.rs`, with the reasons.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `RACEPROOF_DIFF_COMMANDS` | how many commands are compared at least | 500,000 |
//! | `RACEPROOF_DIFF_SEED` | the seed of the sequences | 1 |
//! | `RACEPROOF_DIFF_FAILURES` | how many differing sequences are shrunk and shown before the test ends | 3 |
//! | `RACEPROOF_DIFF_PROGRESS` | every how many seconds a line says how far it is | 30 |
//! | `RACEPROOF_REDIS_SERVER` | the server to compare with | `redis-server` |
//!
//! `cargo xtask conformance` runs the first test for as long as one likes.

#[path = "differential/acl_regressions.rs"]
mod acl_regressions;
#[path = "differential/admin_regressions.rs"]
mod admin_regressions;
#[path = "differential/bit_regressions.rs"]
mod bit_regressions;
#[path = "differential/canonical.rs"]
mod canonical;
#[path = "differential/choices.rs"]
mod choices;
#[path = "differential/compare.rs"]
mod compare;
#[path = "differential/coverage.rs"]
mod coverage;
#[path = "differential/hearing.rs"]
mod hearing;
#[path = "differential/inventory.rs"]
mod inventory;
#[path = "differential/log.rs"]
mod log;
#[path = "differential/pages.rs"]
mod pages;
#[path = "differential/progress.rs"]
mod progress;
#[path = "differential/regressions.rs"]
mod regressions;
#[path = "differential/resp.rs"]
mod resp;
#[path = "differential/same.rs"]
mod same;
#[path = "differential/server.rs"]
mod server;
#[path = "differential/states.rs"]
mod states;
#[path = "differential/stream_regressions.rs"]
mod stream_regressions;
mod support;
#[path = "differential/tracking_orders.rs"]
mod tracking_orders;

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use bytes::Bytes;
use raceproof_engine::{LibraryFunction, Reply, Script, ScriptCalls, ScriptHost};

use compare::Verdict;
use coverage::Coverage;
use progress::Progress;
use server::Server;
use support::driver;
use support::generate;
use support::search::{self, number};
use support::sequence::Sequence;

/// How many groups of commands a sequence has at most.
const GROUPS: usize = 14;

/// How often a sequence is run again because the machine was too busy, and how long it is left alone before that.
const TRIES: usize = 300;
const PAUSE: Duration = Duration::from_millis(5);

#[test]
fn random_sequences_get_the_replies_of_redis_server() {
    let wanted = number("RACEPROOF_DIFF_COMMANDS", 500_000);
    let seed = number("RACEPROOF_DIFF_SEED", 1);
    let shown = number("RACEPROOF_DIFF_FAILURES", 3);
    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    let mut host = driver::host();
    let begin = Instant::now();
    let search = search(&server, &mut host, seed, wanted, shown);
    println!(
        "compared {} commands in {} sequences with redis-server {} in {:.1} s (seed {seed}): {} differences",
        search.coverage.total(),
        search.sequences,
        server.version,
        begin.elapsed().as_secs_f64(),
        search.failures.len()
    );
    assert!(search.failures.is_empty(), "the engine is not Redis:\n{}", search.failures.join("\n"));
    assert!(search.coverage.total() >= wanted);
    let missing = search.coverage.missing();
    assert!(missing.is_empty(), "these commands never got a reply other than an error: {missing:?}");
}

#[test]
fn sequences_that_once_differed_get_the_replies_of_redis_server() {
    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    let mut host = driver::host();
    let mut report = String::new();
    let tables = [
        regressions::TABLE,
        stream_regressions::TABLE,
        bit_regressions::TABLE,
        admin_regressions::TABLE,
        acl_regressions::TABLE,
        tracking_orders::TABLE,
    ];
    for (name, text) in tables.into_iter().flatten() {
        if let Err(difference) = compare(&server, &mut host, &Sequence::parse(text)) {
            writeln!(report, "{name}:\n{difference}").expect("writing to a string");
        }
    }
    assert!(report.is_empty(), "the engine is not Redis:\n{report}");
}

#[test]
fn a_wrong_reply_is_found_and_shrunk_to_the_command_that_gets_it() {
    /// Replies 42 to every script.
    struct Wrong;

    impl ScriptHost for Wrong {
        fn compile(&mut self, _sha1: &str, _source: &Bytes) -> Result<(), Bytes> {
            Ok(())
        }

        fn run(&mut self, _script: Script<'_>, _calls: &mut dyn ScriptCalls) -> Reply {
            Reply::Integer(42)
        }

        fn load_library(&mut self, sha1: &str, source: &Bytes) -> Result<Vec<LibraryFunction>, Bytes> {
            driver::host().load_library(sha1, source)
        }

        fn run_function(&mut self, _name: &Bytes, _library: Script<'_>, _calls: &mut dyn ScriptCalls) -> Reply {
            Reply::Integer(42)
        }
    }

    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    let found = search(&server, &mut Wrong, 1, 20_000, 1);
    let failure = found.failures.first().expect("a wrong reply is a difference");
    let steps = failure.lines().filter(|line| line.trim_start().starts_with('[')).count();
    assert!(failure.contains(":42"), "{failure}");
    assert!(steps <= 2 * 3, "not shrunk: {failure}");
}

#[test]
fn replies_are_withheld_as_client_reply_asks() {
    let lines = [
        "CLIENT REPLY SKIP",
        "SET a 1",
        "GET a",
        "CLIENT REPLY OFF",
        "SET a 2",
        "CLIENT REPLY SKIP",
        "NOSUCH",
        "CLIENT REPLY ON",
        "GET a",
        "CLIENT REPLY SKIP",
        "CLIENT REPLY SKIP",
        "GET a",
        "GET a",
        "CLIENT REPLY junk",
        "CLIENT REPLY OFF",
        "MULTI",
        "GET a",
        "EXEC",
        "CLIENT REPLY ON",
        "ECHO end",
    ];
    let commands: Vec<Vec<Bytes>> =
        lines.iter().map(|line| support::sequence::resolve(&support::sequence::parse_command(line), 0)).collect();
    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    let mut connection = server.connect();
    connection.send(&commands);
    let mut real = Vec::new();
    while !real.ends_with(b"$3\r\nend\r\n") {
        real.extend(connection.receive().0);
    }
    let mut engine = driver::Driver::new(raceproof_engine::Options::default());
    let mut host = driver::host();
    let mut ours = Vec::new();
    for args in &commands {
        let outcome = engine.run(&mut host, 0, args, 1_000_000);
        if !outcome.silent {
            ours.extend(engine.bytes(0, &outcome.reply));
        }
    }
    assert_eq!(support::show::quoted(&ours), support::show::quoted(&real));
}

#[test]
fn the_server_finds_itself_in_order() {
    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    let mut connection = server.connect();
    let command = [Bytes::from_static(b"PFSELFTEST")];
    connection.send(std::slice::from_ref(&command.to_vec()));
    let (real, _) = connection.receive();
    let mut engine = driver::Driver::new(raceproof_engine::Options::default());
    let ours = engine.run(&mut driver::host(), 0, &command, 1_000_000).reply;
    assert_eq!(support::show::quoted(&engine.bytes(0, &ours)), support::show::quoted(&real));
}

#[test]
fn a_large_hyperloglog_is_the_same_string() {
    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    let mut connection = server.connect();
    let mut engine = driver::Driver::new(raceproof_engine::Options::default());
    let mut host = driver::host();
    for batch in 0..20 {
        let elements = (0..5000).map(|n| Bytes::from(format!("{batch}:{n}")));
        let add: Vec<Bytes> = ["PFADD", "a"].map(Bytes::from).into_iter().chain(elements).collect();
        let words = |line: &str| line.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
        for command in [add, words("PFCOUNT a"), words("GET a"), words("PFDEBUG ENCODING a")] {
            connection.send(std::slice::from_ref(&command));
            let (real, _) = connection.receive();
            let ours = engine.run(&mut host, 0, &command, 1_000_000).reply;
            assert_eq!(engine.bytes(0, &ours), real, "batch {batch}");
        }
    }
}

#[test]
fn a_server_that_cannot_serve_is_an_error_that_says_so() {
    let missing = Server::start_program("/nonexistent/redis-server".as_ref()).err().expect("there is none");
    assert!(missing.contains("cargo xtask test") && missing.contains("apt-get install redis-server"), "{missing}");

    let folder = tempfile::tempdir().expect("a temporary folder");
    let fake = folder.path().join("redis-server");
    std::fs::write(&fake, "#!/bin/sh\necho 'Redis server v=6.2.7 sha=0:0 malloc=libc bits=64 build=0'\n")
        .expect("a file");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&fake, mode).expect("an executable file");
    let other = Server::start_program(fake.as_os_str()).err().expect("it is another version");
    assert!(other.contains("version 6.2.7"), "{other}");
}

#[test]
fn every_canonicalised_command_says_why() {
    for (at, entry) in canonical::TABLE.iter().enumerate() {
        assert!(entry.reason.len() > 10, "{:?}", entry.name);
        let again = canonical::TABLE[at + 1..].iter().any(|other| other.name == entry.name);
        assert!(!again, "{:?} is listed twice", entry.name);
    }
}

#[test]
fn every_command_of_the_engine_is_compared() {
    /// Commands that the grammar leaves out, and why.
    const LEFT_OUT: &[(&str, &str)] = &[
        ("SCRIPT DEBUG", "it refuses to be called in a pipeline"),
        ("ACL DELUSER", "the connections of the user are closed; regressions have it"),
        ("SHUTDOWN", "without its options it ends the server; regressions have its errors"),
        ("SAVE", "whether the server's child still saves is a matter of chance"),
        ("BGSAVE", "whether the server's child still saves is a matter of chance"),
        ("BGREWRITEAOF", "it would start another append-only file"),
        ("CLUSTER", "every subcommand has the same error; INFO and KEYSLOT stand for all"),
        ("PFSELFTEST", "the_server_finds_itself_in_order has it: the server takes seconds over it"),
    ];

    let mut engine = driver::Driver::new(raceproof_engine::Options::default());
    let list = [Bytes::from_static(b"COMMAND"), Bytes::from_static(b"LIST")];
    let reply = engine.run(&mut driver::host(), 0, &list, 1_000_000).reply;
    let Reply::Array(names) = reply else { panic!("COMMAND LIST replied {reply:?}") };
    let generated = coverage::generated();
    let known = |name: &str| {
        generated.iter().any(|known| known == name || known.starts_with(&format!("{name} ")))
            || LEFT_OUT.iter().any(|(left_out, _)| *left_out == name || name.starts_with(&format!("{left_out} ")))
    };
    let mut missing = Vec::new();
    for name in names {
        let Reply::Bulk(name) = name else { panic!("a name is {name:?}") };
        let name = String::from_utf8_lossy(&name).to_uppercase().replace('|', " ");
        if !known(&name) {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "the grammar does not make {missing:?}");
}

/// What a search came to.
struct Search {
    coverage: Coverage,
    sequences: u64,
    failures: Vec<String>,
}

/// Compares random sequences until enough commands were compared or enough sequences differed.
fn search(server: &Server, host: &mut dyn ScriptHost, seed: u64, wanted: u64, max_failures: u64) -> Search {
    let mut runner = search::runner(seed);
    let strategy = generate::sequence(GROUPS, true);
    let (coverage, sequences, host) = (RefCell::new(Coverage::default()), Cell::new(0), RefCell::new(host));
    let enough = || coverage.borrow().total() >= wanted;
    let progress = Progress::new(wanted);
    let mut failures: Vec<String> = Vec::new();
    let mut kinds = Vec::new();
    while !enough() && (failures.len() as u64) < max_failures {
        let check = |sequence: &Sequence| match compare(server, &mut **host.borrow_mut(), sequence) {
            Ok(compared) => {
                coverage.borrow_mut().merge(compared);
                sequences.set(sequences.get() + 1);
                progress.at(coverage.borrow().total());
                Ok(())
            }
            Err(difference) => Err(difference.to_string()),
        };
        if let Some(found) = search::find(&mut runner, &strategy, check, enough) {
            // What fails goes on failing: one sequence of each kind is enough to see.
            let kind = kind(&found.reason);
            if !kinds.contains(&kind) {
                kinds.push(kind);
                let failure = format!("{}\nas a regression:\n{}", found.reason, found.value);
                eprintln!("{failure}");
                failures.push(failure);
            }
        }
    }
    Search { sequences: sequences.get(), failures, coverage: coverage.into_inner() }
}

/// The command that differs and the beginning of both replies.
fn kind(reason: &str) -> String {
    let lines: Vec<&str> = reason.lines().collect();
    let at = lines.iter().position(|line| line.trim_start().starts_with("redis-server:")).unwrap_or_default();
    let last = at.checked_sub(1).map_or("", |before| lines[before]);
    let command = last.split_whitespace().nth(1).unwrap_or_default().to_uppercase();
    let replies = lines[at..].iter().map(|line| line.chars().take(32).collect::<String>());
    replies.fold(command, |kind, reply| kind + "|" + &reply)
}

/// Compares one sequence, again if the machine was too busy.
fn compare(server: &Server, host: &mut dyn ScriptHost, sequence: &Sequence) -> Result<Coverage, compare::Difference> {
    let mut doubtful = None;
    for _ in 0..TRIES {
        match compare::run(server, host, sequence)? {
            Verdict::Same(compared) => return Ok(compared),
            Verdict::Stalled => std::thread::sleep(PAUSE),
            Verdict::Doubtful(difference) => doubtful = Some(difference),
        }
    }
    if let Some(difference) = doubtful {
        return Err(difference);
    }
    panic!("the machine is too busy to know the time: {TRIES} runs of one sequence stalled:\n{sequence}");
}

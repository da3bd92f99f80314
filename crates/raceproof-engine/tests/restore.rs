//! Payloads cross between the engine and a real redis-server both ways, for random values of every type; and what is no
//! payload is refused, whatever it is.

#[path = "differential/resp.rs"]
#[allow(dead_code, reason = "the differential test uses more of it")]
mod resp;
#[path = "differential/server.rs"]
#[allow(dead_code, reason = "the differential test uses more of it")]
mod server;
mod support;

use std::cell::Cell;

use bytes::Bytes;
use proptest::prelude::*;
use raceproof_engine::{Options, Reply};

use resp::Value;
use server::Server;
use support::driver::{self, Driver};
use support::sequence::{Action, Sequence, resolve};
use support::{generate, payloads, search, show};

const BASE_MS: i64 = 1_700_000_000_123;

/// Sequences that make values.
const SEQUENCES: u64 = 1500;

/// Mutated payloads.
const MUTATIONS: u64 = 60_000;

fn words(line: &str) -> Vec<Bytes> {
    line.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect()
}

fn restored(payload: &Bytes) -> (Driver, Reply) {
    let mut driver = Driver::new(Options::default());
    let mut args = words("RESTORE k 0");
    args.push(payload.clone());
    let reply = driver.run(&mut driver::host(), 0, &args, BASE_MS).reply;
    (driver, reply)
}

/// Every key that a sequence leaves, with its payload.
fn made(sequence: &Sequence) -> Vec<(Bytes, Bytes)> {
    let mut driver = Driver::new(Options::default());
    for step in sequence.all_steps() {
        if let Action::Run(args) = step.action {
            driver.run(&mut driver::host(), step.session, &resolve(&args, BASE_MS), BASE_MS);
        }
    }
    for session in 0..support::sequence::SESSIONS {
        driver.run(&mut driver::host(), session, &words("DISCARD"), BASE_MS);
    }
    driver.run(&mut driver::host(), 0, &words("SELECT 0"), BASE_MS);
    let keys: Vec<Bytes> =
        driver.engine.keys().filter(|(db, _)| *db == 0).map(|(_, key)| Bytes::copy_from_slice(key)).collect();
    keys.into_iter().filter_map(|key| payloads::dumped(&mut driver, &key).map(|payload| (key, payload))).collect()
}

/// What is read of a value.
const READS: &[&str] = &[
    "TYPE k",
    "OBJECT ENCODING k",
    "GET k",
    "LRANGE k 0 -1",
    "ZRANGE k 0 -1 WITHSCORES",
    "XRANGE k - +",
    "XLEN k",
    "XINFO STREAM k",
    "XPENDING k g1",
    "HLEN k",
    "SCARD k",
];

#[test]
fn values_cross_to_the_server_and_back() {
    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    let mut connection = server.connect();
    connection.request(&["CONFIG", "SET", "sanitize-dump-payload", "yes"]);
    let (sequences, values) = (Cell::new(0), Cell::new(0));
    let connection = std::cell::RefCell::new(connection);
    let ask = |args: Vec<Bytes>| {
        connection.borrow_mut().send(&[args]);
        connection.borrow_mut().receive()
    };
    let check = |sequence: &Sequence| {
        sequences.set(sequences.get() + 1);
        for (key, payload) in made(sequence) {
            values.set(values.get() + 1);
            let told = |what: &str, ours: &str, theirs: &str| {
                Err(format!("{}: {what}:\n  engine {ours}\n  server {theirs}", show::word(&key)))
            };
            let mut args = words("RESTORE k 0");
            args.extend([payload.clone(), "REPLACE".into()]);
            let (bytes, _) = ask(args);
            if bytes != b"+OK\r\n" {
                return told("the server refuses", &show::quoted(&payload), &show::quoted(&bytes));
            }
            let (mut driver, _) = restored(&payload);
            for line in READS {
                let (theirs, _) = ask(words(line));
                let ours = driver.run(&mut driver::host(), 0, &words(line), BASE_MS).reply;
                let ours = driver.bytes(0, &ours);
                if ours != theirs {
                    return told(line, &show::quoted(&ours), &show::quoted(&theirs));
                }
            }
            let (_, back) = ask(words("DUMP k"));
            let Value::Bulk(_, Some(back)) = back else { return told("DUMP", "", &format!("{back:?}")) };
            let (mut driver, reply) = restored(&back.into());
            let again = payloads::dumped(&mut driver, b"k");
            let (mut first, _) = restored(&payload);
            if again != payloads::dumped(&mut first, b"k") && !has_order_of_its_own(&payload) {
                return told("another value comes back", &show::quoted(&payload), &format!("{reply:?} {again:?}"));
            }
        }
        Ok(())
    };
    let strategy = generate::sequence(14, false);
    let found = search::find(&mut search::runner(9), &strategy, check, || sequences.get() >= SEQUENCES);
    println!("{} values", values.get());
    if let Some(found) = found {
        panic!("{}\n{}", found.reason, found.value);
    }
    assert!(values.get() > SEQUENCES, "hardly any values were made");
}

/// A small hash that the server had as a table comes back in another order.
fn has_order_of_its_own(payload: &[u8]) -> bool {
    payload[0] == 4
}

#[test]
fn what_is_no_payload_is_refused_and_what_is_taken_is_a_value() {
    #[derive(Clone, Debug)]
    enum Mutation {
        Set(usize, u8),
        Insert(usize, u8),
        Remove(usize, usize),
        Repeat(usize, usize),
    }
    let place = 0_usize..400;
    let byte =
        prop_oneof![any::<u8>(), prop::sample::select(vec![0, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 0xf0, 0xfe, 0xff])];
    let mutation = prop_oneof![
        6 => (place.clone(), byte.clone()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        2 => (place.clone(), byte).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        1 => (place.clone(), 1_usize..9).prop_map(|(at, len)| Mutation::Remove(at, len)),
        1 => (place, 1_usize..20).prop_map(|(at, len)| Mutation::Repeat(at, len)),
    ];
    let strategy = (prop::sample::select(payloads::all()), prop::collection::vec(mutation, 0..5));
    let (tried, taken) = (Cell::new(0), Cell::new(0));
    let check = |(payload, mutations): &(Bytes, Vec<Mutation>)| {
        tried.set(tried.get() + 1);
        let mut body = payload[..payload.len().saturating_sub(10)].to_vec();
        for mutation in mutations.iter().filter(|_| !payload.is_empty()) {
            let within = |at: usize| at % (body.len() + 1);
            match *mutation {
                Mutation::Set(at, byte) if within(at) < body.len() => {
                    let at = within(at);
                    body[at] = byte;
                }
                Mutation::Set(_, byte) => body.push(byte),
                Mutation::Insert(at, byte) => body.insert(within(at), byte),
                Mutation::Remove(at, len) => {
                    let at = within(at);
                    body.drain(at..body.len().min(at + len));
                }
                Mutation::Repeat(at, len) => {
                    let at = within(at);
                    let part = body[at..body.len().min(at + len)].to_vec();
                    body.splice(at..at, part);
                }
            }
        }
        let (mut driver, reply) = restored(&payloads::sealed(&body, 10));
        match reply {
            Reply::Error(text) if text == "ERR Bad data format" => return Ok(()),
            Reply::Simple("OK") => taken.set(taken.get() + 1),
            other => return Err(format!("{other:?}")),
        }
        // It is a value: commands work on it, and its payload is taken again and gives the same.
        for line in
            READS.iter().chain(&["XADD k MAXLEN 1 * f v", "RPUSH k x", "SADD k 1 x", "ZADD k 1 x", "HSET k f v"])
        {
            driver.run(&mut driver::host(), 0, &words(line), BASE_MS);
        }
        let again = payloads::dumped(&mut driver, b"k").ok_or("it is gone")?;
        // What was large may be small now; after that nothing changes.
        let (mut copy, _) = restored(&again);
        let settled = payloads::dumped(&mut copy, b"k").ok_or("its payload is refused")?;
        let (mut copy, reply) = restored(&settled);
        if payloads::dumped(&mut copy, b"k").as_ref() != Some(&settled) {
            return Err(format!("{reply:?} {}", show::quoted(&settled)));
        }
        Ok(())
    };
    let found = search::find(&mut search::runner(10), &strategy, check, || tried.get() >= MUTATIONS);
    println!("{} of {} mutated payloads were taken", taken.get(), tried.get());
    if let Some(found) = found {
        panic!("{}\n{:?}", found.reason, found.value);
    }
    assert!(taken.get() > tried.get() / 20, "hardly any payload is taken: the test shows nothing");
}

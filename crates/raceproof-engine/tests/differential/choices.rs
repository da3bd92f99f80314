//! What the server chooses by chance and everybody can see afterwards.
//!
//! `SPOP` takes random members: the engine is led to the same ones by trying seeds. In a skip list, what a range of members
//! finds among different scores depends on the levels that the server drew for its nodes. `SORT` leaves what it finds
//! equal in the order of a hash table, or of a partial quicksort.

use bytes::Bytes;
use raceproof_engine::Reply;

use crate::resp::{Value, parse};
use crate::support::driver::{Driver, NoScripts};

/// `SPOP` from sets with more members is left out.
const MOST_MEMBERS: i64 = 8;

/// More seeds than it takes to meet any choice among so few members.
const SEEDS: u64 = 20_000;

/// A time at which no key of a sequence has expired (ms since the Unix epoch).
const LONG_AGO_MS: i64 = 0;

fn is(args: &[Bytes], names: &[&str]) -> bool {
    names.iter().any(|name| args[0].eq_ignore_ascii_case(name.as_bytes()))
}

/// Whether a command asks for a range of members.
pub(crate) fn ranges_over_members(args: &[Bytes]) -> bool {
    is(args, &["ZRANGEBYLEX", "ZREVRANGEBYLEX", "ZLEXCOUNT", "ZREMRANGEBYLEX"])
        || (is(args, &["ZRANGE", "ZRANGESTORE"]) && args.iter().any(|arg| arg.eq_ignore_ascii_case(b"BYLEX")))
}

/// Whether chance decides on what such a command, or `SPOP`, does.
pub(crate) fn cannot_be_known(driver: &Driver, session: usize, args: &[Bytes]) -> bool {
    let ask = |words: &[&[u8]]| ask(driver, session, words);
    let Some(key) = args.get(if is(args, &["ZRANGESTORE"]) { 2 } else { 1 }) else { return false };
    if is(args, &["SPOP"]) {
        return matches!(ask(&[b"SCARD", key]), Reply::Integer(members) if members > MOST_MEMBERS);
    }
    if ask(&[b"OBJECT", b"ENCODING", key]) != Reply::Bulk(Bytes::from_static(b"skiplist")) {
        return false;
    }
    let score_at = |rank: &[u8]| match ask(&[b"ZRANGE", key, rank, rank, b"WITHSCORES"]) {
        Reply::Array(place) => place.last().cloned(),
        _ => None,
    };
    score_at(b"0") != score_at(b"-1")
}

/// Whether a `SORT` may find elements equal whose order is open: texts that a pattern leads to, members of a set that are
/// equal up to a NUL, or all members of a set.
pub(crate) fn has_ties(driver: &Driver, session: usize, args: &[Bytes]) -> bool {
    let has = |word: &[u8]| args.iter().any(|arg| arg.eq_ignore_ascii_case(word));
    let Some(key) = args.get(1) else { return false };
    let kind = ask(driver, session, &[b"TYPE", key]);
    let members = match &kind {
        Reply::Simple("set") => ask(driver, session, &[b"SMEMBERS", key]),
        Reply::Simple("zset") => ask(driver, session, &[b"ZRANGE", key, b"0", b"-1"]),
        _ => return has(b"BY") && has(b"ALPHA") && has(b"LIMIT"),
    };
    let (Reply::Set(members) | Reply::Array(members)) = members else { return true };
    let has_nul = |member: &Reply| !matches!(member, Reply::Bulk(member) if !member.contains(&0));
    (has(b"BY") && (has(b"ALPHA") || kind == Reply::Simple("set"))) || members.iter().any(has_nul)
}

/// Whether a command takes an `errno` of an earlier one for its own, so that it has to be cleared before: `SORT` does, and
/// whatever reads a cursor clears it.
pub(crate) fn reads_errno(args: &[Bytes]) -> bool {
    is(args, &["SORT", "SORT_RO"])
}

/// Whether a command may wait.
pub(crate) fn may_wait(args: &[Bytes]) -> bool {
    let waits = ["BLPOP", "BRPOP", "BLMPOP", "BLMOVE", "BRPOPLPUSH", "BZPOPMIN", "BZPOPMAX", "BZMPOP", "WAIT"];
    is(args, &waits)
        || (is(args, &["XREAD", "XREADGROUP"]) && args.iter().any(|arg| arg.eq_ignore_ascii_case(b"BLOCK")))
}

/// A seed with which `SPOP` takes what the server took.
pub(crate) fn seed_of(driver: &Driver, session: usize, args: &[Bytes], real: &Value, ms: i64) -> Option<u64> {
    if !is(args, &["SPOP"]) || real.is_error() {
        return None;
    }
    let wanted = members(real);
    (0..SEEDS).find(|seed| {
        let mut driver = driver.clone();
        driver.engine.reseed(*seed);
        let reply = driver.run(&mut NoScripts, session, args, ms).reply;
        let (ours, _) = parse(&driver.bytes(session, &reply)).expect("the engine encodes whole replies");
        let ours = members(&ours);
        // Another number of members is no matter of chance.
        ours == wanted || ours.len() != wanted.len()
    })
}

fn members(value: &Value) -> Vec<Vec<u8>> {
    let elements = value.elements().unwrap_or(std::slice::from_ref(value));
    let mut members: Vec<Vec<u8>> = elements.iter().filter_map(Value::bulk).map(<[u8]>::to_vec).collect();
    members.sort_unstable();
    members
}

fn ask(driver: &Driver, session: usize, words: &[&[u8]]) -> Reply {
    let mut driver = driver.clone();
    let args: Vec<Bytes> = words.iter().map(|word| Bytes::copy_from_slice(word)).collect();
    driver.run(&mut NoScripts, session, &args, LONG_AGO_MS).reply
}

//! What commands have to do with the time that it is on the server.
//!
//! Relative times are fine: `EXPIRE k 10` means the same on any clock. A deadline given as an absolute time (`PEXPIREAT`,
//! `SET … PXAT`) is an instant of the played clock and is translated to the server's. What asks the server for an
//! absolute time (`TIME`, `PEXPIRETIME`), and absolute times in scripts, where nobody can translate them, need a server
//! whose clock is held (but for `redis.call("TIME")`, see `script_time.rs`): they are refused before they are sent, and so is what counts how long an entry of a stream has
//! been idle. The id that `XADD key *` gives is made of the played clock. In scripts the calls are found in the source; a command's
//! name that is put together at run time is not seen.

use bytes::Bytes;

use crate::script_time::with_time;

/// Commands whose reply is an absolute time.
const ASKING: &[&str] = &["TIME", "EXPIRETIME", "PEXPIRETIME"];
/// Commands, beside those, that are not understood inside scripts.
const GIVING: &[&str] = &["EXPIREAT", "PEXPIREAT"];
/// Commands that may count how long an entry has been idle.
const IDLE: &[&str] = &["XCLAIM", "XAUTOCLAIM", "XPENDING", "XINFO"];
/// Options that are not understood inside scripts.
const OPTIONS: &[&str] = &["EXAT", "PXAT", "ABSTTL"];
/// Beyond this (the year 5138) an absolute time is no time but an error to be told by the server.
const TIME_MS_MAX: i64 = 100_000_000_000_000;

/// What a command would need of the server's clock, if anything.
pub(crate) fn needs_clock(args: &[Bytes]) -> Option<String> {
    let name = args.first()?.to_ascii_uppercase();
    let is = |index: usize, word: &str| args.get(index).is_some_and(|arg| is_word(arg, word));
    match name.as_slice() {
        name if ASKING.iter().any(|command| command.as_bytes() == name) => {
            Some(String::from_utf8_lossy(name).into_owned())
        }
        b"RESTORE" if (4..args.len()).any(|index| is(index, "ABSTTL")) => Some("RESTORE with ABSTTL".into()),
        b"OBJECT" if is(1, "IDLETIME") => Some("OBJECT IDLETIME".into()),
        b"XCLAIM" | b"XAUTOCLAIM" if args.get(4).is_some_and(|idle_ms| idle_ms != "0") => {
            Some(format!("{} of entries that have been idle", String::from_utf8_lossy(&name)))
        }
        b"XPENDING" if args.len() > 3 => Some("XPENDING, which shows how long entries have been idle,".into()),
        b"XINFO" if is(1, "CONSUMERS") || is(3, "FULL") => {
            Some("XINFO, which shows how long consumers are idle,".into())
        }
        b"CLIENT" if is(1, "TRACKING") && is(2, "ON") => {
            Some("CLIENT TRACKING, which tells of the deadlines that the lab moves,".into())
        }
        b"CONFIG" if is(1, "SET") && (2..args.len()).step_by(2).any(|at| is(at, "notify-keyspace-events")) => {
            Some("notify-keyspace-events, by which the deadlines that the lab moves would be told,".into())
        }
        b"EVAL" | b"EVAL_RO" => script_needs_clock(args.get(1)?),
        b"SCRIPT" if is(1, "LOAD") => script_needs_clock(args.get(2)?),
        _ => None,
    }
}

fn is_word(arg: &[u8], word: &str) -> bool {
    arg.eq_ignore_ascii_case(word.as_bytes())
}

/// The command as it is to be sent, its absolute times moved by a number of milliseconds.
pub(crate) fn translated(args: &[Bytes], by_ms: i64) -> Vec<Bytes> {
    let mut sent = args.to_vec();
    let Some(name) = args.first() else { return sent };
    let options = match name.to_ascii_uppercase().as_slice() {
        b"EXPIREAT" => return translate(sent, 0, ("EXPIREAT", "PEXPIREAT"), 2, by_ms),
        b"PEXPIREAT" => return translate(sent, 0, ("PEXPIREAT", "PEXPIREAT"), 2, by_ms),
        b"SET" => 3,
        b"GETEX" => 2,
        _ => return sent,
    };
    for (index, arg) in args.iter().enumerate().skip(options) {
        for words in [("EXAT", "PXAT"), ("PXAT", "PXAT")] {
            if is_word(arg, words.0) {
                sent = translate(sent, index, words, index + 1, by_ms);
            }
        }
    }
    sent
}

/// The place of the id in an `XADD` that leaves it to the server.
pub(crate) fn id_to_be_given(args: &[Bytes]) -> Option<usize> {
    if !args.first().is_some_and(|name| is_word(name, "XADD")) {
        return None;
    }
    let is = |at: usize, word: &str| args.get(at).is_some_and(|arg| is_word(arg, word));
    let mut at = 2;
    loop {
        if is(at, "NOMKSTREAM") {
            at += 1;
        } else if is(at, "MAXLEN") || is(at, "MINID") {
            at += if is(at + 1, "=") || is(at + 1, "~") { 3 } else { 2 };
        } else if is(at, "LIMIT") {
            at += 2;
        } else {
            return is(at, "*").then_some(at);
        }
    }
}

/// Moves the time at one place, and writes the word that says how it is counted anew, since what is left is not a whole
/// number of seconds. What is no plausible time stays as it is: the server knows best what is wrong with it.
fn translate(
    mut args: Vec<Bytes>,
    word: usize,
    (old, new): (&str, &'static str),
    time: usize,
    by_ms: i64,
) -> Vec<Bytes> {
    let unit_ms = if old == new { 1 } else { 1000 };
    let given = args.get(time).and_then(|time| str::from_utf8(time).ok()?.parse::<i64>().ok());
    if let Some(time_ms) = given.and_then(|given| given.checked_mul(unit_ms))
        && (1..TIME_MS_MAX).contains(&time_ms)
    {
        args[word] = Bytes::from_static(new.as_bytes());
        args[time] = (time_ms + by_ms).max(1).to_string().into();
    }
    args
}

/// A script needs the clock if a call's first argument is one of the commands (`redis.call('TIME')`, and also `c("time")`
/// where the script has given `redis.call` a short name), or if a string is one of the options.
fn script_needs_clock(source: &[u8]) -> Option<String> {
    let told = with_time(source, 0);
    let source = told.as_deref().unwrap_or(source);
    let command =
        ASKING.iter().chain(GIVING).find(|command| literals(source, command).any(|before| before.ends_with(b"(")));
    if let Some(command) = command {
        return Some(format!("a script that calls {command}"));
    }
    let calls = |command: &str| literals(source, command).any(|before| before.ends_with(b"("));
    if calls("XADD") && literals(source, "*").next().is_some() {
        return Some("a script that calls XADD with *".into());
    }
    if let Some(command) = IDLE.iter().find(|command| calls(command)) {
        return Some(format!("a script that calls {command}"));
    }
    let option = OPTIONS.iter().find(|option| literals(source, option).next().is_some())?;
    Some(format!("a script that uses {option}"))
}

/// The places where a source has a word as a string of its own: for each, what stands before it, without white space.
fn literals<'a>(source: &'a [u8], word: &str) -> impl Iterator<Item = &'a [u8]> {
    let length = word.len();
    let at = move |start: &usize| {
        let quoted =
            |open: &[u8], close: &[u8]| source[..*start].ends_with(open) && source[start + length..].starts_with(close);
        source[*start..*start + length].eq_ignore_ascii_case(word.as_bytes())
            && (quoted(b"'", b"'") || quoted(b"\"", b"\"") || quoted(b"[[", b"]]"))
    };
    let starts: Vec<usize> = (1..source.len().saturating_sub(length)).filter(at).collect();
    starts.into_iter().map(move |start| {
        let quote = if source[start - 1] == b'[' { 2 } else { 1 };
        source[..start - quote].trim_ascii_end()
    })
}

/// Whether a command's reply or effect can depend on how long a key still has to live.
pub(crate) fn shows_time_left(args: &[Bytes]) -> bool {
    const NAMES: &[&str] = &["TTL", "PTTL", "EXEC", "EVAL", "EVAL_RO", "EVALSHA", "EVALSHA_RO", "DUMP"];
    let Some(name) = args.first() else { return false };
    let is = |known: &&str| name.eq_ignore_ascii_case(known.as_bytes());
    // EXPIRE k 10 GT
    NAMES.iter().any(is) || (["EXPIRE", "PEXPIRE"].iter().any(is) && args.len() > 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(args: &[&str]) -> Vec<Bytes> {
        args.iter().map(|arg| Bytes::copy_from_slice(arg.as_bytes())).collect()
    }

    fn needs(args: &[&str]) -> Option<String> {
        needs_clock(&bytes(args))
    }

    #[test]
    fn what_asks_for_an_absolute_time_is_refused() {
        assert_eq!(needs(&["time"]).as_deref(), Some("TIME"));
        assert_eq!(needs(&["PEXPIRETIME", "k"]).as_deref(), Some("PEXPIRETIME"));
        assert_eq!(needs(&["RESTORE", "k", "1", "…", "ABSTTL"]).as_deref(), Some("RESTORE with ABSTTL"));
        assert_eq!(needs(&["OBJECT", "idletime", "k"]).as_deref(), Some("OBJECT IDLETIME"));
    }

    #[test]
    fn absolute_deadlines_are_translated() {
        for (given, sent) in [
            (&["PEXPIREAT", "k", "1000500", "NX"][..], &["PEXPIREAT", "k", "1000570", "NX"][..]),
            (&["expireat", "k", "1000"], &["PEXPIREAT", "k", "1000070"]),
            (&["SET", "k", "v", "PXAT", "1000500", "NX"], &["SET", "k", "v", "PXAT", "1000570", "NX"]),
            (&["SET", "k", "v", "nx", "exat", "1000"], &["SET", "k", "v", "nx", "PXAT", "1000070"]),
            (&["GETEX", "k", "EXAT", "1000"], &["GETEX", "k", "PXAT", "1000070"]),
        ] {
            assert_eq!(translated(&bytes(given), 70), bytes(sent), "{given:?}");
        }
    }

    #[test]
    fn the_id_of_an_entry_is_found_where_the_server_is_to_give_it() {
        for (args, place) in [
            (&["XADD", "s", "*", "f", "v"][..], Some(2)),
            (&["xadd", "s", "nomkstream", "maxlen", "~", "9", "limit", "3", "*", "f", "*"], Some(8)),
            (&["XADD", "s", "MINID", "5-0", "*", "f", "v"], Some(4)),
            (&["XADD", "s", "5-*", "f", "*"], None),
            (&["XADD", "s"], None),
            (&["SET", "s", "*"], None),
        ] {
            assert_eq!(id_to_be_given(&bytes(args)), place, "{args:?}");
        }
    }

    #[test]
    fn how_long_an_entry_has_been_idle_is_refused() {
        assert!(needs(&["XAUTOCLAIM", "s", "g", "c", "60000", "0"]).is_some());
        assert_eq!(needs(&["XCLAIM", "s", "g", "c", "0", "1-1"]), None);
        assert!(needs(&["XPENDING", "s", "g", "-", "+", "10"]).is_some());
        assert_eq!(needs(&["XPENDING", "s", "g"]), None);
        assert!(needs(&["XINFO", "CONSUMERS", "s", "g"]).is_some());
        assert!(needs(&["EVAL", "return redis.call('XADD', KEYS[1], '*', 'f', 'v')", "1", "s"]).is_some());
        assert_eq!(needs(&["EVAL", "return redis.call('XADD', KEYS[1], ARGV[1], 'f', 'v')", "1", "s"]), None);
    }

    #[test]
    fn relative_and_senseless_times_are_sent_as_they_are() {
        for args in [
            &["EXPIRE", "k", "1000"][..],
            &["SET", "PXAT", "1000"],
            &["SET", "EXAT", "PXAT", "PX", "1000"],
            &["EXPIREAT", "k", "0"],
            &["EXPIREAT", "k", "-1"],
            &["EXPIREAT", "k", "soon"],
            &["EXPIREAT", "k", "9223372036854775807"],
            &["EXPIREAT", "k"],
            &["SET", "k", "v", "PXAT"],
            &[],
        ] {
            assert_eq!(translated(&bytes(args), 70), bytes(args), "{args:?}");
        }
    }

    #[test]
    fn relative_times_and_lookalikes_are_not() {
        for args in [
            &["EXPIRE", "k", "10"][..],
            &["SET", "k", "v", "PX", "10"],
            &["SET", "PXAT", "PXAT"],
            &["GET", "TIME"],
            &["SCRIPT", "EXISTS", "TIME"],
            &["EVAL", "return redis.call('HGET', KEYS[1], 'time')", "1", "k"],
            &["EVAL", "-- the TIME (time) of day\nreturn redis.call('PTTL', KEYS[1])", "1", "k"],
            &["EVAL", "return redis.call('TIMES')", "0"],
            &["EVAL", "return redis.call('TIME')", "0"],
            &["EVAL", "", "0"],
            &["EVAL"],
            &[],
        ] {
            assert_eq!(needs(args), None, "{args:?}");
        }
    }

    #[test]
    fn scripts_that_read_the_clock_in_another_way_are_refused_however_they_are_written() {
        for source in [
            "local c = redis.call; return c([[Time]])",
            "return redis.call('TIME'), redis.call('PEXPIREAT', KEYS[1], ARGV[1])",
            "return redis.call('SET', KEYS[1], 'v', 'PXAT', ARGV[1])",
        ] {
            for args in [&["EVAL", source, "0"][..], &["SCRIPT", "load", source]] {
                let found = needs(args).unwrap_or_else(|| panic!("{source} passes"));
                assert!(found.starts_with("a script that "), "{found}");
            }
        }
    }
}

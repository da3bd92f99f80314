//! Which commands depend on what time it is on the server, so that moving deadlines cannot play them.
//!
//! Relative times are fine: `EXPIRE k 10` means the same on any clock. Absolute ones (`TIME`, `PEXPIREAT`, `SET … PXAT`)
//! name instants of the simulation's clock that mean something else to a real server. They are refused before they are
//! sent. In scripts the calls are found in the source; a command's name that is put together at run time is not seen.

use bytes::Bytes;

/// Commands that take or give an absolute time.
const COMMANDS: &[&str] = &["TIME", "EXPIREAT", "PEXPIREAT", "EXPIRETIME", "PEXPIRETIME"];
/// Options whose value is an absolute time.
const OPTIONS: &[&str] = &["EXAT", "PXAT", "ABSTTL"];

/// What a command would need of the server's clock, if anything.
pub(crate) fn needs_clock(args: &[Bytes]) -> Option<String> {
    let name = args.first()?.to_ascii_uppercase();
    let shown = String::from_utf8_lossy(&name);
    let is = |index: usize, word: &str| args.get(index).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
    let option = |from: usize| OPTIONS.iter().find(|option| (from..args.len()).any(|index| is(index, option)));
    match name.as_slice() {
        name if COMMANDS.iter().any(|command| command.as_bytes() == name) => Some(shown.into_owned()),
        b"SET" => option(3).map(|option| format!("SET with {option}")),
        b"GETEX" => option(2).map(|option| format!("GETEX with {option}")),
        b"RESTORE" => option(4).map(|option| format!("RESTORE with {option}")),
        b"OBJECT" if is(1, "IDLETIME") => Some("OBJECT IDLETIME".into()),
        b"EVAL" | b"EVAL_RO" => script_needs_clock(args.get(1)?),
        b"SCRIPT" if is(1, "LOAD") => script_needs_clock(args.get(2)?),
        _ => None,
    }
}

/// A script needs the clock if a call's first argument is one of the commands (`redis.call('TIME')`, and also `c("time")`
/// where the script has given `redis.call` a short name), or if a string is one of the options.
fn script_needs_clock(source: &[u8]) -> Option<String> {
    let command = COMMANDS.iter().find(|command| literals(source, command).any(|before| before.ends_with(b"(")));
    if let Some(command) = command {
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

    fn needs(args: &[&str]) -> Option<String> {
        let args: Vec<Bytes> = args.iter().map(|arg| Bytes::copy_from_slice(arg.as_bytes())).collect();
        needs_clock(&args)
    }

    #[test]
    fn absolute_times_are_refused() {
        assert_eq!(needs(&["time"]).as_deref(), Some("TIME"));
        assert_eq!(needs(&["PEXPIREAT", "k", "1"]).as_deref(), Some("PEXPIREAT"));
        assert_eq!(needs(&["SET", "k", "v", "nx", "pxat", "1"]).as_deref(), Some("SET with PXAT"));
        assert_eq!(needs(&["GETEX", "k", "EXAT", "1"]).as_deref(), Some("GETEX with EXAT"));
        assert_eq!(needs(&["OBJECT", "idletime", "k"]).as_deref(), Some("OBJECT IDLETIME"));
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
            &["EVAL", "", "0"],
            &["EVAL"],
            &[],
        ] {
            assert_eq!(needs(args), None, "{args:?}");
        }
    }

    #[test]
    fn scripts_that_read_the_clock_are_refused_however_they_are_written() {
        for source in [
            "return redis.call('TIME')",
            "local t = redis.pcall( \"time\" )",
            "local c = redis.call; return c([[Time]])",
            "return redis.call('PEXPIREAT', KEYS[1], ARGV[1])",
            "return redis.call('SET', KEYS[1], 'v', 'PXAT', ARGV[1])",
        ] {
            for args in [&["EVAL", source, "0"][..], &["SCRIPT", "load", source]] {
                let found = needs(args).unwrap_or_else(|| panic!("{source} passes"));
                assert!(found.starts_with("a script that "), "{found}");
            }
        }
    }
}

//! The time that a script is told.
//!
//! `TIME` would tell a script the real time, and the clock that is played is another one. So where a script says
//! `redis.call("TIME")` it is sent with what that would return on the played clock instead, as a table with two texts.
//! Nothing else of it is changed, not even the number of a line, and the server knows it by its own digest all the same.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{Connection, LabError, Reply};

/// How a script asks for the time, up to the name of the command.
const CALLS: [&[u8]; 2] = [b"redis.call(", b"redis.pcall("];

/// Scripts that ask for the time, by their digests.
#[derive(Debug, Default)]
pub(crate) struct Timed(BTreeMap<Bytes, Bytes>);

/// A script that stands in for another one.
#[derive(Debug)]
pub(crate) struct StandIn {
    /// The command to be sent.
    pub(crate) args: Vec<Bytes>,
    digest: Bytes,
    of: Bytes,
}

impl Timed {
    /// Whether the command runs a script which asks for the time.
    pub(crate) fn asks(&self, args: &[Bytes]) -> bool {
        let [name, script, ..] = args else { return false };
        let named = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        let sent = named("EVAL") || named("EVAL_RO");
        let cached = named("EVALSHA") || named("EVALSHA_RO");
        (sent && with_time(script, 0).is_some())
            || (cached && self.0.contains_key(&Bytes::from(script.to_ascii_lowercase())))
    }

    /// The command to be sent for one that runs a script which asks for the time; `None` for any other.
    pub(crate) fn stand_in(
        &mut self,
        control: &mut Connection,
        args: &[Bytes],
        now_ms: i64,
    ) -> Result<Option<StandIn>, LabError> {
        let [name, script, ..] = args else { return Ok(None) };
        let named = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        let read_only = named("EVAL_RO") || named("EVALSHA_RO");
        let source = if named("EVAL") || named("EVAL_RO") {
            script.clone()
        } else if named("SCRIPT") && script.eq_ignore_ascii_case(b"LOAD") {
            if let Some(source) = args.get(2).filter(|source| with_time(source, 0).is_some()) {
                load(control, source)?.map(|digest| self.0.insert(digest, source.clone()));
            }
            return Ok(None);
        } else if named("EVALSHA") || named("EVALSHA_RO") {
            let digest = Bytes::from(script.to_ascii_lowercase());
            let known = control.ask(&[b"SCRIPT".as_ref(), b"EXISTS", &digest])?;
            match self.0.get(&digest).filter(|_| known == Reply::Array(vec![Reply::Integer(1)])) {
                Some(source) => source.clone(),
                None => return Ok(None),
            }
        } else {
            return Ok(None);
        };
        let Some(told) = with_time(&source, now_ms) else { return Ok(None) };
        // The script that the client sends is one that the server knows from then on.
        let (Some(of), Some(digest)) = (load(control, &source)?, load(control, &told)?) else { return Ok(None) };
        self.0.insert(of.clone(), source);
        let mut args = args.to_vec();
        args[0] = Bytes::from_static(if read_only { b"EVALSHA_RO" } else { b"EVALSHA" });
        args[1] = digest.clone();
        Ok(Some(StandIn { args, digest, of }))
    }
}

impl StandIn {
    /// The reply, as if the script itself had run: errors name it.
    pub(crate) fn own(&self, reply: Reply) -> Reply {
        match reply {
            Reply::Error(text) => {
                let text = String::from_utf8_lossy(&text).into_owned();
                let (digest, of) = (String::from_utf8_lossy(&self.digest), String::from_utf8_lossy(&self.of));
                Reply::Error(text.replace(&*digest, &of).into())
            }
            reply => reply,
        }
    }
}

/// Makes the server know a script; its digest, or `None` if it is no script.
fn load(control: &mut Connection, source: &[u8]) -> Result<Option<Bytes>, LabError> {
    match control.call(&[b"SCRIPT".as_ref(), b"LOAD", source])? {
        Reply::Bulk(digest) => Ok(Some(digest)),
        _ => Ok(None),
    }
}

/// The script with the time in place of each call that asks for it; `None` if there is none.
pub(crate) fn with_time(source: &[u8], now_ms: i64) -> Option<Bytes> {
    let (seconds, micros) = (now_ms.div_euclid(1000), now_ms.rem_euclid(1000) * 1000);
    let told = format!("({{'{seconds}','{micros}'}})");
    let mut out = Vec::with_capacity(source.len());
    let mut rest = source;
    while let Some(byte) = rest.first() {
        let joined = out.last().is_some_and(|before: &u8| before.is_ascii_alphanumeric() || b"_.:".contains(before));
        match call(rest).filter(|_| !joined) {
            Some(length) => {
                out.extend_from_slice(told.as_bytes());
                // Lines keep their numbers.
                out.extend(rest[..length].iter().filter(|byte| **byte == b'\n'));
                rest = &rest[length..];
            }
            None => {
                out.push(*byte);
                rest = &rest[1..];
            }
        }
    }
    (out != source).then(|| out.into())
}

/// How long the call that asks for the time is with which a text begins.
fn call(text: &[u8]) -> Option<usize> {
    let after = CALLS.iter().find_map(|call| text.strip_prefix(*call))?.trim_ascii_start();
    let quote = after.first().filter(|quote| b"'\"".contains(quote))?;
    let name = after.get(1..5).filter(|name| name.eq_ignore_ascii_case(b"TIME"))?;
    let after = after[1 + name.len()..].strip_prefix(&[*quote])?.trim_ascii_start().strip_prefix(b")")?;
    Some(text.len() - after.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(source: &str) -> Option<String> {
        with_time(source.as_bytes(), 1_234_567).map(|told| String::from_utf8(told.to_vec()).expect("UTF-8"))
    }

    #[test]
    fn the_time_stands_where_it_was_asked_for() {
        for (source, expected) in [
            ("local t = redis.call('TIME') return t[1]", "local t = ({'1234','567000'}) return t[1]"),
            ("return redis.pcall( \"time\" )[2]", "return ({'1234','567000'})[2]"),
            ("return redis.call(\n'TIME'\n)[1] + x", "return ({'1234','567000'})\n\n[1] + x"),
            ("f(redis.call('TIME'),redis.call('TIME'))", "f(({'1234','567000'}),({'1234','567000'}))"),
        ] {
            assert_eq!(told(source).as_deref(), Some(expected), "{source}");
        }
    }

    #[test]
    fn what_does_not_ask_for_it_is_left_alone() {
        for source in [
            "",
            "redis.call('GET', 'TIME')",
            "redis.call('TIME', 1)",
            "redis.call('TIMES')",
            "redis.call(\"TIME')",
            "myredis.call('TIME')",
            "my.redis.call('TIME')",
            "local c = redis.call return c('TIME')",
            "redis.call('TIME'",
        ] {
            assert_eq!(told(source), None, "{source}");
        }
    }
}

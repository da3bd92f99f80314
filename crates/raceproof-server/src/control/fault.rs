//! `RACEPROOF FAULT`

use bytes::Bytes;
use raceproof_engine::Reply;

use super::{Answer, Asker, is, number, shown};
use crate::clock::span_ms;
use crate::faults::{Kind, Rule};
use crate::server::Server;

const USAGE: &str = "FAULT takes ADD <drop-reply|error [<text>]|delay <ms>|disconnect> ON <command-or-pattern> \
                     [NTH <n>] [CLIENT <name>], LIST, or CLEAR [<number>]";
/// What a client gets if nobody says otherwise.
const INJECTED: &str = "ERR injected by RACEPROOF FAULT";

impl Server {
    pub(super) fn control_fault(&mut self, asker: Asker, args: &[Bytes]) -> Answer {
        let faults = &mut self.universes[asker.universe].faults;
        match args {
            [word, rule @ ..] if is(word, "add") => {
                let (kind, rest) = kind(rule)?;
                let (on, nth, client) = place(rest)?;
                Ok(Reply::Integer(faults.add(kind, on, nth, client)))
            }
            [word] if is(word, "list") => Ok(Reply::Array(faults.rules.iter().map(listed).collect())),
            [word] if is(word, "clear") => Ok(Reply::Integer(faults.clear(None) as i64)),
            [word, which] if is(word, "clear") => {
                let which = number(which)
                    .ok_or_else(|| format!("FAULT CLEAR takes the number of a fault, not '{}'", shown(which)))?;
                Ok(Reply::Integer(faults.clear(Some(which)) as i64))
            }
            _ => Err(USAGE.into()),
        }
    }
}

/// What goes wrong, and the arguments after it.
fn kind(args: &[Bytes]) -> Result<(Kind, &[Bytes]), String> {
    let is_on = |arg: &Bytes| is(arg, "on");
    match args {
        [kind, rest @ ..] if is(kind, "drop-reply") => Ok((Kind::DropReply, rest)),
        [kind, rest @ ..] if is(kind, "disconnect") => Ok((Kind::Disconnect, rest)),
        [kind, rest @ ..] if is(kind, "error") && rest.first().is_some_and(is_on) => {
            Ok((Kind::Error(Bytes::from_static(INJECTED.as_bytes())), rest))
        }
        [kind, text, rest @ ..] if is(kind, "error") => {
            if text.is_empty() || text.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
                return Err("FAULT: the text of an error is one line, e.g. 'LOADING Redis is loading'".into());
            }
            Ok((Kind::Error(text.clone()), rest))
        }
        [kind, span, rest @ ..] if is(kind, "delay") => {
            let ms = span_ms(span)
                .ok_or_else(|| format!("FAULT: delay takes a time, as in `delay 500ms`; not '{}'", shown(span)))?;
            Ok((Kind::Delay(ms), rest))
        }
        [kind] if is(kind, "error") || is(kind, "delay") => Err(USAGE.into()),
        [kind, ..] => Err(format!("FAULT knows drop-reply, error, delay and disconnect, not '{}'", shown(kind))),
        [] => Err(USAGE.into()),
    }
}

/// `ON … [NTH n] [CLIENT name]`
fn place(args: &[Bytes]) -> Result<(Bytes, Option<u64>, Option<Bytes>), String> {
    let [word, on, options @ ..] = args else { return Err(USAGE.into()) };
    let mut rest = options;
    if !is(word, "on") || on.is_empty() {
        return Err(USAGE.into());
    }
    let (mut nth, mut client) = (None, None);
    while let [option, value, others @ ..] = rest {
        if is(option, "nth") && nth.is_none() {
            let count = number(value).filter(|count| *count > 0);
            nth = Some(count.ok_or_else(|| format!("FAULT: NTH takes a number from 1 on, not '{}'", shown(value)))?);
        } else if is(option, "client") && client.is_none() {
            client = Some(value.clone());
        } else {
            return Err(USAGE.into());
        }
        rest = others;
    }
    if rest.is_empty() { Ok((on.clone(), nth, client)) } else { Err(USAGE.into()) }
}

/// A fault as names and values: what was asked for, and what came of it.
fn listed(rule: &Rule) -> Reply {
    let text = |text: &'static str| Reply::Bulk(Bytes::from_static(text.as_bytes()));
    let mut pairs = vec![
        (text("number"), Reply::Integer(rule.number)),
        (text("fault"), text(rule.kind.name())),
        (text("on"), Reply::Bulk(rule.on.clone())),
        (text("matched"), Reply::Integer(rule.matched as i64)),
        (text("struck"), Reply::Integer(rule.struck as i64)),
    ];
    match &rule.kind {
        Kind::Error(error) => pairs.push((text("error"), Reply::Bulk(error.clone()))),
        Kind::Delay(ms) => pairs.push((text("delay-ms"), Reply::Integer(*ms))),
        Kind::DropReply | Kind::Disconnect => {}
    }
    pairs.extend(rule.nth.map(|nth| (text("nth"), Reply::Integer(nth as i64))));
    pairs.extend(rule.client.clone().map(|client| (text("client"), Reply::Bulk(client))));
    Reply::Map(pairs)
}

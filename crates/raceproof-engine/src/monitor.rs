//! `MONITOR`: sessions that are told of every command, one line for each.
//!
//! Redis tells of a command once it was executed, of one in a transaction when that is, and of a script before the
//! commands of the script. What has passwords in it is shown without them, and commands of administrators not at all.

use bytes::Bytes;

use crate::{
    Access, Delivery, Object, Reply, SessionId, command::Command, command::flag, context::Context, session::Replies,
};

impl Context<'_> {
    /// Tells those who monitor of a command that the session, or its script, has executed.
    pub(crate) fn tell_monitors(&mut self, command: &Command, args: &[Bytes]) {
        if !command.has(flag::SKIP_MONITOR | flag::ADMIN) {
            self.tell_monitors_of(command, args);
        }
    }

    /// [`Self::tell_monitors`] whatever the command.
    pub(crate) fn tell_monitors_of(&mut self, command: &Command, args: &[Bytes]) {
        if self.engine.monitors == 0 {
            return;
        }
        self.read_clock();
        let line = Reply::Status(self.monitor_line(command, args).into());
        if self.script.is_none() && !command.runs_script() {
            self.replies_here();
        }
        for index in 0..self.engine.sessions.len() {
            let session = &self.engine.sessions[index];
            // What comes after the reply with which a connection ends is not sent either.
            let is_own = index == self.session;
            // (Within `EXEC`, messages go out with its reply even where there are no replies.)
            let is_mute = match is_own {
                true => self.mute || self.close || session.replies == Replies::Off,
                false => session.replies != Replies::On,
            };
            if !session.monitors {
                continue;
            }
            let id = SessionId(index as u32);
            if index != self.actor {
                self.touch(Object::Inbox(id), Access::Write);
            }
            if !is_mute {
                self.deliveries.push(Delivery::Push(id, line.clone()));
            }
        }
    }

    /// `seconds.microseconds [database address] "argument" …`
    fn monitor_line(&self, command: &Command, args: &[Bytes]) -> Vec<u8> {
        let us = self.now.unix_us;
        let (seconds, rest) = (us.div_euclid(1_000_000), us.rem_euclid(1_000_000));
        let db = if self.script.is_some() { self.db } else { self.session().db };
        let mut line = format!("{seconds}.{rest:06} [{db} ").into_bytes();
        match self.script {
            Some(_) => line.extend_from_slice(b"lua"),
            None => {
                let peer = self.session().peer();
                match peer.strip_suffix(b":0").filter(|path| path.starts_with(b"/")) {
                    Some(path) => line.extend([b"unix:", path].concat()),
                    None => line.extend_from_slice(peer),
                }
            }
        }
        line.push(b']');
        for arg in shown(command.name, args) {
            line.extend_from_slice(b" \"");
            arg.iter().for_each(|byte| quote(*byte, &mut line));
            line.push(b'"');
        }
        line
    }
}

/// The arguments of a command as others may see them.
pub(crate) fn shown(name: &str, args: &[Bytes]) -> Vec<Bytes> {
    let hidden = passwords(name, args);
    let shown = |(at, arg): (usize, &Bytes)| match hidden.contains(&at) {
        true => Bytes::from_static(b"(redacted)"),
        false => arg.clone(),
    };
    args.iter().enumerate().map(shown).collect()
}

/// Settings whose values are not shown.
const SECRETS: [&[u8]; 3] = [b"masteruser", b"masterauth", b"requirepass"];

/// Which arguments of a command are not shown.
fn passwords(name: &str, args: &[Bytes]) -> Vec<usize> {
    match name {
        "auth" if args.len() <= 3 => (1..args.len()).collect(),
        "acl|setuser" => (2..args.len()).collect(),
        "migrate" => {
            let word = |at: usize, word: &[u8]| args.get(at).is_some_and(|arg: &Bytes| arg.eq_ignore_ascii_case(word));
            let (mut hidden, mut at) = (Vec::new(), 6);
            loop {
                if word(at, b"auth") && at + 1 < args.len() {
                    hidden.push(at + 1);
                    at += 2;
                } else if word(at, b"auth2") && at + 2 < args.len() {
                    hidden.extend([at + 1, at + 2]);
                    at += 3;
                } else if word(at, b"copy") || word(at, b"replace") {
                    at += 1;
                } else {
                    return hidden;
                }
            }
        }
        "config|set" => {
            let is_secret = |name: &Bytes| SECRETS.iter().any(|secret| name.eq_ignore_ascii_case(secret));
            (3..args.len()).step_by(2).filter(|at| is_secret(&args[at - 1])).collect()
        }
        "hello" if matches!(args.get(1).map(|version| &version[..]), Some(b"2" | b"3")) => {
            let (mut hidden, mut at) = (Vec::new(), 2);
            while let Some(option) = args.get(at) {
                if option.eq_ignore_ascii_case(b"auth") && at + 2 < args.len() {
                    hidden.extend([at + 1, at + 2]);
                    at += 3;
                } else if option.eq_ignore_ascii_case(b"setname") && at + 1 < args.len() {
                    at += 2;
                } else {
                    break;
                }
            }
            hidden
        }
        _ => Vec::new(),
    }
}

/// A byte as Redis writes it between quotes.
fn quote(byte: u8, line: &mut Vec<u8>) {
    match byte {
        b'\\' | b'"' => line.extend([b'\\', byte]),
        b'\n' => line.extend_from_slice(b"\\n"),
        b'\r' => line.extend_from_slice(b"\\r"),
        b'\t' => line.extend_from_slice(b"\\t"),
        7 => line.extend_from_slice(b"\\a"),
        8 => line.extend_from_slice(b"\\b"),
        b' '..=b'~' => line.push(byte),
        _ => line.extend(format!("\\x{byte:02x}").bytes()),
    }
}

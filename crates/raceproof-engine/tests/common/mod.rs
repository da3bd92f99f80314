//! A server under test, spoken to in words.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test file uses its own part")]

use bytes::Bytes;
use raceproof_engine::{
    Access, Engine, Object, Options, Outcome, Protocol, Reply, Script, ScriptCalls, ScriptHost, SessionId, Timestamp,
};

/// The time at which every test starts.
pub const START_MS: i64 = 1_700_000_000_000;

/// The engine with one session, a clock and what the last command did.
pub struct Server {
    pub engine: Engine,
    pub session: SessionId,
    pub now_ms: i64,
    pub out: Outcome,
    pub host: Lines,
}

impl Server {
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    pub fn sorted() -> Self {
        Self::with(Options { sorted_replies: true, ..Options::default() })
    }

    pub fn with(options: Options) -> Self {
        let mut engine = Engine::new(options);
        let session = engine.connect();
        Self { engine, session, now_ms: START_MS, out: Outcome::default(), host: Lines }
    }

    /// Executes a command given as words: double quotes keep spaces, `""` is empty.
    pub fn run(&mut self, line: &str) -> Reply {
        self.run_on(self.session, line)
    }

    pub fn run_on(&mut self, session: SessionId, line: &str) -> Reply {
        let now = Timestamp::from_ms(self.now_ms);
        self.engine.execute(&mut self.host, session, &words(line), now, &mut self.out);
        self.out.reply.clone()
    }

    /// Executes a command and gives the bytes of its reply, with `|` for the line ends.
    pub fn say(&mut self, line: &str) -> String {
        let session = self.session;
        self.say_on(session, line)
    }

    pub fn say_on(&mut self, session: SessionId, line: &str) -> String {
        let reply = self.run_on(session, line);
        encoded(&reply, self.engine.protocol(session))
    }

    /// Runs a table of commands and replies, as [`Self::say`] shows them.
    pub fn expect(&mut self, table: &[(&str, &str)]) {
        for (line, reply) in table {
            assert_eq!(self.say(line), *reply, "{line}");
        }
    }

    /// Executes a command and gives its effects, one per line: `db command args…`.
    pub fn effects(&mut self, line: &str) -> Vec<String> {
        self.run(line);
        self.last_effects()
    }

    pub fn last_effects(&self) -> Vec<String> {
        let word = |arg: &Bytes| String::from_utf8_lossy(arg).into_owned();
        self.out
            .effects
            .iter()
            .map(|effect| format!("{} {}", effect.db, effect.args.iter().map(word).collect::<Vec<_>>().join(" ")))
            .collect()
    }

    /// The footprint of the last command, sorted, one access per word.
    pub fn footprint(&self) -> String {
        let mut accesses: Vec<String> = self.out.footprint.iter().map(show).collect();
        accesses.sort();
        accesses.join(" ")
    }

    /// Runs a table of preparations and commands, each on a new server, and compares the effects of the last one.
    pub fn expect_effects(table: &[(&str, &str, &[&str])]) {
        for (before, line, effects) in table {
            let mut server = Self::new();
            for step in before.split(';').filter(|step| !step.is_empty()) {
                server.run(step);
            }
            assert_eq!(server.effects(line), *effects, "{before}; {line}");
        }
    }

    /// Executes a command and gives its footprint.
    pub fn touched(&mut self, line: &str) -> String {
        self.run(line);
        self.footprint()
    }
}

fn show((object, access): &(Object, Access)) -> String {
    let name = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    let object = match object {
        Object::Keyspace(db) => format!("db{db}"),
        Object::Key(0, key) => name(key),
        Object::Key(db, key) => format!("{db}:{}", name(key)),
        Object::Field(_, key, field) => format!("{}.{}", name(key), name(field)),
        Object::Cardinality(_, key) => format!("#{}", name(key)),
        other => format!("{other:?}").to_lowercase(),
    };
    let access = match access {
        Access::IntentRead => "ir",
        Access::IntentWrite => "iw",
        Access::Read => "r",
        Access::Write => "w",
    };
    format!("{object}={access}")
}

pub fn encoded(reply: &Reply, protocol: Protocol) -> String {
    let mut bytes = Vec::new();
    reply.encode(protocol, &mut bytes);
    String::from_utf8_lossy(&bytes).trim_end_matches("\r\n").replace("\r\n", "|")
}

fn words(line: &str) -> Vec<Bytes> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').expect("a closing quote"),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(Bytes::copy_from_slice(word.as_bytes()));
        rest = after.trim_start();
    }
    words
}

/// A script host whose language is: commands separated by `;`, the reply of the last one. `resp3` asks for the reply
/// shapes of RESP3, `quiet` stops propagation, `KEY` and `ARG` stand for the first key and argument, a source with `syntax error` does not compile.
pub struct Lines;

impl ScriptHost for Lines {
    fn compile(&mut self, _: &str, source: &Bytes) -> Result<(), Bytes> {
        if source.windows(12).any(|part| part == b"syntax error") {
            return Err(Bytes::from_static(b"ERR Error compiling script"));
        }
        Ok(())
    }

    fn run(&mut self, script: Script<'_>, calls: &mut dyn ScriptCalls) -> Reply {
        let source = String::from_utf8_lossy(script.source).into_owned();
        let body = source.strip_prefix("#!").and_then(|rest| rest.split_once('\n')).map_or(&*source, |(_, body)| body);
        let mut reply = Reply::Null;
        for line in body.split(';') {
            match line.trim() {
                "resp3" => {
                    calls.set_resp(3);
                    continue;
                }
                "quiet" => {
                    calls.set_repl(0);
                    continue;
                }
                _ => {}
            }
            let mut args = words(line);
            for arg in &mut args {
                match &arg[..] {
                    b"KEY" => *arg = script.keys[0].clone(),
                    b"ARG" => *arg = script.args[0].clone(),
                    _ => {}
                }
            }
            reply = calls.call(&args);
        }
        reply
    }
}

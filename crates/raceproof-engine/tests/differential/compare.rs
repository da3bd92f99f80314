//! Runs one sequence on the engine and on the real server, and compares.
//!
//! Both the replies and what is propagated: the engine's effects must be what the server appends to its append-only file.
//!
//! # Time
//!
//! The server's clock cannot be held, but it can be bracketed: the test reads the same clock before it sends and after it
//! has received, so it knows the milliseconds in which a command can have been executed. The engine is executed at every
//! one of them; each execution whose reply equals the server's is kept as a *candidate*, and the next command is tried on
//! every candidate. No candidate left means that there is no time at which the engine behaves as the server did. So
//! replies that show the time (`PTTL`) and keys that are about to expire are compared exactly, without any tolerance.
//!
//! `EXEC`, scripts and what delivers entries of streams are one moment in the engine, while the server may look at its clock several times in one of them: a
//! difference after one that spanned the end of a millisecond is doubtful, and the sequence is run again.

use bytes::Bytes;
use raceproof_engine::{Effect, Engine, Options, ScriptHost};

use crate::canonical;
use crate::coverage::Coverage;
use crate::hearing::{self, Heard, Sent};
use crate::resp::{Value, parse};
use crate::same::{Real, Rules, same, shown};
use crate::server::{CLOSED, Connection, Server};
use crate::states::States;
use crate::support::driver::Driver;
use crate::support::sequence::{Action, SESSIONS, Sequence, resolve_for};
use crate::support::show;
use crate::{choices, log, pages};

/// A sequence during which the machine stood still for longer is run again (ms).
const STALL_MS: i64 = 20;

/// A sequence with more candidates is run again.
const MAX_CANDIDATES: usize = 64;

/// What random sequences may change of the server's settings, as it is when a server starts.
const DEFAULTS: &[&str] = &[
    "CONFIG",
    "SET",
    "hash-max-listpack-entries",
    "512",
    "hash-max-listpack-value",
    "64",
    "maxmemory",
    "0",
    "maxmemory-policy",
    "noeviction",
    "lazyfree-lazy-expire",
    "no",
    "proto-max-bulk-len",
    "512mb",
    "set-max-intset-entries",
    "512",
    "zset-max-listpack-entries",
    "128",
    "zset-max-listpack-value",
    "64",
    "sanitize-dump-payload",
    "yes",
    "hll-sparse-max-bytes",
    "3000",
    "stream-node-max-entries",
    "100",
    "stream-node-max-bytes",
    "4096",
    "notify-keyspace-events",
    "",
];

/// Commands of one session that are sent at once.
const BATCH: usize = 12;

/// What a comparison came to.
pub(crate) enum Verdict {
    /// The replies to these commands were the same.
    Same(Coverage),
    /// The machine was too busy to know the time.
    Stalled,
    /// They differed, but the server may have seen two times within one command.
    Doubtful(Difference),
}

/// The first reply that differed, or the propagated commands if those did.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    /// Every command up to the one that differs, as lines for redis-cli.
    pub(crate) lines: Vec<String>,
    /// What the engine gave (at one of the times).
    pub(crate) ours: String,
    /// What the server gave.
    pub(crate) real: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in &self.lines {
            writeln!(f, "  {line}")?;
        }
        writeln!(f, "  redis-server: {}", self.real)?;
        write!(f, "  engine:       {}", self.ours)
    }
}

/// The engine at one of the times at which it may have been.
#[derive(Clone)]
struct Candidate {
    driver: Driver,
    /// What was propagated.
    log: Vec<Effect>,
    /// The earliest time at which its last command can have been executed.
    last_ms: i64,
}

impl Candidate {
    /// Reads the further pages of a scan, as it was done on the server, and gives what was found.
    fn finish_scan(
        &mut self,
        host: &mut dyn ScriptHost,
        session: usize,
        args: &[Bytes],
        first: &[u8],
        effects: &mut Vec<Effect>,
        ms: i64,
    ) -> Option<Vec<Vec<u8>>> {
        let (first, _) = parse(first).filter(|(first, _)| canonical::is_page(first))?;
        Some(pages::collect(args, first, |page| {
            let outcome = self.driver.run(host, session, page, ms);
            effects.extend(outcome.effects);
            parse(&self.driver.bytes(session, &outcome.reply)).expect("the engine encodes whole replies").0
        }))
    }
}

/// A session as the test sees it.
struct Session {
    connection: Connection,
    /// The commands queued since `MULTI`.
    queued: Option<Vec<Vec<Bytes>>>,
    open: bool,
    /// Whether `CLIENT REPLY` may withhold its replies.
    mute: bool,
    /// Whether it waits, and sends nothing meanwhile.
    waits: bool,
}

/// One sequence under way.
struct Run<'a> {
    host: &'a mut dyn ScriptHost,
    /// A connection that is not compared.
    control: Connection,
    sessions: Vec<Session>,
    /// Whether sessions may be sent messages (see `hearing.rs`).
    hears: bool,
    candidates: Vec<Candidate>,
    /// What the server has appended, as far as it was read.
    log: Vec<Effect>,
    lines: Vec<String>,
    compared: Coverage,
    /// Whether the server may have seen two times within one command.
    two_times: bool,
    /// The number of the first session's client.
    first: i64,
}

/// Runs a sequence on a fresh engine and the emptied server.
///
/// # Errors
/// The first difference.
pub(crate) fn run(server: &Server, host: &mut dyn ScriptHost, sequence: &Sequence) -> Result<Verdict, Difference> {
    let mut control = server.connect();
    control.request(&["FLUSHALL"]);
    control.request(&["SCRIPT", "FLUSH"]);
    control.request(&["FUNCTION", "FLUSH"]);
    control.request(&["SLOWLOG", "RESET"]);
    control.request(&["ACL", "DELUSER", "u1", "u2", "u3"]);
    control.request(&["ACL", "LOG", "RESET"]);
    control.request(DEFAULTS);
    server.appended();
    let base_ms = now_ms();
    let session = |_| Session { connection: server.connect(), queued: None, open: true, mute: false, waits: false };
    let sessions: Vec<Session> = (0..SESSIONS).map(session).collect();
    let first: i64 = sessions[0].connection.id.parse().expect("the number of a client");
    // Both number their clients alike.
    let options = Options { clients_before: first - 1, ..Options::default() };
    let mut run = Run {
        host,
        hears: hearing::is_needed(sequence),
        control,
        sessions,
        candidates: vec![Candidate { driver: Driver::new(options), log: Vec::new(), last_ms: base_ms }],
        log: Vec::new(),
        lines: Vec::new(),
        compared: Coverage::default(),
        two_times: false,
        first,
    };
    let ended = run.all(server, sequence, base_ms);
    run.release();
    match ended {
        Err(difference) if run.two_times => Ok(Verdict::Doubtful(difference)),
        Ok(true) => Ok(Verdict::Same(run.compared)),
        Ok(false) => Ok(Verdict::Stalled),
        Err(difference) => Err(difference),
    }
}

/// Commands before which the test must know the state, or after which the connection may be closed.
fn runs_alone(args: &[Bytes]) -> bool {
    [
        b"RANDOMKEY".as_slice(),
        b"SCAN",
        b"HSCAN",
        b"SSCAN",
        b"ZSCAN",
        b"SPOP",
        b"SORT",
        b"SORT_RO",
        b"QUIT",
        b"HELLO",
        b"OBJECT",
        b"ACL",
    ]
    .iter()
    .any(|name| args[0].eq_ignore_ascii_case(name))
        || choices::ranges_over_members(args)
        || choices::may_wait(args)
}

impl Run<'_> {
    /// Runs all steps; tells whether the time was known throughout.
    fn all(&mut self, server: &Server, sequence: &Sequence, base_ms: i64) -> Result<bool, Difference> {
        let steps = sequence.all_steps();
        let mut at = 0;
        while at < steps.len() {
            let session = steps[at].session;
            // What sessions that wait are sent has to be known after each command.
            let most = if self.hears || self.sessions.iter().any(|session| session.waits) { 1 } else { BATCH };
            let mut batch = Vec::new();
            while let Some(step) = steps.get(at) {
                let Action::Run(args) = &step.action else { break };
                let args = resolve_for(args, base_ms, self.first);
                let alone = runs_alone(&args);
                if step.session != session || batch.len() == most || (alone && !batch.is_empty()) {
                    break;
                }
                batch.push(args);
                at += 1;
                if alone {
                    break;
                }
            }
            if batch.is_empty() {
                if let Action::Wait(ms) = steps[at].action {
                    std::thread::sleep(std::time::Duration::from_millis(ms));
                    self.lines.push(format!("(wait {ms} ms)"));
                }
                at += 1;
                continue;
            }
            if self.stalls(session, &batch)? {
                return Ok(false);
            }
            self.prune(server);
            if self.candidates.len() > MAX_CANDIDATES {
                return Ok(false);
            }
        }
        self.log.extend(server.appended());
        self.compare_logs()?;
        Ok(true)
    }

    /// Runs commands of one session; tells whether the machine stalled meanwhile.
    fn stalls(&mut self, session: usize, batch: &[Vec<Bytes>]) -> Result<bool, Difference> {
        if !self.sessions[session].open || self.sessions[session].waits || self.is_left_out(session, &batch[0]) {
            return Ok(false);
        }
        if choices::reads_errno(&batch[0]) {
            self.control.request(&["SCAN", "nocursor"]);
        }
        if self.hears {
            return self.hear(session, &batch[0]);
        }
        let before_ms = now_ms();
        self.sessions[session].connection.send(batch);
        let mut replies = Vec::new();
        for args in batch {
            replies.push(self.receive(session, args));
        }
        let scanned = self.finish_scan(session, &batch[0], &replies[0].1);
        let anybody_waits = self.sessions.iter().any(|session| session.waits);
        let served = self.served(session);
        let after_ms = now_ms();
        if after_ms < before_ms || after_ms - before_ms > STALL_MS {
            return Ok(true);
        }
        self.two_times |= after_ms > before_ms && (anybody_waits || batch.iter().any(|args| lasts(args)));
        for (args, (bytes, value)) in batch.iter().zip(replies) {
            self.lines.push(format!("[{session}] {}", show::command(args)));
            self.compared.add(args, &value);
            let real = Real { bytes, value, scanned: scanned.clone(), served: served.clone(), heard: None };
            self.advance(session, args, &real, before_ms, after_ms)?;
            self.follow(session, args, &real.value);
        }
        Ok(false)
    }

    /// Runs one command, and compares what comes on every connection; tells whether the machine stalled meanwhile.
    fn hear(&mut self, session: usize, args: &Vec<Bytes>) -> Result<bool, Difference> {
        let before_ms = now_ms();
        let anybody_waits = self.sessions.iter().any(|session| session.waits);
        self.sessions[session].connection.send(std::slice::from_ref(args));
        let mut connections: Vec<&mut Connection> = self.sessions.iter_mut().map(|at| &mut at.connection).collect();
        let heard = hearing::listen(&mut self.control, &mut connections);
        let after_ms = now_ms();
        if after_ms < before_ms || after_ms - before_ms > STALL_MS {
            return Ok(true);
        }
        self.two_times |= after_ms > before_ms && (anybody_waits || lasts(args));
        self.lines.push(format!("[{session}] {}", show::command(args)));
        let value = hearing::reply(&heard[session]);
        let real = Real { bytes: heard[session].clone(), value, scanned: None, served: Vec::new(), heard: Some(heard) };
        let reply = self.advance(session, args, &real, before_ms, after_ms)?;
        let reply = parse(&reply).map_or_else(hearing::nothing, |(value, _)| value);
        self.compared.add(args, &reply);
        self.follow(session, args, &reply);
        for (number, heard) in real.heard.iter().flatten().enumerate() {
            if heard.ends_with(CLOSED) {
                self.sessions[number].open = false;
                for candidate in &mut self.candidates {
                    candidate.driver.engine.disconnect(candidate.driver.sessions[number]);
                }
            }
        }
        let driver = &self.candidates[0].driver;
        for (state, id) in self.sessions.iter_mut().zip(&driver.sessions) {
            state.waits = driver.engine.waits(*id);
        }
        Ok(false)
    }

    /// Reads the reply to a command, or finds that the session waits for it.
    fn receive(&mut self, session: usize, args: &[Bytes]) -> (Vec<u8>, Value) {
        let state = &mut self.sessions[session];
        if !choices::may_wait(args) || state.queued.is_some() {
            return state.connection.receive();
        }
        let reply = state.connection.receive_unless_waiting(&mut self.control);
        state.waits = reply.is_none();
        reply.unwrap_or_else(|| (Vec::new(), Value::Line(b'+', b"(waits)".to_vec())))
    }

    /// What the sessions that waited were sent after commands of another one.
    fn served(&mut self, by: usize) -> Vec<(usize, Vec<u8>)> {
        let mut served = Vec::new();
        for (number, session) in self.sessions.iter_mut().enumerate() {
            if session.waits && number != by && !self.control.says_waiting(&session.connection) {
                session.waits = false;
                served.push((number, session.connection.receive().0));
            }
        }
        served
    }

    /// Ends all waits on the server, so that none of them takes part in the next sequence.
    fn release(&mut self) {
        // Those that a pause holds cannot be unblocked one by one: Redis 7.0.15 ends itself.
        self.control.request(&["CLIENT", "UNPAUSE"]);
        for session in &mut self.sessions {
            if session.waits {
                self.control.request(&["CLIENT", "UNBLOCK", &session.connection.id]);
                if !self.hears {
                    session.connection.receive();
                }
            }
        }
    }

    /// Gives up candidates that have propagated something else than the server, unless all have, which is for the end to
    /// say.
    fn prune(&mut self, server: &Server) {
        if self.candidates.len() < 2 {
            return;
        }
        self.log.extend(server.appended());
        let wanted = log::canonical(&self.log);
        let agrees = |candidate: &Candidate| log::canonical(&candidate.log) == wanted;
        if self.candidates.iter().any(agrees) {
            self.candidates.retain(agrees);
        }
    }

    /// Whether a command is left out here.
    ///
    /// Scans and random choices remove the expired keys that they come across, and so their effect depends on a hash
    /// table's order or on chance: they are left out while there are some, and in transactions. So are choices that
    /// cannot be known (see `choices.rs`). Two known differences
    /// are left out as well (docs/fidelity.md): a transaction that changes the protocol amid its replies, and one that
    /// counts the references which its own queue holds.
    fn is_left_out(&self, session: usize, args: &[Bytes]) -> bool {
        let is = |name: &[u8]| args[0].eq_ignore_ascii_case(name);
        // Without a reply the server never comes to closing the connection.
        let kills = is(b"CLIENT") && args.get(1).is_some_and(|word| word.eq_ignore_ascii_case(b"KILL"));
        if (is(b"QUIT") || kills) && self.sessions[session].mute {
            return true;
        }
        // A transaction that pauses and then writes a key whose time is over ends Redis 7.0.15; and a pause of all would hold
        // the test as well.
        let pauses = is(b"CLIENT") && args.get(1).is_some_and(|word| word.eq_ignore_ascii_case(b"PAUSE"));
        let holds_all = || args.len() == 3 || args.get(3).is_some_and(|kind| kind.eq_ignore_ascii_case(b"ALL"));
        if pauses && (self.sessions[session].queued.is_some() || holds_all()) {
            return true;
        }
        // A scan goes on page by page, which messages would come between.
        if self.hears && (is(b"SCAN") || is(b"HSCAN") || is(b"SSCAN") || is(b"ZSCAN")) {
            return true;
        }
        let refcount = is(b"OBJECT") && args.get(1).is_some_and(|word| word.eq_ignore_ascii_case(b"REFCOUNT"));
        if (is(b"HELLO") || refcount) && self.sessions[session].queued.is_some() {
            return true;
        }
        if is(b"SORT") || is(b"SORT_RO") {
            let left_out = |candidate: &Candidate| choices::has_ties(&candidate.driver, session, args);
            return self.sessions[session].queued.is_some() || self.candidates.iter().any(left_out);
        }
        if is(b"SPOP") || choices::ranges_over_members(args) {
            let left_out = |candidate: &Candidate| choices::cannot_be_known(&candidate.driver, session, args);
            return self.sessions[session].queued.is_some() || self.candidates.iter().any(left_out);
        }
        if !is(b"RANDOMKEY") && !is(b"SCAN") {
            return false;
        }
        let whole = is(b"SCAN") && args.get(1).is_some_and(|cursor| cursor == "0");
        let due = |candidate: &Candidate| {
            candidate.driver.engine.next_deadline_ms().is_some_and(|deadline| deadline <= now_ms() + STALL_MS)
        };
        self.sessions[session].queued.is_some() || (!whole && self.candidates.iter().any(due))
    }

    /// Reads the further pages of a scan that began at cursor 0.
    fn finish_scan(&mut self, session: usize, args: &[Bytes], first: &Value) -> Option<Vec<Vec<u8>>> {
        if !pages::is_whole_scan(args) || !canonical::is_page(first) {
            return None;
        }
        let connection = &mut self.sessions[session].connection;
        Some(pages::collect(args, first.clone(), |page| {
            connection.send(std::slice::from_ref(page));
            connection.receive().1
        }))
    }

    /// Executes a command on every candidate at every time at which the server may have executed it, and keeps those
    /// that reply alike. Gives the engine's reply.
    fn advance(
        &mut self,
        session: usize,
        args: &[Bytes],
        real: &Real,
        before_ms: i64,
        after_ms: i64,
    ) -> Result<Vec<u8>, Difference> {
        let mut kept: Vec<Candidate> = Vec::new();
        let (mut differing, mut reply) = (String::new(), Vec::new());
        let queued = self.sessions[session].queued.clone().unwrap_or_default();
        for candidate in std::mem::take(&mut self.candidates) {
            let mut seen: Vec<(Signature, Engine)> = Vec::new();
            for ms in before_ms.max(candidate.last_ms)..=after_ms {
                let mut trial = candidate.clone();
                if let Some(seed) = choices::seed_of(&candidate.driver, session, args, &real.value, ms) {
                    trial.driver.engine.reseed(seed);
                }
                let mut outcome = trial.driver.run(self.host, session, args, ms);
                let sent = real.heard.is_some().then(|| Sent::new(&trial.driver, session, &outcome));
                let bytes = if outcome.waits { Vec::new() } else { trial.driver.bytes(session, &outcome.reply) };
                let served = if sent.is_some() { Vec::new() } else { trial.driver.served(&outcome) };
                let scanned = real
                    .scanned
                    .is_some()
                    .then(|| trial.finish_scan(self.host, session, args, &bytes, &mut outcome.effects, ms));
                let signature = Signature {
                    bytes: bytes.clone(),
                    heard: sent.as_ref().map(|sent| sent.heard(session)),
                    served: served.clone(),
                    effects: outcome.effects,
                    next_deadline_ms: trial.driver.engine.next_deadline_ms(),
                };
                let engine = &trial.driver.engine;
                if seen.iter().any(|(known, state)| *known == signature && state.same_data(engine)) {
                    continue;
                }
                trial.log.extend(signature.effects.iter().cloned());
                seen.push((signature, engine.clone()));
                trial.last_ms = ms;
                let facts = States { before: &candidate.driver, after: &trial.driver, session, ms, exec: false };
                let alike = match (&sent, &real.heard) {
                    (Some(sent), Some(heard)) => {
                        sent.is(session, heard, &Rules { args, ours: &bytes, queued: &queued, facts })
                    }
                    _ => same(args, &bytes, scanned.flatten(), real, &queued, &facts) && served == real.served,
                };
                if alike {
                    kept.push(trial);
                    reply = bytes;
                } else {
                    differing =
                        sent.map_or_else(|| shown(&bytes, &served), |sent| hearing::shown(&sent.heard(session)));
                }
            }
        }
        if kept.is_empty() {
            return Err(Difference {
                lines: self.lines.clone(),
                ours: differing,
                real: real.heard.as_ref().map_or_else(|| shown(&real.bytes, &real.served), hearing::shown),
            });
        }
        self.candidates = kept;
        Ok(reply)
    }

    /// Compares what was propagated.
    fn compare_logs(&self) -> Result<(), Difference> {
        let wanted = log::canonical(&self.log);
        if self.candidates.iter().any(|candidate| log::canonical(&candidate.log) == wanted) {
            return Ok(());
        }
        let ours = log::shown(&self.candidates[0].log);
        Err(Difference { lines: self.lines.clone(), ours, real: log::shown(&self.log) })
    }

    /// Keeps track of transactions and of closed sessions.
    fn follow(&mut self, session: usize, args: &[Bytes], reply: &Value) {
        let is = |name: &[u8]| args[0].eq_ignore_ascii_case(name);
        let state = &mut self.sessions[session];
        if is(b"CLIENT") && args.get(1).is_some_and(|word| word.eq_ignore_ascii_case(b"REPLY")) {
            state.mute = !args.get(2).is_some_and(|word| word.eq_ignore_ascii_case(b"ON"));
        }
        let text = |reply: &Value, wanted: &[u8]| matches!(reply, Value::Line(b'+', text) if text == wanted);
        if text(reply, b"QUEUED") {
            state.queued.get_or_insert_default().push(args.to_vec());
        } else if is(b"MULTI") && text(reply, b"OK") {
            state.queued = Some(Vec::new());
        } else if is(b"EXEC") || (args.len() == 1 && (is(b"DISCARD") || is(b"RESET"))) {
            // EXEC with arguments is refused and ends the transaction all the same.
            state.queued = None;
        } else if is(b"QUIT") {
            state.open = false;
            for candidate in &mut self.candidates {
                let id = candidate.driver.sessions[session];
                candidate.driver.engine.disconnect(id);
            }
        }
    }
}

/// What two executions at different times must share to be one, beside the data.
#[derive(PartialEq)]
struct Signature {
    bytes: Vec<u8>,
    heard: Option<Heard>,
    served: Vec<(usize, Vec<u8>)>,
    effects: Vec<Effect>,
    next_deadline_ms: Option<i64>,
}

/// Whether the server may look at its clock several times during a command.
fn lasts(args: &[Bytes]) -> bool {
    let name = args[0].to_ascii_uppercase();
    name.starts_with(b"EVAL")
        || name.starts_with(b"FCALL")
        || matches!(&name[..], b"EXEC" | b"XREADGROUP" | b"XCLAIM" | b"XAUTOCLAIM")
}

fn now_ms() -> i64 {
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock after 1970");
    i64::try_from(elapsed.as_millis()).expect("a clock before the year 292278994")
}

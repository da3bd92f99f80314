//! Steps delivered to a real redis-server: one connection per session, deadlines moved instead of the clock.

mod faults;
mod messages;
mod reader;
mod waits;

use std::collections::BTreeMap;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use crate::clock_use::{id_to_be_given, needs_clock, shows_time_left, translated};
use crate::deadlines::{Deadlines, Place};
use crate::player::faults::Mark;
use crate::player::messages::Heard;
use crate::player::reader::Reader;
use crate::replica::Replica;
use crate::script_time::Timed;
use crate::{Connection, LabError, RedisServer, Reply, aof};

/// A command is sent at the start of a millisecond, so that its reply comes within the same one.
const SENT_WITHIN_US: u32 = 300;

/// One session: its connection, and what we must know to leave its `WATCH`es as they are.
#[derive(Debug)]
struct Session {
    connection: Connection,
    /// The server's id of the connection.
    client_id: i64,
    db: u32,
    watched: Vec<Place>,
    heard: Heard,
    /// Inside `MULTI`: the database that the last queued `SELECT` names, or the present one.
    queued_db: Option<u32>,
}

/// Plays steps on a real redis-server, one at a time.
#[derive(Debug)]
pub(crate) struct Player {
    server: RedisServer,
    /// The lab's own connection.
    control: Connection,
    control_db: u32,
    sessions: BTreeMap<u32, Session>,
    deadlines: Deadlines,
    /// What the played clock shows at the beginning (Unix time, ms).
    epoch_ms: i64,
    /// The server after each entry of its log; the first is that of the setup.
    marks: Vec<Mark>,
    /// Replicas that are to take its place, by the failover.
    replicas: BTreeMap<usize, Replica>,
    /// The replica that clients read.
    reader: Option<Reader>,
    /// Scripts that ask for the time.
    timed: Timed,
    /// It is not what it was when it was started, and emptying it does not make it so.
    changed: bool,
}

impl Player {
    pub(crate) fn new(server: RedisServer) -> Result<Self, LabError> {
        let control = server.connect()?;
        let mut player = Self {
            server,
            control,
            control_db: 0,
            sessions: BTreeMap::new(),
            deadlines: Deadlines::default(),
            epoch_ms: real_now_ms(),
            marks: Vec::new(),
            replicas: BTreeMap::new(),
            reader: None,
            timed: Timed::default(),
            changed: false,
        };
        player.reset()?;
        Ok(player)
    }

    pub(crate) fn server(&self) -> &RedisServer {
        &self.server
    }

    /// The server's played clock (Unix time, ms).
    pub(crate) fn now_ms(&self) -> i64 {
        self.epoch_ms + self.deadlines.now_ms()
    }

    /// Back to an empty server without sessions, at the beginning of time.
    pub(crate) fn reset(&mut self) -> Result<(), LabError> {
        self.sessions.clear();
        self.marks.clear();
        self.replicas.clear();
        self.reader = None;
        self.deadlines = Deadlines::default();
        if std::mem::take(&mut self.changed) {
            self.server.kill()?;
            aof::remove(self.server.folder())?;
            self.server.restart()?;
            (self.control, self.control_db) = (self.server.connect()?, 0);
        }
        // The server learns in its own time that connections are closed; until then it counts who subscribed on them.
        self.control.ask(&["CLIENT", "KILL", "TYPE", "pubsub"])?;
        self.control.ask(&["CLIENT", "KILL", "TYPE", "normal"])?;
        self.control.ask(&["FLUSHALL"])?;
        self.control.ask(&["SCRIPT", "FLUSH"])?;
        Ok(())
    }

    /// Opens a session: a new connection, speaking RESP2, database 0.
    pub(crate) fn connect(&mut self, session: u32) -> Result<(), LabError> {
        let mut connection = self.server.connect()?;
        let Reply::Integer(client_id) = connection.ask(&["CLIENT", "ID"])? else {
            return Err(unexpected("CLIENT ID"));
        };
        let heard = Heard::default();
        let opened = Session { connection, client_id, db: 0, watched: Vec::new(), heard, queued_db: None };
        self.sessions.insert(session, opened);
        Ok(())
    }

    /// Closes a session: its transaction and its watches end with it.
    pub(crate) fn disconnect(&mut self, session: u32) {
        self.sessions.remove(&session);
        if let Some(reader) = &mut self.reader {
            reader.disconnect(session);
        }
    }

    /// Executes one command of a session and gives its reply as it was read.
    pub(crate) fn execute(&mut self, session: u32, args: &[Bytes]) -> Result<Reply, LabError> {
        if self.reads_replica(session) {
            return self.read(session, args);
        }
        if !self.sessions.contains_key(&session) {
            return Err(LabError::NoSession(session));
        }
        if let Some(what) = needs_clock(args) {
            return Err(LabError::NeedsClock { what });
        }
        self.changed |= args.first().is_some_and(|name| name.eq_ignore_ascii_case(b"CONFIG"));
        let started_ms = start_of_a_millisecond();
        if shows_time_left(args) {
            let drifted = self.deadlines.to_align(started_ms);
            self.set_unwatched(drifted, started_ms)?;
        }
        let played_ms = self.now_ms();
        let mut args_sent = args.to_vec();
        if let Some(place) = id_to_be_given(args) {
            args_sent[place] = self.id_to_give(session, &args[1], played_ms)?;
        }
        let stand_in = self.timed.stand_in(&mut self.control, args, played_ms)?;
        if let Some(stand_in) = &stand_in {
            args_sent.clone_from(&stand_in.args);
        }
        let sent_ms = real_now_ms();
        let sent = translated(&args_sent, sent_ms - played_ms);
        let state = self.sessions.get_mut(&session).ok_or(LabError::NoSession(session))?;
        let mut reply = state.call(&sent)?;
        if let Some(stand_in) = stand_in {
            reply = stand_in.own(reply);
        }
        let received_ms = real_now_ms();
        state.follow(args, &reply);
        let found = self.volatile_keys()?;
        self.deadlines.observe(found, sent_ms, received_ms);
        let now_ms = real_now_ms();
        let short = self.deadlines.to_hold(now_ms);
        self.set_unwatched(short, now_ms)?;
        Ok(reply)
    }

    /// Moves the server's played clock, forward or back. After an error nothing has been moved.
    pub(crate) fn advance(&mut self, delta_ms: i64) -> Result<(), LabError> {
        if self.reader.as_ref().is_some_and(Reader::is_held) {
            return Err(LabError::NeedsClock { what: "time that passes for a replica that lags behind".to_owned() });
        }
        let due = self.deadlines.due_after(delta_ms)?;
        let again = self.sessions_to_watch_again(&due.ended, &due.left)?;
        self.deadlines.advance(&due);
        for (db, key) in &due.ended {
            self.select(*db)?;
            // A deadline in the past: the server deletes the key at once.
            self.control.ask(&[b"PEXPIREAT", key.as_ref(), b"1"])?;
        }
        let now_ms = real_now_ms();
        for place in &due.left {
            self.set(place, now_ms)?;
        }
        self.watch_again(again)
    }

    fn watch_again(&mut self, sessions: Vec<u32>) -> Result<(), LabError> {
        for session in sessions {
            if let Some(session) = self.sessions.get_mut(&session) {
                session.watch_again()?;
            }
        }
        Ok(())
    }

    /// Gives keys the deadlines that they are to have, but leaves those alone that somebody watches.
    fn set_unwatched(&mut self, places: Vec<Place>, now_ms: i64) -> Result<(), LabError> {
        for place in places {
            if !self.sessions.values().any(|session| session.watched.contains(&place)) {
                self.set(&place, now_ms)?;
            }
        }
        Ok(())
    }

    fn set(&mut self, place: &Place, now_ms: i64) -> Result<(), LabError> {
        let Some(deadline_ms) = self.deadlines.set(place, now_ms) else { return Ok(()) };
        self.select(place.0)?;
        self.control.ask(&[b"PEXPIREAT", place.1.as_ref(), deadline_ms.to_string().as_bytes()])?;
        Ok(())
    }

    /// The sessions whose watches would break, since the deadlines of keys are set, although no watched key ends.
    fn sessions_to_watch_again(&mut self, ended: &[Place], left: &[Place]) -> Result<Vec<u32>, LabError> {
        let mut again = Vec::new();
        for (id, session) in &self.sessions {
            let Some(moved) = session.watched.iter().find(|place| left.contains(place)) else { continue };
            if session.watched.iter().any(|place| ended.contains(place)) {
                continue;
            }
            let client_id = session.client_id.to_string();
            let Reply::Bulk(line) = self.control.ask(&["CLIENT", "LIST", "ID", &client_id])? else {
                return Err(unexpected("CLIENT LIST"));
            };
            // `d` among the flags: a watched key has been modified, EXEC will fail.
            if field(&line, "flags").contains('d') {
                continue;
            }
            if session.queued_db.is_some() {
                let key = moved.1.escape_ascii();
                return Err(LabError::NeedsClock {
                    what: format!("a step of the clock while session {id} watches \"{key}\" inside MULTI"),
                });
            }
            again.push(*id);
        }
        Ok(again)
    }

    /// The time that an entry of a stream gets as its id: the played one, but never less than the last entry's. The
    /// server counts the entries of a millisecond.
    fn id_to_give(&mut self, session: u32, stream: &[u8], played_ms: i64) -> Result<Bytes, LabError> {
        let db = self.sessions.get(&session).map_or(0, |session| session.queued_db.unwrap_or(session.db));
        self.select(db)?;
        let last_ms = match self.control.call(&[b"XINFO".as_ref(), b"STREAM", stream])? {
            Reply::Array(fields) => fields.chunks_exact(2).find_map(|pair| match pair {
                [Reply::Bulk(name), Reply::Bulk(id)] if name == "last-generated-id" => {
                    str::from_utf8(id).ok()?.split_once('-')?.0.parse().ok()
                }
                _ => None,
            }),
            // There is no such stream: the server is the one to say what comes of the command.
            _ => None,
        };
        Ok(format!("{}-*", last_ms.unwrap_or(0).max(played_ms)).into())
    }

    /// Every key that has a deadline, with it (real Unix time, ms).
    fn volatile_keys(&mut self) -> Result<Vec<(Place, i64)>, LabError> {
        let Reply::Bulk(info) = self.control.ask(&["INFO", "keyspace"])? else { return Err(unexpected("INFO")) };
        let mut found = Vec::new();
        for db in databases_with_deadlines(&String::from_utf8_lossy(&info)) {
            self.select(db)?;
            for key in self.scan()? {
                let deadline = self.control.ask(&[b"PEXPIRETIME", key.as_ref()])?;
                // -1: not volatile. -2: gone since it was scanned.
                if let Reply::Integer(real_ms @ 0..) = deadline {
                    found.push(((db, key), real_ms));
                }
            }
        }
        Ok(found)
    }

    /// All keys of the selected database, each once.
    fn scan(&mut self) -> Result<Vec<Bytes>, LabError> {
        let mut keys = Vec::new();
        let mut cursor = Bytes::from_static(b"0");
        loop {
            let reply = self.control.ask(&[b"SCAN", cursor.as_ref(), b"COUNT", b"1000"])?;
            let Reply::Array(parts) = reply else { return Err(unexpected("SCAN")) };
            let [Reply::Bulk(next), Reply::Array(page)] = parts.as_slice() else { return Err(unexpected("SCAN")) };
            keys.extend(
                page.iter().filter_map(|key| if let Reply::Bulk(key) = key { Some(key.clone()) } else { None }),
            );
            if next == "0" {
                keys.sort();
                keys.dedup();
                return Ok(keys);
            }
            cursor = next.clone();
        }
    }

    fn select(&mut self, db: u32) -> Result<(), LabError> {
        if self.control_db != db {
            self.control.ask(&["SELECT", &db.to_string()])?;
            self.control_db = db;
        }
        Ok(())
    }
}

impl Session {
    /// Notes what a command that was replied to means for the session's database and watches.
    fn follow(&mut self, args: &[Bytes], reply: &Reply) {
        let Some(name) = args.first().map(|name| name.to_ascii_uppercase()) else { return };
        let failed = matches!(reply, Reply::Error(_));
        let in_multi = self.queued_db.is_some();
        match name.as_slice() {
            // An EXEC that is refused (EXECABORT, or a watched key was modified) ends the transaction as well.
            b"EXEC" | b"DISCARD" if in_multi => {
                let queued_db = self.queued_db.take();
                if matches!(reply, Reply::Array(_)) {
                    self.db = queued_db.unwrap_or(self.db);
                }
                self.watched.clear();
            }
            _ if failed => {}
            b"MULTI" => self.queued_db = Some(self.db),
            b"RESET" => (self.db, self.queued_db, self.watched) = (0, None, Vec::new()),
            b"SELECT" => {
                let db = args.get(1).and_then(|db| str::from_utf8(db).ok()?.parse().ok()).unwrap_or(self.db);
                *self.queued_db.as_mut().unwrap_or(&mut self.db) = db;
            }
            b"WATCH" => self.watched.extend(args[1..].iter().map(|key| (self.db, key.clone()))),
            b"UNWATCH" if !in_multi => self.watched.clear(),
            _ => {}
        }
    }

    /// Watches the same keys anew, as they are now.
    fn watch_again(&mut self) -> Result<(), LabError> {
        self.connection.ask(&["UNWATCH"])?;
        for (db, key) in &self.watched {
            self.connection.ask(&["SELECT", &db.to_string()])?;
            self.connection.ask(&[b"WATCH", key.as_ref()])?;
        }
        self.connection.ask(&["SELECT", &self.db.to_string()])?;
        Ok(())
    }
}

/// The databases that `INFO keyspace` says have volatile keys: `db0:keys=2,expires=1,avg_ttl=0`.
fn databases_with_deadlines(info: &str) -> Vec<u32> {
    let volatile = |line: &str| {
        let (db, counts) = line.strip_prefix("db")?.split_once(':')?;
        let expires = counts.split(',').find_map(|count| count.strip_prefix("expires="))?;
        (expires != "0").then(|| db.parse().ok()).flatten()
    };
    info.lines().filter_map(volatile).collect()
}

/// A field of a line of `CLIENT LIST`: `id=3 addr=… flags=N db=0 …`.
fn field(line: &[u8], name: &str) -> String {
    let line = String::from_utf8_lossy(line);
    let value = line.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    value.unwrap_or_default().to_owned()
}

fn unexpected(command: &str) -> LabError {
    LabError::Refused { command: command.into(), text: "a reply of another type than Redis gives".into() }
}

fn real_now() -> (i64, u32) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (i64::try_from(since.as_millis()).unwrap_or(i64::MAX), since.subsec_micros() % 1000)
}

fn real_now_ms() -> i64 {
    real_now().0
}

/// Waits, for less than a millisecond, until one begins.
fn start_of_a_millisecond() -> i64 {
    loop {
        let (now_ms, fraction_us) = real_now();
        if fraction_us < SENT_WITHIN_US {
            return now_ms;
        }
        thread::yield_now();
    }
}

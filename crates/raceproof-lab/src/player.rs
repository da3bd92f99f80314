//! Steps delivered to a real redis-server: one connection per session, and the server's clock in our hands or, where it
//! cannot be held, deadlines moved instead (`player/running.rs`).

mod faults;
mod ids;
mod messages;
mod reader;
mod running;
mod waits;

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use crate::deadlines::{Deadlines, Place};
use crate::player::faults::Mark;
use crate::player::messages::Heard;
use crate::player::reader::Reader;
use crate::replica::Replica;
use crate::script_time::Timed;
use crate::{Connection, HeldClock, LabError, RedisServer, Reply, aof};

/// One session: its connection, and what we must know to leave its `WATCH`es as they are.
#[derive(Debug)]
struct Session {
    connection: Connection,
    /// The server's id of the connection.
    client_id: i64,
    /// The id that the connection's client knows.
    shown_id: Option<i64>,
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
    /// The played clock, and the deadlines of keys unless the server has that clock.
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
    /// Somebody has been told, or could have been, which keys change.
    tracked: bool,
    /// It is not what it was when it was started, and emptying it does not make it so.
    changed: bool,
}

impl Player {
    pub(crate) fn new(server: RedisServer) -> Result<Self, LabError> {
        let control = server.connect()?;
        let epoch_ms = server.clock().map_or_else(real_now_ms, HeldClock::now_ms);
        let mut player = Self {
            server,
            control,
            control_db: 0,
            sessions: BTreeMap::new(),
            deadlines: Deadlines::default(),
            epoch_ms,
            marks: Vec::new(),
            replicas: BTreeMap::new(),
            reader: None,
            timed: Timed::default(),
            tracked: false,
            changed: false,
        };
        player.take_over()?;
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
        self.tracked = false;
        if std::mem::take(&mut self.changed) {
            self.server.kill()?;
            aof::remove(self.server.folder())?;
            self.server.restart()?;
            self.take_over()?;
        }
        // The server learns in its own time that connections are closed; until then it counts who subscribed on them.
        self.control.ask(&["CLIENT", "KILL", "TYPE", "pubsub"])?;
        self.control.ask(&["CLIENT", "KILL", "TYPE", "normal"])?;
        self.control.ask(&["FLUSHALL"])?;
        self.control.ask(&["SCRIPT", "FLUSH"])?;
        self.set_clock()
    }

    /// Finds the server, which has been started.
    fn take_over(&mut self) -> Result<(), LabError> {
        (self.control, self.control_db) = (self.server.connect()?, 0);
        if self.server.clock().is_some() {
            // Keys end in the order of their deadlines, when the clock moves. A server that refuses this takes a key away
            // by itself, in the time between the step of the clock and the look at the key that follows.
            self.control.call(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"])?;
        }
        Ok(())
    }

    /// The server's clock shows the played time, if it is held.
    fn set_clock(&self) -> Result<(), LabError> {
        self.server.clock().map_or(Ok(()), |clock| clock.set(self.now_ms()))
    }

    /// Opens a session: a new connection, speaking RESP2, database 0.
    pub(crate) fn connect(&mut self, session: u32) -> Result<(), LabError> {
        let mut connection = self.server.connect()?;
        let Reply::Integer(client_id) = connection.ask(&["CLIENT", "ID"])? else {
            return Err(unexpected("CLIENT ID"));
        };
        let heard = Heard::default();
        let opened =
            Session { connection, client_id, shown_id: None, db: 0, watched: Vec::new(), heard, queued_db: None };
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
        let is = |at: usize, word: &str| args.get(at).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
        if is(0, "CLIENT") && is(1, "PAUSE") {
            return Err(LabError::Paused);
        }
        self.changed |= is(0, "CONFIG");
        self.tracked |= is(0, "CLIENT") && is(1, "TRACKING");
        let sent = ids::to_server(args, |shown| self.client_id(shown));
        let reply = if self.server.clock().is_some() {
            let state = self.sessions.get_mut(&session).ok_or(LabError::NoSession(session))?;
            let reply = state.call(&sent)?;
            state.follow(args, &reply);
            reply
        } else {
            self.execute_running(session, &sent)?
        };
        Ok(ids::to_client(args, reply, |id| self.shown_id(id)))
    }

    /// The ids by which a connection's client knows it, and the server.
    pub(crate) fn show_id(&mut self, session: u32, shown: i64) {
        if let Some(session) = self.sessions.get_mut(&session) {
            session.shown_id = Some(shown);
        }
    }

    fn client_id(&self, shown: i64) -> Option<i64> {
        self.sessions.values().find(|session| session.shown_id == Some(shown)).map(|session| session.client_id)
    }

    fn shown_id(&self, id: i64) -> Option<i64> {
        self.sessions.values().find(|session| session.client_id == id).and_then(|session| session.shown_id)
    }

    /// Moves the server's played clock, forward or back. After an error nothing has been moved.
    pub(crate) fn advance(&mut self, delta_ms: i64) -> Result<(), LabError> {
        if self.server.clock().is_none() {
            return self.advance_running(delta_ms);
        }
        let volatile = self.volatile_keys()?;
        let due = self.deadlines.due_after(delta_ms)?;
        self.deadlines.advance(&due);
        self.set_clock()?;
        let now_ms = self.now_ms();
        let over = |(place, deadline_ms): (Place, i64)| (deadline_ms < now_ms).then_some((deadline_ms, place));
        let mut ended: Vec<(i64, Place)> = volatile.into_iter().filter_map(over).collect();
        ended.sort();
        for (_, (db, key)) in ended {
            self.select(db)?;
            // A look at the key: it is gone. Unlike a read, this tells nobody that it was missed; it has a deadline, so
            // were it there it would stay as it is.
            self.control.call(&[b"PEXPIRE".as_ref(), &key, b"1", b"NX"])?;
        }
        // Once it replies to this it has seen what else is over: waits.
        self.control.ask(&["PING"]).map(drop)
    }

    fn watch_again(&mut self, sessions: Vec<u32>) -> Result<(), LabError> {
        for session in sessions {
            if let Some(session) = self.sessions.get_mut(&session) {
                session.watch_again()?;
            }
        }
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

/// The machine's time: ms since 1970, and µs of the next.
fn real_now() -> (i64, u32) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (i64::try_from(since.as_millis()).unwrap_or(i64::MAX), since.subsec_micros() % 1000)
}

pub(crate) fn real_now_ms() -> i64 {
    real_now().0
}

//! A real redis-server of our own, on a unix socket in a temporary folder.

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use raceproof_engine::Effect;

use crate::resp::{self, Value};

/// The series of versions that the engine models.
const SERIES: &str = "7.0.";

/// How long the server may take to start, and to reply.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running redis-server; ended when dropped.
pub(crate) struct Server {
    child: Child,
    folder: tempfile::TempDir,
    /// How much of its append-only file was read (bytes).
    log_read: Cell<u64>,
    /// The database that the part which was read ends with.
    log_db: Cell<u32>,
    /// Its version, e.g. `7.0.15`.
    pub(crate) version: String,
}

impl Server {
    /// Starts the server that `RACEPROOF_REDIS_SERVER` names, or else the one on `PATH`.
    ///
    /// # Errors
    /// There is none, it is of another version, or it does not start.
    pub(crate) fn start() -> Result<Self, String> {
        let program = std::env::var_os("RACEPROOF_REDIS_SERVER").unwrap_or_else(|| OsString::from("redis-server"));
        Self::start_program(&program)
    }

    /// Starts a program that is a redis-server.
    ///
    /// # Errors
    /// There is none, it is of another version, or it does not start.
    pub(crate) fn start_program(program: &OsStr) -> Result<Self, String> {
        let version = version(program)?;
        let folder = tempfile::tempdir().map_err(|error| format!("cannot make a temporary folder: {error}"))?;
        let socket = folder.path().join("redis.sock");
        let child = Command::new(program)
            .args(["--port", "0", "--save", "", "--appendonly", "yes", "--daemonize", "no", "--loglevel", "warning"])
            .args(["--appendfsync", "no", "--auto-aof-rewrite-percentage", "0"])
            .args(["--enable-debug-command", "yes", "--unixsocket"])
            .arg(&socket)
            .arg("--dir")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let mut server = Self { child, folder, version, log_read: Cell::new(0), log_db: Cell::new(0) };
        server.await_socket()?;
        // Keys vanish when they are touched, as in the engine, and not when the server's own cycle finds them.
        server.connect().request(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
        Ok(server)
    }

    /// A new connection.
    ///
    /// # Panics
    /// If the server is gone.
    pub(crate) fn connect(&self) -> Connection {
        let stream = UnixStream::connect(self.folder.path().join("redis.sock")).expect("connecting to redis-server");
        stream.set_read_timeout(Some(PATIENCE)).expect("a read timeout");
        let mut connection = Connection { stream, buffer: Vec::new(), start: 0, ended: false, id: String::new() };
        let Value::Line(b':', id) = connection.request(&["CLIENT", "ID"]) else { panic!("CLIENT ID has no number") };
        connection.id = String::from_utf8(id).expect("a number");
        connection
    }

    /// What it appended to its append-only file since the last call. It writes before it replies, so that the commands
    /// whose replies were read are all there.
    ///
    /// # Panics
    /// If there is no such file, or it is broken.
    pub(crate) fn appended(&self) -> Vec<Effect> {
        let path = self.folder.path().join("appendonlydir/appendonly.aof.1.incr.aof");
        let mut file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        file.seek(SeekFrom::Start(self.log_read.get())).expect("seeking in the append-only file");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).expect("reading the append-only file");
        self.log_read.set(self.log_read.get() + bytes.len() as u64);
        let (mut effects, mut db, mut at) = (Vec::new(), self.log_db.get(), 0);
        while let Some((command, length)) = resp::parse(&bytes[at..]) {
            at += length;
            let words = command.elements().expect("a command is an array");
            let args: Vec<Bytes> = words.iter().filter_map(Value::bulk).map(Bytes::copy_from_slice).collect();
            if args[0] == "SELECT" {
                db = String::from_utf8_lossy(&args[1]).parse().expect("the number of a database");
            } else {
                effects.push(Effect { db, args });
            }
        }
        assert_eq!(at, bytes.len(), "the append-only file ends within a command");
        self.log_db.set(db);
        effects
    }

    fn await_socket(&mut self) -> Result<(), String> {
        let socket = self.folder.path().join("redis.sock");
        let begin = Instant::now();
        while UnixStream::connect(&socket).is_err() {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("redis-server {} ended at once: {status}", self.version));
            }
            if begin.elapsed() > PATIENCE {
                return Err(format!("redis-server {} did not listen within {PATIENCE:?}", self.version));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn version(program: &OsStr) -> Result<String, String> {
    let shown = program.display();
    let output = Command::new(program).arg("--version").output().map_err(|error| {
        format!(
            "the engine is compared with a real redis-server {SERIES}x, and {shown} cannot be run ({error}). \
             `cargo xtask test` installs it; so does `apt-get install redis-server`; \
             RACEPROOF_REDIS_SERVER=/path/to/redis-server names another one"
        )
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.split_whitespace().find_map(|word| word.strip_prefix("v=")).unwrap_or("unknown");
    if version.starts_with(SERIES) {
        return Ok(version.to_owned());
    }
    Err(format!(
        "the engine is Redis {SERIES}x, but {shown} is version {version}. \
         RACEPROOF_REDIS_SERVER=/path/to/redis-server names another one"
    ))
}

/// What is heard when a connection is closed.
pub(crate) const CLOSED: &[u8] = b"(closed)";

/// A connection to the server.
pub(crate) struct Connection {
    stream: UnixStream,
    buffer: Vec<u8>,
    start: usize,
    /// Whether the server was found to have closed it.
    ended: bool,
    /// `CLIENT ID`
    pub(crate) id: String,
}

impl Connection {
    /// Sends commands all at once.
    ///
    /// # Panics
    /// If the server is gone.
    pub(crate) fn send(&mut self, commands: &[Vec<Bytes>]) {
        let mut bytes = Vec::new();
        for args in commands {
            write!(bytes, "*{}\r\n", args.len()).expect("writing to memory");
            for arg in args {
                write!(bytes, "${}\r\n", arg.len()).expect("writing to memory");
                bytes.extend_from_slice(arg);
                bytes.extend_from_slice(b"\r\n");
            }
        }
        self.stream.write_all(&bytes).expect("writing to redis-server");
    }

    /// Reads one reply: its bytes, and what they mean.
    ///
    /// # Panics
    /// If the server is gone or silent.
    pub(crate) fn receive(&mut self) -> (Vec<u8>, Value) {
        loop {
            if let Some((value, length)) = resp::parse(&self.buffer[self.start..]) {
                let bytes = self.buffer[self.start..self.start + length].to_vec();
                self.start += length;
                if self.start == self.buffer.len() {
                    self.buffer.clear();
                    self.start = 0;
                }
                return (bytes, value);
            }
            let mut more = [0; 65536];
            let count = self.stream.read(&mut more).expect("reading from redis-server");
            assert!(count > 0, "redis-server closed the connection");
            self.buffer.extend_from_slice(&more[..count]);
        }
    }

    /// Takes what has come, without waiting for more.
    ///
    /// # Panics
    /// If the connection is broken. That it was closed is heard once.
    pub(crate) fn take(&mut self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.buffer[self.start..]);
        self.buffer.clear();
        self.start = 0;
        self.stream.set_nonblocking(true).expect("a socket that does not wait");
        let mut more = [0; 65536];
        loop {
            match self.stream.read(&mut more) {
                Ok(0) => {
                    if !std::mem::replace(&mut self.ended, true) {
                        into.extend_from_slice(CLOSED);
                    }
                    break;
                }
                Ok(count) => into.extend_from_slice(&more[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
                Err(error) => panic!("reading from redis-server: {error}"),
            }
        }
        self.stream.set_nonblocking(false).expect("a socket that waits");
    }

    /// Reads one reply, unless the server says through `control` that the connection waits for one: `None`.
    ///
    /// # Panics
    /// If the server is gone or silent.
    pub(crate) fn receive_unless_waiting(&mut self, control: &mut Self) -> Option<(Vec<u8>, Value)> {
        let begin = Instant::now();
        loop {
            if control.says_waiting(self) {
                return None;
            }
            self.stream.set_nonblocking(true).expect("a socket");
            let mut more = [0; 65536];
            let count = self.stream.read(&mut more).unwrap_or_default();
            self.stream.set_nonblocking(false).expect("a socket");
            self.buffer.extend_from_slice(&more[..count]);
            if !self.buffer.is_empty() {
                return Some(self.receive());
            }
            assert!(begin.elapsed() < PATIENCE, "redis-server neither replies nor waits");
        }
    }

    /// Whether the server says that another connection waits.
    pub(crate) fn says_waiting(&mut self, other: &Self) -> bool {
        let list = self.request(&["CLIENT", "LIST", "ID", &other.id]);
        list.bulk().is_some_and(|line| line.windows(8).any(|part| part == b" flags=b"))
    }

    /// Sends one command and reads its reply.
    pub(crate) fn request(&mut self, words: &[&str]) -> Value {
        self.send(&[words.iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect()]);
        self.receive().1
    }
}

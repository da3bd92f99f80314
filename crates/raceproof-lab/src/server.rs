//! A redis-server process of one's own.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fmt, thread};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::binary::{not_started, program};
use crate::{Connection, HeldClock, LabError, Reply, Version};

/// How long a server may take until it answers. It takes 10 ms on an idle machine.
const START_WAIT: Duration = Duration::from_secs(20);
/// Between two looks at whether it answers.
const START_POLL: Duration = Duration::from_millis(2);
/// Another process may take the free port that we found before the server binds it.
const PORT_ATTEMPTS: u32 = 5;
/// How much of a log an error shows.
const LOG_LINES_SHOWN: usize = 15;

/// What a server is started with.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    program: Option<OsString>,
    tcp: bool,
    config: Vec<(String, String)>,
    clock: Option<Arc<HeldClock>>,
}

impl Builder {
    /// Adds a directive of redis.conf, e.g. `("maxmemory", "10mb")`. It comes after the lab's own and wins over them.
    /// A value that holds spaces as a single argument is quoted by the caller, as in redis.conf.
    #[must_use]
    pub fn config(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.push((key.into(), value.into()));
        self
    }

    /// Listens also on a free TCP port of the loopback interface.
    #[must_use]
    pub fn tcp(mut self) -> Self {
        self.tcp = true;
        self
    }

    /// Gives the server this clock instead of the machine's. Several servers may have one clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<HeldClock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Runs this program instead of the one that `RACEPROOF_REDIS_SERVER` or PATH names.
    #[must_use]
    pub fn program(mut self, program: impl Into<OsString>) -> Self {
        self.program = Some(program.into());
        self
    }

    /// Starts the server and waits until it answers.
    ///
    /// # Errors
    /// There is no such program, it ended (a bad directive; the error shows its log), it did not answer within 20 s, or it
    /// does not take the clock that it was given ([`LabError::ClockNotHeld`]).
    pub fn start(self) -> Result<RedisServer, LabError> {
        let program = self.program.clone().unwrap_or_else(program);
        let mut attempts = if self.tcp { PORT_ATTEMPTS } else { 1 };
        loop {
            attempts -= 1;
            match RedisServer::launch(&self, program.clone()) {
                Err(LabError::EndedAtStart { log, .. }) if attempts > 0 && log.contains("bind: Address already") => {}
                outcome => return outcome,
            }
        }
    }
}

/// A running redis-server, killed when dropped.
///
/// It listens on a unix socket in a temporary folder of its own, where its log and its data files are too. It starts
/// with `save ""` and `appendonly no`; [`Builder::config`] changes that. Should the test process itself be killed, the
/// server outlives it: it is an ordinary child, and the folder names it (`raceproof-redis-…`).
pub struct RedisServer {
    child: Child,
    program: OsString,
    folder: TempDir,
    tcp_port: Option<u16>,
    version: Version,
    builder: Builder,
}

impl RedisServer {
    /// Starts a server with the lab's defaults.
    ///
    /// # Errors
    /// See [`Builder::start`].
    pub fn start() -> Result<Self, LabError> {
        Self::builder().start()
    }

    /// What a server is started with.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn launch(builder: &Builder, program: OsString) -> Result<Self, LabError> {
        let folder = tempfile::Builder::new()
            .prefix("raceproof-redis-")
            .tempdir()
            .map_err(LabError::io("cannot make a temporary folder"))?;
        let tcp_port = if builder.tcp { Some(free_port()?) } else { None };
        let config = config_file(folder.path(), tcp_port, &builder.config)?;
        fs::write(folder.path().join("redis.conf"), config).map_err(LabError::io("cannot write redis.conf"))?;
        let child = spawn(&program, folder.path(), builder.clock.as_deref())?;
        let version = Version { major: 0, minor: 0, patch: 0 };
        // From here on the child has an owner whose drop ends it.
        let mut server = Self { child, program, folder, tcp_port, version, builder: builder.clone() };
        server.wait_until_it_answers()?;
        server.version = server.ask_version()?;
        server.has_its_clock()?;
        Ok(server)
    }

    /// An error if it was given a clock and has another one.
    fn has_its_clock(&self) -> Result<(), LabError> {
        let Some(clock) = &self.builder.clock else { return Ok(()) };
        let now_ms = clock.now_ms();
        // To the microsecond: the machine's clock may well show the same second.
        let shown = [now_ms / 1000, now_ms % 1000 * 1000].map(|part| Reply::Bulk(part.to_string().into()));
        match self.connect()?.ask(&["TIME"])? {
            Reply::Array(time) if time == shown => Ok(()),
            _ => {
                let program = self.program.display();
                let why = format!(
                    "{program} shows the machine's time; it must be dynamically linked, and programs must be allowed to run from {}",
                    std::env::temp_dir().display()
                );
                Err(LabError::ClockNotHeld { why })
            }
        }
    }

    /// The clock that it was given.
    pub(crate) fn clock(&self) -> Option<&HeldClock> {
        self.builder.clock.as_deref()
    }

    /// Starts another server with the same program and the same configuration, empty, in a folder of its own.
    ///
    /// # Errors
    /// See [`Builder::start`].
    pub fn another(&self) -> Result<Self, LabError> {
        self.builder.clone().start()
    }

    /// The port on 127.0.0.1; a server that was started without one listens on a free one from now on, until it ends.
    pub(crate) fn listen(&self, control: &mut Connection) -> Result<u16, LabError> {
        if let Some(port) = self.tcp_port {
            return Ok(port);
        }
        let asked = control.ask(&["CONFIG", "GET", "port"])?;
        if let Reply::Array(pair) = &asked
            && let Some(Reply::Bulk(port)) = pair.get(1)
            && let Some(port @ 1..) = str::from_utf8(port).ok().and_then(|port| port.parse().ok())
        {
            return Ok(port);
        }
        let mut attempts = PORT_ATTEMPTS;
        loop {
            attempts -= 1;
            let port = free_port()?;
            match control.ask(&["CONFIG", "SET", "port", &port.to_string()]) {
                Ok(_) => return Ok(port),
                Err(LabError::Refused { .. }) if attempts > 0 => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn wait_until_it_answers(&mut self) -> Result<(), LabError> {
        let since = Instant::now();
        loop {
            let ended = self.child.try_wait().map_err(LabError::io("cannot look after redis-server"))?;
            if let Some(status) = ended {
                return Err(LabError::EndedAtStart { status, log: self.log_tail() });
            }
            // Until it listens there is nothing to connect to, and while it loads its data PING is an error reply.
            let answer = self.connect().and_then(|mut connection| {
                connection.set_timeout(START_WAIT);
                connection.call(&["PING"])
            });
            if let Ok(Reply::Status(text)) = answer
                && text == "PONG"
            {
                return Ok(());
            }
            if since.elapsed() > START_WAIT {
                return Err(LabError::NoAnswer { waited: START_WAIT, log: self.log_tail() });
            }
            thread::sleep(START_POLL);
        }
    }

    fn ask_version(&self) -> Result<Version, LabError> {
        let reply = self.connect()?.ask(&["INFO", "server"])?;
        let version = match &reply {
            Reply::Bulk(text) => String::from_utf8_lossy(text)
                .lines()
                .find_map(|line| line.strip_prefix("redis_version:").and_then(Version::parse)),
            _ => None,
        };
        version.ok_or_else(|| LabError::NotAServer {
            path: (&self.program).into(),
            why: "INFO server names no redis_version".into(),
        })
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// The server is not running.
    pub fn connect(&self) -> Result<Connection, LabError> {
        Connection::open(&self.socket())
    }

    /// The unix socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    /// The port on 127.0.0.1, if TCP was asked for.
    #[must_use]
    pub fn tcp_port(&self) -> Option<u16> {
        self.tcp_port
    }

    /// The unix socket as redis-rs wants it: `unix:///…`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// The folder with its socket, its configuration, its log and its data files. Removed on drop.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The version that the server itself reports.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The process's id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All that the server has logged, in this life and earlier ones.
    #[must_use]
    pub fn log(&self) -> String {
        let read = |name| fs::read(self.folder.path().join(name)).unwrap_or_default();
        // What is wrong with a configuration is said before there is a log file.
        let text = [read("stderr.log"), read("redis.log")].concat();
        String::from_utf8_lossy(&text).into_owned()
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
        let shown = lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n  ");
        if shown.is_empty() { "  (nothing)".into() } else { format!("  {shown}") }
    }

    /// `kill -9`, then waits until the process is gone. What it had written stays in its folder. Killing it twice is
    /// no error.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn kill(&mut self) -> Result<ExitStatus, LabError> {
        self.child.kill().map_err(LabError::io("cannot kill redis-server"))?;
        self.child.wait().map_err(LabError::io("cannot wait for redis-server"))
    }

    /// Starts the server again on the same files, after [`Self::kill`] or on its own death; a running one is killed
    /// first. Waits until it has loaded its data.
    ///
    /// # Errors
    /// See [`Builder::start`].
    pub fn restart(&mut self) -> Result<(), LabError> {
        self.kill()?;
        self.child = spawn(&self.program, self.folder.path(), self.builder.clock.as_deref())?;
        self.wait_until_it_answers()
    }

    /// SIGSTOP: the process keeps its sockets and does nothing.
    ///
    /// # Errors
    /// The server is not running.
    pub fn pause(&mut self) -> Result<(), LabError> {
        self.signal(Signal::STOP, "cannot pause redis-server")
    }

    /// SIGCONT: goes on after [`Self::pause`].
    ///
    /// # Errors
    /// The server is not running.
    pub fn resume(&mut self) -> Result<(), LabError> {
        self.signal(Signal::CONT, "cannot resume redis-server")
    }

    fn signal(&mut self, signal: Signal, what: &str) -> Result<(), LabError> {
        // A child that has ended and was waited for may have given its id to another process.
        if let Some(status) = self.child.try_wait().map_err(LabError::io(what))? {
            let cause = std::io::Error::other(format!("it has ended ({status})"));
            return Err(LabError::Io { what: what.into(), cause });
        }
        kill_process(Pid::from_child(&self.child), signal).map_err(|cause| LabError::io(what)(cause.into()))
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // Nothing is left to be done if this fails, and a drop must not panic.
        let _ = self.kill();
    }
}

impl fmt::Debug for RedisServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, folder, .. } = self;
        write!(f, "RedisServer({version}, pid {}, {})", self.pid(), folder.path().display())
    }
}

/// The text of redis.conf.
fn config_file(folder: &Path, tcp_port: Option<u16>, own: &[(String, String)]) -> Result<String, LabError> {
    let quoted = |name: &str| format!("\"{}\"", folder.join(name).display());
    let mut lines = vec![
        format!("dir {}", quoted("")),
        format!("logfile {}", quoted("redis.log")),
        format!("unixsocket {}", quoted("redis.sock")),
        "unixsocketperm 700".to_owned(),
        format!("port {}", tcp_port.unwrap_or(0)),
        "bind 127.0.0.1".to_owned(),
        "protected-mode no".to_owned(),
        "daemonize no".to_owned(),
        "save \"\"".to_owned(),
        "appendonly no".to_owned(),
    ];
    for (key, value) in own {
        if key.contains(['\r', '\n']) || value.contains(['\r', '\n']) {
            return Err(LabError::BadConfig { key: key.clone() });
        }
        lines.push(format!("{key} {}", if value.is_empty() { "\"\"" } else { value }));
    }
    lines.push(String::new());
    Ok(lines.join("\n"))
}

fn spawn(program: &OsString, folder: &Path, clock: Option<&HeldClock>) -> Result<Child, LabError> {
    let errors = File::options()
        .create(true)
        .append(true)
        .open(folder.join("stderr.log"))
        .map_err(LabError::io("cannot write to the temporary folder"))?;
    let mut command = Command::new(program);
    if let Some(clock) = clock {
        clock.give_to(&mut command);
    }
    command
        .arg(folder.join("redis.conf"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors)
        .spawn()
        .map_err(|cause| not_started(program, &cause))
}

fn free_port() -> Result<u16, LabError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(LabError::io("cannot find a free port"))?;
    Ok(listener.local_addr().map_err(LabError::io("cannot find a free port"))?.port())
}

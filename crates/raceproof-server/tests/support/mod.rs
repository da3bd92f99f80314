//! A server in a thread of its own, and connections that send and read plain bytes.
#![allow(dead_code, reason = "not every test needs everything")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use raceproof_server::{Clock, Server, Settings, Stopper};

/// The time at which the clocks of these tests stand still: a Tuesday in 2023.
pub(crate) const START_MS: i64 = 1_700_000_000_000;

/// How long a reply may take, on a machine that does much else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. It ends when dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stopper: Stopper,
    thread: Option<JoinHandle<()>>,
}

/// Starts a server on a free port, with a clock that stands still.
pub(crate) fn start() -> Running {
    start_with(|_| {})
}

/// Starts a server with other settings.
pub(crate) fn start_with(change: impl FnOnce(&mut Settings)) -> Running {
    let clock = Clock::Frozen { at_us: START_MS * 1000 };
    let mut settings = Settings { port: Some(0), clock, ..Settings::default() };
    change(&mut settings);
    // An engine's Lua state stays in its thread, so the server is made there.
    let (tell, told) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let mut server = Server::new(settings).expect("a free port of the loopback interface can be listened on");
        tell.send((server.address().expect("it listens on TCP"), server.stopper())).expect("the test waits for it");
        server.run().expect("the poll works");
    });
    let (address, stopper) = told.recv_timeout(PATIENCE).expect("the server starts");
    Running { address, stopper, thread: Some(thread) }
}

impl Running {
    pub(crate) fn connect(&self) -> Wire {
        Wire::tcp(self.address)
    }

    pub(crate) fn url(&self, universe: &str) -> String {
        let user = if universe.is_empty() { String::new() } else { format!("{universe}:x@") };
        format!("redis://{user}{}", self.address)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper.stop();
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            assert!(matches!(ended, Some(Ok(()))), "the server ends without a panic");
        }
    }
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// A connection without a client library.
pub(crate) struct Wire {
    stream: Box<dyn Stream>,
    end: Box<dyn Fn() + Send>,
    at_once: Box<dyn Fn(bool) + Send>,
    pending: Vec<u8>,
}

impl Wire {
    pub(crate) fn tcp(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server accepts connections");
        stream.set_read_timeout(Some(PATIENCE)).expect("the stream is open");
        stream.set_nodelay(true).expect("the stream is open");
        let other = Arc::new(stream.try_clone().expect("the stream is open"));
        let same = Arc::clone(&other);
        let end = move || drop(other.shutdown(std::net::Shutdown::Write));
        let at_once = move |on| same.set_nonblocking(on).expect("the stream is open");
        Self { stream: Box::new(stream), end: Box::new(end), at_once: Box::new(at_once), pending: Vec::new() }
    }

    pub(crate) fn unix(path: &Path) -> Self {
        let stream = UnixStream::connect(path).expect("the server accepts connections");
        stream.set_read_timeout(Some(PATIENCE)).expect("the stream is open");
        let other = Arc::new(stream.try_clone().expect("the stream is open"));
        let same = Arc::clone(&other);
        let end = move || drop(other.shutdown(std::net::Shutdown::Write));
        let at_once = move |on| same.set_nonblocking(on).expect("the stream is open");
        Self { stream: Box::new(stream), end: Box::new(end), at_once: Box::new(at_once), pending: Vec::new() }
    }

    /// Sends bytes. A server that has hung up already is no error here.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Says that nothing more will be sent.
    pub(crate) fn end(&self) {
        (self.end)();
    }

    /// Everything up to the end of the connection.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.pending);
        // A reset tells no more than an end.
        let _ = self.stream.read_to_end(&mut bytes);
        bytes
    }

    /// The next reply, as bytes.
    pub(crate) fn reply(&mut self) -> Vec<u8> {
        loop {
            if let Some(len) = reply_len(&self.pending) {
                return self.pending.drain(..len).collect();
            }
            let mut buffer = [0; 65536];
            let len = self.stream.read(&mut buffer).expect("a reply arrives in time");
            assert!(len > 0, "the server hung up after {:?}", String::from_utf8_lossy(&self.pending));
            self.pending.extend_from_slice(&buffer[..len]);
        }
    }

    /// The next line, without its end.
    pub(crate) fn line(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.extend(self.bytes(1));
        }
        String::from_utf8(line).expect("lines here are text").trim_end_matches("\r\n").to_owned()
    }

    /// The next so many bytes.
    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.pending.len() < count {
            let mut buffer = [0; 65536];
            let len = self.stream.read(&mut buffer).expect("the bytes arrive in time");
            assert!(len > 0, "the server hung up");
            self.pending.extend_from_slice(&buffer[..len]);
        }
        self.pending.drain(..count).collect()
    }

    /// Sends a command, words between spaces, and gives the reply as text.
    pub(crate) fn ask(&mut self, command: &str) -> String {
        self.send(format!("{command}\r\n").as_bytes());
        self.told()
    }

    /// The next reply as text, without its last line's end.
    pub(crate) fn told(&mut self) -> String {
        String::from_utf8(self.reply()).expect("replies here are text").trim_end_matches("\r\n").to_owned()
    }

    /// Whether the news that the server has hung up is here already.
    pub(crate) fn is_known_to_have_ended(&mut self) -> bool {
        (self.at_once)(true);
        let read = self.stream.read(&mut [0; 16]);
        (self.at_once)(false);
        !matches!(read, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
    }

    /// Whether the server has hung up.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.rest().is_empty()
    }
}

/// The length of the first reply of some bytes, if it is whole.
fn reply_len(bytes: &[u8]) -> Option<usize> {
    let line = bytes.windows(2).position(|two| two == b"\r\n")? + 2;
    let number = || std::str::from_utf8(&bytes[1..line - 2]).ok()?.parse::<i64>().ok();
    let elements = |count: i64| {
        let mut len = line;
        for _ in 0..count.max(0) {
            len += reply_len(&bytes[len..])?;
        }
        Some(len)
    };
    match bytes[0] {
        b'$' | b'=' => match number()? {
            len if len < 0 => Some(line),
            len => (bytes.len() >= line + len as usize + 2).then_some(line + len as usize + 2),
        },
        b'*' | b'~' | b'>' => elements(number()?),
        b'%' => elements(number()? * 2),
        _ => Some(line),
    }
}

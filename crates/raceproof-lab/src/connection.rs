//! One blocking connection: a command goes out, its reply comes back.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::resp::Reader;
use crate::{LabError, Reply};

/// How long a reply is waited for unless [`Connection::set_timeout`] says otherwise.
const REPLY_WAIT: Duration = Duration::from_secs(10);

/// A connection to a server's unix socket. It speaks RESP2 until the caller sends `HELLO 3`.
#[derive(Debug)]
pub struct Connection {
    stream: UnixStream,
    reader: Reader,
    timeout: Duration,
    /// The last command sent, for errors.
    last: String,
}

impl Connection {
    /// Connects to a unix socket.
    ///
    /// # Errors
    /// [`LabError::Io`]: nobody listens there.
    pub fn open(socket: &Path) -> Result<Self, LabError> {
        let stream =
            UnixStream::connect(socket).map_err(LabError::io(format!("cannot connect to {}", socket.display())))?;
        Ok(Self { stream, reader: Reader::new(), timeout: REPLY_WAIT, last: String::new() })
    }

    /// Sets how long a reply is waited for (10 s by default).
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Sends a command and waits for its reply. An error reply is a reply.
    ///
    /// # Errors
    /// No whole reply came in time, the connection ended, or the bytes are no RESP. The command may have been applied.
    pub fn call<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Result<Reply, LabError> {
        self.send(args)?;
        Ok(self.receive()?.0)
    }

    /// [`Connection::call`] for the lab's own commands: an error reply is an error.
    pub(crate) fn ask<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Result<Reply, LabError> {
        match self.call(args)? {
            Reply::Error(text) => {
                Err(LabError::Refused { command: shown(args), text: String::from_utf8_lossy(&text).into_owned() })
            }
            reply => Ok(reply),
        }
    }

    /// Sends a command without waiting, for pipelines.
    ///
    /// # Errors
    /// The connection ended.
    pub fn send<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Result<(), LabError> {
        let mut wire = format!("*{}\r\n", args.len()).into_bytes();
        for arg in args {
            wire.extend_from_slice(format!("${}\r\n", arg.as_ref().len()).as_bytes());
            wire.extend_from_slice(arg.as_ref());
            wire.extend_from_slice(b"\r\n");
        }
        self.last = shown(&args[..args.len().min(1)]);
        self.stream.set_write_timeout(Some(self.timeout)).map_err(LabError::io("cannot set a timeout"))?;
        self.stream.write_all(&wire).map_err(|cause| self.broken(cause))
    }

    /// The next reply, with the bytes it was read from.
    ///
    /// # Errors
    /// As for [`Connection::call`].
    pub fn receive(&mut self) -> Result<(Reply, Bytes), LabError> {
        let deadline = Instant::now() + self.timeout;
        let mut chunk = [0; 16 * 1024];
        loop {
            let next = self.reader.next_reply();
            if let Some(reply) = next.map_err(|cause| LabError::Resp { command: self.last.clone(), cause })? {
                return Ok(reply);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.timed_out());
            }
            self.stream.set_read_timeout(Some(left)).map_err(LabError::io("cannot set a timeout"))?;
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(LabError::Closed { command: self.last.clone() }),
                Ok(count) => self.reader.feed(&chunk[..count]),
                Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
                Err(cause) => return Err(self.broken(cause)),
            }
        }
    }

    fn timed_out(&self) -> LabError {
        LabError::TimedOut { command: self.last.clone(), waited: self.timeout }
    }

    fn broken(&self, cause: std::io::Error) -> LabError {
        match cause.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => self.timed_out(),
            ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => LabError::Closed { command: self.last.clone() },
            _ => LabError::Io { what: format!("the connection failed at {}", self.last), cause },
        }
    }
}

/// A command for an error message. `AUTH` and the like are not among the lab's own commands, and of others only the
/// name is shown, so no password gets here.
fn shown<A: AsRef<[u8]>>(args: &[A]) -> String {
    let words: Vec<String> = args.iter().map(|arg| arg.as_ref().escape_ascii().to_string()).collect();
    if words.is_empty() { "an empty command".into() } else { words.join(" ") }
}

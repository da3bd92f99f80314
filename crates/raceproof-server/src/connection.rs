//! One connection: its socket, what has come in and is not understood yet, and what is yet to go out.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use mio::net::{TcpStream, UnixStream};
use mio::{Interest, Registry, Token, event::Source};
use raceproof_engine::SessionId;

use crate::buffers::Sizes;
use crate::replication::Announced;
use crate::request::Parser;
use crate::universe::Universe;

/// A buffer that has grown beyond this is given back when it is empty.
const KEPT: usize = 64 * 1024;

/// A stream of either kind.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// The two ends of a connection as Redis writes them: `127.0.0.1:50000`, or the path of the socket and `:0`.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    pub(crate) peer: Bytes,
    pub(crate) local: Bytes,
}

impl Socket {
    /// The two ends; of one that is gone already, nothing but `?:0`.
    pub(crate) fn addresses(&self) -> Addresses {
        let written = |address: io::Result<SocketAddr>| address.map_or("?:0".to_owned(), |address| address.to_string());
        match self {
            Self::Tcp(stream) => {
                Addresses { peer: written(stream.peer_addr()).into(), local: written(stream.local_addr()).into() }
            }
            Self::Unix(stream) => {
                let address = stream.local_addr().ok();
                let path = address.as_ref().and_then(|address| address.as_pathname());
                let path = path.map_or_else(|| "?".to_owned(), |path| path.display().to_string());
                let text = Bytes::from(format!("{path}:0"));
                Addresses { peer: text.clone(), local: text }
            }
        }
    }

    /// Has the system ask a peer that has been silent for so many seconds whether it is still there, and give it up after three
    /// questions without an answer, a third of that time apart.
    pub(crate) fn keep_alive(&self, seconds: u32) -> io::Result<()> {
        use rustix::net::sockopt;
        let Self::Tcp(stream) = self else { return Ok(()) };
        let span = |seconds: u32| Duration::from_secs(seconds.max(1).into());
        sockopt::set_socket_keepalive(stream, true)?;
        sockopt::set_tcp_keepidle(stream, span(seconds))?;
        sockopt::set_tcp_keepintvl(stream, span(seconds / 3))?;
        Ok(sockopt::set_tcp_keepcnt(stream, 3)?)
    }

    fn source(&mut self) -> &mut dyn Source {
        match self {
            Self::Tcp(stream) => stream,
            Self::Unix(stream) => stream,
        }
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    /// Writes what is followed by the end of the connection: the system may wait for [`Socket::end`], so that both go out together.
    fn write_last(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Tcp(stream) => Ok(rustix::net::send(stream, bytes, rustix::net::SendFlags::MORE)?),
            _ => self.write(bytes),
        }
    }

    /// Says that nothing more will come.
    fn end(&self) {
        // One that is gone already has nobody to tell.
        let _ = match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Self::Unix(stream) => stream.shutdown(Shutdown::Write),
        };
    }
}

/// What has gone through a socket.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traffic {
    /// Bytes.
    pub(crate) input: u64,
    /// Bytes.
    pub(crate) output: u64,
    pub(crate) reads: u64,
    pub(crate) writes: u64,
}

/// What is left to do for a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It is open.
    #[default]
    No,
    /// It is closed once everything has gone out; nothing that it sends is read any more.
    AfterOutput,
    /// It is closed at once.
    Now,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) socket: Socket,
    pub(crate) parser: Parser,
    /// Input that is not understood yet, from `at` on.
    pub(crate) input: Vec<u8>,
    pub(crate) at: usize,
    /// Output, of which `sent` bytes have gone out.
    pub(crate) output: Vec<u8>,
    pub(crate) sent: usize,
    /// Since when its output has been above the soft limit (Unix s of the machine's clock).
    pub(crate) above_since: Option<i64>,
    /// When it last sent or took something (Unix s of its universe's clock).
    pub(crate) active_s: i64,
    /// The place of its universe.
    pub(crate) universe: usize,
    pub(crate) session: SessionId,
    pub(crate) addresses: Addresses,
    /// Whether it has sent nothing yet but `AUTH`, `HELLO` and `CLIENT`.
    pub(crate) begins: bool,
    /// Whether its command waits: what comes after it stays in `input`.
    pub(crate) waits: bool,
    /// What is to be done once the command that a pause holds has been executed.
    pub(crate) then: Option<fn(&mut Universe)>,
    /// Until when its next command is held back because a fault delays its replies.
    pub(crate) held: bool,
    pub(crate) ending: Ending,
    /// Whether the peer will send no more.
    pub(crate) input_ended: bool,
    /// Whether it is in the list of those with output to be written.
    pub(crate) is_dirty: bool,
    /// Whether it is in the list of those that can go on without news from the socket.
    pub(crate) is_ready: bool,
    /// Whether there may be more to read.
    pub(crate) readable: bool,
    pub(crate) awaits_room: bool,
    pub(crate) traffic: Traffic,
    pub(crate) sizes: Sizes,
    /// Whether it is a replica, which gets the effects of its universe.
    pub(crate) is_fed: bool,
    /// How much of its output, from its start on, is a snapshot, which no limit counts.
    pub(crate) spared: usize,
    /// What a replica says of itself before it asks for them (`REPLCONF`).
    pub(crate) announced: Announced,
}

impl Connection {
    pub(crate) fn new(socket: Socket, universe: usize, session: SessionId) -> Self {
        Self {
            addresses: socket.addresses(),
            socket,
            parser: Parser::default(),
            input: Vec::new(),
            at: 0,
            output: Vec::new(),
            sent: 0,
            above_since: None,
            active_s: i64::MIN,
            universe,
            session,
            begins: true,
            waits: false,
            then: None,
            held: false,
            ending: Ending::No,
            input_ended: false,
            is_dirty: false,
            is_ready: false,
            readable: false,
            awaits_room: false,
            traffic: Traffic::default(),
            sizes: Sizes::default(),
            is_fed: false,
            spared: 0,
            announced: Announced::default(),
        }
    }

    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(self.socket.source(), token, Interest::READABLE)
    }

    pub(crate) fn deregister(&mut self, registry: &Registry) {
        // The descriptor is closed next, which ends the registration in any case.
        let _ = registry.deregister(self.socket.source());
    }

    /// Whether commands that have come in may be executed.
    pub(crate) fn may_go_on(&self) -> bool {
        !self.waits && !self.held && self.ending == Ending::No
    }

    /// Bytes that have come in and are not understood yet.
    pub(crate) const fn pending_input(&self) -> usize {
        self.input.len() - self.at + self.parser.kept()
    }

    /// Bytes that are yet to go out.
    pub(crate) const fn pending_output(&self) -> usize {
        self.output.len() - self.sent
    }

    /// Keeps what is left of the input, in memory that fits.
    pub(crate) fn compact_input(&mut self) {
        if self.at == self.input.len() {
            self.input.clear();
            if self.input.capacity() > KEPT {
                self.input = Vec::new();
            }
        } else if self.at > 0 {
            self.input.drain(..self.at);
        }
        self.at = 0;
    }

    /// Ends the connection after its output, or sooner if that was decided already.
    pub(crate) fn end_after_output(&mut self) {
        if self.ending == Ending::No {
            self.ending = Ending::AfterOutput;
        }
    }

    /// Writes as much as the socket takes, and has the poll tell when it takes more. Tells whether the connection is
    /// still of use. The last bytes of one that ends arrive with its end, over TCP on Linux in one segment: a client that has the reply
    /// to `QUIT` and looks whether its connection is still open never finds it so.
    pub(crate) fn flush(&mut self, registry: &Registry, token: Token) -> bool {
        let ends = self.ending == Ending::AfterOutput;
        self.sizes.note_output(self.output.len());
        while self.sent < self.output.len() {
            let left = &self.output[self.sent..];
            match if ends { self.socket.write_last(left) } else { self.socket.write(left) } {
                Ok(0) => return false,
                Ok(written) => {
                    self.sent += written;
                    self.traffic.output += written as u64;
                    self.traffic.writes += 1;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return self.await_room(true, registry, token),
                Err(_) => return false,
            }
        }
        self.output.clear();
        (self.sent, self.spared) = (0, 0);
        if self.output.capacity() > KEPT {
            self.output = Vec::new();
        }
        if ends {
            self.socket.end();
        }
        self.await_room(false, registry, token)
    }

    fn await_room(&mut self, wanted: bool, registry: &Registry, token: Token) -> bool {
        if self.awaits_room == wanted {
            return true;
        }
        self.awaits_room = wanted;
        let interest = if wanted { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        registry.reregister(self.socket.source(), token, interest).is_ok()
    }
}

//! What the fuzzer tries on bytes that it makes up (`fuzz/` in the repository), and tests on the bytes that it starts
//! from.

use std::io::{Read, Write};

use bytes::Bytes;
use mio::net::UnixStream;

use crate::clock::Clock;
use crate::connection::Socket;
use crate::request::{Allowed, Parser, Step};
use crate::server::Server;
use crate::settings::Settings;

/// The parser of requests understands the same of bytes that come at once and of bytes that come in pieces. The first
/// byte says how they are cut, and whether the client has authenticated.
pub fn requests(data: &[u8]) {
    let Some((&how, input)) = data.split_first() else { return };
    let allowed = Allowed { longest_bulk: 512 * 1024 * 1024, authenticated: how & 1 == 0 };
    let whole = parsed(std::iter::once(input), allowed);
    let size = usize::from(how >> 1).max(1);
    assert_eq!(parsed(input.chunks(size), allowed), whole);
}

/// All commands in the pieces of an input, and the error that ends it.
fn parsed<'a>(pieces: impl Iterator<Item = &'a [u8]>, allowed: Allowed) -> (Vec<Vec<Bytes>>, Option<Vec<u8>>) {
    let (mut parser, mut kept, mut commands) = (Parser::default(), Vec::new(), Vec::new());
    for piece in pieces {
        kept.extend_from_slice(piece);
        let mut at = 0;
        loop {
            match parser.step(&kept, &mut at, allowed) {
                Step::Command => commands.push(std::mem::take(&mut parser.args)),
                Step::Nothing => {}
                Step::More => break,
                Step::Broken(text) => return (commands, Some(text)),
            }
        }
        kept.drain(..at);
    }
    (commands, None)
}

/// A server takes whatever a client sends, in RESP or as lines, `RACEPROOF …` included, and two servers that are sent
/// the same reply the same, as long as nobody lets the clock run.
///
/// # Panics
/// If it does not hold.
pub fn control(data: &[u8]) {
    let replies = served(data);
    if !data.to_ascii_lowercase().windows(6).any(|word| word == b"resume") {
        assert_eq!(served(data), replies);
    }
}

/// What a server with a clock that stands still replies.
fn served(data: &[u8]) -> Vec<u8> {
    let clock = Clock::Frozen { at_us: 1_700_000_000_000_000 };
    let settings = Settings { port: None, clock, ..Settings::default() };
    let mut server = Server::new(settings).expect("no address is needed");
    let (ours, mut theirs) = UnixStream::pair().expect("a pair of sockets");
    let place = server.adopt(Socket::Unix(ours));
    let (mut replies, mut buffer) = (Vec::new(), [0; 4096]);
    let mut sent = 0;
    loop {
        // The socket takes some hundred kilobytes and says when it is full.
        sent += theirs.write(&data[sent..]).unwrap_or(0);
        if let Some(connection) = server.connections.get(place) {
            connection.readable = true;
        }
        server.serve(place);
        server.finish_turn();
        let before = replies.len();
        while let Ok(len @ 1..) = theirs.read(&mut buffer) {
            replies.extend_from_slice(&buffer[..len]);
        }
        let idle = sent == data.len() && replies.len() == before && server.connections.ready.is_empty();
        if idle || server.connections.get(place).is_none() {
            return replies;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Runs a body on every file of `fuzz/seeds/NAME`.
    fn each_seed(name: &str, body: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(name);
        let mut seen = 0;
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|cause| panic!("{}: {cause}", folder.display())) {
            let path = entry.expect("the folder can be read").path();
            println!("{}", path.display());
            body(&std::fs::read(path).expect("a seed can be read"));
            seen += 1;
        }
        assert!(seen > 0, "{} is empty", folder.display());
    }

    #[test]
    fn seeds_of_requests() {
        each_seed("requests", super::requests);
    }

    #[test]
    fn seeds_of_control() {
        each_seed("control", super::control);
    }

    #[test]
    fn a_server_under_the_fuzzer_replies() {
        assert_eq!(
            super::served(b"SET k v\r\nRACEPROOF CLOCK NOW\r\nGET k\r\n"),
            b"+OK\r\n:1700000000000\r\n$1\r\nv\r\n"
        );
    }
}

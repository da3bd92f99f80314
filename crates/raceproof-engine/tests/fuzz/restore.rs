//! Payloads of `RESTORE`, without their last ten bytes: version and checksum are put behind them, since nobody guesses a
//! checksum.
//!
//! Whatever they are, they are taken or refused; what is taken is a value, on which commands work, and whose own payload
//! is taken and is its own payload again.

use bytes::Bytes;
use raceproof_engine::{Engine, LuaHost, Options, Outcome, Reply, Timestamp};

/// Commands that read, and change, values of every type.
const COMMANDS: &[&str] = &[
    "TYPE k",
    "OBJECT ENCODING k",
    "MEMORY USAGE k",
    "GET k",
    "STRLEN k",
    "PFCOUNT k",
    "BITCOUNT k",
    "LRANGE k 0 -1",
    "LINDEX k -1",
    "LPOS k x",
    "SMEMBERS k",
    "HGETALL k",
    "ZRANGE k 0 -1 WITHSCORES",
    "ZRANGEBYLEX k - +",
    "XRANGE k - +",
    "XINFO STREAM k FULL",
    "XPENDING k g",
    "SORT k ALPHA",
    "APPEND k x",
    "RPUSH k x",
    "LPOP k",
    "SADD k 1 x",
    "SREM k 1",
    "ZADD k 1 x",
    "ZPOPMIN k",
    "HSET k f v",
    "HDEL k f",
    "XADD k MAXLEN 2 * f v",
    "XTRIM k MAXLEN 1",
];

struct Server {
    engine: Engine,
    host: LuaHost,
    session: raceproof_engine::SessionId,
}

impl Server {
    fn new() -> Self {
        let mut engine = Engine::new(Options::default());
        let session = engine.connect();
        Self { engine, host: LuaHost::default(), session }
    }

    fn run(&mut self, args: &[Bytes]) -> Reply {
        let mut out = Outcome::default();
        self.engine.execute(&mut self.host, self.session, args, Timestamp::from_ms(1_700_000_000_000), &mut out);
        out.reply
    }

    fn restore(&mut self, payload: &Bytes) -> Reply {
        self.run(&[Bytes::from("RESTORE"), Bytes::from("k"), Bytes::from("0"), payload.clone()])
    }

    fn dump(&mut self) -> Option<Bytes> {
        match self.run(&[Bytes::from("DUMP"), Bytes::from("k")]) {
            Reply::Bulk(payload) => Some(payload),
            _ => None,
        }
    }
}

pub(crate) fn check(body: &[u8]) {
    let mut server = Server::new();
    match server.restore(&sealed(body)) {
        Reply::Error(text) => return assert_eq!(text, "ERR Bad data format"),
        reply => assert_eq!(reply, Reply::Simple("OK")),
    }
    // What was large may be small in the copy; after that nothing changes.
    let first = server.dump().expect("what was restored is there");
    let mut copy = Server::new();
    assert_eq!(copy.restore(&first), Reply::Simple("OK"), "its own payload is refused");
    let settled = copy.dump().expect("what was restored is there");
    let mut copy = Server::new();
    assert_eq!(copy.restore(&settled), Reply::Simple("OK"), "its own payload is refused");
    assert_eq!(copy.dump(), Some(settled));
    for line in COMMANDS {
        let args: Vec<Bytes> = line.split(' ').map(Bytes::from).collect();
        server.run(&args);
    }
}

/// Whether the engine takes a payload with this body.
#[allow(dead_code, reason = "for the test of the body; the fuzzer does not ask")]
pub(crate) fn is_taken(body: &[u8]) -> bool {
    Server::new().restore(&sealed(body)) == Reply::Simple("OK")
}

/// A body with the version of Redis 7.0 and its checksum (CRC-64 as Redis has it, bit by bit).
fn sealed(body: &[u8]) -> Bytes {
    let mut payload = body.to_vec();
    payload.extend_from_slice(&10_u16.to_le_bytes());
    let bit = |rest: u64| if rest & 1 == 1 { rest >> 1 ^ 0x95ac_9329_ac4b_c9b5 } else { rest >> 1 };
    let checksum = payload.iter().fold(0_u64, |rest, byte| (0..8).fold(rest ^ u64::from(*byte), |rest, _| bit(rest)));
    payload.extend_from_slice(&checksum.to_le_bytes());
    payload.into()
}

//! What sessions that track are told besides what the differential test compares: keys that are evicted, a snapshot that
//! is gone back to, and names that are given up since there are too many.

use bytes::Bytes;
use raceproof_engine::{Delivery, Engine, LuaHost, Options, Outcome, Reply, SessionId, Timestamp};

const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);

struct Server {
    engine: Engine,
    host: LuaHost,
    out: Outcome,
}

impl Server {
    fn new() -> Self {
        Self { engine: Engine::new(Options::default()), host: LuaHost::new(), out: Outcome::default() }
    }

    /// A session that tracks what it reads.
    fn tracker(&mut self) -> SessionId {
        let session = self.engine.connect();
        self.run(session, "HELLO 3");
        self.run(session, "CLIENT TRACKING ON");
        session
    }

    fn run(&mut self, session: SessionId, line: &str) -> Vec<Delivery> {
        let args: Vec<Bytes> = line.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
        self.engine.execute(&mut self.host, session, &args, NOW, &mut self.out);
        std::mem::take(&mut self.out.deliveries)
    }
}

fn invalid(session: SessionId, key: &'static str) -> Delivery {
    let key = Reply::Array(vec![Reply::Bulk(Bytes::from_static(key.as_bytes()))]);
    Delivery::Push(session, Reply::Push(vec![Reply::Bulk(Bytes::from_static(b"invalidate")), key]))
}

#[test]
fn a_key_that_is_evicted_is_told_to_who_has_read_it() {
    let mut server = Server::new();
    let (reader, writer) = (server.tracker(), server.engine.connect());
    server.run(writer, "SET a 1");
    server.run(reader, "GET a");
    assert!(server.engine.evict(writer, &Bytes::from_static(b"a"), NOW, &mut server.out));
    assert_eq!(server.out.deliveries, [invalid(reader, "a")]);
}

/// What is evicted to make room for a command is told before its reply, which may be of the key's new value.
#[test]
fn who_makes_room_is_told_before_the_reply() {
    let mut server = Server::new();
    let session = server.tracker();
    server.run(session, "CONFIG SET maxmemory 1100000 maxmemory-policy volatile-random");
    server.run(session, "SETEX volatile 1000 x");
    server.run(session, "GET volatile");
    assert_eq!(server.run(session, "SETBIT big 1000000 0"), []);
    assert_eq!(server.run(session, "GETBIT big 0"), [invalid(session, "volatile")]);
    assert_eq!(server.out.before_reply, 1);
}

#[test]
fn a_key_that_expires_by_itself_is_told_to_who_has_read_it() {
    let mut server = Server::new();
    let (reader, writer) = (server.tracker(), server.engine.connect());
    server.run(writer, "SET a 1 PX 10");
    server.run(reader, "GET a");
    server.engine.expire_due(Timestamp::from_ms(NOW.ms() + 11), &mut server.out);
    assert_eq!(server.out.deliveries, [invalid(reader, "a")]);
}

#[test]
fn who_goes_back_to_a_snapshot_tells_that_nothing_is_valid() {
    let mut server = Server::new();
    let (reader, writer) = (server.tracker(), server.engine.connect());
    let snapshot = server.engine.clone();
    server.run(writer, "SET a 1");
    server.run(reader, "GET a");
    server.engine.rewind(&snapshot, &mut server.host, NOW, &mut server.out);
    let [Delivery::Push(to, Reply::Push(message))] = &server.out.deliveries[..] else {
        panic!("{:?}", server.out.deliveries)
    };
    assert_eq!(*to, reader);
    assert_eq!(message[1], Reply::NullOf(raceproof_engine::Protocol::Resp3));
    // What it had read is forgotten.
    assert_eq!(server.run(writer, "SET a 2"), []);
}

#[test]
fn names_beyond_the_limit_are_given_up_before_the_next_command() {
    let mut server = Server::new();
    let (reader, other) = (server.tracker(), server.engine.connect());
    server.run(other, "CONFIG SET tracking-table-max-keys 3");
    server.run(reader, "MGET a b c d e");
    let told = server.run(other, "PING");
    assert_eq!(told.len(), 2, "{told:?}");
    let told = told.into_iter().map(|delivery| match delivery {
        Delivery::Push(to, Reply::Push(message)) if to == reader => message[1].clone(),
        other => panic!("{other:?}"),
    });
    let told: Vec<Reply> = told.collect();
    assert_ne!(told[0], told[1]);
    // The other three are still there: each is told once.
    let rest: Vec<_> =
        ["a", "b", "c", "d", "e"].into_iter().flat_map(|key| server.run(other, &format!("SET {key} 1"))).collect();
    assert_eq!(rest.len(), 3);
    assert_eq!(server.run(other, "SET a 2"), []);
}

#[test]
fn a_session_that_has_gone_is_told_nothing_and_its_place_neither() {
    let mut server = Server::new();
    let (reader, writer) = (server.tracker(), server.engine.connect());
    server.run(reader, "GET a");
    server.engine.disconnect(reader);
    let next = server.tracker();
    assert_eq!(next, reader, "the place is given again");
    assert_eq!(server.run(writer, "SET a 1"), []);
}

//! What sessions are sent beside their replies, as whoever owns the connections meets it.

use raceproof_engine::{Delivery, Engine, LuaHost, Options, Outcome, Reply, SessionId, Timestamp};

/// An engine with sessions, and the outcome of the last command.
struct Server {
    engine: Engine,
    host: LuaHost,
    sessions: Vec<SessionId>,
    out: Outcome,
}

impl Server {
    fn new(sessions: usize) -> Self {
        let mut engine = Engine::new(Options::default());
        let sessions = (0..sessions).map(|_| engine.connect()).collect();
        Self { engine, host: LuaHost::new(), sessions, out: Outcome::default() }
    }

    fn run(&mut self, session: usize, line: &str) -> &Outcome {
        let args: Vec<_> = line.split(' ').map(|word| bytes::Bytes::copy_from_slice(word.as_bytes())).collect();
        let id = self.sessions[session];
        self.engine.execute(&mut self.host, id, &args, Timestamp::from_ms(1000), &mut self.out);
        &self.out
    }

    /// What a session was sent by the last command: the words of each message.
    fn sent(&self, session: usize) -> Vec<String> {
        let own = |delivery: &&Delivery| delivery.session() == self.sessions[session];
        self.out.deliveries.iter().filter(own).map(|delivery| format!("{delivery:?}")).collect()
    }

    fn text(&mut self, line: &str) -> String {
        match &self.run(0, line).reply {
            Reply::Verbatim(_, text) => String::from_utf8_lossy(text).into_owned(),
            other => panic!("{line} replied {other:?}"),
        }
    }
}

#[test]
fn subscribing_is_answered_by_messages_alone() {
    let mut server = Server::new(1);
    let out = server.run(0, "SUBSCRIBE a b");
    assert!(out.silent && out.reply == Reply::NONE && out.before_reply == 2, "{out:?}");
    assert_eq!(server.sent(0).len(), 2);
}

#[test]
fn messages_of_ones_own_come_before_the_reply_and_events_where_the_server_sends_them() {
    let mut server = Server::new(1);
    server.run(0, "HELLO 3");
    server.run(0, "CONFIG SET notify-keyspace-events EA");
    server.run(0, "PSUBSCRIBE *");
    let out = server.run(0, "PUBLISH x 1");
    assert_eq!((out.before_reply, out.deliveries.len(), out.silent), (1, 1, false));
    let out = server.run(0, "HSET h f v");
    assert_eq!((out.before_reply, out.deliveries.len()), (0, 1), "HSET replies first");
    let out = server.run(0, "SADD s m");
    assert_eq!((out.before_reply, out.deliveries.len()), (1, 1), "SADD replies last");
}

#[test]
fn a_message_goes_to_each_subscriber_and_not_to_those_who_left() {
    let mut server = Server::new(4);
    for session in 1..4 {
        server.run(session, "SUBSCRIBE x");
    }
    assert_eq!(server.run(0, "PUBLISH x 1").reply, Reply::Integer(3));
    let mut footprint = raceproof_engine::Footprint::default();
    server.engine.touch_disconnect(server.sessions[1], &mut footprint);
    assert!(footprint.conflicts(&server.out.footprint), "{footprint:?} {:?}", server.out.footprint);
    server.engine.disconnect(server.sessions[1]);
    server.run(2, "RESET");
    assert_eq!(server.run(0, "PUBLISH x 1").reply, Reply::Integer(1));
    assert_eq!((server.sent(1).len(), server.sent(2).len(), server.sent(3).len()), (0, 0, 1));
}

#[test]
fn the_server_counts_channels_and_tells_subscribers_apart() {
    let mut server = Server::new(3);
    server.run(1, "SUBSCRIBE x y");
    server.run(1, "PSUBSCRIBE p*");
    server.run(2, "SSUBSCRIBE s");
    let stats = server.text("INFO stats");
    for line in ["pubsub_channels:2\r\n", "pubsub_patterns:1\r\n", "pubsubshard_channels:1\r\n"] {
        assert!(stats.contains(line), "{stats}");
    }
    let list = server.text("CLIENT LIST TYPE pubsub");
    assert_eq!(list.lines().count(), 2, "{list}");
    assert!(list.contains("flags=P db=0 sub=2 psub=1 ssub=0"), "{list}");
    assert_eq!(server.text("CLIENT LIST TYPE normal").lines().count(), 1);
}

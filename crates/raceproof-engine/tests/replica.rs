//! Connections to a replica: what they refuse, in the words of redis-server 7.0.15 with `--replicaof`, and what they see.

use bytes::Bytes;
use raceproof_engine::{Engine, LuaHost, Options, Outcome, Reply, SessionId, Timestamp};

struct Server {
    engine: Engine,
    lua: LuaHost,
}

impl Server {
    fn new() -> Self {
        Self { engine: Engine::new(Options::default()), lua: LuaHost::new() }
    }

    fn ask(&mut self, session: SessionId, args: &[&str]) -> Reply {
        let args: Vec<Bytes> = args.iter().map(|arg| Bytes::copy_from_slice(arg.as_bytes())).collect();
        let mut outcome = Outcome::default();
        self.engine.execute(&mut self.lua, session, &args, Timestamp::from_ms(1_000), &mut outcome);
        outcome.reply
    }

    fn error(&mut self, session: SessionId, args: &[&str]) -> String {
        match self.ask(session, args) {
            Reply::Error(text) => String::from_utf8_lossy(&text).into_owned(),
            other => panic!("{args:?}: {other:?}"),
        }
    }
}

const READ_ONLY: &str = "READONLY You can't write against a read only replica.";

#[test]
fn writes_are_refused() {
    let mut server = Server::new();
    let replica = server.engine.connect_to_replica();
    for write in [
        &["SET", "a", "1"][..],
        &["FLUSHALL"],
        &["SORT", "k"],
        &["GETEX", "k"],
        &["XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">"],
        &["EVAL", "#!lua\nreturn redis.call('get',KEYS[1])", "1", "k"],
    ] {
        assert_eq!(server.error(replica, write), READ_ONLY, "{write:?}");
    }
    assert_eq!(server.error(replica, &["SET", "a"]), "ERR wrong number of arguments for 'set' command");
    let in_script = server.error(replica, &["EVAL", "return redis.call('set',KEYS[1],1)", "1", "a"]);
    let place = "script: beef354d82996a708aa0deac229a63225ff0dd9c, on @user_script:1.";
    assert_eq!(in_script, format!("{READ_ONLY} {place}"));
    let caught = server.ask(replica, &["EVAL", "return redis.pcall('set',KEYS[1],1).err", "1", "a"]);
    assert_eq!(caught, Reply::Bulk(READ_ONLY.into()));
    assert!(server.error(replica, &["WAIT", "1", "1"]).starts_with("ERR WAIT cannot be used with replica instances."));
    assert_eq!(server.ask(replica, &["RESET"]), Reply::Simple("RESET"));
    assert_eq!(server.error(replica, &["SET", "a", "1"]), READ_ONLY, "it is a replica still");
}

#[test]
fn a_transaction_with_a_write_is_discarded() {
    let mut server = Server::new();
    let replica = server.engine.connect_to_replica();
    assert_eq!(server.ask(replica, &["MULTI"]), Reply::Simple("OK"));
    assert_eq!(server.error(replica, &["SET", "a", "1"]), READ_ONLY);
    assert_eq!(server.ask(replica, &["GET", "k"]), Reply::Simple("QUEUED"));
    let aborted = "EXECABORT Transaction discarded because of previous errors.";
    assert_eq!(server.error(replica, &["EXEC"]), aborted);
}

#[test]
fn it_sees_the_keys_that_it_is_lent() {
    let mut server = Server::new();
    let (primary, replica) = (server.engine.connect(), server.engine.connect_to_replica());
    server.ask(primary, &["SET", "a", "1"]);
    let mut past = server.engine.clone();
    server.ask(primary, &["SET", "a", "2"]);
    assert_eq!(server.ask(replica, &["GET", "a"]), Reply::Bulk("2".into()));
    server.engine.exchange_data(&mut past);
    assert_eq!(server.ask(replica, &["GET", "a"]), Reply::Bulk("1".into()));
    server.engine.exchange_data(&mut past);
    assert_eq!(server.ask(replica, &["GET", "a"]), Reply::Bulk("2".into()));
}

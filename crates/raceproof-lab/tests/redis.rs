//! A real redis-server under the lab's hands: started, asked, paused, killed, restarted.

use std::path::Path;
use std::time::{Duration, Instant};

use raceproof_lab::{Connection, LabError, RedisServer, Reply, installed_version};

fn start() -> RedisServer {
    RedisServer::start().expect("redis-server starts")
}

fn connect(server: &RedisServer) -> Connection {
    server.connect().expect("the server listens")
}

fn call(connection: &mut Connection, command: &str) -> Reply {
    let args: Vec<&str> = command.split(' ').collect();
    connection.call(&args).expect("the server replies")
}

fn ok() -> Reply {
    Reply::Status("OK".into())
}

fn bulk(text: &'static str) -> Reply {
    Reply::Bulk(text.into())
}

/// Whether a process with this id runs or waits to be waited for.
fn is_there(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

#[test]
fn it_starts_and_answers_and_ends_with_its_owner() {
    let server = start();
    let (pid, folder) = (server.pid(), server.folder().to_owned());
    let mut connection = connect(&server);
    assert_eq!(call(&mut connection, "SET k v"), ok());
    assert_eq!(call(&mut connection, "GET k"), bulk("v"));
    assert_eq!(call(&mut connection, "GET none"), Reply::Null);
    assert_eq!(call(&mut connection, "CONFIG GET save"), Reply::Array(vec![bulk("save"), bulk("")]));
    assert!(is_there(pid) && folder.exists());
    drop(server);
    assert!(!is_there(pid), "process {pid} outlives its owner");
    assert!(!folder.exists(), "{} outlives its owner", folder.display());
    assert!(matches!(connection.call(&["PING"]), Err(LabError::Closed { .. })));
}

#[test]
fn it_knows_its_version() {
    let server = start();
    assert_eq!(server.version(), installed_version().expect("redis-server is there"));
    assert!(format!("{server:?}").contains(&server.version().to_string()));
}

#[test]
fn error_replies_are_replies_and_raw_bytes_are_what_was_sent() {
    let server = start();
    let mut connection = connect(&server);
    assert_eq!(call(&mut connection, "GET"), Reply::Error("ERR wrong number of arguments for 'get' command".into()));
    for command in [["INCR", "n"], ["GET", "n"]] {
        connection.send(&command).expect("the server listens");
    }
    assert_eq!(connection.receive().expect("the first reply"), (Reply::Integer(1), ":1\r\n".into()));
    assert_eq!(connection.receive().expect("the second reply"), (bulk("1"), "$1\r\n1\r\n".into()));
    assert!(matches!(call(&mut connection, "HELLO 3"), Reply::Map(_)));
    assert_eq!(call(&mut connection, "GET none"), Reply::Null);
}

#[test]
fn two_servers_know_nothing_of_each_other() {
    let (one, two) = (start(), start());
    assert_ne!((one.pid(), one.socket()), (two.pid(), two.socket()));
    assert_eq!(call(&mut connect(&one), "SET k one"), ok());
    assert_eq!(call(&mut connect(&two), "GET k"), Reply::Null);
}

#[test]
fn a_kill_loses_what_was_not_persisted_and_keeps_what_was() {
    let mut volatile = start();
    let config = [("appendonly", "yes"), ("appendfsync", "always")];
    let builder = config.iter().fold(RedisServer::builder(), |builder, (key, value)| builder.config(*key, *value));
    let mut durable = builder.start().expect("redis-server starts");
    for server in [&mut volatile, &mut durable] {
        assert_eq!(call(&mut connect(server), "SET k v"), ok());
        let status = server.kill().expect("it can be killed");
        assert!(!status.success());
        assert!(server.connect().is_err(), "a dead server accepts a connection");
        server.restart().expect("it starts again");
    }
    assert_eq!(call(&mut connect(&volatile), "GET k"), Reply::Null);
    assert_eq!(call(&mut connect(&durable), "GET k"), bulk("v"));
}

#[test]
fn a_paused_server_answers_when_it_is_resumed() {
    let mut server = start();
    let mut connection = connect(&server);
    server.pause().expect("it can be paused");
    connection.set_timeout(Duration::from_millis(50));
    let error = connection.call(&["INCR", "n"]).unwrap_err();
    assert!(matches!(&error, LabError::TimedOut { command, .. } if command == "INCR"), "{error}");
    server.resume().expect("it can be resumed");
    connection.set_timeout(Duration::from_secs(10));
    assert_eq!(connection.receive().expect("the reply that was late").0, Reply::Integer(1));
    server.kill().expect("it can be killed");
    assert!(server.pause().unwrap_err().to_string().contains("it has ended"));
}

#[test]
fn it_listens_on_a_free_port_if_asked() {
    let server = RedisServer::builder().tcp().config("maxmemory", "10mb").start().expect("redis-server starts");
    let port = server.tcp_port().expect("a port was asked for");
    let urls = [format!("redis://127.0.0.1:{port}/"), server.url()];
    for url in urls {
        let client = redis::Client::open(url.as_str()).expect("a valid URL");
        let mut connection = client.get_connection().expect("the server listens");
        let found: Vec<String> =
            redis::cmd("CONFIG").arg("GET").arg("maxmemory").query(&mut connection).expect("CONFIG GET");
        assert_eq!(found, ["maxmemory", "10485760"], "{url}");
    }
    assert_eq!(start().tcp_port(), None);
}

#[test]
fn a_bad_directive_is_told_with_the_servers_own_words() {
    let since = Instant::now();
    let error = RedisServer::builder().config("maxmemory", "much").start().unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, LabError::EndedAtStart { .. }), "{text}");
    assert!(text.contains("maxmemory much") && text.contains("argument must be a memory value"), "{text}");
    assert!(since.elapsed() < Duration::from_secs(5));
    let broken = RedisServer::builder().config("maxmemory", "1mb\nport 6379").start().unwrap_err();
    assert!(matches!(broken, LabError::BadConfig { .. }), "{broken}");
}

#[test]
fn a_missing_program_is_told_with_the_way_out() {
    let error = RedisServer::builder().program("/nonexistent/redis-server").start().unwrap_err().to_string();
    assert!(error.contains("/nonexistent/redis-server") && error.contains("RACEPROOF_REDIS_SERVER"), "{error}");
    let not_installed = LabError::NotInstalled.to_string();
    assert!(not_installed.contains("apt-get install redis-server") && not_installed.contains("cargo xtask test"));
}

//! Many connections, slow ones, half-closed ones, and the limits of their buffers.

mod support;

use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use support::{Wire, start, start_with};

#[test]
fn thousands_of_connections_are_served() {
    let server = start();
    // Both ends are in this process: two descriptors a connection.
    let mut clients: Vec<Wire> = (0..2000).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send(b"INCR n\r\nPING\r\n");
    }
    let mut counts: Vec<i64> = Vec::new();
    for client in &mut clients {
        counts.push(client.told()[1..].parse().expect("a number"));
        assert_eq!(client.told(), "+PONG");
    }
    counts.sort_unstable();
    assert!(counts.iter().copied().eq(1..=2000), "each was executed once");
    drop(clients);
    let mut last = server.connect();
    while !last.ask("INFO clients").contains("connected_clients:1\r") {}
}

#[test]
fn a_slow_reader_gets_everything_and_holds_up_nobody() {
    let server = start();
    let (mut slow, mut quick) = (server.connect(), server.connect());
    quick.ask(&format!("SET big {}", "x".repeat(60_000)));
    slow.send(&b"GET big\r\n".repeat(500));
    slow.send(b"PING\r\n");
    for _ in 0..100 {
        assert_eq!(quick.ask("PING"), "+PONG");
    }
    for _ in 0..500 {
        assert_eq!(slow.reply().len(), 60_000 + 10);
    }
    assert_eq!(slow.told(), "+PONG");
}

#[test]
fn a_half_closed_connection_gets_its_replies() {
    let server = start();
    let mut client = server.connect();
    client.ask(&format!("SET big {}", "x".repeat(60_000)));
    client.send(&b"GET big\r\n".repeat(200));
    client.end();
    assert_eq!(client.rest().len(), 200 * (60_000 + 10), "all of it, although nothing more will come");
    let mut waiting = server.connect();
    waiting.send(b"BLPOP l 0\r\n");
    waiting.end();
    assert!(waiting.has_ended(), "who waits and is gone is forgotten");
    let mut other = server.connect();
    assert_eq!(other.ask("RPUSH l a"), ":1");
    assert_eq!(other.ask("LLEN l"), ":1", "nothing was given to it");
}

/// A pool looks whether its connection is still open before it sends the next command. Were the end to arrive after the reply,
/// now and then it would still find it so, and the command would fail.
#[test]
fn a_last_reply_and_the_end_of_the_connection_arrive_together() {
    let server = start();
    for last in ["QUIT", "RACEPROOF CRASH POWER"].repeat(200) {
        let (mut asker, mut other) = (server.connect(), server.connect());
        assert_eq!(other.ask("PING"), "+PONG");
        assert_eq!(asker.ask(last), "+OK");
        assert!(asker.is_known_to_have_ended(), "{last}");
        assert!(last == "QUIT" || other.is_known_to_have_ended(), "{last} ends the others first");
    }
}

#[test]
fn a_client_beyond_the_limits_of_its_buffers_is_closed() {
    let server = start();
    let mut holder = server.connect();
    holder.ask("CONFIG SET client-query-buffer-limit 1048576");
    let mut talker = server.connect();
    talker.send(b"*2\r\n$4\r\nECHO\r\n$3000000\r\n");
    talker.send(&vec![b'x'; 2_500_000]);
    assert!(talker.has_ended());
    holder.ask("CONFIG SET client-output-buffer-limit \"normal 1mb 0 0\"");
    holder.ask(&format!("SET big {}", "x".repeat(60_000)));
    let mut deaf = server.connect();
    deaf.send(&b"GET big\r\n".repeat(2_000));
    // What the sockets hold arrives, then the end; 120 MB do not.
    assert!(deaf.rest().len() < 100_000_000);
    assert_eq!(holder.ask("PING"), "+PONG");
}

#[test]
fn there_are_no_more_clients_than_maxclients() {
    let server = start();
    let mut first = server.connect();
    first.ask("CONFIG SET maxclients 2");
    let mut second = server.connect();
    assert_eq!(second.ask("PING"), "+PONG");
    let mut third = server.connect();
    assert_eq!(third.told(), "-ERR max number of clients reached");
    assert!(third.has_ended());
    drop(second);
    while first.ask("INFO clients").contains("connected_clients:2") {}
    assert_eq!(server.connect().ask("PING"), "+PONG");
}

#[test]
fn values_of_many_megabytes_come_back_whole() {
    let server = start();
    let mut client = server.connect();
    let value: Vec<u8> = (0..20_000_000_u32).map(|n| (n % 251) as u8).collect();
    client.send(format!("*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n${}\r\n", value.len()).as_bytes());
    client.send(&value);
    client.send(b"\r\n");
    assert_eq!(client.told(), "+OK");
    client.send(b"GET big\r\n");
    let reply = client.reply();
    assert!(reply[reply.len() - 2 - value.len()..reply.len() - 2] == value[..]);
}

#[test]
fn a_unix_socket_is_served_replaced_when_stale_and_removed_at_the_end() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("redis.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket nobody listens on any more"));
    let server = start_with(|settings| settings.unix = Some(path.clone()));
    assert_eq!(Wire::unix(&path).ask("SET k v"), "+OK");
    assert_eq!(server.connect().ask("GET k"), "$1\r\nv", "the same server");
    drop(server);
    assert!(UnixStream::connect(&path).is_err() && !path.exists());
}

#[test]
fn it_listens_on_the_loopback_interface_only() {
    let server = start();
    assert!(server.address.ip().is_loopback());
    TcpStream::connect(server.address).expect("it listens");
}

/// Redis closes who has subscribed to what the user's new rules do not allow, and nobody else.
#[test]
fn who_may_no_longer_hear_what_it_has_subscribed_to_is_hung_up_on() {
    let server = start();
    let mut control = server.connect();
    let rule = |control: &mut Wire, rules: &str| {
        assert_eq!(control.ask(&format!("ACL SETUSER listener {rules}")), "+OK");
    };
    rule(&mut control, "on >word +@all ~* resetchannels &one &two:*");
    let subscriber = |command: &str| {
        let mut wire = server.connect();
        assert_eq!(wire.ask("AUTH listener word"), "+OK");
        assert!(wire.ask(command).contains("subscribe"), "{command}");
        wire
    };
    let (mut one, mut two, mut pattern) =
        (subscriber("SUBSCRIBE one"), subscriber("SSUBSCRIBE two:a"), subscriber("PSUBSCRIBE two:*"));
    rule(&mut control, "allchannels");
    rule(&mut control, "resetchannels &one &two:*");
    assert_eq!(control.ask("PUBLISH one m"), ":1");
    one.told();
    // A pattern has to be one of the rules as it is.
    rule(&mut control, "resetchannels &one &two:a");
    assert!(pattern.has_ended());
    assert_eq!(control.ask("SPUBLISH two:a m"), ":1");
    two.told();
    rule(&mut control, "resetchannels (&one)");
    assert!(two.has_ended());
    assert_eq!(control.ask("PUBLISH one m"), ":1");
    one.told();
    rule(&mut control, "clearselectors");
    assert!(one.has_ended());
    assert_eq!(control.ask("PING"), "+PONG");
}

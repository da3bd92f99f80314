//! Where the server listens, and what it says of it.

mod support;

use std::net::{SocketAddr, TcpListener, TcpStream};

use support::{Running, Wire, start};

fn shown(wire: &mut Wire, name: &str) -> String {
    let reply = wire.ask(&format!("CONFIG GET {name}"));
    reply.rsplit("\r\n").next().expect("a value").to_owned()
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it has one").port()
}

fn at(server: &Running, port: u16) -> SocketAddr {
    SocketAddr::new(server.address.ip(), port)
}

#[test]
fn the_port_and_the_address_are_those_listened_on() {
    let server = start();
    let mut wire = server.connect();
    let port = server.address.port();
    assert_eq!(shown(&mut wire, "port"), port.to_string());
    assert_eq!(shown(&mut wire, "bind"), "127.0.0.1");
    assert!(wire.ask("INFO server").contains(&format!("\r\ntcp_port:{port}\r\n")));
    // After a restart as well.
    assert_eq!(wire.ask("RACEPROOF CRASH"), "+OK");
    let mut wire = server.connect();
    assert_eq!(shown(&mut wire, "port"), port.to_string());
}

#[test]
fn another_port_is_listened_on_and_the_old_one_no_more() {
    let server = start();
    let mut wire = server.connect();
    let port = free_port();
    assert_eq!(wire.ask(&format!("CONFIG SET port {port} hz 20")), "+OK");
    assert_eq!(wire.ask("PING"), "+PONG", "who is connected stays so");
    let mut late = Wire::tcp(at(&server, port));
    assert_eq!(shown(&mut late, "port"), port.to_string());
    assert!(late.ask("INFO server").contains(&format!("\r\ntcp_port:{port}\r\n")));
    assert!(TcpStream::connect(server.address).is_err());
    assert_eq!(late.ask("CONFIG SET port 0"), "+OK");
    assert!(TcpStream::connect(at(&server, port)).is_err());
}

#[test]
fn a_port_that_is_taken_is_refused_and_nothing_is_changed() {
    let server = start();
    let mut wire = server.connect();
    let other = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = other.local_addr().expect("it has one").port();
    assert_eq!(
        wire.ask(&format!("CONFIG SET hz 50 port {taken}")),
        "-ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs."
    );
    assert_eq!((shown(&mut wire, "hz"), shown(&mut wire, "port")), ("10".into(), server.address.port().to_string()));
    // Another setting of the same command is refused: the port stays.
    let port = free_port();
    assert!(wire.ask(&format!("CONFIG SET port {port} hz x")).starts_with("-ERR CONFIG SET failed"));
    assert!(TcpStream::connect(at(&server, port)).is_err());
    assert_eq!(server.connect().ask("PING"), "+PONG");
}

#[test]
fn addresses_are_listened_on_or_refused_together() {
    let server = start();
    let mut wire = server.connect();
    let refusal =
        "-ERR CONFIG SET failed (possibly related to argument 'bind') - Failed to bind to specified addresses.";
    assert_eq!(wire.ask("CONFIG SET bind 192.0.2.1"), refusal);
    assert_eq!(wire.ask("CONFIG SET bind nowhere"), refusal);
    assert_eq!(server.connect().ask("PING"), "+PONG", "it listens as before");
    assert_eq!(shown(&mut wire, "bind"), "127.0.0.1");
    assert_eq!(wire.ask("CONFIG SET bind \"127.0.0.2 -192.0.2.1\""), "+OK");
    assert_eq!(shown(&mut wire, "bind"), "127.0.0.2 -192.0.2.1");
    assert!(TcpStream::connect(server.address).is_err());
    let second = SocketAddr::from(([127, 0, 0, 2], server.address.port()));
    assert_eq!(Wire::tcp(second).ask("PING"), "+PONG");
    assert_eq!(wire.ask("CONFIG SET bind *"), "+OK");
    assert_eq!(server.connect().ask("PING"), "+PONG");
}

//! Tests of the RESP reader: every type, every split, every kind of damage.

use super::*;

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn bulk_of(text: &'static str) -> Reply {
    Reply::Bulk(bytes(text))
}

/// Reads exactly one reply.
fn read(wire: &[u8]) -> Result<Option<Reply>, RespError> {
    let mut reader = Reader::new();
    reader.feed(wire);
    let reply = reader.next_reply()?;
    if let Some((_, raw)) = &reply {
        assert_eq!(raw, wire, "the bytes of the reply");
        assert!(reader.is_empty());
    }
    Ok(reply.map(|(reply, _)| reply))
}

/// One of every type, and aggregates in aggregates.
fn corpus() -> Vec<(&'static str, Reply)> {
    vec![
        ("+OK\r\n", Reply::Status(bytes("OK"))),
        ("+\r\n", Reply::Status(bytes(""))),
        ("-ERR no such key\r\n", Reply::Error(bytes("ERR no such key"))),
        (":-9223372036854775808\r\n", Reply::Integer(i64::MIN)),
        ("$0\r\n\r\n", bulk_of("")),
        ("$4\r\na\r\nb\r\n", bulk_of("a\r\nb")),
        ("$-1\r\n", Reply::Null),
        ("*-1\r\n", Reply::NullArray),
        ("_\r\n", Reply::Null),
        ("*0\r\n", Reply::Array(vec![])),
        ("*2\r\n*1\r\n:1\r\n$1\r\nx\r\n", Reply::Array(vec![Reply::Array(vec![Reply::Integer(1)]), bulk_of("x")])),
        ("%1\r\n+a\r\n*0\r\n", Reply::Map(vec![(Reply::Status(bytes("a")), Reply::Array(vec![]))])),
        ("~2\r\n:1\r\n:2\r\n", Reply::Set(vec![Reply::Integer(1), Reply::Integer(2)])),
        (">1\r\n+message\r\n", Reply::Push(vec![Reply::Status(bytes("message"))])),
        (",-1.5e3\r\n", Reply::Double(-1500.0)),
        (",inf\r\n", Reply::Double(f64::INFINITY)),
        ("#t\r\n", Reply::Boolean(true)),
        ("#f\r\n", Reply::Boolean(false)),
        ("=8\r\ntxt:text\r\n", Reply::Verbatim(*b"txt", bytes("text"))),
        ("(-123456789012345678901\r\n", Reply::BigNumber(bytes("-123456789012345678901"))),
        ("!5\r\nERR x\r\n", Reply::Error(bytes("ERR x"))),
        ("|1\r\n+ttl\r\n:3\r\n:7\r\n", Reply::Integer(7)),
        ("*2\r\n|1\r\n+ttl\r\n:3\r\n:7\r\n:8\r\n", Reply::Array(vec![Reply::Integer(7), Reply::Integer(8)])),
    ]
}

#[test]
fn every_type_is_read() {
    for (wire, reply) in corpus() {
        assert_eq!(read(wire.as_bytes()), Ok(Some(reply)), "{wire:?}");
    }
}

#[test]
fn a_reply_may_come_in_any_pieces() {
    for (wire, reply) in corpus() {
        for cut in 0..wire.len() {
            let (first, second) = wire.as_bytes().split_at(cut);
            let mut reader = Reader::new();
            reader.feed(first);
            assert_eq!(reader.next_reply(), Ok(None), "{wire:?} cut at {cut}");
            reader.feed(second);
            let raw = Bytes::from_static(wire.as_bytes());
            assert_eq!(reader.next_reply(), Ok(Some((reply.clone(), raw))), "{wire:?} cut at {cut}");
        }
    }
}

#[test]
fn replies_in_one_piece_are_told_apart() {
    let mut reader = Reader::new();
    let wires: Vec<&str> = corpus().iter().map(|(wire, _)| *wire).collect();
    reader.feed(wires.concat().as_bytes());
    for (wire, reply) in corpus() {
        assert_eq!(reader.next_reply(), Ok(Some((reply, Bytes::from_static(wire.as_bytes())))));
    }
    assert!(reader.is_empty());
    assert_eq!(reader.next_reply(), Ok(None));
}

#[test]
fn damage_is_an_error() {
    for wire in [
        "x\r\n",
        "\r\n",
        ":\r\n",
        ":+1\r\n",
        ":1.0\r\n",
        ": 1\r\n",
        ":9223372036854775808\r\n",
        "$-2\r\n",
        "$+1\r\na\r\n",
        "$1\r\nab\r\n",
        "$1\r\na\n\n",
        "$\r\n",
        "$99999999999999999999\r\n",
        "*-2\r\n",
        "*x\r\n",
        "%-1\r\n",
        "+OK\n",
        "+O\rK\r\n",
        "_x\r\n",
        "#x\r\n",
        ",\r\n",
        ",x\r\n",
        ",infinity\r\n",
        "=3\r\ntxt\r\n",
        "=4\r\ntxt;\r\n",
        "(\r\n",
        "(1.5\r\n",
        "$?\r\n",
        "$1073741824\r\n",
    ] {
        assert!(read(wire.as_bytes()).is_err(), "{wire:?} gives {:?}", read(wire.as_bytes()));
    }
}

#[test]
fn an_error_shows_what_was_read() {
    let error = read(b":12a\r\n").unwrap_err();
    assert_eq!(error.to_string(), "\"12a\" is no integer");
    assert_eq!(read(b"?").unwrap_err().to_string(), "'?' starts no reply");
}

#[test]
fn depth_is_bounded_without_recursion() {
    let nested = |depth: usize| format!("{}:1\r\n", "*1\r\n".repeat(depth));
    assert!(matches!(read(nested(DEPTH_MAX).as_bytes()), Ok(Some(_))));
    let too_deep = read(nested(DEPTH_MAX + 1).as_bytes());
    assert_eq!(too_deep, Err(RespError::TooLarge { what: "nesting", size: DEPTH_MAX + 1, limit: DEPTH_MAX }));
}

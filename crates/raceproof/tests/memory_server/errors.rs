//! Every error is the one that it should be, and leaves everything as it was.

use std::collections::HashMap;

use raceproof::env::TokioEnv;
use raceproof::memory::{BadInput, Change, Cursor, Error, Forget, Memory, OpId, Options, Version};

use crate::{Fault, Flaky, Lab};

/// The largest counter.
const MAX: i64 = (1 << 53) - 1;

/// A session at revision 2 with a text, a counter and a list.
async fn prepared(lab: &Lab, options: Options) -> (Memory<redis::aio::MultiplexedConnection, TokioEnv>, Version) {
    let memory = lab.memory(options).await;
    memory.merge("s", &memory.change().set("text", "abc").incr("count", MAX)).await.expect("merged");
    let version = memory.merge("s", &memory.change().append("list", "x", 9)).await.expect("merged").version;
    (memory, version)
}

#[tokio::test]
async fn a_refused_change_says_why_and_changes_nothing() {
    let lab = Lab::start();
    let small = Options { max_fields: 4, max_value_bytes: 20, max_changes: 3, ..Options::default() };
    let (memory, version) = prepared(&lab, small).await;
    let (older, other) = (Version::new(version.incarnation(), 1), Version::new("other", 2));
    let used = Change::new(OpId::new("used")).set("text", "abc");
    memory.merge("s", &used).await.expect("merged");
    let before = lab.dump("s").await;

    // Every change also sets a field that it may set: nothing of it may be left.
    let new = || memory.change().set("text", "new");
    let cases: Vec<(Change, &str)> = vec![
        (new().only_at(&version), "session \"s\" is at revision 3"),
        (new().only_new(), "session \"s\" is at revision 3"),
        (new().set_if_rev("count", "0", 3), "field \"count\" of session \"s\" is at revision 1"),
        (new().set_if_rev("absent", "0", 1), "field \"absent\" of session \"s\" is at revision 0"),
        (new().after(&other), "another session lives under this id"),
        (new().only_at(&other), "another session lives under this id"),
        (Change::new(OpId::new("used")).set("text", "new"), "already used"),
        (Change::new(OpId::new("used")).set("text", "abc").after(&older), "already used"),
        (new().incr("list", 1), "\"list\" of session \"s\" does not hold an integer"),
        (memory.change().set("count", "1").incr("text", 1), "\"text\" of session \"s\" does not hold an integer"),
        (memory.change().set("list", "1").append("text", "x", 1), "\"text\" of session \"s\" does not hold a list"),
        (new().incr("count", 1), "the range of counters"),
        (new().incr("count", 2), "the range of counters"),
        (new().append("list", "0123456789abcd", 9), "the bytes of field \"list\" would be 24; the limit is 20"),
        (new().set("a", "").set("b", ""), "the number of fields would be 5; the limit is 4"),
        (new().set("a", "0123456789abcdef01234"), "the bytes of field \"a\" would be 21; the limit is 20"),
        (new().set("a", "").set("b", "").set("c", ""), "the number of fields changed would be 4; the limit is 3"),
        (new().set("text", "twice"), "\"text\" is changed twice"),
        (new().set("_rev", "9"), "\"_rev\" begins with `_`"),
        (new().set("", "9"), "the field name \"\" is 0 bytes long"),
        (new().set("x".repeat(513), "9"), "513 bytes long; give it 1 to 512"),
        (new().append("list", "x", 0), "keep at least 1"),
        (new().incr("n", i64::MIN), "counters stay within"),
        (new().incr("n", -MAX - 1), "counters stay within"),
        (memory.change(), "the change names no field"),
        (Change::new(OpId::new("")).set("a", "1"), "the operation id \"\" is 0 bytes long"),
    ];
    for (change, message) in cases {
        let error = memory.merge("s", &change).await.expect_err(message);
        assert!(error.to_string().contains(message), "{error}\ninstead of: {message}");
        assert_eq!(lab.dump("s").await, before, "{error}: something was written");
    }
}

#[tokio::test]
async fn a_full_session_can_still_change_and_shrink() {
    let lab = Lab::start();
    let memory = lab.memory(Options { max_fields: 2, ..Options::default() }).await;
    memory.merge("s", &memory.change().set("a", "1").set("b", "1")).await.expect("merged");
    memory.merge("s", &memory.change().set("a", "2").delete("b").set("c", "1")).await.expect("still two");
    // Options that became stricter do not lock a session that is larger already.
    let strict = lab.memory(Options { max_fields: 1, ..Options::default() }).await;
    strict.merge("s", &memory.change().set("a", "3")).await.expect("no more than before");
    assert!(matches!(
        strict.merge("s", &memory.change().set("d", "1")).await,
        Err(Error::TooLarge { size: 3, limit: 1, option: "max_fields", .. })
    ));
}

#[tokio::test]
async fn an_operation_older_than_the_ring_is_not_applied_a_second_time() {
    let lab = Lab::start();
    let memory = lab.memory(Options { op_window: 2, ..Options::default() }).await;
    let begun = memory.merge("s", &memory.change().set("a", "1")).await.expect("merged").version;
    let change = memory.change().incr("n", 1).after(&begun);
    memory.merge("s", &change).await.expect("merged");
    memory.merge("s", &memory.change().set("a", "2")).await.expect("merged");
    assert!(memory.merge("s", &change).await.expect("still in the ring").duplicate);

    memory.merge("s", &memory.change().set("a", "3")).await.expect("merged");
    let before = lab.dump("s").await;
    for late in
        [change.clone(), memory.change().set("a", "4").only_at(&begun), memory.change().set("a", "4").only_new()]
    {
        let error = memory.merge("s", &late).await.expect_err("older than the ring");
        assert!(matches!(&error, Error::OpWindowExceeded { op, floor: 2, .. } if op == late.op()), "{error}");
        assert_eq!(lab.dump("s").await, before);
    }

    // A ring that the server lost (an eviction) is not taken for one in which the operation is not.
    let _: i64 = lab.raw("DEL {s}:ops").await;
    let error = memory.merge("s", &change).await.expect_err("nobody knows");
    assert!(matches!(error, Error::OpWindowExceeded { floor: 4, .. }), "{error}");
    memory.merge("s", &memory.change().set("a", "5")).await.expect("merged");
    let error = memory.merge("s", &change).await.expect_err("nobody knows");
    assert!(matches!(error, Error::OpWindowExceeded { floor: 4, .. }), "{error}");
}

#[tokio::test]
async fn a_ring_that_outlived_its_session_is_not_believed() {
    let lab = Lab::start();
    let memory = lab.memory(Options::default()).await;
    let change = memory.change().incr("n", 1);
    memory.merge("s", &change).await.expect("merged");
    let _: i64 = lab.raw("DEL {s}:m").await;
    let merged = memory.merge("s", &change).await.expect("merged into a new session");
    assert!(!merged.duplicate, "acknowledged although the field is lost");
    assert_eq!(memory.read("s").await.expect("readable").expect("there").text("n"), Some("1"));
}

#[tokio::test]
async fn a_smaller_ring_is_trimmed_to_its_size() {
    let lab = Lab::start();
    let wide = lab.memory(Options { op_window: 50, ..Options::default() }).await;
    for _ in 0..60 {
        wide.merge("s", &wide.change().incr("n", 1)).await.expect("merged");
    }
    assert_eq!(lab.raw::<i64>("HLEN {s}:ops").await, 2 * 50 + 2);
    let narrow = lab.memory(Options { op_window: 3, ..Options::default() }).await;
    narrow.merge("s", &narrow.change().incr("n", 1)).await.expect("merged");
    let ring: HashMap<String, String> = lab.raw("HGETALL {s}:ops").await;
    assert_eq!((ring.len(), &*ring["_from"]), (2 * 3 + 2, "58"));
}

#[tokio::test]
async fn keys_that_hold_something_else_are_left_alone() {
    let lab = Lab::start();
    let memory = lab.memory(Options::default()).await;
    let _: () = lab.raw("SET {text}:m hello").await;
    let _: () = lab.raw("HSET {hash}:m name Ada").await;
    let _: () = lab.raw("HSET {odd}:m _inc x _rev y _born 1").await;
    let _: () = lab.raw("SET {ring}:ops hello").await;
    let change = memory.change().set("a", "1").incr("n", 1);
    for session in ["text", "hash", "odd", "ring"] {
        let merged = memory.merge(session, &change).await;
        assert!(matches!(&merged, Err(Error::NotAMemory { key, .. }) if key.contains(session)), "{merged:?}");
        if session != "ring" {
            let read = memory.read(session).await;
            assert!(matches!(read, Err(Error::NotAMemory { .. })), "{read:?}");
        }
        if session != "odd" {
            let forgotten = memory.forget(session).await;
            assert!(matches!(forgotten, Err(Error::NotAMemory { .. })), "{forgotten:?}");
        }
    }
    assert_eq!(lab.raw::<String>("GET {text}:m").await, "hello");
    assert_eq!(lab.raw::<String>("GET {ring}:ops").await, "hello");
    assert_eq!(lab.raw::<i64>("HLEN {hash}:m").await, 1);
    assert_eq!(lab.raw::<i64>("EXISTS {ring}:m {text}:ops {hash}:ops {odd}:ops").await, 0);

    // One field in another form is an error, not a value.
    memory.merge("s", &change).await.expect("merged");
    let _: i64 = lab.raw("HSET {s}:m a 7").await;
    assert!(matches!(memory.read("s").await, Err(Error::NotAMemory { .. })));
}

#[tokio::test]
async fn what_the_server_refuses_is_unavailable_and_nothing_was_changed() {
    let lab = Lab::start();
    let (memory, _) = prepared(&lab, Options::default()).await;
    let before = lab.dump("s").await;
    let _: () = lab.raw("CONFIG SET maxmemory 1").await;
    let error = memory.merge("s", &memory.change().set("text", "new")).await.expect_err("out of memory");
    assert!(matches!(&error, Error::Unavailable { source, .. } if source.code() == Some("OOM")), "{error}");
    assert_eq!(lab.dump("s").await, before);
    let read = memory.read("s").await.expect("a read needs no memory").expect("there");
    assert_eq!(read.text("text"), Some("abc"));

    // The same refusal on a driver that may have sent the command before says nothing of that sending.
    let env = TokioEnv::current().expect("in a runtime");
    let resending = Memory::new(lab.connect().await, env, Options::default()).expect("valid options");
    let error = resending.merge("s", &memory.change().set("text", "new")).await.expect_err("out of memory");
    assert!(matches!(error, Error::Uncertain { .. }), "{error}");

    // A replica refuses to write.
    let _: () = lab.raw("CONFIG SET maxmemory 0").await;
    let _: () = lab.raw("REPLICAOF 127.0.0.1 1").await;
    let error = memory.merge("s", &memory.change().set("text", "new")).await.expect_err("read-only");
    assert!(matches!(&error, Error::Unavailable { source, .. } if source.code() == Some("READONLY")), "{error}");
    let error = memory.forget("s").await.expect_err("read-only");
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_is_gone_is_never_an_empty_session() {
    let mut lab = Lab::start();
    let connection = Flaky::new(lab.connect().await);
    let memory = lab.memory_over(connection.clone(), Options::default());
    let change = memory.change().incr("n", 1);
    connection.next(Fault::Refuse);
    assert!(matches!(memory.merge("s", &change).await, Err(Error::Unavailable { .. })));
    connection.next(Fault::LoseReply);
    assert!(matches!(memory.read("s").await, Err(Error::Unavailable { .. })), "a read has no effect to be unsure of");

    lab.server.kill().expect("killed");
    for _ in 0..2 {
        assert!(matches!(memory.read("s").await, Err(Error::Unavailable { .. })));
        assert!(matches!(memory.merge("s", &change).await, Err(Error::Uncertain { .. })));
        assert!(matches!(memory.forget("s").await, Err(Error::Uncertain { .. })));
    }
}

#[tokio::test]
async fn bad_arguments_are_refused_before_anything_is_sent() {
    let mut lab = Lab::start();
    let memory = lab.memory(Options::default()).await;
    lab.server.kill().expect("killed");
    let long = "x".repeat(513);
    let bad = |error: Error| match error {
        Error::BadInput(bad) => bad,
        other => panic!("{other}"),
    };
    let length = |what, length, limit| move |found: &BadInput| matches!(found, BadInput::NameLength { what: w, length: n, limit: l, .. } if (*w, *n, *l) == (what, length, limit));
    assert!(length("session id", 0, 512)(&bad(memory.read("").await.expect_err("empty"))));
    assert!(length("session id", 513, 512)(&bad(memory.forget(&long).await.expect_err("too long"))));
    let forget = Forget::new(OpId::new("x".repeat(129)));
    assert!(length("operation id", 129, 128)(&bad(memory.forget_as("s", &forget).await.expect_err("too long"))));
    let empty = bad(memory.read_fields("s", &[]).await.expect_err("no fields"));
    assert!(matches!(empty, BadInput::NothingToDo { what: "read", .. }), "{empty}");
    let cursor = bad(memory.read_page("s", Some(&Cursor::new("x", "-1")), 9).await.expect_err("no number"));
    assert!(matches!(&cursor, BadInput::BadCursor { position } if position == "-1"), "{cursor}");
    assert_eq!(bad(memory.read_page("s", None, 0).await.expect_err("no page")), BadInput::EmptyPage);
    let reserved = bad(memory.read_fields("s", &["_inc"]).await.expect_err("reserved"));
    assert!(matches!(reserved, BadInput::ReservedField { .. }), "{reserved}");

    let defaults = Options::default;
    let options: Vec<(Options, &str)> = vec![
        (Options { sliding_ttl_ms: 0, ..defaults() }, "sliding_ttl_ms` is 0; give 1 ms"),
        (Options { tombstone_ms: u64::MAX, ..defaults() }, "tombstone_ms` is 18446744073709551615"),
        (Options { sliding_ttl_ms: 10, max_age_ms: 9, ..defaults() }, "max_age_ms` is 9; give at least sliding_ttl_ms"),
        (Options { op_window: 0, ..defaults() }, "op_window` is 0"),
        (Options { op_window: 4097, ..defaults() }, "op_window` is 4097"),
        (Options { max_fields: 0, ..defaults() }, "max_fields` is 0"),
        (Options { max_value_bytes: 0, ..defaults() }, "max_value_bytes` is 0"),
        (Options { max_changes: 1001, ..defaults() }, "max_changes` is 1001"),
        (Options { key_prefix: "{a}".to_owned(), ..defaults() }, "key_prefix` is {a}; leave braces out"),
    ];
    for (options, message) in options {
        let error = options.validate().expect_err(message);
        assert!(error.to_string().contains(message), "{error}\ninstead of: {message}");
    }
}

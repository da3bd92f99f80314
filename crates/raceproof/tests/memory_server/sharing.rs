//! Many clients on one session, operations sent again, values of every shape (M1, M2).

use raceproof::memory::{Change, Error, OpId, Options, Value};

use crate::{Fault, Flaky, Lab};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_clients_write_a_thousand_fields_and_none_is_lost() {
    let lab = Lab::start();
    let mut clients = Vec::new();
    for client in 0..10 {
        let memory = lab.memory(Options::default()).await;
        clients.push(tokio::spawn(async move {
            for field in 0..100 {
                let change = memory.change().set(format!("f{client}:{field}"), format!("v{client}:{field}"));
                memory.merge("user:123", &change.incr("writes", 1)).await?;
            }
            Ok::<_, Error>(())
        }));
    }
    for client in clients {
        client.await.expect("no panic").expect("no error");
    }
    let session = lab.memory(Options::default()).await.read("user:123").await.expect("readable").expect("there");
    assert_eq!(session.version.rev(), 1000);
    assert_eq!(session.fields.len(), 1001);
    assert_eq!(session.get("writes").and_then(|field| field.integer()), Some(1000));
    for client in 0..10 {
        for field in 0..100 {
            assert_eq!(session.text(&format!("f{client}:{field}")), Some(&*format!("v{client}:{field}")));
        }
    }
    // The ring keeps the last operations and no more: two fields each, and its own two.
    let ring: i64 = lab.raw("HLEN {user:123}:ops").await;
    assert_eq!(ring, 2 * 128 + 2);
}

#[tokio::test]
async fn a_change_sent_again_is_applied_once_and_gives_its_first_result() {
    let lab = Lab::start();
    let memory = lab.memory(Options::default()).await;
    let change = memory.change().incr("visits", 5).set("name", "Ada").incr("score", -2);
    let first = memory.merge("s", &change).await.expect("merged");
    assert!(!first.duplicate);
    assert_eq!((first.version.rev(), &*first.counters), (1, &[5, -2][..]));

    memory.merge("s", &memory.change().incr("visits", 1).set("name", "Bo")).await.expect("merged");
    let again = memory.merge("s", &change).await.expect("known");
    assert!(again.duplicate);
    assert_eq!((again.version, again.counters), (first.version, first.counters));

    let session = memory.read("s").await.expect("readable").expect("there");
    assert_eq!(session.version.rev(), 2);
    assert_eq!((session.text("visits"), session.text("name")), (Some("6"), Some("Bo")));
    assert_eq!(session.get("name").map(|field| field.rev), Some(2));
    assert_eq!(session.get("score").map(|field| field.rev), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_change_sent_by_twenty_connections_at_once_is_applied_once() {
    let lab = Lab::start();
    let change = Change::new(OpId::new("message-17")).incr("n", 1);
    let mut sendings = Vec::new();
    for _ in 0..20 {
        let (memory, change) = (lab.memory(Options::default()).await, change.clone());
        sendings.push(tokio::spawn(async move { memory.merge("s", &change).await }));
    }
    let mut first = 0;
    for sending in sendings {
        let merged = sending.await.expect("no panic").expect("merged");
        assert_eq!((merged.version.rev(), &*merged.counters), (1, &[1][..]));
        first += u32::from(!merged.duplicate);
    }
    assert_eq!(first, 1);
}

#[tokio::test]
async fn a_lost_reply_is_uncertain_and_the_same_change_resolves_it() {
    let lab = Lab::start();
    let connection = Flaky::new(lab.connect().await);
    let memory = lab.memory_over(connection.clone(), Options::default());
    memory.merge("s", &memory.change().set("a", "1")).await.expect("merged; the script is loaded now");

    let change = memory.change().incr("n", 1);
    connection.next(Fault::LoseReply);
    match memory.merge("s", &change).await {
        Err(Error::Uncertain { op, session, .. }) => assert_eq!((&op, &*session), (change.op(), "s")),
        other => panic!("{other:?}"),
    }
    let merged = memory.merge("s", &change).await.expect("resolved");
    assert!(merged.duplicate, "it had been applied");
    assert_eq!(merged.counters, [1]);
}

#[tokio::test]
async fn the_scripts_are_sent_again_to_a_server_that_does_not_know_them() {
    let lab = Lab::start();
    let memory = lab.memory(Options::default()).await;
    for n in 1..=3 {
        let _: () = lab.raw("SCRIPT FLUSH").await;
        let merged = memory.merge("s", &memory.change().incr("n", 1)).await.expect("merged");
        assert_eq!(merged.counters, [n]);
        let _: () = lab.raw("SCRIPT FLUSH").await;
        assert!(memory.read("s").await.expect("readable").is_some());
        let _: () = lab.raw("SCRIPT FLUSH").await;
        assert!(!memory.forget("other").await.expect("forgotten").existed);
    }
}

#[tokio::test]
async fn values_of_every_shape_come_back_as_they_were() {
    let lab = Lab::start();
    for parameters in ["", "?protocol=resp3"] {
        let memory = lab.memory_over(lab.connect_with(parameters).await, Options::default());
        let session = format!("s{parameters}");
        let bytes: Vec<u8> = (0..=255).collect();
        memory.merge(&session, &memory.change().set("bytes", bytes.clone()).set("empty", "")).await.expect("merged");
        for item in [&b"5:a,"[..], b"", b"\0=+ \r\n", b"last"] {
            memory.merge(&session, &memory.change().append("list", item, 3)).await.expect("merged");
        }
        let read = memory.read(&session).await.expect("readable").expect("there");
        assert_eq!(read.get("bytes").and_then(|field| field.bytes()), Some(&*bytes));
        assert_eq!(read.get("empty").and_then(|field| field.bytes()), Some(&b""[..]));
        let items = vec![b"".to_vec(), b"\0=+ \r\n".to_vec(), b"last".to_vec()];
        assert_eq!(read.get("list").map(|field| &field.value), Some(&Value::List(items)));
        assert_eq!(read.get("list").map(|field| field.rev), Some(5));

        // A smaller `keep` shortens the list; some fields may be read alone.
        memory.merge(&session, &memory.change().append("list", "x", 1).delete("empty")).await.expect("merged");
        let some = memory.read_fields(&session, &["list", "empty", "absent"]).await.expect("readable").expect("there");
        assert_eq!(some.fields.len(), 1);
        assert_eq!(some.get("list").and_then(|field| field.items()), Some(&[b"x".to_vec()][..]));
        assert_eq!(some.version.rev(), 6);
    }
}

#[tokio::test]
async fn a_field_is_set_only_at_the_revision_that_it_has() {
    let lab = Lab::start();
    let memory = lab.memory(Options::default()).await;
    memory.merge("s", &memory.change().set_if_rev("a", "1", 0)).await.expect("it was absent");
    memory.merge("s", &memory.change().set("b", "1")).await.expect("merged");
    // The session is at 2, the field still at 1.
    memory.merge("s", &memory.change().set_if_rev("a", "2", 1)).await.expect("unchanged since 1");
    match memory.merge("s", &memory.change().set("b", "3").set_if_rev("a", "3", 1)).await {
        Err(Error::RevConflict { field: Some(field), rev: 3, .. }) => assert_eq!(field, "a"),
        other => panic!("{other:?}"),
    }
    let session = memory.read("s").await.expect("readable").expect("there");
    assert_eq!((session.text("a"), session.text("b")), (Some("2"), Some("1")), "all or nothing");
}

#[tokio::test]
async fn counters_are_exact_up_to_their_limits() {
    const MAX: i64 = (1 << 53) - 1;
    let lab = Lab::start();
    let memory = lab.memory(Options::default()).await;
    for (by, value) in [(MAX, MAX), (-1, MAX - 1), (1 - MAX, 0), (-MAX, -MAX), (MAX, 0)] {
        let merged = memory.merge("s", &memory.change().incr("n", by)).await.expect("merged");
        assert_eq!(merged.counters, [value]);
        assert_eq!(memory.read("s").await.expect("readable").expect("there").text("n"), Some(&*value.to_string()));
    }
    // A number that was set may be larger than what can be counted with: refused rather than rounded.
    memory.merge("s", &memory.change().set("n", (MAX + 3).to_string())).await.expect("merged");
    let error = memory.merge("s", &memory.change().incr("n", -10)).await.expect_err("out of range");
    assert!(matches!(error, Error::CounterRange { .. }), "{error}");
}

#[tokio::test]
async fn any_session_id_is_a_session_of_its_own() {
    let lab = Lab::start();
    let memory = lab.memory(Options { key_prefix: "app:".to_owned(), ..Options::default() }).await;
    let ids = ["}", "{", "{}", "a}b", "a{b", "a%7Db", "%", "a b\r\n", "é"];
    for id in ids {
        memory.merge(id, &memory.change().set("id", id)).await.expect("merged");
    }
    for id in ids {
        assert_eq!(memory.read(id).await.expect("readable").expect("there").text("id"), Some(id));
    }
    let keys: Vec<String> = lab.raw("KEYS *").await;
    assert_eq!(keys.len(), 2 * ids.len());
    assert!(keys.iter().all(|key| key.starts_with("app:{")), "{keys:?}");
}

#[tokio::test]
async fn a_large_session_is_read_in_pages() {
    let lab = Lab::start();
    let memory = lab.memory(Options::default()).await;
    for part in 0..3 {
        let fields = (0..700).map(|n| part * 700 + n);
        let change = fields.fold(memory.change(), |change, n| change.set(format!("f{n}"), n.to_string()));
        memory.merge("s", &change).await.expect("merged");
    }
    let (mut fields, mut pages, mut cursor) = (std::collections::BTreeMap::new(), 0, None);
    loop {
        let page = memory.read_page("s", cursor.as_ref(), 100).await.expect("readable").expect("there");
        assert_eq!(page.version.rev(), 3);
        assert!(page.fields.len() < 300, "{} fields in one page", page.fields.len());
        fields.extend(page.fields);
        pages += 1;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert!(pages >= 10, "{pages} pages");
    assert_eq!(fields.len(), 2100);
    assert_eq!(fields, memory.read("s").await.expect("readable").expect("there").fields);

    // A cursor belongs to its incarnation.
    let page = memory.read_page("s", None, 100).await.expect("readable").expect("there");
    let _: i64 = lab.raw("DEL {s}:m {s}:ops").await;
    let gone = memory.read_page("s", page.next.as_ref(), 100).await;
    assert!(matches!(gone, Err(Error::SessionGone { .. })), "{gone:?}");
    memory.merge("s", &memory.change().set("a", "1")).await.expect("merged");
    let gone = memory.read_page("s", page.next.as_ref(), 100).await;
    assert!(matches!(gone, Err(Error::SessionGone { .. })), "{gone:?}");
    assert!(memory.read_page("absent", None, 100).await.expect("absent is no error").is_none());
}

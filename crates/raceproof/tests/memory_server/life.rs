//! How long sessions live: sliding expiry, maximal age, tombstones (M3, M4, M5).

use std::time::Duration;

use raceproof::memory::{Error, Forget, Gone, OpId, Options};

use crate::{Fault, Flaky, Lab};

fn options() -> Options {
    Options { sliding_ttl_ms: 100_000, max_age_ms: 1_000_000, ..Options::default() }
}

/// Both keys' remaining lives, which must be one, in ms.
async fn left(lab: &Lab, session: &str) -> i64 {
    let (_, _, m, ops) = lab.dump(session).await;
    assert_eq!(m, ops, "M3: two deadlines");
    lab.raw(&format!("PTTL {{{session}}}:m")).await
}

/// Lets the session age: moves both deadlines and its birth towards the present, so that nothing has to sleep.
async fn pass(lab: &Lab, session: &str, ms: i64) {
    let (m, ops) = (format!("{{{session}}}:m"), format!("{{{session}}}:ops"));
    let (_, _, deadline, _) = lab.dump(session).await;
    let born: i64 = lab.raw(&format!("HGET {m} _born")).await;
    let _: i64 = lab.raw(&format!("HSET {m} _born {}", born - ms)).await;
    for key in [m, ops] {
        let _: i64 = lab.raw(&format!("PEXPIREAT {key} {}", deadline - ms)).await;
    }
}

fn near(found: i64, wanted: i64) -> bool {
    (wanted - 2000..=wanted).contains(&found)
}

#[tokio::test]
async fn a_merge_gives_both_keys_the_full_life() {
    let lab = Lab::start();
    let memory = lab.memory(options()).await;
    let merged = memory.merge("s", &memory.change().set("a", "1")).await.expect("merged");
    assert_eq!(merged.ttl_ms, 100_000);
    assert!(near(left(&lab, "s").await, 100_000));
    pass(&lab, "s", 5_000).await;
    memory.merge("s", &memory.change().set("a", "2")).await.expect("merged");
    assert!(near(left(&lab, "s").await, 100_000));
}

#[tokio::test]
async fn a_read_extends_the_life_only_below_nine_tenths() {
    let lab = Lab::start();
    let memory = lab.memory(options()).await;
    let change = memory.change().set("a", "1");
    memory.merge("s", &change).await.expect("merged");

    pass(&lab, "s", 5_000).await;
    let before = lab.dump("s").await;
    let read = memory.read("s").await.expect("readable").expect("there");
    assert!(near(i64::try_from(read.ttl_ms).expect("small"), 95_000));
    assert_eq!(lab.dump("s").await, before, "a read above nine tenths writes nothing");

    for kind in 0..4 {
        pass(&lab, "s", 15_000).await;
        let ttl_ms = match kind {
            0 => memory.read("s").await.expect("readable").map(|session| session.ttl_ms),
            1 => memory.read_fields("s", &["absent"]).await.expect("readable").map(|session| session.ttl_ms),
            2 => memory.read_page("s", None, 10).await.expect("readable").map(|page| page.ttl_ms),
            _ => Some(memory.merge("s", &change).await.expect("a duplicate is a use too").ttl_ms),
        };
        assert_eq!(ttl_ms, Some(100_000), "{kind}");
        assert!(near(left(&lab, "s").await, 100_000), "{kind}");
    }
}

#[tokio::test]
async fn nothing_extends_a_life_beyond_the_maximal_age() {
    let lab = Lab::start();
    let memory = lab.memory(options()).await;
    let first = memory.merge("s", &memory.change().set("a", "1")).await.expect("merged");
    // Used all the time, until 30 s of its age are left.
    for _ in 0..97 {
        pass(&lab, "s", 10_000).await;
        memory.read("s").await.expect("readable").expect("M5: touched in time");
    }
    assert!(near(left(&lab, "s").await, 30_000));
    let merged = memory.merge("s", &memory.change().set("a", "2")).await.expect("merged");
    assert!(merged.ttl_ms <= 30_000);
    assert_eq!(merged.version.incarnation(), first.version.incarnation());
    assert!(near(left(&lab, "s").await, 30_000));

    // A key that outlives the age (another client's options) holds no session any more.
    let _: i64 = lab.raw("HSET {s}:m _born 1000").await;
    assert!(memory.read("s").await.expect("readable").is_none());
    let anew = memory.merge("s", &memory.change().set("b", "1")).await.expect("merged");
    assert_ne!(anew.version.incarnation(), first.version.incarnation());
    let session = memory.read("s").await.expect("readable").expect("there");
    assert_eq!(session.fields.keys().collect::<Vec<_>>(), ["b"]);
    assert!(near(left(&lab, "s").await, 100_000));
}

#[tokio::test]
async fn a_session_that_expired_is_absent_and_its_successor_is_another() {
    let lab = Lab::start();
    let memory = lab.memory(Options { sliding_ttl_ms: 50, max_age_ms: 10_000, ..Options::default() }).await;
    let old = memory.merge("s", &memory.change().set("a", "1")).await.expect("merged").version;
    tokio::time::sleep(Duration::from_millis(80)).await;
    assert!(memory.read("s").await.expect("absent is no error").is_none());
    for change in [memory.change().set("a", "2").after(&old), memory.change().set("a", "2").only_at(&old)] {
        let gone = memory.merge("s", &change).await;
        assert!(matches!(gone, Err(Error::SessionGone { cause: Gone::Expired, .. })), "{gone:?}");
    }
    let memory = lab.memory(options()).await;
    let new = memory.merge("s", &memory.change().set("b", "1").only_new()).await.expect("merged");
    assert_eq!(new.version.rev(), 1);
    let gone = memory.merge("s", &memory.change().set("a", "2").after(&old)).await;
    assert!(matches!(gone, Err(Error::SessionGone { cause: Gone::Replaced, .. })), "{gone:?}");
}

#[tokio::test]
async fn a_forgotten_session_stays_forgotten_while_its_tombstone_stands() {
    let lab = Lab::start();
    let connection = Flaky::new(lab.connect().await);
    let memory = lab.memory_over(connection.clone(), Options { tombstone_ms: 300, ..options() });
    let change = memory.change().set("a", "1");
    let old = memory.merge("s", &change).await.expect("merged").version;
    assert!(!memory.forget("other").await.expect("forgotten").existed);

    // The reply to the forget is lost; asked again it gives the same answer.
    let forget = Forget::new(OpId::new("erase-1"));
    connection.next(Fault::LoseReply);
    let lost = memory.forget_as("s", &forget).await;
    assert!(matches!(&lost, Err(Error::Uncertain { op, .. }) if op == forget.op()), "{lost:?}");
    assert!(memory.forget_as("s", &forget).await.expect("resolved").existed);
    assert!(!memory.forget("s").await.expect("forgotten before").existed);

    assert!(memory.read("s").await.expect("absent is no error").is_none());
    let late = [change, memory.change().set("a", "2"), memory.change().set("a", "2").after(&old)];
    for session in ["s", "other"] {
        for change in &late {
            let gone = memory.merge(session, change).await;
            assert!(matches!(gone, Err(Error::SessionGone { cause: Gone::Forgotten, .. })), "{gone:?}");
        }
    }
    let tombstone: std::collections::HashMap<String, String> = lab.raw("HGETALL {s}:m").await;
    assert_eq!(tombstone["_inc"], old.incarnation());
    assert_eq!(lab.raw::<i64>("EXISTS {s}:ops").await, 0);

    tokio::time::sleep(Duration::from_millis(350)).await;
    let gone = memory.merge("s", &late[2]).await;
    assert!(matches!(gone, Err(Error::SessionGone { cause: Gone::Expired, .. })), "{gone:?}");
    let new = memory.merge("s", &late[1]).await.expect("the tombstone's life is over").version;
    assert_ne!(new.incarnation(), old.incarnation());

    // A forget that is meant for the old incarnation leaves the new one alone.
    let late = Forget::new(OpId::new("erase-2")).only(&old);
    assert!(!memory.forget_as("s", &late).await.expect("answered").existed);
    assert_eq!(memory.read("s").await.expect("readable").expect("there").version, new);
    assert!(memory.forget_as("s", &late.only(&new)).await.expect("forgotten").existed);
}

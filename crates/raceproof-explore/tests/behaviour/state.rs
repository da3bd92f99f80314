//! What a counterexample says of the keys and rows: at the start, and after each step.

use raceproof_explore::{Bounds, Check, Counterexample, Fault, Step, StepKind, World};
use redis::AsyncCommands;

use crate::{changes, violated};

/// A failure of one client that runs these statements, on a table with two rows.
fn after_statements(statements: &'static [&'static str]) -> Counterexample {
    violated(&Check::new("statements"), |world| {
        rows(world);
        world.client("a", move |ctx| async move {
            let db = ctx.db();
            for sql in statements {
                db.execute(sql, ()).await?;
            }
            Ok::<_, raceproof_explore::SqlError>(())
        });
        world.finally(|_| async { Err::<(), _>("show it") });
    })
}

fn rows(world: &mut World) {
    world.setup(|ctx| async move {
        let db = ctx.db();
        for sql in [
            "CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT, visits INTEGER)",
            "INSERT INTO users VALUES (1, 'free', 0), (2, 'pro', NULL)",
            "CREATE TABLE pairs (a TEXT, b TEXT, n INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID",
            "INSERT INTO pairs VALUES ('x', 'y', 1)",
            "CREATE TABLE log (line TEXT)",
        ] {
            db.execute(sql, ()).await?;
        }
        Ok::<_, raceproof_explore::SqlError>(())
    });
}

fn of_all(found: &Counterexample) -> Vec<Vec<String>> {
    found.steps.iter().map(changes).collect()
}

#[test]
fn a_statement_changes_rows_by_their_key() {
    let found = after_statements(&[
        "UPDATE users SET plan = 'team' WHERE id = 1",
        "UPDATE users SET plan = 'team' WHERE id = 1",
        "INSERT INTO users VALUES (10, 'it''s', 3)",
        "DELETE FROM users WHERE id < 3",
        "UPDATE pairs SET n = n + 1",
        "INSERT INTO log VALUES ('one'), ('two')",
        "REPLACE INTO users VALUES (10, 'pro', 4)",
        "DELETE FROM log",
    ]);
    assert_eq!(
        of_all(&found),
        [
            &["users id 1: {plan: 'free', visits: 0} → {plan: 'team', visits: 0}"][..],
            &[],
            &["users id 10: gone → {plan: 'it''s', visits: 3}"],
            &["users id 1: {plan: 'team', visits: 0} → gone", "users id 2: {plan: 'pro', visits: NULL} → gone"],
            &["pairs a 'x', b 'y': {n: 1} → {n: 2}"],
            &["log row 1: gone → {line: 'one'}", "log row 2: gone → {line: 'two'}"],
            &["users id 10: {plan: 'it''s', visits: 3} → {plan: 'pro', visits: 4}"],
            &["log row 1: {line: 'one'} → gone", "log row 2: {line: 'two'} → gone"],
        ]
    );
}

#[test]
fn what_a_transaction_writes_is_marked_until_it_commits() {
    let found = after_statements(&["BEGIN", "UPDATE users SET plan = 'team' WHERE id = 1", "COMMIT"]);
    assert_eq!(
        of_all(&found),
        [
            &[][..],
            &["users id 1: {plan: 'free', visits: 0} → {plan: 'team', visits: 0} (uncommitted)"],
            &["users id 1: {plan: 'free', visits: 0} → {plan: 'team', visits: 0}"],
        ]
    );
    let found = after_statements(&["BEGIN", "UPDATE users SET plan = 'team' WHERE id = 1", "ROLLBACK"]);
    assert_eq!(changes(&found.steps[2]), ["users id 1: {plan: 'team', visits: 0} → {plan: 'free', visits: 0}"]);
}

/// Looking must not open a transaction's snapshot: it reads what the other client has committed in the meantime.
#[test]
fn looking_does_not_read_for_a_transaction() {
    let found = violated(&Check::new("snapshot"), |world| {
        rows(world);
        world.client("reader", |ctx| async move {
            let db = ctx.db();
            db.begin_deferred().await?;
            let plan = db.query_value("SELECT plan FROM users WHERE id = 1", ()).await?;
            db.commit().await?;
            assert_ne!(plan, Some("team".into()), "it read what was committed after BEGIN");
            Ok::<_, raceproof_explore::SqlError>(())
        });
        world.client("writer", |ctx| async move {
            ctx.db().execute("UPDATE users SET plan = 'team' WHERE id = 1", ()).await
        });
    });
    assert!(found.message.contains("it read what was committed after BEGIN"), "{}", found.message);
}

#[test]
fn a_death_shows_what_it_left_and_what_it_took_back() {
    let found = violated(&Check::new("death").crashes(1), |world| {
        rows(world);
        world.client("a", |ctx| async move {
            let db = ctx.db();
            db.begin().await?;
            db.execute("UPDATE users SET plan = 'team' WHERE id = 1", ()).await?;
            ctx.redis().set::<_, _, ()>("cache", "team").await.expect("it is a string");
            db.commit().await?;
            Ok::<_, raceproof_explore::SqlError>(())
        });
        world.finally(|ctx| async move {
            let cached: Option<String> = ctx.redis().get("cache").await.expect("it is a string");
            let plan = ctx.db().query_value("SELECT plan FROM users WHERE id = 1", ()).await.expect("it is there");
            assert!(cached.is_none() || plan == Some("team".into()), "the cache is ahead");
        });
    });
    let step = |kind: StepKind| found.steps.iter().find(|step| step.kind == kind).expect("such a step");
    assert_eq!(changes(step(StepKind::Redis)), ["cache: gone → \"team\""]);
    let back = "users id 1: {plan: 'team', visits: 0} → {plan: 'free', visits: 0}";
    assert_eq!(changes(step(StepKind::Fault)), [back]);
    assert_eq!((found.used.faults.get(Fault::Crash), found.used.pauses), (1, 0));
    let unanswered: Vec<bool> = found.steps.iter().map(|step| step.unanswered).collect();
    let died_unanswered = step(StepKind::Fault).text == "dies before the reply";
    assert_eq!(unanswered.iter().filter(|unanswered| **unanswered).count(), usize::from(died_unanswered));
}

#[test]
fn the_start_is_what_the_setup_left() {
    let found = violated(&Check::new("start"), |world| {
        world.setup(|ctx| async move {
            let mut redis = ctx.redis();
            redis.set_ex::<_, _, ()>("k", vec![0_u8, 255], 30).await?;
            redis.hset::<_, _, _, ()>("h", "field", "value").await?;
            redis.set::<_, _, ()>("gone", "1").await?;
            redis.del::<_, ()>("gone").await
        });
        rows(world);
        world.client("a", |ctx| async move {
            let mut redis = ctx.redis();
            redis.expire::<_, ()>("h", 60).await?;
            redis.persist::<_, ()>("k").await
        });
        world.finally(|_| async { Err::<(), _>("show it") });
    });
    let start: Vec<String> =
        found.start.iter().map(|held| format!("{}: {}", held.item, held.content.shown(0))).collect();
    assert_eq!(
        start,
        [
            "h: {field: \"value\"}",
            "k: \"\\x00\\xff\" (30 s)",
            "pairs a 'x', b 'y': {n: 1}",
            "users id 1: {plan: 'free', visits: 0}",
            "users id 2: {plan: 'pro', visits: NULL}",
        ]
    );
    assert_eq!(changes(&found.steps[0]), ["h: {field: \"value\"} → {field: \"value\"} (60 s)"]);
    assert_eq!(changes(&found.steps[1]), ["k: \"\\x00\\xff\" → \"\\x00\\xff\""]);
}

#[test]
fn of_a_large_start_only_what_changes_is_kept() {
    let found = violated(&Check::new("large"), |world| {
        world.setup(|ctx| async move {
            let mut redis = ctx.redis();
            for n in 0..150 {
                redis.set::<_, _, ()>(format!("key:{n}"), n).await?;
            }
            Ok::<_, redis::RedisError>(())
        });
        world.client("a", |ctx| async move {
            let mut redis = ctx.redis();
            redis.del::<_, ()>("key:0").await?;
            redis.set::<_, _, ()>("another", 1).await
        });
        world.finally(|_| async { Err::<(), _>("show it") });
    });
    let start: Vec<String> = found.start.iter().map(|held| held.item.to_string()).collect();
    assert_eq!(start, ["key:0"]);
    assert_eq!(of_all(&found), [["key:0: \"0\" → gone"], ["another: gone → \"1\""]], "and nothing else changes");
}

/// Keys are looked at in a copy of the engine: a connection that watches them notices nothing.
#[test]
fn looking_at_keys_changes_nothing() {
    let found = violated(&Check::new("watch"), |world| {
        world.setup(|ctx| async move { ctx.redis().set::<_, _, ()>("k", "1").await });
        world.client("a", |ctx| async move {
            let mut redis = ctx.redis();
            redis::cmd("WATCH").arg("k").query_async::<()>(&mut redis).await?;
            redis.get::<_, String>("k").await?;
            redis::pipe().atomic().set("k", "2").query_async::<()>(&mut redis).await
        });
        world.finally(|_| async { Err::<(), _>("show it") });
    });
    let last: &Step = found.steps.last().expect("it has steps");
    assert_eq!(changes(last), ["k: \"1\" → \"2\""], "the transaction was not aborted");
}

/// A client that writes `k` and then fails, under one fault.
fn struck_by(fault: Fault) -> Counterexample {
    let check = Check::new("struck").bounds(Bounds::default().with(fault, 1));
    violated(&check, |world| {
        world.setup(|ctx| async move { ctx.redis().set_ex::<_, _, ()>("old", "1", 30).await });
        world.client("a", |ctx| async move {
            let mut redis = ctx.redis();
            let sent: redis::RedisResult<()> = redis.set("k", "2").await;
            let there: bool = redis.exists("k").await.unwrap_or(false);
            assert!(sent.is_ok() || !there, "it took effect all the same");
        });
        world.finally(|ctx| async move {
            let there: bool = ctx.redis().exists("old").await.expect("a key");
            assert!(there, "the fault left its mark");
        });
    })
}

#[test]
fn a_fault_of_the_server_shows_what_it_took() {
    for (fault, taken) in [
        (Fault::Evict, "old: \"1\" → gone"),
        (Fault::Flush, "old: \"1\" → gone"),
        (Fault::ClockJump, "old: \"1\" → gone"),
    ] {
        let found = struck_by(fault);
        let step = found.steps.iter().find(|step| step.kind == StepKind::Fault).expect("the fault is a step");
        assert!(changes(step).contains(&taken.to_owned()), "{fault}: {:?}", changes(step));
        assert_eq!(found.used, Bounds::default().with(fault, 1));
    }
}

#[test]
fn a_step_whose_reply_is_lost_is_marked_and_keeps_its_changes() {
    let found = struck_by(Fault::LostReply);
    assert!(found.steps[0].unanswered && !found.steps[1].unanswered, "{:?}", found.steps);
    assert_eq!(changes(&found.steps[0]), ["k: gone → \"2\""]);
    assert_eq!(changes(&found.steps[1]), Vec::<String>::new());
    assert_eq!(found.used.faults.get(Fault::LostReply), 1);
}

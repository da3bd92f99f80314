//! Transactions: who waits for whom, what readers see meanwhile, and what ends a transaction.

use raceproof_explore::{Check, SqlError, SqlValue, Verdict, World};

use crate::sql::two_rows;
use crate::{Tally, explore, lines, verified};

const READ: &str = "SELECT v FROM t WHERE id = 1";

#[test]
fn a_reader_sees_the_old_row_while_a_write_is_not_committed() {
    let seen = Tally::default();
    verified(&Check::new("uncommitted"), |world| {
        two_rows(world);
        world.client("writer", |ctx| async move {
            let db = ctx.db();
            db.begin().await?;
            db.execute("UPDATE t SET v = 11 WHERE id = 1", ()).await?;
            assert_eq!(db.query_value(READ, ()).await?, Some(SqlValue::Integer(11)), "a writer sees its own write");
            db.execute("UPDATE t SET v = 12 WHERE id = 1", ()).await?;
            db.commit().await
        });
        let seen = seen.clone();
        world.client("reader", move |ctx| async move {
            seen.add(ctx.db().query_value(READ, ()).await?.unwrap());
            Ok::<(), SqlError>(())
        });
    });
    assert_eq!(seen.seen(), ["10", "12"], "neither blocked nor dirty");
}

#[test]
fn a_reader_is_not_blocked_by_the_lock() {
    let seen = Tally::default();
    explore(&Check::new("beside"), |world| {
        two_rows(world);
        let inside = world.shared("inside", false);
        let (other, seen) = (inside.clone(), seen.clone());
        world.client("writer", |ctx| async move {
            let db = ctx.db();
            db.begin().await?;
            inside.update(&ctx, |inside| *inside = true).await;
            db.execute("UPDATE t SET v = 11 WHERE id = 1", ()).await?;
            inside.update(&ctx, |inside| *inside = false).await;
            db.commit().await
        });
        world.client("reader", move |ctx| async move {
            let during = other.read(&ctx, |inside| *inside).await;
            let value = ctx.db().query_value(READ, ()).await?.unwrap();
            let still = other.read(&ctx, |inside| *inside).await;
            seen.add(format!("{during} {value} {still}"));
            Ok::<(), SqlError>(())
        });
    });
    assert!(seen.seen().contains(&"true 10 true".to_owned()), "{:?}", seen.seen());
}

fn increments(world: &mut World, seen: &Tally, clients: usize) {
    two_rows(world);
    for number in 0..clients {
        let seen = seen.clone();
        world.client(format!("c{number}"), move |ctx| async move {
            let db = ctx.db();
            db.begin().await?;
            let v = db.query_value(READ, ()).await?.and_then(|value| value.as_integer()).unwrap();
            db.execute("UPDATE t SET v = ?1 WHERE id = 1", [v + 1]).await?;
            let done = db.commit().await;
            seen.add(if done.is_ok() { "committed" } else { "refused" });
            done
        });
    }
    world.finally(move |ctx| async move {
        let v = ctx.db().query_value(READ, ()).await.unwrap().and_then(|value| value.as_integer());
        assert_eq!(v, Some(10 + i64::try_from(clients).unwrap()), "an increment is lost");
    });
}

#[test]
fn a_writer_waits_for_the_lock_and_is_never_busy() {
    let seen = Tally::default();
    assert_eq!(verified(&Check::new("two"), |world| increments(world, &seen, 2)), 2);
    assert_eq!(verified(&Check::new("three"), |world| increments(world, &seen, 3)), 6);
    assert_eq!(seen.seen(), ["committed"]);
}

/// A deferred transaction that reads, then writes, beside an autocommit write.
fn upgrade(world: &mut World, writer_first: bool, seen: &Tally) {
    two_rows(world);
    let writer = |world: &mut World| {
        world.client("writer", |ctx| async move { ctx.db().execute("UPDATE t SET v = 50 WHERE id = 2", ()).await });
    };
    if writer_first {
        writer(world);
    }
    let seen = seen.clone();
    world.client("upgrader", move |ctx| async move {
        let db = ctx.db();
        db.begin_deferred().await?;
        db.query(READ, ()).await?;
        match db.execute("UPDATE t SET v = 11 WHERE id = 1", ()).await {
            Ok(_) => {
                db.commit().await?;
                seen.add("committed");
            }
            Err(error) => {
                assert!(error.stale_snapshot, "{error}");
                assert!(error.message.contains("another transaction has committed since"), "{error}");
                db.rollback().await?;
                db.execute("UPDATE t SET v = 11 WHERE id = 1", ()).await?;
                seen.add("refused");
            }
        }
        Ok::<(), SqlError>(())
    });
    if !writer_first {
        writer(world);
    }
}

#[test]
fn a_deferred_writer_with_an_old_snapshot_is_refused() {
    for writer_first in [true, false] {
        let seen = Tally::default();
        let executions = verified(&Check::new("upgrade"), |world| upgrade(world, writer_first, &seen));
        assert_eq!(seen.seen(), ["committed", "refused"]);
        assert_eq!(executions, 3, "the writer comes before the snapshot, between, or after the commit");
    }
}

#[test]
fn a_deferred_reader_keeps_its_snapshot() {
    let seen = Tally::default();
    verified(&Check::new("snapshot"), |world| {
        two_rows(world);
        let seen = seen.clone();
        world.client("reader", move |ctx| async move {
            let db = ctx.db();
            db.begin_deferred().await?;
            let first = db.query_value(READ, ()).await?.unwrap();
            let second = db.query_value(READ, ()).await?.unwrap();
            db.commit().await?;
            let third = db.query_value(READ, ()).await?.unwrap();
            seen.add(format!("{first} {second} {third}"));
            Ok::<(), SqlError>(())
        });
        world.client("writer", |ctx| async move { ctx.db().execute("UPDATE t SET v = 11 WHERE id = 1", ()).await });
    });
    assert_eq!(seen.seen(), ["10 10 10", "10 10 11", "11 11 11"]);
}

#[test]
fn a_client_that_ends_inside_its_transaction_rolls_back() {
    let seen = Tally::default();
    verified(&Check::new("forgotten"), |world| {
        two_rows(world);
        world.client("forgetful", |ctx| async move {
            let db = ctx.db();
            db.begin().await?;
            db.execute("UPDATE t SET v = 99 WHERE id = 1", ()).await
        });
        let seen = seen.clone();
        world.client("next", move |ctx| async move {
            let db = ctx.db();
            db.begin().await?;
            seen.add(db.query_value(READ, ()).await?.unwrap());
            db.rollback().await
        });
    });
    assert_eq!(seen.seen(), ["10"]);
}

#[test]
fn transactions_written_out_as_text() {
    verified(&Check::new("text"), |world| {
        two_rows(world);
        for (begin, end) in [("BEGIN IMMEDIATE", "COMMIT"), (" begin exclusive transaction;", "END TRANSACTION;")] {
            world.client(begin, move |ctx| async move {
                let db = ctx.db();
                db.run(begin, ()).await?;
                let v = db.query_value(READ, ()).await?.and_then(|value| value.as_integer()).unwrap();
                db.execute("UPDATE t SET v = ?1 WHERE id = 1", [v + 1]).await?;
                db.run(end, ()).await
            });
        }
        world.client("undecided", |ctx| async move {
            let db = ctx.db();
            db.run("/* a remark */ BEGIN -- deferred", ()).await?;
            db.run("ROLLBACK", ()).await?;
            db.run("BEGIN IMMEDIATE", ()).await?;
            db.execute("UPDATE t SET v = 1000 WHERE id = 1", ()).await?;
            db.run("rollback transaction", ()).await
        });
        world.finally(|ctx| async move {
            assert_eq!(ctx.db().query_value(READ, ()).await.unwrap(), Some(SqlValue::Integer(12)));
        });
    });
}

#[test]
fn transactions_out_of_place_are_errors() {
    verified(&Check::new("out of place"), |world| {
        two_rows(world);
        world.client("web", |ctx| async move {
            let db = ctx.db();
            assert!(db.commit().await.unwrap_err().message.contains("no transaction is active"));
            assert!(db.rollback().await.unwrap_err().message.contains("no transaction is active"));
            db.begin().await?;
            assert!(db.begin().await.unwrap_err().message.contains("within a transaction"));
            assert!(db.run("BEGIN", ()).await.unwrap_err().message.contains("within a transaction"));
            db.commit().await
        });
        world.client("mobile", |ctx| async move { ctx.db().execute("UPDATE t SET v = 1 WHERE id = 1", ()).await });
    });
}

#[test]
fn an_error_that_ends_the_transaction_gives_the_lock_back() {
    let seen = Tally::default();
    verified(&Check::new("or rollback"), |world| {
        two_rows(world);
        let seen = seen.clone();
        world.client("web", move |ctx| async move {
            let db = ctx.db();
            db.begin().await?;
            db.execute("UPDATE t SET v = 99 WHERE id = 1", ()).await?;
            db.execute("INSERT OR ROLLBACK INTO t VALUES (1, 0, 'x')", ()).await.expect_err("the row is there");
            seen.add(db.query_value(READ, ()).await?.unwrap());
            assert!(db.commit().await.is_err(), "there is nothing left to commit");
            db.execute("UPDATE t SET v = v + 1 WHERE id = 1", ()).await
        });
        world.client("mobile", |ctx| async move { ctx.db().execute("UPDATE t SET v = v + 1 WHERE id = 1", ()).await });
        world.finally(|ctx| async move {
            assert_eq!(ctx.db().query_value(READ, ()).await.unwrap(), Some(SqlValue::Integer(12)));
        });
    });
    assert_eq!(seen.seen(), ["10", "11"]);
}

#[test]
fn an_error_inside_a_transaction_keeps_the_lock() {
    verified(&Check::new("constraint"), |world| {
        two_rows(world);
        world.client("web", |ctx| async move {
            let db = ctx.db();
            db.begin_deferred().await?;
            db.execute("INSERT INTO t VALUES (1, 0, 'x')", ()).await.expect_err("the row is there");
            db.execute("UPDATE t SET v = v + 1 WHERE id = 1", ()).await?;
            db.commit().await
        });
        world.client("mobile", |ctx| async move { ctx.db().execute("UPDATE t SET v = v + 1 WHERE id = 1", ()).await });
        world.finally(|ctx| async move {
            assert_eq!(ctx.db().query_value(READ, ()).await.unwrap(), Some(SqlValue::Integer(12)));
        });
    });
}

#[test]
fn a_statement_that_fails_half_way_and_keeps_its_first_rows() {
    let seen = Tally::default();
    verified(&Check::new("or fail"), |world| {
        two_rows(world);
        world.client("writer", |ctx| async move {
            let sql = "INSERT OR FAIL INTO t VALUES (3, 30, 'c'), (1, 0, 'x')";
            ctx.db().execute(sql, ()).await.expect_err("row 1 is there");
        });
        let seen = seen.clone();
        world.client("reader", move |ctx| async move {
            seen.add(ctx.db().query_value("SELECT count(*) FROM t", ()).await?.unwrap());
            Ok::<(), SqlError>(())
        });
    });
    assert_eq!(seen.seen(), ["2", "3"]);
}

#[test]
fn two_connections_of_one_client_that_wait_for_each_other() {
    let report = explore(&Check::new("self"), |world| {
        two_rows(world);
        world.client("web", |ctx| async move {
            let (one, two) = (ctx.db(), ctx.db());
            one.begin().await?;
            two.begin().await
        });
    });
    assert_eq!(report.verdict, Verdict::Violated);
    let found = report.violation.unwrap();
    assert_eq!(found.message, "deadlock: web waits for the database's write lock");
    assert_eq!(lines(&found), ["web: BEGIN IMMEDIATE"]);
}

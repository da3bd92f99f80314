//! Statements: what they return, what they touch, and how many orders of them are tried.

use raceproof_explore::{Check, Ctx, SqlError, SqlValue, World};
use redis::AsyncCommands;

use crate::{Tally, explore, verified, violated};

/// Two rows, (1, 10, 'a') and (2, 20, 'b').
pub(crate) fn two_rows(world: &mut World) {
    world.setup(|ctx| async move {
        let db = ctx.db();
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER, name TEXT UNIQUE)", ()).await?;
        db.execute("INSERT INTO t VALUES (1, 10, 'a'), (2, 20, 'b')", ()).await
    });
}

/// One client per statement; all run in autocommit.
fn one_each(statements: &'static [&'static str]) -> impl Fn(&mut World) + Sync {
    move |world| {
        two_rows(world);
        for (number, sql) in statements.iter().enumerate() {
            world.client(format!("c{number}"), move |ctx| async move {
                let _ = ctx.db().run(sql, ()).await;
            });
        }
    }
}

fn orders(statements: &'static [&'static str]) -> u64 {
    verified(&Check::new("orders"), one_each(statements))
}

const READ_1: &str = "SELECT v FROM t WHERE id = 1";
const READ_2: &str = "SELECT v FROM t WHERE id = 2";
const WRITE_1: &str = "UPDATE t SET v = v + 1 WHERE id = 1";
const WRITE_2: &str = "UPDATE t SET v = v + 1 WHERE id = 2";

#[test]
fn reads_of_different_rows_than_are_written_are_independent() {
    assert_eq!(orders(&[READ_1, READ_2]), 1);
    assert_eq!(orders(&[READ_1, WRITE_2]), 1);
    assert_eq!(orders(&[READ_2, READ_1, WRITE_2]), 2);
    assert_eq!(orders(&[READ_1, WRITE_1]), 2);
    assert_eq!(orders(&[READ_1, "DELETE FROM t WHERE id = 2"]), 1);
    assert_eq!(orders(&[READ_1, "INSERT INTO t VALUES (3, 30, 'c')"]), 1);
}

#[test]
fn everything_else_is_the_whole_table() {
    for read in [
        "SELECT v FROM t",
        "SELECT count(*) FROM t",
        "SELECT v FROM t WHERE id >= 1",
        "SELECT v FROM t WHERE id IN (1, 7)",
        "SELECT v FROM t WHERE name = 'a'",
        "SELECT v FROM t WHERE v = 10",
        "SELECT v FROM t WHERE id = 1 OR id = 2",
        "SELECT v FROM t WHERE id = (SELECT max(id) FROM t)",
        "SELECT max(id) FROM t",
        "SELECT a.v FROM t a JOIN t b ON a.id = b.id WHERE a.id = 1",
    ] {
        let statements: &'static [&'static str] = Box::leak(Box::new([read, WRITE_2]));
        assert_eq!(orders(statements), 2, "{read}");
    }
    assert_eq!(orders(&["SELECT count(*) FROM t", "INSERT INTO t VALUES (3, 30, 'c')"]), 2);
    assert_eq!(orders(&[READ_1, "DELETE FROM t"]), 2, "an unqualified DELETE names no row");
}

#[test]
fn writers_meet_at_the_lock() {
    assert_eq!(orders(&[WRITE_1, WRITE_1]), 2);
    assert_eq!(orders(&[WRITE_1, WRITE_2]), 2, "SQLite locks the whole database");
}

/// What a reader of row 1 sees when another client runs `statement`, in all orders.
fn seen_beside(statement: &'static str) -> Vec<String> {
    let seen = Tally::default();
    verified(&Check::new("seen"), |world| {
        two_rows(world);
        let seen = seen.clone();
        world.client("reader", move |ctx| async move {
            seen.add(format!("{:?}", ctx.db().query_value(READ_1, ()).await?.map(|value| value.to_string())));
            Ok::<(), SqlError>(())
        });
        world.client("other", move |ctx| async move { ctx.db().run(statement, ()).await });
    });
    seen.seen()
}

#[test]
fn a_replacement_deletes_rows_that_it_does_not_name() {
    let both = ["None", "Some(\"10\")"];
    assert_eq!(seen_beside("DELETE FROM t WHERE id = 1"), both);
    assert_eq!(seen_beside("INSERT OR REPLACE INTO t VALUES (2, 21, 'a')"), both);
    assert_eq!(seen_beside("REPLACE INTO t VALUES (3, 30, 'a')"), both);
    assert_eq!(seen_beside("UPDATE OR REPLACE t SET name = 'a' WHERE id = 2"), both);
}

#[test]
fn a_trigger_writes_rows_of_its_own() {
    let seen = Tally::default();
    verified(&Check::new("trigger"), |world| {
        two_rows(world);
        world.setup(|ctx| async move {
            let trigger =
                "CREATE TRIGGER copy AFTER UPDATE ON t WHEN new.id = 2 BEGIN UPDATE t SET v = 99 WHERE id = 1; END";
            ctx.db().execute(trigger, ()).await
        });
        let seen = seen.clone();
        world.client("reader", move |ctx| async move {
            seen.add(ctx.db().query_value(READ_1, ()).await?.unwrap());
            Ok::<(), SqlError>(())
        });
        world.client("writer", |ctx| async move { ctx.db().execute(WRITE_2, ()).await });
    });
    assert_eq!(seen.seen(), ["10", "99"]);
}

#[test]
fn a_statement_that_fails_for_want_of_a_table_depends_on_its_creation() {
    let seen = Tally::default();
    for creator_first in [true, false] {
        verified(&Check::new("no such table"), |world| {
            let create = |world: &mut World| {
                world.client("creator", |ctx| async move {
                    let db = ctx.db();
                    db.execute("CREATE TABLE fresh (id INTEGER PRIMARY KEY)", ()).await
                });
            };
            if creator_first {
                create(world);
            }
            let seen = seen.clone();
            world.client("reader", move |ctx| async move {
                let failed = ctx.db().query("SELECT * FROM fresh", ()).await.err();
                seen.add(failed.map_or("empty".to_owned(), |error| error.message));
            });
            if !creator_first {
                create(world);
            }
        });
        assert_eq!(seen.seen(), ["empty", "no such table: fresh"]);
    }
}

#[test]
fn a_constraint_that_fails_depends_on_the_row_in_its_way() {
    let seen = Tally::default();
    verified(&Check::new("constraint"), |world| {
        two_rows(world);
        world.client("remover", |ctx| async move { ctx.db().execute("DELETE FROM t WHERE id = 2", ()).await });
        let seen = seen.clone();
        world.client("inserter", move |ctx| async move {
            let error = ctx.db().execute("INSERT INTO t VALUES (3, 30, 'b')", ()).await.err();
            seen.add(error.map_or("inserted".to_owned(), |error| error.message));
        });
    });
    assert_eq!(seen.seen(), ["UNIQUE constraint failed: t.name", "inserted"]);
}

async fn changed(ctx: &Ctx, sql: &str) -> usize {
    ctx.db().execute(sql, ()).await.unwrap()
}

#[test]
fn the_number_of_rows_changed_is_the_statements_own() {
    verified(&Check::new("changes"), |world| {
        two_rows(world);
        world.client("web", |ctx| async move {
            assert_eq!(changed(&ctx, "UPDATE t SET v = 0").await, 2);
            assert_eq!(changed(&ctx, "UPDATE t SET v = 1 WHERE id = 7").await, 0);
            let db = ctx.db();
            assert_eq!(db.execute("UPDATE t SET v = 0", ()).await?, 2);
            assert_eq!(db.execute("CREATE TABLE other (id INTEGER PRIMARY KEY)", ()).await?, 0, "DDL changes no row");
            assert_eq!(db.execute("CREATE INDEX by_v ON t (v)", ()).await?, 0);
            assert_eq!(db.execute("SELECT * FROM t", ()).await?, 0);
            assert_eq!(db.execute("DELETE FROM t", ()).await?, 2);
            assert_eq!(db.execute("DROP TABLE other", ()).await?, 0);
            Ok::<(), SqlError>(())
        });
    });
}

#[test]
fn ddl_in_a_client_is_a_step_like_any_other() {
    let found = violated(&Check::new("ddl"), |world| {
        two_rows(world);
        world.client("migration", |ctx| async move {
            let db = ctx.db();
            db.execute("UPDATE t SET v = 5 WHERE id = 1", ()).await?;
            db.execute("ALTER TABLE t ADD COLUMN extra INTEGER", ()).await
        });
        world.client("old code", |ctx| async move { ctx.db().execute("INSERT INTO t VALUES (3, 30, 'c')", ()).await });
    });
    let texts: Vec<(&str, &str)> = found.steps.iter().map(|step| (step.text.as_str(), step.reply.as_str())).collect();
    assert_eq!(
        texts[..2],
        [("UPDATE t SET v = 5 WHERE id = 1", "1 row"), ("ALTER TABLE t ADD COLUMN extra INTEGER", "")]
    );
    assert!(found.message.contains("has 4 columns but 3 values were supplied"), "{}", found.message);
}

#[test]
fn parameters_of_every_type_come_back_as_they_went() {
    verified(&Check::new("parameters"), |world| {
        world.setup(|ctx| async move { ctx.db().execute("CREATE TABLE v (a, b, c, d, e)", ()).await });
        world.client("web", |ctx| async move {
            let db = ctx.db();
            let values = vec![
                SqlValue::Null,
                SqlValue::Integer(i64::MIN),
                SqlValue::Real(0.1),
                SqlValue::Text("it's ? ü".to_owned()),
                SqlValue::Blob(vec![0, 255]),
            ];
            db.execute("INSERT INTO v VALUES (?1, ?2, ?3, ?4, ?5)", values.clone()).await?;
            let reply = db.run("SELECT * FROM v", ()).await?;
            assert_eq!(
                (reply.columns, reply.rows),
                (["a", "b", "c", "d", "e"].map(str::to_owned).to_vec(), vec![values])
            );
            let named = db.query_value("SELECT ?1 || '-' || ?1 || ?2", ("x", 7)).await?;
            assert_eq!(named, Some(SqlValue::Text("x-x7".to_owned())));
            let too_many = db.run("SELECT ?1", (1, 2)).await.expect_err("two values for one parameter");
            assert!(too_many.message.contains("parameter"), "{too_many}");
            Ok::<(), SqlError>(())
        });
    });
}

#[test]
fn an_error_names_the_statement() {
    let found = violated(&Check::new("typo"), |world| {
        two_rows(world);
        world.client("web", |ctx| async move { ctx.db().query("SELEKT 1", ()).await });
    });
    assert_eq!(found.message, "near \"SELEKT\": syntax error (SELEKT 1)");
    assert_eq!(found.steps[0].reply, "(error) near \"SELEKT\": syntax error");
}

#[test]
fn what_reaches_outside_the_explored_database_is_refused() {
    explore(&Check::new("refused"), |world| {
        two_rows(world);
        world.client("web", |ctx| async move {
            let db = ctx.db();
            for sql in ["SAVEPOINT a", "RELEASE a", "ROLLBACK TO a", "ROLLBACK TRANSACTION TO SAVEPOINT a"] {
                let error = db.run(sql, ()).await.expect_err("savepoints are not explored");
                assert!(error.message.contains("use one transaction"), "{error}");
            }
            for sql in ["PRAGMA journal_mode = DELETE", "ATTACH 'other.db' AS other", "VACUUM"] {
                let error = db.run(sql, ()).await.expect_err("outside");
                assert!(error.message.contains("leave it out"), "{error}");
            }
            ctx.redis().set::<_, _, ()>("done", 1).await.unwrap();
        });
        world.finally(|ctx| async move { assert!(ctx.redis().exists::<_, bool>("done").await.unwrap()) });
    });
}

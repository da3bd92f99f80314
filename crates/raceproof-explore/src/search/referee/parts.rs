//! For each part of a state a program of which nothing but that part shows the violation: without it the execution that
//! violates the check is taken for one that comes to the same, and is not run.

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use raceproof_env::{Bell as _, Notify as _};
use redis::AsyncCommands;

use super::merging::{CRASH, Ending, PAUSE, brute_force, merged};
use super::{Bounds, NO_FAULTS};
use crate::execution::Part;
use crate::{Ctx, Fault, HistoryCheck, SqlValue, World};

/// Some execution within the bounds violates a check (or is cut off, where that is the question), merging finds it, and
/// without the part it does not.
fn needs(part: Part, bounds: Bounds, body: impl Fn(&mut World)) {
    let wrong = |(verdict, _, cut): &Ending| verdict.is_some() || (part == Part::CutOff && *cut);
    let all = brute_force(&body, bounds).expect("small enough").all;
    assert!(all.iter().any(wrong), "{part:?}: no execution violates the check");
    assert_eq!(merged(&body, bounds, None).all, all, "{part:?}");
    let found = merged(&body, bounds, Some(part)).all;
    assert!(!found.iter().any(wrong), "{part:?}: found without it as well");
}

async fn get(ctx: &Ctx, key: &str) -> Option<String> {
    ctx.redis().get(key).await.expect("a string")
}

async fn set(ctx: &Ctx, key: &str, value: impl ToString) {
    ctx.redis().set::<_, _, ()>(key, value.to_string()).await.expect("it is set");
}

/// A client that sets keys, each to a value.
fn sets(world: &mut World, name: &str, pairs: &'static [(&'static str, &'static str)]) {
    world.client(name, move |ctx| async move {
        for (key, value) in pairs {
            set(&ctx, key, value).await;
        }
    });
}

/// A client that copies a key.
fn copies(world: &mut World, name: &str, from: &'static str, to: &'static str) {
    world.client(name, move |ctx| async move {
        let value = get(&ctx, from).await.unwrap_or_default();
        set(&ctx, to, value).await;
    });
}

/// The key must not have the value when all clients have ended.
fn never(world: &mut World, key: &'static str, value: &'static str) {
    world.finally(move |ctx| async move {
        let found = get(&ctx, key).await;
        if found.as_deref() == Some(value) { Err(format!("{key} is {value}")) } else { Ok(()) }
    });
}

fn table(world: &mut World) {
    world.setup(|ctx| async move {
        let db = ctx.db();
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)", ()).await?;
        db.execute("INSERT INTO t VALUES (1, 10), (2, 20)", ()).await
    });
}

fn updates(world: &mut World, name: &str, v: i64, then: Option<&'static str>) {
    world.client(name, move |ctx| async move {
        ctx.db().execute("UPDATE t SET v = ?1 WHERE id = 1", [v]).await?;
        if let Some(key) = then {
            ctx.redis().incr::<_, _, ()>(key, 1).await.expect("a number");
        }
        Ok::<(), crate::SqlError>(())
    });
}

/// The row must not have the value when all clients have ended.
fn never_row(world: &mut World, v: i64) {
    world.finally(move |ctx| async move {
        let found =
            ctx.db().query_value("SELECT v FROM t WHERE id = 1", ()).await.map_err(|error| error.to_string())?;
        if found == Some(SqlValue::Integer(v)) { Err(format!("the row is {v}")) } else { Ok(()) }
    });
}

#[test]
fn what_redis_holds() {
    needs(Part::Redis, NO_FAULTS, |world| {
        sets(world, "first", &[("a", "1")]);
        sets(world, "second", &[("a", "2")]);
        never(world, "a", "1");
    });
}

#[test]
fn what_sessions_watch() {
    needs(Part::Sessions, NO_FAULTS, |world| {
        world.setup(|ctx| async move { set(&ctx, "a", 1).await });
        sets(world, "writer", &[("a", "1")]);
        world.client("watcher", |ctx| async move {
            let mut redis = ctx.redis();
            redis::cmd("WATCH").arg("a").query_async::<()>(&mut redis).await?;
            redis::pipe().atomic().set("b", 1).query_async::<redis::Value>(&mut redis).await
        });
        world.finally(|ctx| async move { get(&ctx, "b").await.map(drop).ok_or("the watched key was not changed") });
    });
}

#[test]
fn the_numbers_of_sessions_once_somebody_asks() {
    needs(Part::SessionNumbers, NO_FAULTS, |world| {
        world.client("asks", |ctx| async move {
            let mut redis = ctx.redis();
            redis.get::<_, Option<String>>("a").await?;
            let shown: String = redis::cmd("CLIENT").arg("LIST").query_async(&mut redis).await?;
            let first = shown.split_once(' ').expect("its number comes first").0.to_owned();
            redis.set::<_, _, ()>("first", first).await
        });
        world.client("other", |ctx| async move {
            let mut redis = ctx.redis();
            redis.get::<_, Option<String>>("a").await?;
            redis.get::<_, Option<String>>("a").await
        });
        never(world, "first", "id=20000");
    });
}

/// Sends a message on a channel.
async fn publish(ctx: &Ctx, message: &str) {
    ctx.redis().publish::<_, _, ()>("c", message).await.expect("it is sent");
}

#[test]
fn what_a_connection_was_sent() {
    needs(Part::Inboxes, NO_FAULTS, |world| {
        world.client("listener", |ctx| async move {
            let mut redis = ctx.redis();
            redis::cmd("SUBSCRIBE").arg("c").query_async::<redis::Value>(&mut redis).await?;
            ctx.sleep(10).await;
            if let Some(heard) = redis.try_receive().await? {
                let heard = redis::Msg::from_push_info(heard).expect("a message of a channel");
                ctx.redis().set::<_, _, ()>("heard", heard.get_payload::<String>()?).await?;
            }
            redis::RedisResult::Ok(())
        });
        world.client("first", |ctx| async move { publish(&ctx, "1").await });
        world.client("second", |ctx| async move { publish(&ctx, "2").await });
        never(world, "heard", "2");
    });
}

#[test]
fn what_the_database_holds() {
    needs(Part::Database, NO_FAULTS, |world| {
        table(world);
        updates(world, "first", 1, None);
        updates(world, "second", 2, None);
        never_row(world, 1);
    });
}

#[test]
fn what_a_transaction_will_read() {
    needs(Part::Snapshots, NO_FAULTS, |world| {
        table(world);
        updates(world, "first", 1, Some("n"));
        updates(world, "second", 2, Some("n"));
        world.client("reader", |ctx| async move {
            if get(&ctx, "n").await.as_deref() != Some("2") {
                return Ok(());
            }
            let db = ctx.db();
            db.begin_deferred().await?;
            db.query("SELECT v FROM t WHERE id = 2", ()).await?;
            if get(&ctx, "m").await.is_some() {
                let v = db.query_value("SELECT v FROM t WHERE id = 1", ()).await?;
                set(&ctx, "out", format!("{v:?}")).await;
            }
            db.commit().await
        });
        updates(world, "third", 5, Some("m"));
        world.finally(|ctx| async move {
            let v =
                ctx.db().query_value("SELECT v FROM t WHERE id = 1", ()).await.map_err(|error| error.to_string())?;
            let out = get(&ctx, "out").await;
            let old = out.as_deref() == Some("Some(Integer(1))") && v == Some(SqlValue::Integer(5));
            if old { Err("the reader saw 1 behind 5".to_owned()) } else { Ok(()) }
        });
    });
}

#[test]
fn whether_a_transaction_can_still_write() {
    needs(Part::StaleSnapshots, NO_FAULTS, |world| {
        table(world);
        world.client("there and back", |ctx| async move {
            let db = ctx.db();
            db.execute("UPDATE t SET v = 11 WHERE id = 1", ()).await?;
            db.execute("UPDATE t SET v = 10 WHERE id = 1", ()).await?;
            set(&ctx, "n", 1).await;
            Ok::<(), crate::SqlError>(())
        });
        world.client("reader", |ctx| async move {
            let db = ctx.db();
            db.begin_deferred().await?;
            let before = db.query_value("SELECT sum(v) FROM t", ()).await?;
            let back = get(&ctx, "n").await.is_some();
            let refused = back && db.execute("UPDATE t SET v = 3 WHERE id = 2", ()).await.is_err();
            if refused && before == Some(SqlValue::Integer(30)) {
                set(&ctx, "out", "refused").await;
            }
            db.commit().await
        });
        never(world, "out", "refused");
    });
}

#[test]
fn what_another_client_did_in_a_transaction() {
    needs(Part::LentConnections, NO_FAULTS, |world| {
        table(world);
        world.client("owner", |ctx| async move {
            let db = Rc::new(ctx.db());
            db.begin().await?;
            let lent = db.clone();
            ctx.spawn("borrower", move |ctx| async move {
                let v = get(&ctx, "a").await.unwrap_or_default();
                lent.execute(&format!("UPDATE t SET v = 1{v} WHERE id = 1"), ()).await
            });
            ctx.sleep(50).await;
            db.commit().await
        });
        sets(world, "writer", &[("a", "2"), ("a", "1")]);
        never_row(world, 12);
    });
}

#[test]
fn the_clock() {
    needs(Part::Clock, NO_FAULTS, |world| {
        sets(world, "writer", &[("a", "1")]);
        world.client("sleeper", |ctx| async move {
            let ms = if get(&ctx, "a").await.is_some() { 100 } else { 50 };
            ctx.sleep(ms).await;
        });
        world.finally(|ctx| async move { if ctx.now() % 100 == 50 { Err("it is half past") } else { Ok(()) } });
    });
}

#[test]
fn the_pauses_that_are_left() {
    needs(Part::Pauses, PAUSE, |world| {
        world.setup(|ctx| async move { ctx.redis().pset_ex::<_, _, ()>("v", "1", 100).await });
        world.client("late", |ctx| async move {
            ctx.sleep(50).await;
            if get(&ctx, "v").await.is_none() {
                set(&ctx, "out", "gone").await;
            }
        });
        world.client("other", |ctx| async move { drop(get(&ctx, "a").await) });
        never(world, "out", "gone");
    });
}

#[test]
fn the_faults_that_are_left() {
    needs(Part::Faults, CRASH, |world| {
        world.client("may die", |ctx| async move {
            let first = get(&ctx, "a").await.is_none();
            set(&ctx, "x", 1).await;
            if first {
                set(&ctx, "c", 1).await;
            }
        });
        world.client("may die later", |ctx| async move {
            set(&ctx, "a", 1).await;
            if get(&ctx, "x").await.is_some() {
                set(&ctx, "b1", 1).await;
                set(&ctx, "b2", 1).await;
            }
        });
        world.finally(|ctx| async move {
            let (b1, b2, c) = (get(&ctx, "b1").await, get(&ctx, "b2").await, get(&ctx, "c").await);
            if b1.is_some() && b2.is_none() && c.is_none() { Err("half of it") } else { Ok(()) }
        });
    });
}

#[test]
fn what_a_failover_could_bring_back() {
    needs(Part::Log, NO_FAULTS.with(Fault::Failover, 1), |world| {
        sets(world, "x", &[("x", "1")]);
        sets(world, "y", &[("y", "1")]);
        world.client("reader", |ctx| async move {
            let both: Vec<Option<String>> = ctx.redis().mget(&["x", "y"]).await?;
            if both.iter().all(Option::is_some) && get(&ctx, "x").await.is_none() && get(&ctx, "y").await.is_some() {
                set(&ctx, "out", "y alone").await;
            }
            redis::RedisResult::Ok(())
        });
        never(world, "out", "y alone");
    });
}

#[test]
fn the_servers_clock() {
    needs(Part::ServerClock, NO_FAULTS.with(Fault::ClockJump, 1), |world| {
        world.setup(|ctx| async move { ctx.redis().pset_ex::<_, _, ()>("v", "1", 100).await });
        world.client("asks", |ctx| async move {
            let mut redis = ctx.redis();
            if get(&ctx, "v").await.is_none() {
                let (seconds, _): (i64, i64) = redis::cmd("TIME").query_async(&mut redis).await?;
                let back = seconds * 1000 < ctx.now();
                set(&ctx, "out", if back { "back" } else { "not" }).await;
            }
            redis::RedisResult::Ok(())
        });
        world.client("deletes", |ctx| async move { ctx.redis().del::<_, ()>("v").await });
        never(world, "out", "back");
    });
}

#[test]
fn how_long_a_client_waits_for_a_reply_that_is_lost() {
    needs(Part::Silence, PAUSE.with(Fault::LostReply, 1), |world| {
        world.setup(|ctx| async move { ctx.redis().pset_ex::<_, _, ()>("v", "1", 100).await });
        world.client("waits", |ctx| async move {
            let lost = ctx.redis().get::<_, Option<String>>("a").await.is_err_and(|error| error.is_timeout());
            if lost && ctx.redis().get::<_, Option<String>>("x").await.is_ok_and(|x| x.is_none()) {
                let _: redis::RedisResult<()> = ctx.redis().set("out", "early").await;
            }
        });
        world.client("sleeper", |ctx| async move {
            ctx.sleep(550).await;
            let _: redis::RedisResult<()> = ctx.redis().set("x", 1).await;
        });
        world.client("late", |ctx| async move {
            if ctx.redis().get::<_, Option<String>>("v").await.is_ok_and(|v| v.is_none()) {
                let _: redis::RedisResult<()> = ctx.redis().set("c", 1).await;
            }
        });
        world.finally(|ctx| async move {
            let early = get(&ctx, "out").await.is_some() && get(&ctx, "c").await.is_some();
            if early { Err("the wait began before the pause") } else { Ok(()) }
        });
    });
}

#[test]
fn what_is_on_its_way() {
    needs(Part::Late, NO_FAULTS.with(Fault::Late, 1), |world| {
        // Both writes come to nothing unless they are late, and a client that has ended is forgotten.
        world.client("writer", |ctx| async move {
            for value in ["1", "2"] {
                let mut late = redis::cmd("SET");
                late.arg("x").arg(value).arg("XX");
                let _: redis::RedisResult<()> = late.query_async(&mut ctx.redis()).await;
            }
            let _: redis::RedisResult<()> = ctx.redis().set("x", 0).await;
        });
        world.finally(|ctx| async move {
            let waited = ctx.now() % 1_000 > 0;
            let late = get(&ctx, "x").await;
            if !waited && late.as_deref() == Some("1") { Err("the first came last") } else { Ok(()) }
        });
    });
}

#[test]
fn how_much_the_replica_has_shown() {
    needs(Part::Log, NO_FAULTS.with(Fault::Lag, 1), |world| {
        sets(world, "writer", &[("y", "1")]);
        world.client("reader", |ctx| async move {
            // Before the write or after it, this reads the same.
            let mut replica = ctx.replica();
            let _: Option<String> = replica.get("z").await.unwrap_or_default();
            let mut redis = ctx.redis();
            let written = redis.get::<_, Option<String>>("y").await.unwrap_or_default();
            if written.is_some() && replica.get::<_, Option<String>>("y").await.is_ok_and(|shown| shown.is_none()) {
                let _: redis::RedisResult<()> = redis.set("old", 1).await;
            }
        });
        never(world, "old", "1");
    });
}

#[test]
fn which_connections_broke() {
    needs(Part::Broken, NO_FAULTS.with(Fault::Restart, 1), |world| {
        sets(world, "writer", &[("x", "1")]);
        world.client("owner", |ctx| async move {
            let mut owned = ctx.redis();
            let mut lent = owned.clone();
            ctx.spawn("borrower", move |ctx| async move {
                if get(&ctx, "x").await.is_none() {
                    drop(lent.get::<_, Option<String>>("a").await);
                }
            });
            ctx.sleep(50).await;
            if owned.get::<_, Option<String>>("a").await.is_err() {
                set(&ctx, "out", "broken").await;
            }
        });
        never(world, "out", "broken");
    });
}

#[test]
fn who_has_returned() {
    needs(Part::Returned, CRASH, |world| {
        sets(world, "x", &[("x", "1")]);
        sets(world, "y", &[("y", "1")]);
        world.finally(|ctx| async move {
            let lost = get(&ctx, "x").await.is_some() && !ctx.returned("x");
            if lost { Err("x was set by nobody") } else { Ok(()) }
        });
    });
}

#[test]
fn what_ended_clients_were_told_where_outcomes_are_compared() {
    needs(Part::Endings, NO_FAULTS, |world| {
        world.client("reader", |ctx| async move {
            get(&ctx, "x").await;
            get(&ctx, "y").await;
        });
        sets(world, "writer", &[("x", "1"), ("y", "1")]);
        world.serializable();
    });
}

#[test]
fn what_a_parent_was_told() {
    needs(Part::Parents, NO_FAULTS, |world| {
        world.setup(|ctx| async move { set(&ctx, "a", 1).await });
        world.client("parent", |ctx| async move {
            let value = get(&ctx, "a").await.unwrap_or_default();
            ctx.spawn("child", |ctx| async move { set(&ctx, "out", value).await });
        });
        sets(world, "writer", &[("a", "2"), ("a", "1")]);
        never(world, "out", "2");
    });
}

#[test]
fn whether_a_client_was_cut_off() {
    needs(Part::CutOff, Bounds { steps_per_client: 1, ..NO_FAULTS }, |world| {
        world.client("writer", |ctx| async move {
            set(&ctx, "a", 1).await;
            ctx.sleep(100).await;
        });
        world.client("waits", |ctx| async move {
            if get(&ctx, "a").await.is_none() {
                let _ = ctx.timeout(70, ctx.bell().after(0)).await;
            }
        });
    });
}

#[test]
fn what_a_client_was_replied() {
    needs(Part::Replies, NO_FAULTS, |world| {
        world.setup(|ctx| async move { set(&ctx, "a", 1).await });
        copies(world, "reader", "a", "out");
        sets(world, "writer", &[("a", "2"), ("a", "1")]);
        never(world, "out", "2");
    });
}

#[test]
fn when_a_client_read_the_clock() {
    needs(Part::ClockReads, PAUSE, |world| {
        world.setup(|ctx| async move { ctx.redis().pset_ex::<_, _, ()>("v", "1", 100).await });
        world.client("clock", |ctx| async move {
            get(&ctx, "a").await;
            let now = ctx.now();
            set(&ctx, "out", now).await;
        });
        world.finally(|ctx| async move {
            let now = ctx.now();
            let read: i64 = get(&ctx, "out").await.and_then(|text| text.parse().ok()).unwrap_or_default();
            if read < now { Err("an old time is stored") } else { Ok(()) }
        });
    });
}

/// What one client hands to another one, and who waits for it.
type Slot = Arc<Mutex<(Option<String>, Option<Waker>)>>;

#[test]
fn what_a_client_was_woken_with() {
    needs(Part::Wakes, NO_FAULTS, |world| {
        world.setup(|ctx| async move { set(&ctx, "a", 1).await });
        let slot = Slot::default();
        let (give, take) = (slot.clone(), slot);
        world.client("gives", |ctx| async move {
            let value = get(&ctx, "a").await;
            let mut slot = give.lock().expect("nobody panicked");
            slot.0 = value;
            slot.1.take().expect("the other one waits").wake();
        });
        world.client("takes", |ctx| async move {
            let value = poll_fn(|context| {
                let mut slot = take.lock().expect("nobody panicked");
                slot.1 = Some(context.waker().clone());
                slot.0.take().map_or(Poll::Pending, Poll::Ready)
            })
            .await;
            set(&ctx, "out", value).await;
        });
        sets(world, "writer", &[("a", "2"), ("a", "1")]);
        never(world, "out", "2");
    });
}

fn one_cell(world: &mut World) {
    let cell = world.shared("cell", 0);
    for (name, value) in [("first", 1), ("second", 2)] {
        let cell = cell.clone();
        world.client(name, move |ctx| async move { cell.update(&ctx, move |cell| *cell = value).await });
    }
    world.finally(move |ctx| {
        let cell = cell.clone();
        async move { if cell.read(&ctx, |cell| *cell).await == 1 { Err("the cell is 1") } else { Ok(()) } }
    });
}

#[test]
fn what_clients_share() {
    needs(Part::Cells, NO_FAULTS, one_cell);
}

#[test]
fn who_changed_what_clients_share() {
    needs(Part::Who, NO_FAULTS, one_cell);
}

#[test]
fn the_history_that_checks_read() {
    needs(Part::History, NO_FAULTS, |world| {
        world.client("reader", |ctx| async move {
            let old = async {
                get(&ctx, "a").await;
                get(&ctx, "a").await;
                Some(1)
            };
            let _ = ctx.read("k", old).await;
        });
        world.client("writer", |ctx| async move {
            ctx.write("k", 1, get(&ctx, "a")).await;
            ctx.write("k", 2, get(&ctx, "a")).await;
        });
        world.history(HistoryCheck::fresh("k"));
    });
}

#[test]
fn the_steps_that_are_left() {
    needs(Part::Depth, Bounds { depth: Some(5), ..NO_FAULTS }, |world| {
        world.client("reader", |ctx| async move {
            if get(&ctx, "b").await.is_none() {
                get(&ctx, "b").await;
            }
            set(&ctx, "e", 1).await;
        });
        world.client("writer", |ctx| async move {
            set(&ctx, "b", 1).await;
            if get(&ctx, "e").await.is_some() {
                set(&ctx, "out", 1).await;
            }
        });
        never(world, "out", "1");
    });
}

#[test]
fn the_preemptions_that_are_left() {
    needs(Part::Preemptions, Bounds { preemptions: Some(1), ..NO_FAULTS }, |world| {
        world.client("writer", |ctx| async move {
            set(&ctx, "f", 1).await;
            if get(&ctx, "h").await.is_some() {
                set(&ctx, "g1", 1).await;
                set(&ctx, "g2", 1).await;
            }
        });
        world.client("answers", |ctx| async move {
            let found = get(&ctx, "f").await.is_some();
            set(&ctx, if found { "h" } else { "mark" }, 1).await;
        });
        sets(world, "other", &[("f", "1")]);
        world.client("looks", |ctx| async move {
            if get(&ctx, "g1").await.is_some() && get(&ctx, "g2").await.is_none() {
                set(&ctx, "out", "half").await;
            }
        });
        never(world, "out", "half");
    });
}

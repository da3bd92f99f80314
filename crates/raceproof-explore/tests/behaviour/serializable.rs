//! Serializability without a specification: which worlds have it, and what is said of those that do not.

use raceproof_explore::{Check, Counterexample, Ctx, Error, Fault, Strategy, Verdict, World};
use redis::{AsyncCommands, RedisResult};

use crate::{explore, verified, violated};

async fn get(ctx: &Ctx, key: &str) -> i64 {
    ctx.redis().get::<_, Option<i64>>(key).await.unwrap().unwrap_or(0)
}

async fn set(ctx: &Ctx, key: &str, value: i64) {
    ctx.redis().set::<_, _, ()>(key, value).await.unwrap();
}

async fn count(ctx: Ctx, atomic: bool) -> RedisResult<()> {
    if atomic {
        return ctx.redis().incr::<_, _, ()>("n", 1).await;
    }
    let n = get(&ctx, "n").await;
    set(&ctx, "n", n + 1).await;
    Ok(())
}

fn counters(world: &mut World, atomic: bool) {
    for me in ["web", "mobile"] {
        world.client(me, move |ctx| count(ctx, atomic));
    }
    world.serializable();
}

fn found(body: impl Fn(&mut World) + Sync) -> (String, String) {
    let Counterexample { message, story, .. } = violated(&Check::new("serializable"), body);
    (message, story.unwrap_or_default())
}

#[test]
fn increments_need_no_specification() {
    verified(&Check::new("INCR"), |world| counters(world, true));
    let (message, story) = found(|world| counters(world, false));
    assert_eq!(message, "lost update: mobile overwrote web's write of n without having seen it");
    let expected = "mobile read n at step 1 and wrote it at step 4; in between, web wrote it at step 3. One after another \
                    the clients would leave n = \"2\"; here it is \"1\".";
    assert_eq!(story, expected);
}

#[test]
fn write_skew() {
    let on_call = |world: &mut World| {
        world.setup(|ctx| async move {
            set(&ctx, "alice", 1).await;
            set(&ctx, "bob", 1).await;
        });
        for (me, other) in [("alice", "bob"), ("bob", "alice")] {
            world.client(me, move |ctx| async move {
                if get(&ctx, other).await == 1 {
                    set(&ctx, me, 0).await;
                }
            });
        }
        world.serializable();
    };
    let (message, story) = found(on_call);
    assert_eq!(message, "write skew: alice read bob and bob read alice, and then each wrote what the other had read");
    assert!(story.starts_with("alice read bob at step 1, and bob wrote it at step"), "{story}");
}

#[test]
fn a_read_between_two_writes() {
    let (message, _) = found(|world| {
        world.client("writer", |ctx| async move {
            set(&ctx, "a", 1).await;
            set(&ctx, "b", 1).await;
        });
        world.client("reader", |ctx| async move {
            let _: Vec<Option<i64>> = ctx.redis().mget(&["a", "b"]).await?;
            RedisResult::Ok(())
        });
        world.serializable();
    });
    assert_eq!(message, "dirty read: reader saw writer's write of a and not yet that of b");
}

#[test]
fn a_read_that_is_not_repeatable() {
    let (message, story) = found(|world| {
        world.client("writer", |ctx| async move { set(&ctx, "a", 1).await });
        world.client("reader", |ctx| async move {
            get(&ctx, "a").await;
            get(&ctx, "a").await;
        });
        world.serializable();
    });
    assert_eq!(message, "non-repeatable read: reader read a before writer wrote it, and a after");
    let expected = "reader read a at step 1, writer wrote it at step 2; writer wrote a at step 2, reader read it at step 3. \
                    Some order of the clients leaves the same behind, but what they are told fits none.";
    assert_eq!(story, expected);
}

/// A reader fills the cache from the row; the writer writes both, in one way or the other.
fn cache(world: &mut World, row_first: bool) {
    world.setup(|ctx| async move {
        let db = ctx.db();
        db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)", ()).await?;
        db.execute("INSERT INTO users VALUES (1, 'free')", ()).await
    });
    world.client("reader", |ctx| async move {
        let row = ctx.db().query_value("SELECT plan FROM users WHERE id = 1", ()).await?.unwrap();
        ctx.redis().set::<_, _, ()>("user:1", row.as_text().unwrap()).await.unwrap();
        Ok::<(), raceproof_explore::SqlError>(())
    });
    world.client("writer", move |ctx| async move {
        if row_first {
            ctx.db().execute("UPDATE users SET plan = 'pro' WHERE id = 1", ()).await?;
            ctx.redis().set::<_, _, ()>("user:1", "pro").await.unwrap();
        } else {
            ctx.db().execute("UPDATE users SET plan = 'pro' WHERE id = 1", ()).await?;
        }
        Ok::<(), raceproof_explore::SqlError>(())
    });
    world.serializable();
}

#[test]
fn a_cache_that_is_filled_with_what_was_read_before() {
    let (message, story) = found(|world| cache(world, true));
    assert_eq!(message, "stale read: reader wrote user:1 after a read of users (row 1) that writer has changed since");
    let expected = "reader read users (row 1) at step 1, and writer wrote it at step 2; writer wrote user:1 at step 3, and \
                    reader at step 4. One after another the clients would leave user:1 = \"pro\"; here it is \"free\".";
    assert_eq!(story, expected);
    verified(&Check::new("the row alone"), |world| cache(world, false));
}

#[test]
fn transactions_of_the_database_are_serializable() {
    let transfer = |world: &mut World, together: bool| {
        world.setup(|ctx| async move {
            let db = ctx.db();
            db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)", ()).await?;
            db.execute("INSERT INTO t VALUES (1, 10), (2, 20)", ()).await
        });
        for (me, from, to) in [("a", 1, 2), ("b", 2, 1)] {
            world.client(me, move |ctx| async move {
                let db = ctx.db();
                if together {
                    db.begin().await?;
                }
                let v = db.query_value("SELECT v FROM t WHERE id = ?1", [from]).await?.unwrap().as_integer().unwrap();
                db.execute("UPDATE t SET v = ?1 WHERE id = ?2", [v, to]).await?;
                if together {
                    db.commit().await?;
                }
                Ok::<(), raceproof_explore::SqlError>(())
            });
        }
        world.serializable();
    };
    verified(&Check::new("BEGIN IMMEDIATE"), |world| transfer(world, true));
    let (message, _) = found(|world| transfer(world, false));
    assert_eq!(
        message,
        "write skew: a read t (row 1) and b read t (row 2), and then each wrote what the other had read"
    );
}

#[test]
fn a_client_that_dies_has_made_any_of_its_steps_or_none() {
    let body = |world: &mut World| {
        for me in ["a", "b"] {
            world.client(me, move |ctx| async move {
                set(&ctx, me, 1).await;
                ctx.redis().incr::<_, _, ()>("n", 1).await.unwrap();
            });
        }
        world.serializable();
    };
    let report = explore(&Check::new("dies").fault(Fault::Crash, 2), body);
    assert_eq!((report.verdict, report.violation), (Verdict::Verified, None));
    let crash = Check::new("counts in two steps").fault(Fault::Crash, 1);
    let message = violated(&crash, |world| counters(world, false)).message;
    assert!(message.starts_with("lost update"), "{message}");
}

#[test]
fn time_passes_in_turns_as_well() {
    let sleepers = |world: &mut World| {
        for me in ["a", "b"] {
            world.client(me, move |ctx| async move {
                let mut redis = ctx.redis();
                redis.set_ex::<_, _, ()>(me, 1, 10).await.unwrap();
                ctx.sleep(1_000).await;
                redis.incr::<_, _, ()>("n", 1).await.unwrap();
            });
        }
        world.serializable();
    };
    verified(&Check::new("sleeps"), sleepers);
    let report = explore(&Check::new("pauses").pauses(1), sleepers);
    assert_eq!((report.verdict, report.violation), (Verdict::Verified, None), "remaining TTLs may differ then");
}

#[test]
fn deadlines_are_compared_while_no_time_has_passed() {
    let body = |sleeps: u64| {
        move |world: &mut World| {
            world.setup(|ctx| async move {
                set(&ctx, "x", 1).await;
                set(&ctx, "y", 1).await;
            });
            for (me, seconds) in [("a", 100), ("b", 50)] {
                world.client(me, move |ctx| async move {
                    let mut redis = ctx.redis();
                    redis.expire::<_, ()>("x", seconds).await.unwrap();
                    redis.expire::<_, ()>("y", seconds).await.unwrap();
                    ctx.sleep(sleeps).await;
                });
            }
            world.serializable();
        }
    };
    let (message, story) = found(body(0));
    assert_eq!(message, "not serializable: a, b come to this in no order, one after another");
    assert_eq!(story, "Some order of the clients ends like this, but for when x, y will expire.");
    verified(&Check::new("later"), body(1));
}

#[test]
fn spawned_clients_belong_to_who_spawned_them() {
    let body = |world: &mut World| {
        for me in ["a", "b"] {
            world.client(me, move |ctx| async move {
                ctx.redis().incr::<_, _, ()>("n", 1).await.unwrap();
                ctx.spawn("child", |ctx| async move { ctx.redis().incr::<_, _, ()>("m", 1).await.unwrap() });
            });
        }
        world.serializable();
    };
    let report = explore(&Check::new("spawned"), body);
    let found = report.violation.map(|found| found.message);
    assert_eq!(found.as_deref(), Some("not serializable: a, b come to this in no order, one after another"));
}

#[test]
fn too_many_clients_are_refused() {
    let error = Check::new("many").run(|world| {
        for me in 0..8 {
            world.client(format!("c{me}"), |ctx| async move { ctx.redis().incr::<_, _, ()>("n", 1).await });
        }
        world.serializable();
    });
    let expected = "the check of serializability runs every order of the clients, of up to 7, and there are 8: leave some \
                    out, or state what must hold in a finally check";
    assert_eq!(error.unwrap_err().to_string(), expected);
}

#[test]
fn clients_that_need_each_other_have_no_serial_order() {
    let error = Check::new("ping pong").run(|world| {
        let turn = world.shared("turn", 0_u32);
        for me in 0..2_u32 {
            let turn = turn.clone();
            world.client(format!("c{me}"), move |ctx| async move {
                for _ in 0..2 {
                    while turn.read(&ctx, |turn| *turn).await != me {
                        ctx.sleep(10).await;
                    }
                    turn.update(&ctx, |turn| *turn = 1 - *turn).await;
                }
            });
        }
        world.serializable();
    });
    let Err(Error::Misuse { what, .. }) = error else { panic!("{error:?}") };
    assert!(what.starts_with("has nothing to compare with"), "{what}");
}

#[test]
fn a_sampled_search_finds_it_too() {
    let check = Check::new("random").strategy(Strategy::Random { seed: 3 }).max_executions(200);
    let report = explore(&check, |world| counters(world, false));
    assert!(report.violation.unwrap().message.starts_with("lost update"));
}

/// A producer, and a consumer that waits for it as long as it takes, or so many seconds, and may look for what the producer does next.
fn queue(world: &mut World, seconds: &'static str, look: bool) {
    world.client("consumer", move |ctx| async move {
        let mut redis = ctx.redis();
        let mut wait = redis::cmd("BLPOP");
        wait.arg("q").arg(seconds);
        let item: Option<(String, i64)> = wait.query_async(&mut redis).await?;
        let all: Option<i64> = if look { redis.get("all").await? } else { None };
        redis.set::<_, _, ()>("got", format!("{item:?} {all:?}")).await
    });
    world.client("producer", |ctx| async move {
        let mut redis = ctx.redis();
        redis.rpush::<_, _, ()>("q", 1).await?;
        redis.set::<_, _, ()>("all", 1).await
    });
    world.serializable();
}

#[test]
fn a_consumer_that_waits_for_its_producer_comes_after_it() {
    let alone = |world: &mut World| {
        world.client("consumer", |ctx| async move {
            redis::cmd("BLPOP").arg("q").arg(0).query_async::<redis::Value>(&mut ctx.redis()).await.map(drop)
        });
        world.client("producer", |ctx| async move { ctx.redis().rpush::<_, _, ()>("q", 1).await });
        world.serializable();
    };
    verified(&Check::new("producer, consumer"), alone);
    assert_eq!(explore(&Check::new("restart").fault(Fault::Restart, 1), alone).violation, None);
    let (message, _) = found(|world| queue(world, "0", true));
    // It saw one of the two writes; what a served client takes has no name of its own.
    assert_eq!(message, "not serializable: consumer, producer come to this in no order, one after another");
}

/// A client that has waited in vain is one that came first.
#[test]
fn a_consumer_that_gives_up_waiting_comes_first() {
    let body = |world: &mut World| queue(world, "0.1", false);
    verified(&Check::new("in vain"), |world| {
        body(world);
        world.client("late", |ctx| async move { ctx.sleep(50).await });
    });
}

/// No order of the clients is one: each waits for the other.
#[test]
fn clients_that_answer_each_other_take_no_turns() {
    let talk = |world: &mut World| {
        for (name, mine, other, first) in [("asks", "a", "q", true), ("answers", "q", "a", false)] {
            world.client(name, move |ctx| async move {
                let mut redis = ctx.redis();
                if first {
                    redis.rpush::<_, _, ()>(other, 1).await?;
                }
                redis::cmd("BLPOP").arg(mine).arg(0).query_async::<redis::Value>(&mut redis).await?;
                if first { Ok(()) } else { redis.rpush::<_, _, ()>(other, 1).await }
            });
        }
        world.serializable();
    };
    let Err(Error::Misuse { what, .. }) = Check::new("talk").run(talk) else { panic!("there are no turns") };
    assert!(what.starts_with("has nothing to compare with: in every order some client waits"), "{what}");
}

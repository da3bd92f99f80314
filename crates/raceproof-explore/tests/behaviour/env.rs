//! The surroundings of a primitive, simulated: what `raceproof-env` promises holds under every schedule.

use std::path::Path;

use raceproof_env::{Bell, Clock, Consequence, Files, Notify, Sleep, Spawn, Sql, SqlValue, Tokens};
use raceproof_explore::{Check, Ctx, World};
use redis::{AsyncCommands, RedisResult};

use crate::{Tally, explore, lines, verified, violated};

#[test]
fn the_clock_and_sleeping() {
    verified(&Check::new("clock"), |world| {
        world.client("web", |ctx| async move {
            let (wall, boot) = (ctx.unix_ms(), ctx.boot_ms());
            Sleep::sleep(&ctx, 250).await;
            assert_eq!((ctx.unix_ms() - wall, ctx.boot_ms() - boot), (250, 250));
            assert_eq!(ctx.unix_ms(), ctx.now());
        });
    });
}

#[test]
fn a_spawned_client_is_explored_like_any_other() {
    let seen = Tally::default();
    verified(&Check::new("spawn"), |world| {
        world.client("web", |ctx| async move {
            let mut theirs = ctx.redis();
            let sleeping = Sleep::sleep(&ctx, 10);
            Spawn::spawn(&ctx, "renewal", async move {
                sleeping.await;
                theirs.set::<_, _, ()>("k", "renewal").await.unwrap();
            });
            let mut redis = ctx.redis();
            redis.set::<_, _, ()>("other", "web").await?;
            ctx.sleep(10).await;
            redis.set::<_, _, ()>("k", "web").await
        });
        let seen = seen.clone();
        world.finally(move |ctx| {
            let seen = seen.clone();
            async move { seen.add(ctx.redis().get::<_, String>("k").await.unwrap()) }
        });
    });
    assert_eq!(seen.seen(), ["renewal", "web"]);
}

/// A connection that was opened by one client and is used by a task that outlives it.
fn lent(world: &mut World, seen: &Tally) {
    world.client("web", |ctx| async move {
        let (mut theirs, db, sleeping) = (ctx.redis(), ctx.db(), Sleep::sleep(&ctx, 50));
        ctx.spawn("task", |_| async move {
            sleeping.await;
            theirs.append::<_, _, ()>("order", "task ").await.unwrap();
            db.execute("UPDATE t SET v = v + 1", ()).await
        });
        ctx.redis().append::<_, _, ()>("order", "web ").await
    });
    world.client("late", |ctx| async move {
        ctx.sleep(50).await;
        ctx.db().execute("UPDATE t SET v = v * 2", ()).await?;
        ctx.redis().append::<_, _, ()>("order", "late ").await.unwrap();
        Ok::<(), raceproof_explore::SqlError>(())
    });
    world.setup(|ctx| async move {
        ctx.db().execute("CREATE TABLE t (v INTEGER)", ()).await?;
        ctx.db().execute("INSERT INTO t VALUES (1)", ()).await
    });
    let seen = seen.clone();
    world.finally(move |ctx| {
        let seen = seen.clone();
        async move {
            let order: Option<String> = ctx.redis().get("order").await.unwrap();
            let v = ctx.db().query_value("SELECT v FROM t", ()).await.unwrap().unwrap();
            seen.add(format!("{}{v}", order.unwrap_or_default()));
        }
    });
}

#[test]
fn a_connection_may_be_lent_to_a_task_that_outlives_its_client() {
    let seen = Tally::default();
    verified(&Check::new("lent"), |world| lent(world, &seen));
    assert_eq!(seen.seen(), ["web late task 3", "web task late 3", "web task late 4"]);
    let seen = Tally::default();
    explore(&Check::new("lent by one that dies").crashes(1), |world| lent(world, &seen));
    assert!(seen.seen().contains(&"task late 4".to_owned()), "the task goes on without it: {:?}", seen.seen());
}

fn spawner(world: &mut World) {
    for me in ["web", "mobile"] {
        world.client(me, move |ctx| async move {
            ctx.redis().set::<_, _, ()>(me, 1).await?;
            ctx.spawn(&format!("{me}'s helper"), move |ctx| async move {
                let n: i64 = ctx.redis().incr("n", 1).await.unwrap();
                assert!(n < 2 || me == "web", "mobile's helper came second");
            });
            ctx.redis().set::<_, _, ()>(me, 2).await
        });
    }
}

#[test]
fn a_spawned_client_has_violations_of_its_own() {
    let found = violated(&Check::new("spawned"), spawner);
    assert_eq!(found.message, "mobile's helper came second");
    assert_eq!(found.broken, raceproof_explore::Broken::Client("mobile's helper".to_owned()));
    let last = found.steps.last().expect("steps");
    assert_eq!((last.client.as_str(), last.text.as_str()), ("mobile's helper", "INCRBY n 1"));
    assert_eq!(found.steps.len(), 4, "{:?}", lines(&found));
}

#[test]
fn a_spawned_client_outlives_the_one_that_dies() {
    let seen = Tally::default();
    explore(&Check::new("outlives").crashes(1), |world| {
        world.client("web", |ctx| async move {
            ctx.spawn("release", |ctx| async move { ctx.redis().set::<_, _, ()>("released", 1).await });
            ctx.redis().set::<_, _, ()>("k", 1).await
        });
        let seen = seen.clone();
        world.finally(move |ctx| {
            let seen = seen.clone();
            async move {
                let both: usize = ctx.redis().exists(&["released", "k"]).await.unwrap();
                seen.add(both);
            }
        });
    });
    assert_eq!(seen.seen(), ["1", "2"], "at most one of the two dies");
}

/// Waits for a flag in Redis as a primitive does: look, and sleep only while nothing rang since.
fn waiter(world: &mut World, looks_first: bool) {
    let bell = std::rc::Rc::new(std::cell::OnceCell::new());
    let theirs = bell.clone();
    world.client("waiter", move |ctx| async move {
        let mine = theirs.get_or_init(|| ctx.bell()).clone();
        loop {
            let seen = if looks_first { None } else { Some(mine.rings()) };
            if ctx.redis().exists::<_, bool>("ready").await.unwrap() {
                return;
            }
            let seen = match seen {
                Some(seen) => seen,
                None => {
                    ctx.redis().get::<_, Option<u8>>("anything").await.unwrap();
                    mine.rings()
                }
            };
            mine.after(seen).await;
        }
    });
    world.client("setter", move |ctx| async move {
        ctx.redis().set::<_, _, ()>("ready", 1).await.unwrap();
        bell.get().expect("the waiter has made it at its start").ring();
    });
}

#[test]
fn a_bell_loses_no_wakeup() {
    verified(&Check::new("bell"), |world| waiter(world, false));
    let found = violated(&Check::new("looks first"), |world| waiter(world, true));
    assert_eq!(found.message, "deadlock: waiter waits for another client");
}

#[test]
fn a_ring_belongs_to_the_step_of_whoever_rings() {
    let seen = Tally::default();
    let executions = verified(&Check::new("ring"), |world| {
        let bell = std::rc::Rc::new(std::cell::OnceCell::new());
        let theirs = bell.clone();
        let seen = seen.clone();
        world.client("listener", move |ctx| async move {
            let mine = theirs.get_or_init(|| ctx.bell()).clone();
            ctx.redis().set::<_, _, ()>("listener", 1).await?;
            seen.add(mine.rings());
            RedisResult::Ok(())
        });
        world.client("ringer", move |ctx| async move {
            ctx.redis().set::<_, _, ()>("ringer", 1).await?;
            bell.get().expect("made at the start").ring();
            RedisResult::Ok(())
        });
    });
    assert_eq!((executions, seen.seen()), (2, vec!["0".to_owned(), "1".to_owned()]));
}

#[test]
fn a_bell_that_has_rung_is_a_cancellation() {
    verified(&Check::new("rung"), |world| {
        world.client("web", |ctx| async move {
            let bell = ctx.bell();
            assert_eq!(bell.rings(), 0);
            bell.ring();
            bell.clone().ring();
            assert_eq!(bell.rings(), 2, "clones are the same bell");
            bell.after(0).await;
            bell.after(1).await;
        });
    });
}

#[test]
fn tokens_are_unique_and_the_same_in_every_run() {
    let seen = Tally::default();
    verified(&Check::new("tokens").crashes(1), |world| {
        let all = world.shared("tokens", Vec::<String>::new());
        for me in ["web", "mobile"] {
            let (all, seen) = (all.clone(), seen.clone());
            world.client(me, move |ctx| async move {
                for _ in 0..2 {
                    let token = ctx.token();
                    assert_eq!(token.len(), 32, "{token}");
                    assert!(token.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')), "{token}");
                    seen.add(&token);
                    let fresh = all.update(&ctx, move |all| {
                        let fresh = !all.contains(&token);
                        all.push(token);
                        fresh
                    });
                    assert!(fresh.await, "a token came twice");
                }
            });
        }
    });
    assert_eq!(seen.seen().len(), 4, "four tokens, in all executions");
}

#[test]
fn setups_and_checks_have_tokens_of_their_own() {
    verified(&Check::new("tokens"), |world| {
        for _ in 0..2 {
            world.setup(|ctx| async move {
                let token = ctx.token();
                assert_eq!(ctx.redis().sadd_or_hset(&token).await, 1, "a setup before has made the same");
            });
        }
        world.client("web", |ctx| async move {
            let token = ctx.token();
            assert_eq!(ctx.redis().sadd_or_hset(&token).await, 1, "the setup has made the same");
        });
        for _ in 0..2 {
            world.finally(|ctx| async move {
                let token = ctx.token();
                assert_eq!(ctx.redis().sadd_or_hset(&token).await, 1, "somebody has made the same");
            });
        }
    });
}

/// Adds to a set of tokens, kept as a hash.
trait AddToken {
    async fn sadd_or_hset(self, token: &str) -> i64;
}

impl AddToken for raceproof_explore::RedisConnection {
    async fn sadd_or_hset(mut self, token: &str) -> i64 {
        self.hset("tokens", token, 1).await.unwrap()
    }
}

const PATH: &str = "/run/state";

#[test]
fn files_are_replaced_whole() {
    let seen = Tally::default();
    verified(&Check::new("files"), |world| {
        world.client("writer", |ctx| async move {
            for contents in ["one", "two"] {
                ctx.replace(Path::new(PATH), contents.as_bytes()).await.unwrap();
            }
        });
        let seen = seen.clone();
        world.client("reader", move |ctx| async move {
            let contents = Files::read(&ctx, Path::new(PATH)).await.unwrap();
            seen.add(contents.map_or_else(|| "none".to_owned(), |bytes| String::from_utf8(bytes).unwrap()));
        });
    });
    assert_eq!(seen.seen(), ["none", "one", "two"]);
}

#[test]
fn files_that_the_setup_leaves_are_there_in_every_execution() {
    verified(&Check::new("setup files"), |world| {
        let cell = world.shared("cell", 0_u32);
        let theirs = cell.clone();
        world.setup(|ctx| async move {
            ctx.replace(Path::new(PATH), b"here").await.unwrap();
            theirs.update(&ctx, |cell| *cell = 7).await;
            ctx.redis().set::<_, _, ()>("k", 1).await
        });
        for me in ["web", "mobile"] {
            let cell = cell.clone();
            world.client(me, move |ctx| async move {
                let contents = Files::read(&ctx, Path::new(PATH)).await.unwrap();
                assert_eq!(contents.as_deref(), Some(&b"here"[..]));
                assert_eq!(cell.read(&ctx, |cell| *cell).await, 7);
                ctx.redis().incr::<_, _, i64>("k", 1).await
            });
        }
        world.finally(|ctx| async move { assert_eq!(ctx.redis().get::<_, i64>("k").await.unwrap(), 3) });
    });
}

/// Clients that go into a section while they hold a file lock; a death gives it back.
fn locked(world: &mut World, clients: usize) {
    for number in 0..clients {
        world.client(format!("c{number}"), |ctx| async move {
            let lock = ctx.try_lock(Path::new(PATH)).await.unwrap();
            let Some(lock) = lock else { return RedisResult::Ok(()) };
            ctx.inside("section", async {
                ctx.redis().incr::<_, _, i64>("inside", 1).await?;
                ctx.redis().decr::<_, _, i64>("inside", 1).await
            })
            .await?;
            drop(lock);
            ctx.redis().set::<_, _, ()>("left", 1).await
        });
    }
    world.history(raceproof_explore::HistoryCheck::exclusion("section"));
}

#[test]
fn a_file_lock_excludes_and_ends_with_its_holder() {
    verified(&Check::new("lock"), |world| locked(world, 3));
    let seen = Tally::default();
    verified(&Check::new("lock and a death").crashes(1), |world| {
        world.client("holder", |ctx: Ctx| async move {
            let _lock = ctx.try_lock(Path::new(PATH)).await.unwrap();
            ctx.redis().set::<_, _, ()>("working", 1).await
        });
        let seen = seen.clone();
        world.finally(move |ctx| {
            let seen = seen.clone();
            async move { seen.add(ctx.try_lock(Path::new(PATH)).await.unwrap().is_some()) }
        });
    });
    assert_eq!(seen.seen(), ["true"], "nobody is left to hold it");
}

#[test]
fn the_database_as_a_primitive_sees_it() {
    verified(&Check::new("sql"), |world| {
        world.setup(|ctx| async move { ctx.db().execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)", ()).await });
        for id in [1, 2] {
            world.client(format!("c{id}"), move |ctx| async move { primitive(&mut ctx.db(), id).await.unwrap() });
        }
        world.finally(|ctx| async move {
            assert_eq!(ctx.db().query_value("SELECT count(*) FROM t", ()).await.unwrap(), Some(SqlValue::Integer(2)));
        });
    });
}

async fn primitive(sql: &mut impl Sql, id: i64) -> Result<(), raceproof_env::SqlError> {
    sql.rollback().await.expect("without a transaction it does nothing");
    sql.begin().await?;
    let again = sql.begin().await.expect_err("inside a transaction");
    assert_eq!(again.consequence, Consequence::Refused);
    assert_eq!(sql.execute("INSERT INTO t VALUES (?1, ?2)", &[id.into(), "x".into()]).await?, 1);
    sql.rollback().await?;
    sql.begin().await?;
    assert_eq!(sql.execute("INSERT INTO t VALUES (?1, ?2)", &[id.into(), "y".into()]).await?, 1);
    let duplicate = sql.execute("INSERT INTO t VALUES (?1, 'z')", &[id.into()]).await.expect_err("a duplicate");
    assert_eq!(duplicate.consequence, Consequence::Refused);
    sql.commit().await?;
    let rows = sql.query("SELECT v FROM t WHERE id = ?1", &[id.into()]).await?;
    assert_eq!(rows.get(0, "v"), Some(&SqlValue::Text("y".to_owned())));
    Ok(())
}

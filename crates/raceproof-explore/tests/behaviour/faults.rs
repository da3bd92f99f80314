//! Clients that die: before a step, or after its effect.

use raceproof_explore::{Check, StepKind, World};
use redis::{AsyncCommands, RedisResult};

use crate::{Tally, explore, lines, verified, violated};

/// Two writes; what they leave goes to the tally.
fn two_writes(world: &mut World, seen: &Tally) {
    world.client("web", |ctx| async move {
        let mut redis = ctx.redis();
        redis.set::<_, _, ()>("a", 1).await?;
        redis.set::<_, _, ()>("b", 1).await
    });
    let seen = seen.clone();
    world.finally(move |ctx| {
        let seen = seen.clone();
        async move {
            let (a, b): (u8, u8) = redis::pipe().exists("a").exists("b").query_async(&mut ctx.redis()).await.unwrap();
            seen.add(format!("{a}{b}"));
        }
    });
}

#[test]
fn a_client_dies_at_every_gate_and_nowhere_else() {
    let seen = Tally::default();
    assert_eq!(verified(&Check::new("none"), |world| two_writes(world, &seen)), 1);
    assert_eq!(seen.seen(), ["11"], "nobody dies unless asked");
    let seen = Tally::default();
    let executions = verified(&Check::new("one").crashes(1), |world| two_writes(world, &seen));
    assert_eq!(seen.seen(), ["00", "10", "11"]);
    assert_eq!(executions, 5, "no death, and before or after each of two steps");
}

#[test]
fn only_as_many_die_as_the_budget_says() {
    let deaths = |crashes: u32| {
        let seen = Tally::default();
        explore(&Check::new("budget").crashes(crashes), |world| {
            for me in ["a", "b", "c"] {
                world.client(me, move |ctx| async move { ctx.redis().set::<_, _, ()>(me, 1).await });
            }
            let seen = seen.clone();
            world.finally(move |ctx| {
                let seen = seen.clone();
                async move { seen.add(redis::cmd("DBSIZE").query_async::<u32>(&mut ctx.redis()).await.unwrap()) }
            });
        });
        seen.seen()
    };
    assert_eq!(deaths(0), ["3"]);
    assert_eq!(deaths(1), ["2", "3"]);
    assert_eq!(deaths(2), ["1", "2", "3"]);
    assert_eq!(deaths(9), ["0", "1", "2", "3"]);
}

#[test]
fn a_death_before_a_step_and_one_after_it_are_told_apart() {
    let never_set = violated(&Check::new("before").crashes(1), |world| {
        world.client("web", |ctx| async move { ctx.redis().incr::<_, _, i64>("n", 1).await });
        world.finally(|ctx| async move { assert!(ctx.redis().exists::<_, bool>("n").await.unwrap(), "never counted") });
    });
    assert_eq!(lines(&never_set), ["web: dies before INCRBY n 1"]);
    let unanswered = violated(&Check::new("after").crashes(1), |world| {
        world.client("web", |ctx| async move {
            let mut redis = ctx.redis();
            redis.incr::<_, _, i64>("n", 1).await?;
            redis.set::<_, _, ()>("said", 1).await
        });
        world.finally(|ctx| async move {
            let (n, said): (Option<i64>, Option<i64>) =
                redis::pipe().get("n").get("said").query_async(&mut ctx.redis()).await.unwrap();
            assert_eq!(n, said, "counted and not said");
        });
    });
    assert_eq!(unanswered.steps.iter().filter(|step| step.kind == StepKind::Fault).count(), 1);
    assert_eq!(unanswered.steps.len(), 2);
}

#[test]
fn a_death_releases_the_write_lock_and_rolls_back() {
    let seen = Tally::default();
    verified(&Check::new("rollback").crashes(1), |world| {
        world.setup(|ctx| async move {
            let db = ctx.db();
            db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)", ()).await?;
            db.execute("INSERT INTO t VALUES (1, 0)", ()).await
        });
        for me in ["web", "mobile"] {
            world.client(me, move |ctx| async move {
                let db = ctx.db();
                db.begin().await?;
                db.execute("UPDATE t SET v = v + 1 WHERE id = 1", ()).await?;
                db.execute("UPDATE t SET v = v + 10 WHERE id = 1", ()).await?;
                db.commit().await
            });
        }
        let seen = seen.clone();
        world.finally(move |ctx| {
            let seen = seen.clone();
            async move { seen.add(ctx.db().query_value("SELECT v FROM t", ()).await.unwrap().unwrap()) }
        });
    });
    assert_eq!(seen.seen(), ["11", "22"], "all of a transaction or nothing of it");
}

#[test]
fn a_death_ends_the_session_and_its_watches() {
    let seen = Tally::default();
    verified(&Check::new("session").crashes(1), |world| {
        world.client("web", |ctx| async move {
            let redis = ctx.redis();
            let send = |words: &[&str]| {
                let args = words.iter().map(|word| bytes::Bytes::copy_from_slice(word.as_bytes())).collect();
                redis.command(args)
            };
            send(&["WATCH", "k"]).await;
            send(&["MULTI"]).await;
            send(&["SET", "k", "1"]).await;
            send(&["EXEC"]).await;
        });
        let seen = seen.clone();
        world.finally(move |ctx| {
            let seen = seen.clone();
            async move {
                let mut redis = ctx.redis();
                let clients: String = redis::cmd("CLIENT").arg("LIST").query_async(&mut redis).await.unwrap();
                seen.add(format!("{} {}", redis.exists::<_, bool>("k").await.unwrap(), clients.lines().count()));
            }
        });
    });
    assert_eq!(seen.seen(), ["false 1", "true 1"], "the check's own session is the only one left");
}

#[test]
fn what_was_sent_and_not_delivered_dies_with_its_client() {
    let seen = Tally::default();
    explore(&Check::new("pipeline").crashes(1), |world| {
        world.client("web", |ctx| async move {
            redis::pipe().set("a", 1).set("b", 1).set("c", 1).query_async::<()>(&mut ctx.redis()).await
        });
        let seen = seen.clone();
        world.finally(move |ctx| {
            let seen = seen.clone();
            async move { seen.add(redis::cmd("DBSIZE").query_async::<u32>(&mut ctx.redis()).await.unwrap()) }
        });
    });
    assert_eq!(seen.seen(), ["0", "1", "2", "3"]);
}

#[test]
fn every_fault_of_a_counterexample_is_needed() {
    let body = |world: &mut World| {
        for me in ["web", "mobile"] {
            world.client(me, move |ctx| async move {
                let mut redis = ctx.redis();
                redis.set::<_, _, ()>(format!("{me}:1"), 1).await?;
                redis.set::<_, _, ()>(format!("{me}:2"), 1).await
            });
        }
        world.finally(|ctx| async move {
            let mut redis = ctx.redis();
            for me in ["web", "mobile"] {
                let (one, two): (bool, bool) =
                    redis::pipe().exists(format!("{me}:1")).exists(format!("{me}:2")).query_async(&mut redis).await?;
                if one == two {
                    return RedisResult::Ok(());
                }
            }
            panic!("both stopped half-way");
        });
    };
    let found = violated(&Check::new("two deaths").crashes(3), body);
    assert_eq!(found.steps.iter().filter(|step| step.kind == StepKind::Fault).count(), 2);
    verified(&Check::new("one death").crashes(1), body);
}

//! Counterexamples hold nothing that is not needed.

use raceproof_explore::{Check, Ctx, HistoryCheck, StepKind, World};
use redis::{AsyncCommands, RedisResult};

use crate::{explore, lines, violated};

async fn set(ctx: Ctx, key: &str) -> RedisResult<()> {
    ctx.redis().set(key, ctx.name()).await
}

fn bystanders(world: &mut World) {
    for me in ["idle", "busy"] {
        world.client(me, move |ctx| async move {
            set(ctx.clone(), me).await?;
            set(ctx, "shared").await
        });
    }
}

#[test]
fn clients_that_are_not_needed_are_left_out() {
    let always = violated(&Check::new("always"), |world| {
        bystanders(world);
        world.client("web", |ctx| set(ctx, "web"));
        world.client("mobile", |ctx| set(ctx, "mobile"));
        world.always(|ctx| async move {
            let both: usize = ctx.redis().exists(&["web", "mobile"]).await.unwrap();
            assert!(both < 2, "both");
        });
    });
    assert_eq!((always.clients.len(), always.steps.len()), (2, 2));
    let quiet = violated(&Check::new("quiet"), |world| {
        bystanders(world);
        world.client("web", |ctx| set(ctx, "web"));
        world.quiet(|ctx| async move { assert!(!ctx.redis().exists::<_, bool>("web").await.unwrap(), "web") });
    });
    assert_eq!(lines(&quiet), ["web: SET web web → OK"]);
    let history = violated(&Check::new("history"), |world| {
        bystanders(world);
        for me in ["web", "mobile"] {
            world.client(me, move |ctx| async move { ctx.inside("room", set(ctx.clone(), me)).await });
        }
        world.history(HistoryCheck::exclusion("room"));
    });
    assert!(!history.clients.iter().any(|client| client == "idle" || client == "busy"), "{:?}", history.clients);
    let failing = violated(&Check::new("client"), |world| {
        bystanders(world);
        world.client("web", |ctx| async move {
            set(ctx, "web").await?;
            RedisResult::<()>::Err(redis::RedisError::from((redis::ErrorKind::Client, "gave up")))
        });
    });
    assert_eq!(lines(&failing), ["web: SET web web → OK"]);
}

#[test]
fn a_finally_check_keeps_all_clients() {
    let found = violated(&Check::new("finally"), |world| {
        bystanders(world);
        world.finally(|_| async { Err::<(), _>("whatever happens") });
    });
    assert_eq!((found.clients.len(), found.steps.len()), (2, 4));
}

fn switches(found: &raceproof_explore::Counterexample) -> usize {
    let clients: Vec<&str> =
        found.steps.iter().filter(|step| step.kind != StepKind::Clock).map(|step| step.client.as_str()).collect();
    clients.windows(2).filter(|pair| pair[0] != pair[1]).count()
}

#[test]
fn as_few_switches_as_it_takes() {
    // Any of the three writes of `web` may come between the others' read and write: one switch there, one back.
    let found = violated(&Check::new("switches"), |world| {
        world.client("web", |ctx| async move {
            for n in 0..3 {
                ctx.redis().set::<_, _, ()>("k", n).await?;
            }
            RedisResult::Ok(())
        });
        world.client("mobile", |ctx| async move {
            let mut redis = ctx.redis();
            let before: Option<u32> = redis.get("k").await?;
            redis.set::<_, _, ()>("other", 1).await?;
            let after: Option<u32> = redis.get("k").await?;
            assert!(before == after, "changed");
            RedisResult::Ok(())
        });
    });
    assert_eq!((switches(&found), found.steps.len()), (2, 4), "{:?}", lines(&found));
}

#[test]
fn steps_after_the_violation_are_not_shown() {
    let found = violated(&Check::new("short"), |world| {
        world.client("web", |ctx| async move {
            for n in 0..5 {
                ctx.redis().set::<_, _, ()>("k", n).await?;
            }
            RedisResult::Ok(())
        });
        world.always(|ctx| async move {
            let k: Option<u32> = ctx.redis().get("k").await.unwrap();
            assert_ne!(k, Some(1), "one");
        });
    });
    assert_eq!(lines(&found), ["web: SET k 0 → OK", "web: SET k 1 → OK"]);
}

#[test]
fn faults_and_pauses_that_are_not_needed_are_left_out() {
    let lost = |world: &mut World| {
        for me in ["web", "mobile"] {
            world.client(me, move |ctx| async move {
                let mut redis = ctx.redis();
                let n: Option<u32> = redis.get("n").await?;
                redis.pset_ex::<_, _, ()>("n", n.unwrap_or(0) + 1, 1000).await
            });
        }
        world.finally(|ctx| async move {
            let n: Option<u32> = ctx.redis().get("n").await.unwrap();
            assert_eq!(n, Some(2), "one is lost");
        });
    };
    let found = violated(&Check::new("lost").crashes(1).pauses(1), lost);
    assert!(found.steps.iter().all(|step| step.kind == StepKind::Redis), "{:?}", lines(&found));
    assert_eq!(found.steps.len(), 4);
}

/// The lost update of a counter between any number of clients, each of which may be cut short after some steps.
fn cut_short(world: &mut World, steps: &[usize], crash_web: bool) {
    for (me, steps) in ["web", "mobile", "tablet"].into_iter().zip(steps.to_vec()) {
        world.client(me, move |ctx| async move {
            let mut redis = ctx.redis();
            if steps == 0 {
                return Ok(());
            }
            let n: Option<u32> = redis.get("n").await?;
            if steps == 1 {
                return Ok(());
            }
            redis.set::<_, _, ()>("n", n.unwrap_or(0) + 1).await?;
            if steps == 2 || (crash_web && me == "web") {
                return Ok(());
            }
            redis.incr::<_, _, ()>("acknowledged", 1).await
        });
    }
    world.quiet(|ctx| async move {
        let (n, acknowledged): (Option<u32>, Option<u32>) =
            redis::pipe().get("n").get("acknowledged").query_async(&mut ctx.redis()).await.unwrap();
        assert!(n.unwrap_or(0) >= acknowledged.unwrap_or(0), "acknowledged and lost");
    });
}

#[test]
fn no_client_can_be_taken_away_or_end_early() {
    let full = [3, 3, 3];
    let found = violated(&Check::new("acknowledged"), |world| cut_short(world, &full, false));
    assert_eq!((found.clients.len(), found.steps.len()), (2, 6), "{:?}", lines(&found));
    let names = ["web", "mobile", "tablet"];
    let part: Vec<usize> =
        names.iter().map(|me| if found.clients.iter().any(|name| name == me) { 3 } else { 0 }).collect();
    violated(&Check::new("these two"), |world| cut_short(world, &part, false));
    for client in 0..3 {
        for steps in 0..part[client] {
            let mut fewer = part.clone();
            fewer[client] = steps;
            let report = explore(&Check::new("fewer"), |world| cut_short(world, &fewer, false));
            assert_eq!(report.violation, None, "{fewer:?} should do no harm");
        }
    }
}

#[test]
fn no_fault_can_be_taken_away() {
    let body = |world: &mut World| {
        world.client("web", |ctx| async move {
            let mut redis = ctx.redis();
            redis.hset::<_, _, _, ()>("session", "user", 1).await?;
            redis.pexpire::<_, ()>("session", 100).await
        });
        world.quiet(|ctx| async move {
            ctx.sleep(1000).await;
            assert!(!ctx.redis().exists::<_, bool>("session").await.unwrap(), "it lives for ever");
        });
    };
    let found = violated(&Check::new("faults").crashes(2).pauses(1), body);
    assert_eq!(lines(&found), ["web: HSET session user 1 → 1", "web: dies before the reply"]);
    assert_eq!(explore(&Check::new("no crash").pauses(1), body).violation, None);
}

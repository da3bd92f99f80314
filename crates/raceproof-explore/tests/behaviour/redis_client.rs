//! redis-rs as its users call it: pipelines, scripts, transactions, clones, dropped futures.

use std::task::{Context, Poll, Waker};

use raceproof_explore::{Check, World};
use redis::{AsyncCommands, RedisResult, Script};

use crate::{Tally, changes, lines, verified, violated};

/// A client that sends two commands in some way, beside one that looks at both keys at once.
fn halves(world: &mut World, atomic: bool, seen: &Tally) {
    world.client("writer", move |ctx| async move {
        let mut pipe = redis::pipe();
        if atomic {
            pipe.atomic();
        }
        pipe.set("a", 1)
            .ignore()
            .incr("b", 1)
            .query_async::<(i64,)>(&mut ctx.redis())
            .await
            .map(|(b,)| assert_eq!(b, 1))
    });
    let seen = seen.clone();
    world.client("reader", move |ctx| async move {
        let both: (Option<u8>, Option<u8>) = ctx.redis().mget(&["a", "b"]).await?;
        seen.add(format!("{both:?}"));
        RedisResult::Ok(())
    });
}

#[test]
fn a_pipeline_is_a_step_for_each_command() {
    let seen = Tally::default();
    assert_eq!(verified(&Check::new("pipeline"), |world| halves(world, false, &seen)), 3);
    assert_eq!(seen.seen(), ["(None, None)", "(Some(1), None)", "(Some(1), Some(1))"]);
}

#[test]
fn an_atomic_pipeline_is_one_step() {
    let seen = Tally::default();
    assert_eq!(verified(&Check::new("atomic"), |world| halves(world, true, &seen)), 2);
    assert_eq!(seen.seen(), ["(None, None)", "(Some(1), Some(1))"]);
}

#[test]
fn an_atomic_pipeline_is_shown_as_what_was_sent() {
    let found = violated(&Check::new("shown"), |world| {
        world.client("web", |ctx| async move {
            redis::pipe().atomic().set("a", 1).incr("a", 1).query_async::<(String, i64)>(&mut ctx.redis()).await
        });
        world.finally(|_| async { Err::<(), _>("show it") });
    });
    assert_eq!(found.steps.len(), 1);
    let step = &found.steps[0];
    for part in ["MULTI", "SET a 1", "INCRBY a 1", "EXEC"] {
        assert!(step.text.contains(part), "{part} is missing in {}", step.text);
    }
    assert!(step.reply.contains("OK") && step.reply.contains('2'), "{}", step.reply);
    assert_eq!(changes(step), ["a: gone → \"2\""]);
}

#[test]
fn a_pipeline_with_an_error_in_the_middle_goes_on() {
    verified(&Check::new("error"), |world| {
        world.client("web", |ctx| async move {
            let mut redis = ctx.redis();
            let result: RedisResult<(i64, i64)> =
                redis::pipe().set("a", "text").ignore().incr("a", 1).incr("b", 1).query_async(&mut redis).await;
            assert!(result.is_err());
            assert_eq!(redis.get::<_, Option<i64>>("b").await?, Some(1), "what follows the error was sent with it");
            RedisResult::Ok(())
        });
    });
}

#[test]
fn a_script_is_one_step() {
    verified(&Check::new("script"), |world| {
        for me in ["web", "mobile"] {
            world.client(me, move |ctx| async move {
                let script = Script::new(
                    "local n = tonumber(redis.call('GET', KEYS[1]) or 0)
                                          redis.call('SET', KEYS[1], n + ARGV[1]) return n",
                );
                script.key("n").arg(5).invoke_async::<i64>(&mut ctx.redis()).await
            });
        }
        world.finally(|ctx| async move { assert_eq!(ctx.redis().get::<_, i64>("n").await.unwrap(), 10) });
    });
}

#[test]
fn a_script_is_loaded_by_whoever_comes_first() {
    let seen = Tally::default();
    verified(&Check::new("NOSCRIPT"), |world| {
        for me in ["web", "mobile"] {
            let seen = seen.clone();
            world.client(me, move |ctx| async move {
                let mut redis = ctx.redis();
                let script = Script::new("return redis.call('INCR', KEYS[1])");
                let known: Vec<bool> =
                    redis::cmd("SCRIPT").arg("EXISTS").arg(script.get_hash()).query_async(&mut redis).await?;
                seen.add(known[0]);
                script.key("n").invoke_async::<i64>(&mut redis).await
            });
        }
    });
    assert_eq!(seen.seen(), ["false", "true"]);
}

/// An increment by WATCH, GET, MULTI … EXEC; the clone that watches is not the one that executes.
async fn watched_increment(ctx: &raceproof_explore::Ctx) -> RedisResult<bool> {
    let mut watcher = ctx.redis();
    let mut executor = watcher.clone();
    redis::cmd("WATCH").arg("n").query_async::<()>(&mut watcher).await?;
    let n: Option<i64> = watcher.get("n").await?;
    let done: Option<(String,)> =
        redis::pipe().atomic().set("n", n.unwrap_or(0) + 1).query_async(&mut executor).await?;
    Ok(done.is_some())
}

#[test]
fn clones_share_the_session_and_its_watches() {
    let seen = Tally::default();
    verified(&Check::new("WATCH"), |world| {
        for me in ["web", "mobile"] {
            let seen = seen.clone();
            world.client(me, move |ctx| async move {
                let mut tries = 1;
                while !watched_increment(&ctx).await? {
                    tries += 1;
                }
                seen.add(tries);
                RedisResult::Ok(())
            });
        }
        world.finally(|ctx| async move { assert_eq!(ctx.redis().get::<_, i64>("n").await.unwrap(), 2) });
    });
    assert_eq!(seen.seen(), ["1", "2"], "each fails at most once");
}

#[test]
fn sessions_are_apart() {
    verified(&Check::new("SELECT"), |world| {
        world.client("web", |ctx| async move {
            let (mut one, mut two) = (ctx.redis(), ctx.redis());
            redis::cmd("SELECT").arg(1).query_async::<()>(&mut one).await?;
            one.set::<_, _, ()>("k", 1).await?;
            assert!(!two.exists::<_, bool>("k").await?);
            assert!(one.clone().exists::<_, bool>("k").await?);
            RedisResult::Ok(())
        });
        world.finally(|ctx| async move {
            assert!(!ctx.redis().exists::<_, bool>("k").await.unwrap(), "a check starts in database 0");
        });
    });
}

#[test]
fn setups_and_checks_have_sessions_of_their_own() {
    verified(&Check::new("direct"), |world| {
        world.setup(|ctx| async move { redis::cmd("SELECT").arg(3).query_async::<()>(&mut ctx.redis()).await });
        world.setup(|ctx| async move { ctx.redis().set::<_, _, ()>("k", 1).await });
        world.client("web", |ctx| async move {
            let there: bool = ctx.redis().exists("k").await.unwrap();
            assert!(there, "the second setup wrote to the database that the first had selected");
        });
        for _ in 0..2 {
            world.always(|ctx| async move {
                let mut redis = ctx.redis();
                assert!(redis.exists::<_, bool>("k").await?, "the check before has selected another database");
                redis::cmd("SELECT").arg(5).query_async::<()>(&mut redis).await
            });
        }
    });
}

fn dropped(world: &mut World, seen: &Tally) {
    world.client("impatient", |ctx| async move {
        let mut redis = ctx.redis();
        {
            let mut set = Box::pin(redis.set::<_, _, ()>("k", "sent"));
            let mut context = Context::from_waker(Waker::noop());
            assert!(matches!(set.as_mut().poll(&mut context), Poll::Pending));
        }
        let mut other = ctx.redis();
        other.set::<_, _, ()>("left", 1).await
    });
    let seen = seen.clone();
    world.client("reader", move |ctx| async move {
        let both: (Option<String>, Option<u8>) = ctx.redis().mget(&["k", "left"]).await?;
        seen.add(format!("{both:?}"));
        RedisResult::Ok(())
    });
    world.finally(|ctx| async move {
        assert_eq!(ctx.redis().get::<_, Option<String>>("k").await.unwrap().as_deref(), Some("sent"));
    });
}

#[test]
fn a_dropped_future_does_not_unsend_its_command() {
    let seen = Tally::default();
    verified(&Check::new("dropped"), |world| dropped(world, &seen));
    let all = ["(None, None)", "(None, Some(1))", "(Some(\"sent\"), None)", "(Some(\"sent\"), Some(1))"];
    assert_eq!(seen.seen(), all, "it is delivered sometime, before or after what the client does next");
}

#[test]
fn a_future_that_was_never_polled_sent_nothing() {
    verified(&Check::new("unpolled"), |world| {
        world.client("lazy", |ctx| async move {
            let mut redis = ctx.redis();
            drop(redis.set::<_, _, ()>("k", 1));
            ctx.redis().set::<_, _, ()>("other", 1).await
        });
        world.finally(|ctx| async move { assert!(!ctx.redis().exists::<_, bool>("k").await.unwrap()) });
    });
}

#[test]
fn values_come_back_in_the_types_that_redis_rs_gives() {
    verified(&Check::new("types"), |world| {
        world.client("web", |ctx| async move {
            let mut redis = ctx.redis();
            redis.set::<_, _, ()>("bytes", &[0_u8, 255, 13, 10]).await?;
            assert_eq!(redis.get::<_, Vec<u8>>("bytes").await?, [0, 255, 13, 10]);
            redis.hset_multiple::<_, _, _, ()>("h", &[("b", 2), ("a", 1)]).await?;
            let map: std::collections::BTreeMap<String, i32> = redis.hgetall("h").await?;
            assert_eq!(map.into_iter().collect::<Vec<_>>(), [("a".to_owned(), 1), ("b".to_owned(), 2)]);
            assert_eq!(redis.get::<_, Option<String>>("none").await?, None);
            let error = redis.hget::<_, _, Option<String>>("bytes", "f").await.expect_err("a string is no hash");
            assert_eq!(error.code(), Some("WRONGTYPE"), "{error}");
            let unknown = redis::cmd("NOSUCH").query_async::<()>(&mut redis).await.expect_err("no such command");
            assert!(unknown.to_string().contains("unknown command"), "{unknown}");
            RedisResult::Ok(())
        });
    });
}

#[test]
fn a_watch_without_a_retry_loses_an_increment() {
    let found = violated(&Check::new("no retry"), |world| {
        for me in ["web", "mobile"] {
            world.client(me, |ctx| async move { watched_increment(&ctx).await.map(drop) });
        }
        world.finally(|ctx| async move { assert_eq!(ctx.redis().get::<_, i64>("n").await.unwrap(), 2, "lost") });
    });
    assert_eq!(found.steps.len(), 6);
    assert!(lines(&found).iter().any(|line| line.contains("EXEC") && line.ends_with("→ nil")), "{:?}", lines(&found));
}

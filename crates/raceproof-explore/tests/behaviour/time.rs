//! Virtual time: when it passes, what a deadline means, and that it costs nothing.

use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};

use raceproof_explore::{Check, Verdict, World};
use redis::{AsyncCommands, RedisResult};

use crate::{Tally, explore, lines, verified, violated};

#[test]
fn without_pauses_time_stands_still_while_somebody_can_go_on() {
    verified(&Check::new("still"), |world| {
        world.client("sleeper", |ctx| async move {
            ctx.sleep(50).await;
            ctx.redis().set::<_, _, ()>("awake", 1).await
        });
        world.client("worker", |ctx| async move {
            let mut redis = ctx.redis();
            let start = ctx.now();
            for n in 0..3 {
                redis.pset_ex::<_, _, ()>("k", n, 20).await?;
                assert_eq!(redis.get::<_, Option<i64>>("k").await?, Some(n), "a key expired at work");
                assert!(!redis.exists::<_, bool>("awake").await?, "the sleeper woke at work");
            }
            assert_eq!(ctx.now(), start);
            RedisResult::Ok(())
        });
        world.finally(|ctx| async move {
            assert!(!ctx.redis().exists::<_, bool>("k").await.unwrap(), "50 ms went by");
        });
    });
}

#[test]
fn sleepers_wake_in_the_order_of_their_deadlines() {
    let seen = Tally::default();
    verified(&Check::new("order"), |world| {
        for (me, ms) in [("c", 30), ("a", 10), ("b", 20)] {
            world.client(me, move |ctx| async move {
                let start = ctx.now();
                ctx.sleep(ms).await;
                assert_eq!(ctx.now() - start, i64::try_from(ms).unwrap());
                ctx.redis().append::<_, _, ()>("order", me).await
            });
        }
        let seen = seen.clone();
        world.finally(move |ctx| {
            let seen = seen.clone();
            async move { seen.add(ctx.redis().get::<_, String>("order").await.unwrap()) }
        });
    });
    assert_eq!(seen.seen(), ["abc"]);
}

fn session(world: &mut World, slides: bool) {
    world.setup(|ctx| async move { ctx.redis().set_ex::<_, _, ()>("session", "user", 1800).await });
    world.client("user", move |ctx| async move {
        let mut redis = ctx.redis();
        for _ in 0..8 {
            ctx.sleep(900_000).await;
            let session: Option<String> = redis.get("session").await?;
            assert!(session.is_some(), "logged out while in use");
            if slides {
                redis.expire::<_, ()>("session", 1800).await?;
            }
        }
        RedisResult::Ok(())
    });
}

#[test]
fn a_ttl_that_slides_outlives_two_hours_of_use() {
    verified(&Check::new("sliding"), |world| session(world, true));
    let found = violated(&Check::new("fixed"), |world| session(world, false));
    assert_eq!(found.message, "logged out while in use");
    assert_eq!(found.steps.last().map(|step| step.text.as_str()), Some("GET session"));
}

#[test]
fn a_key_lives_through_its_last_millisecond() {
    for (sleep, expected) in [(99, vec!["alive"]), (100, vec!["alive", "gone"]), (101, vec!["gone"])] {
        let seen = Tally::default();
        explore(&Check::new("last millisecond"), |world| {
            let seen = seen.clone();
            world.setup(|ctx| async move { ctx.redis().pset_ex::<_, _, ()>("k", 1, 100).await });
            world.client("web", move |ctx| async move {
                ctx.sleep(sleep).await;
                seen.add(if ctx.redis().exists("k").await? { "alive" } else { "gone" });
                RedisResult::Ok(())
            });
        });
        assert_eq!(seen.seen(), expected, "after {sleep} ms of 100");
    }
}

fn expiring(world: &mut World) {
    world.client("web", |ctx| async move {
        let mut redis = ctx.redis();
        redis.pset_ex::<_, _, ()>("k", 1, 100).await?;
        assert!(redis.exists::<_, bool>("k").await?, "gone between two steps");
        RedisResult::Ok(())
    });
}

#[test]
fn a_pause_lets_a_key_expire_between_two_steps() {
    verified(&Check::new("no pause"), expiring);
    let found = violated(&Check::new("one pause").pauses(1), expiring);
    assert_eq!(
        lines(&found),
        ["web: SET k 1 PX 100 → OK", "clock: +101 ms", "web: EXISTS k → 0"]
            .map(str::to_owned)
            .map(|line| line.replace("SET k 1 PX 100", "PSETEX k 100 1"))
    );
}

#[test]
fn every_pause_is_paid_for() {
    let body = |world: &mut World| {
        world.client("web", |ctx| async move {
            let mut redis = ctx.redis();
            for key in ["a", "b"] {
                redis.pset_ex::<_, _, ()>(key, 1, 100).await?;
                if redis.exists::<_, bool>(key).await? {
                    return Ok(());
                }
            }
            panic!("two pauses");
            #[allow(unreachable_code)]
            RedisResult::Ok(())
        });
    };
    assert_eq!(explore(&Check::new("one").pauses(1), body).verdict, Verdict::Verified);
    let found = violated(&Check::new("two").pauses(2), body);
    assert_eq!(found.steps.iter().filter(|step| step.client == "clock").count(), 2);
}

#[test]
fn the_clock_is_one_for_all_and_never_goes_back() {
    verified(&Check::new("one clock").pauses(1), |world| {
        let latest = world.shared("latest", 0_i64);
        for me in ["web", "mobile"] {
            let latest = latest.clone();
            world.client(me, move |ctx| async move {
                for _ in 0..2 {
                    let now = ctx.now();
                    let clock = ctx.clone();
                    ctx.sleep(10).await;
                    assert!(clock.now() >= now + 10);
                }
                let now = ctx.now();
                let seen = latest
                    .update(&ctx, move |latest| {
                        *latest = now.max(*latest);
                        *latest
                    })
                    .await;
                assert!(seen >= now);
            });
        }
    });
}

#[test]
fn redis_and_the_clients_share_the_clock() {
    verified(&Check::new("TIME"), |world| {
        world.client("web", |ctx| async move {
            ctx.sleep(1234).await;
            let (s, us): (i64, i64) = redis::cmd("TIME").query_async(&mut ctx.redis()).await?;
            assert_eq!(s * 1000 + us / 1000, ctx.now());
            RedisResult::Ok(())
        });
    });
}

#[test]
fn a_sleep_that_is_given_up_does_not_hold_the_clock() {
    let seen = Tally::default();
    verified(&Check::new("given up"), |world| {
        let seen = seen.clone();
        world.client("web", move |ctx| async move {
            let start = ctx.now();
            {
                let mut long = Box::pin(ctx.sleep(1_000_000));
                let mut short = Box::pin(ctx.sleep(10));
                poll_fn(|context| {
                    assert!(long.as_mut().poll(context).is_pending(), "the long sleep is never over");
                    short.as_mut().poll(context)
                })
                .await;
            }
            ctx.sleep(5).await;
            seen.add(ctx.now() - start);
        });
    });
    assert_eq!(seen.seen(), ["15"]);
}

#[test]
fn a_timeout_around_a_command() {
    let seen = Tally::default();
    let body = |world: &mut World| {
        let seen = seen.clone();
        world.client("web", move |ctx| async move {
            let mut redis = ctx.redis();
            let mut get = Box::pin(redis.get::<_, Option<String>>("k"));
            let mut timeout = Box::pin(ctx.sleep(500));
            let timed_out = poll_fn(|context| match get.as_mut().poll(context) {
                Poll::Ready(_) => Poll::Ready(false),
                Poll::Pending => timeout.as_mut().poll(context).map(|()| true),
            });
            seen.add(timed_out.await);
        });
    };
    explore(&Check::new("in time"), body);
    assert_eq!(seen.seen(), ["false"], "a command takes no time unless there is a pause");
    explore(&Check::new("too late").pauses(1), body);
    assert_eq!(seen.seen(), ["false", "true"]);
}

#[test]
fn a_year_takes_no_time() {
    let start = Instant::now();
    let executions = verified(&Check::new("a year"), |world| {
        world.client("cron", |ctx| async move {
            for day in 0..365 {
                ctx.sleep(86_400_000).await;
                ctx.redis().set::<_, _, ()>("day", day).await?;
            }
            RedisResult::Ok(())
        });
    });
    assert_eq!(executions, 1);
    assert!(start.elapsed() < Duration::from_secs(1), "a year took {:?}", start.elapsed());
}

#[test]
fn a_sleep_of_no_time_and_of_more_than_there_is() {
    verified(&Check::new("extremes"), |world| {
        world.client("web", |ctx| async move {
            let start = ctx.now();
            ctx.sleep(0).await;
            assert_eq!(ctx.now(), start);
        });
    });
    let report = explore(&Check::new("for ever"), |world| {
        world.client("web", |ctx| async move { ctx.sleep(u64::MAX).await });
    });
    assert_eq!(report.verdict, Verdict::Verified);
}

//! Work that is given a time: both ends of it, and what a command that was given up still does.

use raceproof_explore::{Check, TimedOut, Verdict};
use redis::AsyncCommands;

#[test]
fn work_ends_in_time_while_time_stands_still() {
    Check::new("in time").verify(|world| {
        world.client("a", |ctx| async move {
            let mut redis = ctx.redis();
            let done = ctx.timeout(500, redis.set::<_, _, ()>("k", 1)).await;
            assert_eq!(done, Ok(Ok(())));
        });
    });
}

#[test]
fn a_sleep_is_given_up_when_its_time_is_over() {
    Check::new("too late").verify(|world| {
        world.client("a", |ctx| async move {
            let before = ctx.now();
            assert_eq!(ctx.timeout(500, ctx.sleep(600)).await, Err(TimedOut { ms: 500 }));
            assert_eq!(ctx.now() - before, 500);
        });
    });
}

/// A pause past the time-out: the client gives the write up and reads; the write comes before its read or after.
#[test]
fn a_command_that_was_given_up_is_delivered_later() {
    let body = |unseen: bool| {
        Check::new("given up").pauses(1).run(move |world| {
            world.client("a", move |ctx| async move {
                let (mut first, mut second) = (ctx.redis(), ctx.redis());
                if ctx.timeout(500, first.set::<_, _, ()>("k", "late")).await.is_err() {
                    let seen: Option<String> = second.get("k").await?;
                    assert!(seen.is_some() != unseen, "the write was given up, and the read saw {seen:?}");
                }
                redis::RedisResult::Ok(())
            });
            world.finally(|ctx| async move {
                let value: Option<String> = ctx.redis().get("k").await.unwrap();
                assert_eq!(value.as_deref(), Some("late"));
            });
        })
    };
    for unseen in [true, false] {
        let report = body(unseen).expect("the search runs");
        assert_eq!(report.verdict, Verdict::Violated);
        assert!(report.violation.expect("violated").message.contains("the write was given up"));
    }
}

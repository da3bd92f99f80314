//! Clients that move the clock themselves.

use raceproof_explore::{Broken, Check, Verdict, World};
use redis::AsyncCommands;

fn session_of_300_s(world: &mut World) {
    world.setup(|ctx| async move { ctx.redis().set_ex::<_, _, ()>("session", 1, 300).await });
}

#[test]
fn advancing_lets_a_key_expire_after_its_last_millisecond() {
    for (ms, alive) in [(299_999, true), (300_000, true), (300_001, false)] {
        let report = Check::new("advance").run(|world| {
            session_of_300_s(world);
            world.client("operator", move |ctx| async move {
                let before = ctx.now();
                ctx.clock().advance(ms).await;
                assert_eq!(ctx.now() - before, i64::try_from(ms).expect("small"));
                let there: bool = ctx.redis().exists("session").await?;
                assert_eq!(there, alive, "after {ms} ms");
                redis::RedisResult::Ok(())
            });
        });
        assert_eq!(report.expect("it runs").verdict, Verdict::Verified, "{ms} ms");
    }
}

/// The expiry comes before or after the read, without a budget for pauses.
#[test]
fn advancing_is_ordered_with_what_depends_on_time() {
    let report = Check::new("advance").run(|world| {
        session_of_300_s(world);
        world.client("operator", |ctx| async move { ctx.clock().advance(300_001).await });
        world.client("reader", |ctx| async move {
            let there: bool = ctx.redis().exists("session").await?;
            assert!(there, "the session is gone");
            redis::RedisResult::Ok(())
        });
    });
    let report = report.expect("it runs");
    assert_eq!((report.verdict, report.executions), (Verdict::Violated, 2));
}

#[test]
fn rewinding_gives_keys_more_time_and_leaves_the_clients_clocks_alone() {
    let report = Check::new("rewind").run(|world| {
        session_of_300_s(world);
        world.client("operator", |ctx| async move {
            let before = ctx.now();
            ctx.clock().rewind(100_000).await;
            let left: i64 = ctx.redis().pttl("session").await?;
            assert_eq!((left, ctx.now()), (400_000, before));
            redis::RedisResult::Ok(())
        });
    });
    assert_eq!(report.expect("it runs").verdict, Verdict::Verified);
}

#[test]
fn a_frozen_clock_holds_sleepers_until_it_goes_on() {
    let body = |resumes: bool| {
        move |world: &mut World| {
            world.client("operator", move |ctx| async move {
                ctx.clock().freeze().await;
                if resumes {
                    ctx.clock().resume().await;
                }
            });
            world.client("sleeper", |ctx| async move {
                ctx.redis().set::<_, _, ()>("a", 1).await?;
                ctx.sleep(100).await;
                ctx.redis().set::<_, _, ()>("a", 2).await
            });
        }
    };
    let goes_on = Check::new("resumed").run(body(true)).expect("it runs");
    assert_eq!(goes_on.verdict, Verdict::Verified);
    let stands = Check::new("frozen").run(body(false)).expect("it runs");
    let found = stands.violation.expect("the sleeper waits for ever");
    assert_eq!(found.broken, Broken::Deadlock);
    assert_eq!(found.message, "deadlock: the clock is frozen, and sleeper can only wait");
}

#[test]
fn a_check_may_advance_the_clock_and_not_freeze_it() {
    let report = Check::new("check").run(|world| {
        session_of_300_s(world);
        world.client("nobody", |_| async {});
        world.finally(|ctx| async move {
            ctx.clock().advance(300_001).await;
            let there: bool = ctx.redis().exists("session").await?;
            assert!(!there);
            redis::RedisResult::Ok(())
        });
    });
    assert_eq!(report.expect("it runs").verdict, Verdict::Verified);
    let report = Check::new("check").run(|world| {
        world.client("nobody", |_| async {});
        world.finally(|ctx| async move { ctx.clock().freeze().await });
    });
    let found = report.expect("it runs").violation.expect("a check cannot freeze the clock");
    assert_eq!(found.message, "a setup or a check can advance the clock, and nothing else");
}

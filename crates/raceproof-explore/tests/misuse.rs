//! What clients, checks and setups must not do ends in an error or a violation that says so, never in a hang, a panic or
//! a wrong verdict.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use raceproof_explore::{Broken, Check, Ctx, Error, HistoryCheck, Report, Strategy, World};
use redis::AsyncCommands;

fn run(body: impl Fn(&mut World) + Sync) -> Result<Report, Error> {
    Check::new("misuse").max_executions(100).run(body)
}

fn message(body: impl Fn(&mut World) + Sync) -> String {
    run(body).expect("the search is carried out").violation.expect("a violation").message
}

async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[test]
fn a_loop_that_waits_for_another_client_by_yielding() {
    let flag = Arc::new(AtomicBool::new(false));
    let found = run(|world| {
        let flag = flag.clone();
        world.client("spinner", move |_| async move {
            while !flag.load(Ordering::Relaxed) {
                yield_now().await;
            }
        });
    });
    assert!(matches!(found, Err(Error::Foreign { client, .. }) if client == "spinner"));
}

#[test]
fn a_loop_that_waits_for_time_to_pass() {
    let found = message(|world| {
        world.client("busy", |ctx| async move {
            let start = ctx.now();
            while ctx.now() < start + 10 {}
        });
    });
    assert!(found.contains("time passes in ctx.sleep only"), "{found}");
}

#[test]
fn clients_that_spawn_for_ever() {
    fn again(ctx: Ctx) {
        ctx.spawn("child", |ctx| async move { again(ctx) });
    }
    let found = message(|world| world.client("parent", |ctx| async move { again(ctx) }));
    assert!(found.contains("more than 256 clients were spawned"), "{found}");
}

#[test]
fn a_panic_inside_shared_state() {
    let report = run(|world| {
        let list = world.shared("list", Vec::<u32>::new());
        world.client("reader", move |ctx| async move {
            let _: u32 = list.read(&ctx, |list| list[3]).await;
        });
    });
    let found = report.expect("the search is carried out").violation.expect("a violation");
    assert_eq!(found.broken, Broken::Client("reader".to_owned()));
    assert!(found.message.contains("index out of bounds"), "{}", found.message);
    assert!(found.place.is_some_and(|place| place.file.ends_with("misuse.rs")));
}

#[test]
fn a_panic_inside_shared_state_in_a_check() {
    let found = message(|world| {
        let list = world.shared("list", Vec::<u32>::new());
        world.client("web", |ctx| async move { ctx.redis().set::<_, _, ()>("k", 1).await });
        world.finally(move |ctx| {
            let list = list.clone();
            async move {
                list.read(&ctx, |list| list[3]).await;
            }
        });
    });
    assert!(found.contains("index out of bounds"), "{found}");
}

#[test]
fn a_guard_that_panics_when_its_client_dies() {
    struct Guard;
    impl Drop for Guard {
        fn drop(&mut self) {
            assert!(std::thread::panicking(), "dropped too early");
        }
    }
    let report = Check::new("misuse").crashes(1).run(|world| {
        world.client("web", |ctx| async move {
            let guard = Guard;
            ctx.redis().set::<_, _, ()>("k", 1).await?;
            std::mem::forget(guard);
            redis::RedisResult::Ok(())
        });
    });
    let found = report.expect("the search is carried out").violation.expect("a violation");
    assert_eq!(found.message, "dropped too early");
}

#[test]
fn an_always_check_that_waits_or_writes() {
    let with = |wait: bool| {
        run(move |world| {
            world.client("web", |ctx| async move { ctx.redis().set::<_, _, ()>("k", 1).await });
            world.always(move |ctx| async move {
                if wait {
                    ctx.sleep(10).await;
                } else {
                    ctx.redis().set::<_, _, ()>("seen", 1).await.unwrap();
                }
            });
        })
    };
    assert_eq!(
        with(true).unwrap_err().to_string(),
        "an always check sleeps: it looks at one instant, so let a finally check wait"
    );
    assert_eq!(
        with(false).unwrap_err().to_string(),
        "an always check writes: what it changes the clients would see, so let it read only"
    );
}

#[test]
fn more_clients_than_can_be_numbered() {
    let found = run(|world| (0..70_000).for_each(|_| world.client("web", |_| async {})));
    assert_eq!(found.unwrap_err(), Error::TooMany("clients"));
}

#[test]
fn budgets_without_bounds() {
    let report = Check::new("misuse").crashes(u32::MAX).pauses(u32::MAX).run(|world| {
        world.client("web", |ctx| async move {
            ctx.redis().set::<_, _, ()>("k", 1).await.unwrap();
            assert_eq!(ctx.name(), "never");
        });
    });
    assert!(report.is_ok_and(|report| report.violation.is_some()));
}

#[test]
fn statements_that_would_escape() {
    for sql in ["BEGIN; SELECT 1", "CREATE TEMP TABLE x (id)", "/**/ PRAGMA user_version = 3"] {
        let found = message(|world| world.client("web", move |ctx| async move { ctx.db().execute(sql, ()).await }));
        assert!(found.contains(sql), "{found}");
    }
}

#[test]
fn two_clients_of_one_name_are_two() {
    let found = message(|world| {
        for _ in 0..2 {
            world.client("worker", |ctx| async move {
                let inside = ctx.clone();
                ctx.inside("section", async move { inside.redis().set::<_, _, ()>("k", 1).await }).await
            });
        }
        world.history(HistoryCheck::exclusion("section"));
    });
    assert_eq!(found, "two clients inside section");
}

#[test]
fn a_sleeper_that_wakes_late_behind_another_deadline() {
    let found = message(|world| {
        world.setup(|ctx| async move {
            let mut redis = ctx.redis();
            redis.pset_ex::<_, _, ()>("first", 1, 50).await?;
            redis.pset_ex::<_, _, ()>("second", 1, 100).await
        });
        world.client("sleeper", |ctx| async move {
            ctx.sleep(100).await;
            let there: bool = ctx.redis().exists("second").await.unwrap();
            assert!(there, "it woke in the millisecond after the deadline");
        });
    });
    assert_eq!(found, "it woke in the millisecond after the deadline");
}

#[test]
fn a_token_of_a_client_whose_sessions_come_in_another_order() {
    let body = |world: &mut World| {
        world.client("a", |ctx| async move {
            let (mut ask, mut one, mut two) = (ctx.redis(), ctx.redis(), ctx.redis());
            let set: bool = ask.exists("flag").await?;
            if set {
                let _: () = two.set("k", 2).await?;
                let _: () = one.set("k", 1).await?;
            } else {
                let _: () = one.set("k", 1).await?;
                let _: () = two.set("k", 2).await?;
            }
            redis::RedisResult::Ok(())
        });
        world.client("b", |ctx| async move { ctx.redis().set::<_, _, ()>("flag", 1).await });
        world.finally(|ctx| async move {
            let last: u32 = ctx.redis().get("k").await.unwrap();
            assert_eq!(last, 2, "the other order");
        });
    };
    let found = run(body).expect("it can be shrunk").violation.expect("a violation");
    let replay = Strategy::Replay { token: found.token.clone() };
    let again = Check::new("misuse").strategy(replay).run(body).expect("the token fits").violation;
    assert_eq!(again.map(|again| again.message), Some(found.message));
}

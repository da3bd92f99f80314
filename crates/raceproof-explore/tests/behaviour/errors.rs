//! Searches that cannot be carried out: each is refused with an error that names the client or the step.

use std::collections::HashMap;
use std::future::{pending, poll_fn};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use raceproof_explore::{Check, Ctx, Error, World};
use redis::{AsyncCommands, RedisResult};

fn error(body: impl Fn(&mut World) + Sync) -> Error {
    let start = Instant::now();
    let error = Check::new("refused").run(body).expect_err("this cannot be explored");
    assert!(start.elapsed() < Duration::from_secs(1), "it took {:?} to say {error}", start.elapsed());
    error
}

async fn set(ctx: Ctx) -> RedisResult<()> {
    ctx.redis().set("k", ctx.name()).await
}

#[test]
fn a_check_without_clients() {
    let error = error(|world| world.setup(set));
    assert_eq!(error, Error::NoClients);
    assert!(error.to_string().contains("at least one client"), "{error}");
}

#[test]
fn a_panic_of_another_runtime_is_a_foreign_await() {
    let error = error(|world| {
        world.client("web", set);
        world.client("worker", |ctx| async move {
            set(ctx).await?;
            // What tokio::time::sleep does outside its runtime.
            panic!("there is no reactor running, must be called from the context of a Tokio 1.x runtime");
            #[allow(unreachable_code)]
            RedisResult::Ok(())
        });
    });
    assert_eq!(error, Error::Foreign { client: "worker".to_owned(), step: 1 });
    let text = error.to_string();
    assert!(text.contains("worker") && text.contains("after its step 1") && text.contains("ctx.sleep"), "{text}");
}

#[test]
fn a_future_that_is_never_ready() {
    let error = error(|world| {
        world.client("web", set);
        world.client("worker", |_| pending::<()>());
    });
    assert_eq!(error, Error::Foreign { client: "worker".to_owned(), step: 0 });
}

/// Waits for a value that somebody may put into `slot`, as a channel's receiver does.
async fn receive(slot: Arc<Mutex<(Option<u32>, Option<Waker>)>>) -> u32 {
    poll_fn(move |context| {
        let mut slot = slot.lock().unwrap();
        match slot.0.take() {
            Some(value) => Poll::Ready(value),
            None => {
                slot.1 = Some(context.waker().clone());
                Poll::Pending
            }
        }
    })
    .await
}

#[test]
fn a_channel_that_nobody_feeds() {
    let error = error(|world| {
        world.client("receiver", |ctx| async move {
            set(ctx).await?;
            receive(Arc::default()).await;
            RedisResult::Ok(())
        });
        world.client("sleeper", |ctx| async move { ctx.sleep(3_600_000).await });
    });
    assert_eq!(error, Error::Foreign { client: "receiver".to_owned(), step: 1 });
}

#[test]
fn a_channel_that_another_client_feeds_is_no_foreign_await() {
    let report = Check::new("channel").run(|world| {
        let slot: Arc<Mutex<(Option<u32>, Option<Waker>)>> = Arc::default();
        let other = slot.clone();
        world.client("receiver", |_| async move { assert_eq!(receive(slot).await, 7) });
        world.client("sender", |ctx| async move {
            set(ctx).await?;
            let mut slot = other.lock().unwrap();
            slot.0 = Some(7);
            slot.1.take().expect("the receiver waits").wake();
            RedisResult::Ok(())
        });
    });
    assert_eq!(report.map(|report| report.violation), Ok(None));
}

#[test]
fn a_loop_that_only_yields() {
    let error = error(|world| {
        world.client("web", set);
        world.client("spinner", |ctx| async move {
            set(ctx).await?;
            loop {
                let mut yielded = false;
                poll_fn(|context| {
                    context.waker().wake_by_ref();
                    if std::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending }
                })
                .await;
            }
            #[allow(unreachable_code)]
            RedisResult::Ok(())
        });
    });
    assert_eq!(error, Error::Foreign { client: "spinner".to_owned(), step: 1 });
}

#[test]
fn a_setup_and_a_check_that_wait_for_something_foreign() {
    let in_setup = error(|world| {
        world.setup(|_| pending::<()>());
        world.client("web", set);
    });
    assert_eq!(in_setup, Error::Foreign { client: "setup".to_owned(), step: 0 });
    let in_check = error(|world| {
        world.client("web", set);
        world.finally(|_| pending::<()>());
    });
    assert_eq!(in_check, Error::Foreign { client: "the check".to_owned(), step: 0 });
}

#[test]
fn a_counter_that_outlives_executions() {
    let runs = AtomicU64::new(0);
    let error = error(|world| {
        let run = runs.fetch_add(1, Ordering::Relaxed);
        world.client("web", move |ctx| async move {
            set(ctx.clone()).await?;
            ctx.redis().set::<_, _, ()>("run", run).await
        });
    });
    let Error::NotDeterministic { step: 2, detail } = &error else { panic!("{error:?}") };
    assert!(detail.contains("SET run 0") && detail.contains("SET run 1"), "{detail}");
    assert!(error.to_string().starts_with("not deterministic: step 2 differs"), "{error}");
}

#[test]
fn a_difference_that_shows_in_later_executions_only() {
    let runs = AtomicU64::new(0);
    let error = error(|world| {
        let run = runs.fetch_add(1, Ordering::Relaxed);
        let late = run > 1 && run.is_multiple_of(2);
        // On one connection, so that nearly every execution begins with both.
        world.client("web", move |ctx| async move {
            let mut redis = ctx.redis();
            redis.set::<_, _, ()>("k", 1).await?;
            redis.get::<_, Option<String>>(if late { "l" } else { "k" }).await
        });
        world.client("mobile", set);
        world.client("tablet", set);
    });
    assert!(matches!(error, Error::NotDeterministic { .. }), "{error:?}");
}

#[test]
fn the_order_of_a_hash_map() {
    let error = error(|world| {
        world.client("web", |ctx| async move {
            let map: HashMap<String, u32> = (0..40).map(|n| (format!("key-{n:02}"), n)).collect();
            set(ctx.clone()).await?;
            for (key, value) in &map {
                ctx.redis().set::<_, _, ()>(key, value).await?;
            }
            RedisResult::Ok(())
        });
    });
    let Error::NotDeterministic { step: 2.., detail } = &error else { panic!("{error:?}") };
    assert!(detail.contains("web: SET key-"), "{detail}");
}

#[test]
fn a_number_of_steps_that_differs() {
    let runs = AtomicU64::new(0);
    let error = error(|world| {
        let run = runs.fetch_add(1, Ordering::Relaxed);
        world.client("web", move |ctx| async move {
            set(ctx.clone()).await?;
            if run > 0 {
                set(ctx).await?;
            }
            RedisResult::Ok(())
        });
    });
    let Error::NotDeterministic { step: 2, detail } = &error else { panic!("{error:?}") };
    assert!(detail.contains("the end"), "{detail}");
}

/// Two clients with a key each, and one more thing in common.
fn two_keys(world: &mut World) -> Arc<Mutex<u64>> {
    let hidden: Arc<Mutex<u64>> = Arc::default();
    for me in ["web", "mobile"] {
        let hidden = hidden.clone();
        world.client(me, move |ctx| async move {
            let mut redis = ctx.redis();
            redis.set::<_, _, ()>(me, "start").await?;
            let turn = {
                let mut hidden = hidden.lock().unwrap();
                *hidden += 1;
                *hidden
            };
            redis.set::<_, _, ()>(me, turn).await
        });
    }
    hidden
}

#[test]
fn the_audit_finds_state_that_clients_share_behind_its_back() {
    let error = Check::new("hidden").audit(10).run(|world| drop(two_keys(world))).expect_err("they share a counter");
    let Error::HiddenState { first, second, step, what, .. } = &error else { panic!("{error:?}") };
    let mut pair = [first.as_str(), second.as_str()];
    pair.sort_unstable();
    assert_eq!(pair, ["mobile", "web"]);
    assert_eq!(what, "a step or its reply");
    assert!(*step >= 1 && error.to_string().contains("ctx.shared"), "{error}");
}

#[test]
fn the_audit_has_nothing_to_say_of_declared_state() {
    let report = Check::new("declared").audit(100).run(|world| {
        let turns = world.shared("turns", 0_u64);
        for me in ["web", "mobile"] {
            let turns = turns.clone();
            world.client(me, move |ctx| async move {
                let mut redis = ctx.redis();
                redis.set::<_, _, ()>(me, "start").await?;
                let turn = turns
                    .update(&ctx, |turns| {
                        *turns += 1;
                        *turns
                    })
                    .await;
                redis.set::<_, _, ()>(me, turn).await
            });
        }
    });
    let report = report.expect("nothing is hidden");
    assert_eq!((report.executions, report.violation), (2, None));
}

#[test]
fn the_audit_does_not_mind_which_of_two_failures_comes_first() {
    let body = |world: &mut World| {
        for me in ["web", "mobile"] {
            world.client(me, move |ctx| async move {
                ctx.redis().set::<_, _, ()>(me, 1).await.unwrap();
                Err::<(), _>(format!("{me} gave up"))
            });
        }
    };
    let report = Check::new("two failures").audit(10).run(body).expect("the clients share nothing");
    assert_eq!(report.executions, 1);
    assert_eq!(report.violation.map(|found| found.steps.len()), Some(1));
}

//! Linearizability of what clients record: verdicts, the words, operations that nobody acknowledged, and a bound.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use raceproof_explore::{Check, Ctx, Error, Fault, HistoryCheck, Model, Report, Verdict, World};
use redis::{AsyncCommands, RedisResult};

use crate::{explore, lines, verified, violated};

async fn read_and_set(ctx: &Ctx) -> RedisResult<i64> {
    let mut redis = ctx.redis();
    let n: i64 = redis.get::<_, Option<i64>>("n").await?.unwrap_or(0);
    redis.set::<_, _, ()>("n", n + 1).await?;
    Ok(n + 1)
}

/// Two clients that count, atomically or not, and a reader.
fn counter(world: &mut World, atomic: bool) {
    for me in ["web", "mobile"] {
        world.client(me, move |ctx| async move {
            let mut redis = ctx.redis();
            let work = async { if atomic { redis.incr("n", 1).await } else { read_and_set(&ctx).await } };
            ctx.operation("n", "inc", &[], work).await.map(drop)
        });
    }
    world.value("n", |ctx| async move { ctx.redis().get::<_, Option<i64>>("n").await.unwrap() });
    world.history(HistoryCheck::linearizable("n", Model::Counter));
}

#[test]
fn an_atomic_increment_is_linearizable_and_get_and_set_is_not() {
    verified(&Check::new("INCR"), |world| counter(world, true));
    let found = violated(&Check::new("GET, SET"), |world| counter(world, false));
    assert_eq!(found.message, "n is not linearizable as a counter");
    let story = "web's inc from step 1 to step 4 gave 1: no order of the operations, each at a moment between its start \
                 and its end, explains that. Before it or beside it: mobile's inc from step 2 to step 3 gave 1.";
    assert_eq!(found.story.as_deref(), Some(story));
    let steps = ["web: GET n → nil", "mobile: GET n → nil", "mobile: SET n 1 → OK", "web: SET n 1 → OK"];
    assert_eq!(lines(&found), steps);
}

#[test]
fn a_client_that_dies_has_counted_or_not() {
    let check = Check::new("crash").fault(Fault::Crash, 1);
    assert_eq!(explore(&check, |world| counter(world, true)).verdict, Verdict::Verified);
    let lost = violated(&check, |world| {
        world.client("web", |ctx| async move { ctx.operation("n", "inc", &[], read_and_set(&ctx)).await.map(drop) });
        world.client("other", |ctx| async move { ctx.redis().set::<_, _, ()>("n", 0).await });
        world.value("n", |ctx| async move { ctx.redis().get::<_, Option<i64>>("n").await.unwrap() });
        world.history(HistoryCheck::linearizable("n", Model::Counter));
    });
    assert!(lost.story.unwrap().contains("the read at the end"), "what is there at the end is part of the history");
}

#[test]
fn what_the_object_held_at_the_start_is_known() {
    let body = |held: i64| {
        move |world: &mut World| {
            world.setup(|ctx| async move { ctx.redis().set::<_, _, ()>("n", 5).await });
            world.client("web", move |ctx| async move {
                ctx.operation("n", "read", &[], async { Some(held) }).await;
                ctx.operation("n", "inc", &["2"], ctx.redis().incr::<_, _, i64>("n", 2)).await.map(drop)
            });
            world.value("n", |ctx| async move { ctx.redis().get::<_, Option<i64>>("n").await.unwrap() });
            world.history(HistoryCheck::linearizable("n", Model::Counter));
        }
    };
    verified(&Check::new("five"), body(5));
    assert_eq!(violated(&Check::new("four"), body(4)).message, "n is not linearizable as a counter");
}

#[test]
fn members_that_are_merged_in_the_application_are_lost() {
    let add = |ctx: Ctx, me: &'static str| async move {
        let mut redis = ctx.redis();
        let old: Option<String> = redis.get("devices").await?;
        let list = old.map_or_else(|| me.to_owned(), |old| format!("{old},{me}"));
        redis.set::<_, _, ()>("devices", list).await
    };
    let found = violated(&Check::new("devices"), |world| {
        for me in ["web", "mobile"] {
            world.client(
                me,
                move |ctx| async move { ctx.operation("devices", "add", &[me], add(ctx.clone(), me)).await },
            );
        }
        world.value("devices", |ctx| async move {
            let list: Option<String> = ctx.redis().get("devices").await.unwrap();
            list.iter().flat_map(|list| list.split(',')).map(str::to_owned).collect::<Vec<_>>()
        });
        world.history(HistoryCheck::linearizable("devices", Model::Set));
    });
    assert_eq!(found.message, "devices is not linearizable as a set");
}

#[test]
fn a_lock_by_set_nx_is_one_until_its_time_is_over() {
    let body = |world: &mut World| {
        for me in ["A", "B"] {
            world.client(me, move |ctx| async move {
                let options = redis::SetOptions::default()
                    .conditional_set(redis::ExistenceCheck::NX)
                    .with_expiration(redis::SetExpiry::PX(1_000));
                let mut redis = ctx.redis();
                let got = ctx.operation("job", "acquire", &[], redis.set_options("lock", me, options)).await?;
                if got {
                    ctx.operation("job", "release", &[], redis.del::<_, i64>("lock")).await?;
                }
                RedisResult::Ok(())
            });
        }
        world.history(HistoryCheck::linearizable("job", Model::Lock));
    };
    verified(&Check::new("lock"), body);
    let found = violated(&Check::new("paused lock").pauses(1), body);
    assert_eq!(found.message, "job is not linearizable as a lock");
}

/// Twenty increments at once, by different amounts, none of which says what it gave.
fn too_many(world: &mut World) {
    world.client("web", |ctx| async move {
        let mut all: Vec<Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
        for n in 0..20 {
            let ctx = ctx.clone();
            all.push(Box::pin(async move {
                let by = (1_i64 << n).to_string();
                ctx.operation("n", "inc", &[&by], async { drop(ctx.redis().set::<_, _, ()>("n", 1).await) }).await;
            }));
        }
        let mut left = all.len();
        poll_fn(|context| {
            all.retain_mut(|one| one.as_mut().poll(context).is_pending());
            left = all.len();
            if left == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    });
    world.value("n", |ctx| async move { ctx.redis().get::<_, Option<i64>>("n").await.unwrap() });
    world.history(HistoryCheck::linearizable("n", Model::Counter));
}

fn few_executions(check: Check) -> Check {
    check.strategy(raceproof_explore::Strategy::Random { seed: 1 }).max_executions(2)
}

#[test]
fn what_cannot_be_decided_is_never_verified() {
    let report: Report = explore(&few_executions(Check::new("many")), too_many);
    assert_eq!((report.verdict, report.violation), (Verdict::NoViolationFound, None));
    let what = report.undecided.expect("the check gives up");
    assert!(what.starts_with("whether n is linearizable as a counter is not known"), "{what}");
}

#[test]
#[should_panic(expected = "not verified: whether n is linearizable as a counter is not known")]
fn a_test_that_cannot_be_decided_fails() {
    few_executions(Check::new("many")).verify(too_many);
}

#[test]
fn an_operation_that_the_type_does_not_have_is_an_error() {
    let error = Check::new("misuse").run(|world| {
        world.client("web", |ctx| async move {
            ctx.operation("n", "push", &["1"], ctx.redis().set::<_, _, ()>("n", 1)).await
        });
        world.history(HistoryCheck::linearizable("n", Model::Counter));
    });
    let expected = "a check over the history cannot tell whether n is linearizable: push is no operation of a counter, \
                    which has read, inc and dec";
    assert_eq!(
        error.unwrap_err(),
        Error::Misuse {
            who: "a check over the history".to_owned(),
            what: expected.strip_prefix("a check over the history ").unwrap().to_owned(),
        }
    );
}

#[test]
fn a_reader_of_an_object_that_fails_is_an_error() {
    let error = Check::new("misuse").run(|world| {
        world.client("web", |ctx| async move { ctx.redis().set::<_, _, ()>("n", 1).await });
        world.value("n", |ctx| async move { ctx.redis().hget::<_, _, Option<i64>>("n", "f").await });
    });
    let message = error.unwrap_err().to_string();
    assert_eq!(message, "world.value cannot tell what n holds: it returned an error; let it return the value, or none");
}

/// A write that fails is not acknowledged, and one that was refused never happened.
#[test]
fn errors_and_refusals_of_writes() {
    let body = |outcome: Result<bool, &'static str>| {
        move |world: &mut World| {
            world.client("writer", move |ctx| async move {
                let work = async {
                    ctx.redis().set::<_, _, ()>("elsewhere", 1).await.unwrap();
                    outcome
                };
                ctx.write("n", 1, work).await.ok();
            });
            world.client("reader", |ctx| async move {
                ctx.read("n", ctx.redis().get::<_, Option<i64>>("n")).await.map(drop)
            });
            world.history(HistoryCheck::linearizable("n", Model::Register));
            world.value("n", |ctx| async move { ctx.redis().get::<_, Option<i64>>("n").await.unwrap() });
        }
    };
    assert!(explore(&Check::new("done"), body(Ok(true))).violation.is_some(), "it was acknowledged");
    verified(&Check::new("refused"), body(Ok(false)));
    verified(&Check::new("failed"), body(Err("connection lost")));
}

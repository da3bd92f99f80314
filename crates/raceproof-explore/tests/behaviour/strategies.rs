//! How schedules are chosen, and what a search that was cut short may claim.

use std::sync::Arc;
use std::time::Duration;

use raceproof_explore::{Check, Error, Progress, Report, Strategy, Verdict, World};
use redis::{AsyncCommands, RedisResult};

use crate::{Tally, explore, violated};

/// A lost update that only one order in many shows.
fn rare(world: &mut World) {
    for me in ["a", "b", "c"] {
        world.client(me, move |ctx| async move {
            let mut redis = ctx.redis();
            for _ in 0..2 {
                redis.append::<_, _, ()>("order", me).await?;
            }
            RedisResult::Ok(())
        });
    }
    world.finally(|ctx| async move {
        let order: String = ctx.redis().get("order").await.unwrap();
        assert_ne!(order, "cabbac", "the one in ninety");
    });
}

fn harmless(world: &mut World) {
    for me in ["a", "b", "c"] {
        world.client(me, move |ctx| async move { ctx.redis().append::<_, _, ()>("order", me).await });
    }
}

fn random(seed: u64) -> Check {
    Check::new("random").strategy(Strategy::Random { seed })
}

/// What does not depend on how fast the machine is.
fn told(report: Report) -> Report {
    Report { elapsed: Duration::ZERO, ..report }
}

#[test]
fn a_seed_makes_the_same_search_again() {
    let mut met = Vec::new();
    for seed in [1, 2, 3] {
        let (one, two) = (told(explore(&random(seed), rare)), told(explore(&random(seed), rare)));
        assert_eq!(format!("{one:?}"), format!("{two:?}"));
        met.push(one.met_at);
    }
    assert!(met.iter().any(|at| *at != met[0]), "other seeds make other searches: {met:?}");
}

#[test]
fn every_strategy_reports_the_same_shrunk_counterexample() {
    let exhaustive = violated(&Check::new("exhaustive"), rare);
    let sampled = violated(&random(7), rare);
    assert_eq!(exhaustive.message, sampled.message);
    assert_eq!(exhaustive.steps.len(), sampled.steps.len());
}

#[test]
fn a_random_search_verifies_nothing() {
    let report = explore(&random(1).max_executions(500), harmless);
    assert_eq!((report.verdict, report.exhaustive, report.executions), (Verdict::NoViolationFound, false, 500));
    let report = explore(&random(1), harmless);
    assert_eq!((report.verdict, report.exhaustive, report.executions), (Verdict::NoViolationFound, false, 10_000));
}

#[test]
fn an_exhaustive_search_that_was_cut_short_verifies_nothing() {
    let whole = explore(&Check::new("whole"), harmless);
    assert_eq!((whole.verdict, whole.exhaustive, whole.executions), (Verdict::Verified, true, 6));
    let exact = explore(&Check::new("exact").max_executions(6), harmless);
    assert_eq!((exact.verdict, exact.executions), (Verdict::Verified, 6), "the limit was not in the way");
    let cut = explore(&Check::new("cut").max_executions(5), harmless);
    assert_eq!((cut.verdict, cut.exhaustive, cut.executions), (Verdict::NoViolationFound, false, 5));
    let late = explore(&Check::new("late").max_time(Duration::ZERO), harmless);
    assert_eq!((late.verdict, late.exhaustive), (Verdict::NoViolationFound, false));
}

#[test]
fn a_random_search_ends_in_time() {
    let report = explore(&random(1).max_time(Duration::from_millis(30)), harmless);
    assert_eq!(report.verdict, Verdict::NoViolationFound);
    assert!(report.elapsed >= Duration::from_millis(30) && report.elapsed < Duration::from_secs(5), "{report:?}");
}

#[test]
fn an_exhaustive_search_counts_all_traces_and_says_where_it_met_the_violation() {
    let report = explore(&Check::new("all"), rare);
    assert_eq!((report.verdict, report.executions, report.redundant), (Verdict::Violated, 90, 0));
    assert!(report.exhaustive);
    assert!(report.met_at.is_some_and(|at| (1..=90).contains(&at)), "{:?}", report.met_at);
}

#[test]
fn a_random_search_reaches_deaths_and_pauses() {
    let seen = Tally::default();
    explore(&random(1).crashes(1).pauses(1).max_executions(2_000), |world| {
        world.client("web", |ctx| async move {
            let mut redis = ctx.redis();
            redis.pset_ex::<_, _, ()>("k", 1, 10).await?;
            let alive: bool = redis.exists("k").await?;
            redis.set::<_, _, ()>("alive", alive).await
        });
        let seen = seen.clone();
        world.finally(move |ctx| {
            let seen = seen.clone();
            async move { seen.add(format!("{:?}", ctx.redis().get::<_, Option<String>>("alive").await.unwrap())) }
        });
    });
    assert_eq!(seen.seen(), ["None", "Some(\"0\")", "Some(\"1\")"]);
}

#[test]
fn a_client_that_is_cut_off_is_named() {
    let poller = |world: &mut World| {
        world.client("setter", |ctx| async move { ctx.redis().set::<_, _, ()>("ready", 1).await });
        world.client("poller", |ctx| async move {
            let mut redis = ctx.redis();
            while !redis.exists::<_, bool>("ready").await? {}
            RedisResult::Ok(())
        });
    };
    let report = explore(&Check::new("polling").steps_per_client(10), poller);
    assert_eq!(report.cut_off.as_deref(), Some("poller"));
    assert_eq!((report.verdict, report.violation), (Verdict::NoViolationFound, None));
    assert!(report.executions >= 10, "the poller may look any number of times: {}", report.executions);
    let patient = |world: &mut World| {
        world.client("patient", |ctx| async move {
            for _ in 0..10 {
                ctx.redis().incr::<_, _, ()>("n", 1).await?;
            }
            RedisResult::Ok(())
        });
    };
    let exact = explore(&Check::new("just enough").steps_per_client(10), patient);
    assert_eq!((exact.verdict, exact.cut_off), (Verdict::Verified, None));
    let short = explore(&Check::new("one too few").steps_per_client(9), patient);
    assert_eq!((short.verdict, short.cut_off.as_deref()), (Verdict::NoViolationFound, Some("patient")));
}

#[test]
fn a_violation_is_found_although_a_client_was_cut_off() {
    let report = explore(&Check::new("both").steps_per_client(5), |world| {
        world.client("poller", |ctx| async move {
            let mut redis = ctx.redis();
            while !redis.exists::<_, bool>("ready").await? {}
            RedisResult::Ok(())
        });
        world.client("web", |ctx| async move {
            ctx.redis().set::<_, _, ()>("k", 1).await?;
            RedisResult::<()>::Err(redis::RedisError::from((redis::ErrorKind::Client, "gave up")))
        });
    });
    assert_eq!(report.verdict, Verdict::Violated);
    assert_eq!(report.violation.map(|found| found.steps.len()), Some(1));
}

#[test]
fn progress_counts_executions() {
    let progress = Arc::new(Progress::default());
    let report = explore(&Check::new("progress").progress(progress.clone()), rare);
    let shown = progress.executions();
    assert!(shown > 0 && shown <= report.executions, "{shown} of {}", report.executions);
    assert!(progress.violated());
    assert!(progress.traces().is_some_and(|traces| (45..=180).contains(&traces)), "{:?}", progress.traces());
}

#[test]
fn a_replay_without_a_token_is_an_error() {
    let error = Check::new("empty").strategy(Strategy::Replay { token: String::new() }).run(harmless);
    assert!(matches!(error, Err(Error::Token { .. })), "{error:?}");
}

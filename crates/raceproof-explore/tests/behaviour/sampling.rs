//! Sampling, limits, and what is claimed of what they have seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use raceproof_explore::{Check, Fault, Odds, Report, Stopped, Strategy, Traces, Verdict, World, render};
use redis::{AsyncCommands, RedisResult};

use crate::{Tally, explore, violated};

fn told(report: Report) -> String {
    format!("{:?}", Report { elapsed: Duration::ZERO, ..report })
}

/// `clients` that each read and then write one key.
fn racing(world: &mut World, clients: usize) {
    for client in 0..clients {
        world.client(format!("client-{client}"), move |ctx| async move {
            let mut redis = ctx.redis();
            drop(redis.get::<_, Option<String>>("k").await?);
            redis.set::<_, _, ()>("k", client).await
        });
    }
}

/// A violation that needs two steps in an order that hardly any schedule has: `last` between two steps of `first`,
/// which come after twenty others.
fn needle(world: &mut World) {
    world.client("first", |ctx| async move {
        let mut redis = ctx.redis();
        for _ in 0..20 {
            redis.incr::<_, _, ()>("n", 1).await?;
        }
        redis.set::<_, _, ()>("open", 1).await?;
        redis.del::<_, ()>("open").await
    });
    world.client("last", |ctx| async move {
        let open: bool = ctx.redis().exists("open").await?;
        assert!(!open, "seen open");
        RedisResult::Ok(())
    });
}

fn pct(depth: u32) -> Strategy {
    Strategy::Pct { seed: 1, depth }
}

#[test]
fn pct_finds_what_needs_two_steps_in_a_certain_order_as_often_as_it_guarantees() {
    // The first execution of a search tells how long executions are, the second is made by that.
    let found = |seed: u64| {
        let check = Check::new("needle").strategy(Strategy::Pct { seed, depth: 2 }).max_executions(2);
        u64::from(explore(&check, needle).verdict == Verdict::Violated)
    };
    // 2 actors, 23 steps: at least one seed in 46.
    let times: u64 = (0..920).map(found).sum();
    assert!(times >= 15, "{times} of 920, at least 20 are to be expected");
    // Without a change of priorities either client runs to its end before the other.
    let first = |seed: u64| Check::new("needle").strategy(Strategy::Pct { seed, depth: 1 }).max_executions(1);
    assert!((0..100).all(|seed| explore(&first(seed), needle).verdict == Verdict::NoViolationFound));
}

#[test]
fn pct_says_what_it_guarantees() {
    let report = explore(&Check::new("pct").strategy(pct(3)).max_executions(1_000), |world| racing(world, 3));
    assert_eq!((report.verdict, report.executions, report.exhaustive), (Verdict::NoViolationFound, 1_000, false));
    let odds = report.cover.odds.expect("odds");
    assert_eq!(odds, Odds { depth: 3, actors: 3, steps: 6, executions: 999 });
    assert!((odds.of_one() - 1.0 / 108.0).abs() < 1e-12);
    assert!((odds.of_all() - (1.0 - (1.0 - 1.0_f64 / 108.0).powi(999))).abs() < 1e-9);
    let text = render::incomplete(&report, &pct(3));
    assert!(
        text.ends_with("one of depth 3 is found with probability ≥ 1/108 per run, ≥ 99.9 % over 999 of them"),
        "{text}"
    );
    // Deaths and time take part.
    let check = Check::new("faults").strategy(pct(3)).max_executions(500).fault(Fault::Crash, 1);
    let odds = explore(&check, |world| racing(world, 3)).cover.odds.expect("odds");
    assert_eq!((odds.actors, odds.steps), (9, 6));
}

#[test]
fn a_seed_makes_the_same_samples_again() {
    for strategy in [pct(3), Strategy::Uniform { seed: 1 }, Strategy::Random { seed: 1 }] {
        let check = Check::new("again").strategy(strategy).max_executions(200);
        let run = || told(explore(&check, |world| racing(world, 3)));
        assert_eq!(run(), run());
    }
}

/// The estimated number of traces, which must be within four standard errors of what an exhaustive search counts.
fn counted(check: &Check, body: impl Fn(&mut World) + Sync) -> u64 {
    let exact = explore(&check.clone().strategy(Strategy::Exhaustive), &body).executions;
    let uniform = check.clone().strategy(Strategy::Uniform { seed: 7 }).max_executions(4_000);
    let Traces { number, error } = explore(&uniform, &body).cover.traces.expect("an estimate");
    let error = error.expect("a standard error");
    #[expect(clippy::cast_precision_loss, reason = "a small count")]
    let difference = (number - exact as f64).abs();
    assert!(difference <= 4.0 * error.max(1e-9), "{number} ± {error} instead of {exact}");
    exact
}

#[test]
fn uniform_walks_estimate_the_number_of_traces() {
    assert_eq!(counted(&Check::new("2"), |world| racing(world, 2)), 4);
    assert_eq!(counted(&Check::new("3"), |world| racing(world, 3)), 36);
    assert_eq!(counted(&Check::new("4"), |world| racing(world, 4)), 576);
    // Nobody meets anybody: one trace, and every walk but one in six falls asleep.
    let apart = |world: &mut World| {
        for key in ["a", "b", "c"] {
            world.client(key, move |ctx| async move { ctx.redis().set::<_, _, ()>(key, 1).await });
        }
    };
    assert_eq!(counted(&Check::new("apart"), apart), 1);
    let volatile = |world: &mut World| {
        world.setup(|ctx| async move { ctx.redis().pset_ex::<_, _, ()>("k", 1, 10).await });
        racing(world, 2);
    };
    assert!(counted(&Check::new("pause").pauses(1), volatile) > 4);
    assert!(counted(&Check::new("crash").crashes(1), |world| racing(world, 2)) > 4);
}

/// By final state, which tells the traces apart, the weight of the walks that came there.
#[test]
fn with_their_weights_all_traces_are_met_alike() {
    // Three writers of one key and a reader of another: 6 traces, which random schedules meet as unequally as they like.
    let seen = Tally::default();
    let orders = |world: &mut World| {
        for me in ["a", "b", "c"] {
            world.client(me, move |ctx| async move {
                let mut redis = ctx.redis();
                redis.append::<_, _, ()>("order", me).await?;
                if me == "a" {
                    for _ in 0..3 {
                        redis.incr::<_, _, ()>("own", 1).await?;
                    }
                }
                RedisResult::Ok(())
            });
        }
        let seen = seen.clone();
        world.finally(move |ctx| {
            let seen = seen.clone();
            async move { seen.add(ctx.redis().get::<_, String>("order").await.unwrap()) }
        });
    };
    let traces = explore(&Check::new("exact"), orders);
    assert_eq!(traces.executions, 6);
    let report = explore(&Check::new("walks").strategy(Strategy::Uniform { seed: 3 }).max_executions(600), orders);
    assert_eq!(seen.seen().len(), 6, "every trace is met");
    let Traces { number, error } = report.cover.traces.expect("an estimate");
    assert!((number - 6.0).abs() <= 4.0 * error.expect("a standard error"), "{number} ± {error:?}");
}

#[test]
fn an_exhaustive_search_that_is_out_of_time_samples_for_the_rest() {
    let many = |world: &mut World| racing(world, 7);
    let check = Check::new("late").max_time(Duration::from_millis(300)).then_sample(pct(3));
    let report = explore(&check, many);
    assert_eq!((report.verdict, report.exhaustive), (Verdict::NoViolationFound, false));
    assert_eq!(report.cover.stopped, Some(Stopped::Time));
    let then = report.cover.then.as_ref().expect("samples");
    assert!(report.executions > 0 && then.executions > 0 && then.cover.odds.is_some(), "{report:?}");
    let text = render::incomplete(&report, &Strategy::Exhaustive);
    assert!(text.starts_with("exhaustive search stopped after ") && text.contains("% of the tree"), "{text}");
    assert!(text.contains(" sampled: random priorities (PCT, depth 3, seed 1)"), "{text}");
    // Enough time: nothing is sampled.
    let report = explore(&check.max_time(Duration::from_secs(60)), |world| racing(world, 2));
    assert_eq!((report.verdict, report.cover.then), (Verdict::Verified, None));
}

#[test]
fn what_the_samples_find_is_a_violation() {
    // The search below the first choices never comes to the end of this within its time.
    let hidden = |world: &mut World| {
        racing(world, 7);
        world.finally(|ctx| async move {
            let last: String = ctx.redis().get("k").await.unwrap();
            assert_ne!(last, "0", "the first client came last");
        });
    };
    let check = Check::new("hidden").max_time(Duration::from_millis(300)).then_sample(pct(1));
    let report = explore(&check, hidden);
    assert_eq!(report.verdict, Verdict::Violated);
    let met = render::met(&report, &Strategy::Exhaustive);
    match &report.cover.then {
        Some(then) => {
            assert!(then.met_at.is_some() && met.starts_with("met at sample "), "{met}");
        }
        None => assert!(report.met_at.is_some(), "{met}"),
    }
}

#[test]
fn the_first_violation_ends_the_search_if_it_is_to() {
    let lost = |world: &mut World| {
        racing(world, 4);
        world.finally(|ctx| async move {
            let last: String = ctx.redis().get("k").await.unwrap();
            assert_ne!(last, "1", "the second client came last");
        });
    };
    let all = explore(&Check::new("all"), lost);
    let first = explore(&Check::new("first").stop_at_first(), lost);
    assert_eq!(Some(first.executions), all.met_at);
    assert_eq!((first.met_at, first.exhaustive), (all.met_at, false));
    assert_eq!(first.cover.stopped, Some(Stopped::First));
    assert_eq!(first.violation, all.violation);
    assert_eq!(all.cover.stopped, None);
}

#[test]
fn a_search_that_is_asked_to_stop_tells_what_it_has_seen() {
    let stop = Arc::new(AtomicBool::new(false));
    let asks = stop.clone();
    let count = std::sync::atomic::AtomicU64::new(0);
    let check = Check::new("stopped").stop_when(stop);
    let report = explore(&check, |world| {
        if count.fetch_add(1, Ordering::Relaxed) == 100 {
            asks.store(true, Ordering::Relaxed);
        }
        racing(world, 5);
    });
    assert_eq!((report.verdict, report.cover.stopped), (Verdict::NoViolationFound, Some(Stopped::Asked)));
    assert!((90..=101).contains(&report.executions), "{}", report.executions);
    let text = render::incomplete(&report, &Strategy::Exhaustive);
    assert!(text.starts_with("the search was interrupted after "), "{text}");
    // A violation that it has found by then is told.
    let at_once = Arc::new(AtomicBool::new(true));
    let broken = |world: &mut World| {
        racing(world, 5);
        world.finally(|_| async { RedisResult::<()>::Err((redis::ErrorKind::Client, "never holds").into()) });
    };
    let found = violated(&Check::new("found").stop_when(at_once), broken);
    assert!(found.message.contains("never holds"), "{}", found.message);
}

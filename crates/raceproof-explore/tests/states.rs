//! Merging states, from outside: what it counts, what it finds, and what it says when it could not cover all.

use std::sync::{Arc, Mutex};

use raceproof_explore::{Bounds, Check, Error, Fault, Report, Strategy, Verdict, World};
use redis::AsyncCommands;

/// Clients that read a counter some times and then increment it.
fn counters(clients: usize, reads: usize) -> impl Fn(&mut World) {
    move |world| {
        for number in 0..clients {
            world.client(format!("c{number}"), move |ctx| async move {
                let mut redis = ctx.redis();
                for _ in 0..reads {
                    redis.get::<_, Option<i64>>("n").await?;
                }
                redis.incr::<_, _, i64>("n", 1).await
            });
        }
    }
}

/// Clients that each add one to a counter, in two steps.
fn lost_update(world: &mut World) {
    for number in 0..2 {
        world.client(format!("c{number}"), |ctx| async move {
            let mut redis = ctx.redis();
            let n: Option<i64> = redis.get("n").await?;
            redis.set::<_, _, ()>("n", n.unwrap_or(0) + 1).await
        });
    }
    world.finally(|ctx| async move {
        let n: Option<i64> = ctx.redis().get("n").await.map_err(|error| error.to_string())?;
        if n == Some(2) { Ok(()) } else { Err("an update is lost".to_owned()) }
    });
}

fn states() -> Check {
    Check::new("states").strategy(Strategy::States)
}

/// Traces, states, and executions when states are merged.
fn counted(clients: usize, reads: usize) -> (u64, u64, u64) {
    let traces = Check::new("traces").run(counters(clients, reads)).expect("it runs");
    let merged = states().run(counters(clients, reads)).expect("it runs");
    assert_eq!((traces.verdict, merged.verdict), (Verdict::Verified, Verdict::Verified));
    let covered = merged.states.expect("states were merged");
    // Every execution but the first ends in a state that another one was in.
    assert_eq!((covered.merged, covered.full), (merged.executions - 1, false));
    (traces.executions, covered.reached, merged.executions)
}

#[test]
fn n_increments_are_n_factorial_traces_and_two_to_the_n_states() {
    assert_eq!(counted(3, 0), (6, 8, 6));
    assert_eq!(counted(4, 0), (24, 16, 18));
    assert_eq!(counted(5, 0), (120, 32, 50));
    assert_eq!(counted(6, 0), (720, 64, 130));
    assert_eq!(counted(7, 0), (5_040, 128, 322));
}

#[test]
fn what_clients_were_told_keeps_states_apart_until_they_end() {
    assert_eq!(counted(3, 2), (108, 166, 163));
    assert_eq!(counted(4, 2), (4_320, 1_606, 2_572));
    assert_eq!(counted(5, 1), (14_400, 1_358, 2_874));
}

#[test]
fn a_violation_is_shrunk_and_replays() {
    let report = states().run(lost_update).expect("it runs");
    let by_traces = Check::new("traces").run(lost_update).expect("it runs");
    assert_eq!(report.violation, by_traces.violation);
    let found = report.violation.expect("an update is lost");
    assert_eq!((found.steps.len(), report.shrunk), (4, true));
    let again = Check::new("again").strategy(Strategy::Replay { token: found.token.clone() }).run(lost_update);
    assert_eq!(again.expect("it runs").violation.map(|again| again.steps), Some(found.steps));
}

#[test]
fn the_graph_is_finished_after_a_violation() {
    let report = states().run(lost_update).expect("it runs");
    assert!(report.exhaustive && report.met_at.is_some_and(|at| at < report.executions), "{report:?}");
}

/// What is left of a report when nothing is verified.
fn not_verified(report: &Report) -> (Verdict, bool, bool) {
    (report.verdict, report.exhaustive, report.states.is_some_and(|states| states.full))
}

#[test]
fn a_search_that_can_keep_no_more_states_verifies_nothing() {
    let report = states().max_states(20).run(counters(5, 0)).expect("it runs");
    assert_eq!(not_verified(&report), (Verdict::NoViolationFound, false, true));
    let report = states().max_states(32).run(counters(5, 0)).expect("it runs");
    assert_eq!(not_verified(&report), (Verdict::Verified, true, false));
    let report = states().max_state_bytes(2_000).run(counters(5, 0)).expect("it runs");
    assert_eq!(not_verified(&report), (Verdict::NoViolationFound, false, true));
    let report = states().max_executions(10).run(counters(5, 0)).expect("it runs");
    assert_eq!(not_verified(&report), (Verdict::NoViolationFound, false, false));
}

#[test]
#[should_panic(expected = "tight: not verified: no more than 20 states could be kept")]
fn a_test_fails_when_no_more_states_can_be_kept() {
    Check::new("tight").strategy(Strategy::States).max_states(20).verify(counters(5, 0));
}

#[test]
fn a_lost_update_takes_one_preemption() {
    let within = |preemptions| Check::new("bounded").preemptions(preemptions).run(lost_update).expect("it runs");
    let without = within(0);
    assert_eq!(without.verdict, Verdict::Verified);
    assert_eq!(without.bounds.preemptions, Some(0), "the verdict holds within the bound, and the report says which");
    // One client and then the other one, in both orders.
    assert_eq!(without.executions, 2);
    assert_eq!(within(1).verdict, Verdict::Violated);
}

#[test]
fn a_client_that_waits_is_not_preempted() {
    let body = |world: &mut World| {
        world.client("sleeps", |ctx| async move {
            let mut redis = ctx.redis();
            redis.set::<_, _, ()>("a", 1).await?;
            ctx.sleep(10).await;
            redis.get::<_, Option<i64>>("b").await.map(|b| assert_eq!(b, None, "b was set meanwhile"))
        });
        world.client("sets", |ctx| async move { ctx.redis().set::<_, _, ()>("b", 1).await });
    };
    let report = Check::new("bounded").preemptions(0).run(body).expect("it runs");
    assert_eq!(report.verdict, Verdict::Violated);
}

#[test]
fn the_states_of_few_preemptions_are_fewer() {
    let reached = |preemptions| {
        let report = Check::new("bounded").preemptions(preemptions).run(counters(4, 2)).expect("it runs");
        assert_eq!(report.verdict, Verdict::Verified);
        report.states.map(|states| states.reached)
    };
    let all = states().run(counters(4, 2)).expect("it runs").states.map(|states| states.reached);
    assert!(reached(0) < reached(1) && reached(1) < all, "{:?} {:?} {all:?}", reached(0), reached(1));
}

#[test]
fn nothing_is_verified_beyond_the_depth() {
    let within = |depth| Check::new("bounded").depth(depth).run(lost_update).expect("it runs");
    let shallow = within(3);
    assert_eq!((shallow.verdict, shallow.exhaustive, shallow.too_deep), (Verdict::NoViolationFound, true, true));
    assert_eq!(within(4).verdict, Verdict::Violated);
    let deep = Check::new("bounded").depth(5).run(counters(5, 0)).expect("it runs");
    assert_eq!((deep.verdict, deep.too_deep), (Verdict::Verified, false));
}

#[test]
fn a_step_behind_the_depth_of_others_is_run() {
    // A reduction that only looks at what has happened would never see the second client move.
    let body = |world: &mut World| {
        world.client("long", |ctx| async move {
            for _ in 0..4 {
                ctx.redis().get::<_, Option<i64>>("a").await?;
            }
            redis::RedisResult::Ok(())
        });
        world.client("fails", |ctx| async move {
            ctx.redis().get::<_, Option<i64>>("b").await?;
            Err::<(), _>(redis::RedisError::from((redis::ErrorKind::Client, "it has failed")))
        });
    };
    let report = Check::new("bounded").depth(2).run(body).expect("it runs");
    assert_eq!(report.verdict, Verdict::Violated);
}

#[test]
fn a_sample_is_cut_off_at_the_depth_as_well() {
    let report =
        Check::new("sample").strategy(Strategy::Random { seed: 1 }).max_executions(50).depth(3).run(lost_update);
    let report = report.expect("it runs");
    assert_eq!((report.verdict, report.too_deep), (Verdict::NoViolationFound, true));
}

#[test]
#[should_panic(expected = "shallow: not verified: an execution was cut off after 3 steps; raise depth")]
fn a_test_fails_when_an_execution_is_too_deep() {
    Check::new("shallow").depth(3).verify(counters(4, 0));
}

#[test]
fn a_token_replays_whatever_the_bounds() {
    let found = Check::new("found").run(lost_update).expect("it runs").violation.expect("an update is lost");
    let bounds = Bounds { depth: Some(1), preemptions: Some(0), ..Bounds::default() };
    let again = Check::new("again").bounds(bounds).strategy(Strategy::Replay { token: found.token }).run(lost_update);
    assert_eq!(again.expect("it runs").verdict, Verdict::Violated);
}

#[test]
fn states_are_merged_under_faults_and_pauses() {
    let bounds = Bounds { pauses: 1, ..Bounds::default() }.with(Fault::Crash, 1).with(Fault::LostReply, 1);
    let body = |world: &mut World| {
        for number in 0..2 {
            world.client(format!("c{number}"), |ctx| async move {
                let mut redis = ctx.redis();
                if redis.incr::<_, _, i64>("n", 1).await.is_err() {
                    redis.incr::<_, _, i64>("n", 1).await?;
                }
                redis::RedisResult::Ok(())
            });
        }
        world.finally(|ctx| async move {
            let n: Option<i64> = ctx.redis().get("n").await.map_err(|error| error.to_string())?;
            if n <= Some(2) { Ok(()) } else { Err("counted twice".to_owned()) }
        });
    };
    let by = |strategy| {
        let report = Check::new("faults").bounds(bounds).strategy(strategy).run(body).expect("it runs");
        report.violation.expect("a retry counts twice")
    };
    assert_eq!(by(Strategy::Exhaustive), by(Strategy::States));
}

/// Clients that tell a check what they read, and by nothing that the explorer sees.
fn hidden_results(world: &mut World) {
    let seen: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
    let told = seen.clone();
    world.client("reader", |ctx| async move {
        let value: Option<String> = ctx.redis().get("a").await?;
        told.lock().expect("nobody panicked").push(value);
        redis::RedisResult::Ok(())
    });
    world.client("writer", |ctx| async move {
        let mut redis = ctx.redis();
        redis.set::<_, _, ()>("a", "half").await?;
        redis.set::<_, _, ()>("a", "whole").await
    });
    world.finally(move |_| {
        let half = seen.lock().expect("nobody panicked").contains(&Some("half".to_owned()));
        async move { if half { Err("the reader saw half of it") } else { Ok(()) } }
    });
}

#[test]
fn the_audit_finds_what_an_ended_client_told_nobody_but_a_check() {
    assert_eq!(Check::new("traces").run(hidden_results).expect("it runs").verdict, Verdict::Violated);
    let error = states().audit(100).run(hidden_results).expect_err("the reader's reply is in no store");
    let Error::Forgotten { differs, .. } = &error else { panic!("{error:?}") };
    assert_eq!(differs, "are judged differently by a check");
    assert!(error.to_string().contains("ctx.shared"), "{error}");
}

#[test]
fn the_audit_has_nothing_to_say_of_states_that_are_all_in_the_stores() {
    for body in [counters(4, 1), counters(3, 2)] {
        let report = states().audit(1_000).run(body).expect("nothing is hidden");
        assert_eq!(report.verdict, Verdict::Verified);
    }
    let bounds = Bounds { pauses: 1, ..Bounds::default() }.with(Fault::Crash, 1);
    let report = states().bounds(bounds).audit(1_000).run(lost_update).expect("nothing is hidden");
    assert_eq!(report.verdict, Verdict::Violated);
}

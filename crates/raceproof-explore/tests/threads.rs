//! Threads share a search: the report is that of one thread, whatever their number.
//!
//! That nothing differs whoever is faster is shown by the referee's searches with a helper, which do the same each time;
//! here real threads race.

use std::time::{Duration, Instant};

use raceproof_explore::scenario::Scenario;
use raceproof_explore::{Check, Report, Verdict, World};
use redis::{AsyncCommands, RedisResult};

fn told(report: &Report) -> String {
    format!("{:?}", Report { elapsed: Duration::ZERO, ..report.clone() })
}

/// The report of a search, which must be the same for any number of threads.
fn same(check: &Check, body: impl Fn(&mut World) + Sync) -> Report {
    let alone = check.run(&body).expect("the search runs");
    for threads in [2, 3, 8] {
        let shared = check.clone().threads(threads).run(&body).expect("the search runs");
        assert_eq!(told(&shared), told(&alone), "{threads} threads");
    }
    alone
}

/// Lets a step take so long that the search is worth sharing.
fn work() {
    let start = Instant::now();
    while start.elapsed() < Duration::from_micros(4) {
        std::hint::spin_loop();
    }
}

fn clients(world: &mut World, count: usize, commands: &'static [&'static str]) {
    for client in 0..count {
        world.client(format!("client-{client}"), move |ctx| async move {
            let mut redis = ctx.redis();
            for command in commands {
                work();
                match *command {
                    "GET" => drop(redis.get::<_, Option<String>>("k").await?),
                    "SET" => redis.set::<_, _, ()>("k", client).await?,
                    "INCR" => drop(redis.incr::<_, _, i64>("n", 1).await?),
                    other => panic!("no such command in these programs: {other}"),
                }
            }
            RedisResult::Ok(())
        });
    }
}

#[test]
fn the_count_is_the_number_of_traces() {
    let report = same(&Check::new("four"), |world| clients(world, 4, &["GET", "SET"]));
    assert_eq!((report.verdict, report.executions, report.redundant), (Verdict::Verified, 576, 0));
    let report = same(&Check::new("counters"), |world| clients(world, 3, &["GET", "INCR", "SET", "INCR"]));
    assert!(report.executions > 1_000, "{}", report.executions);
}

#[test]
fn a_search_that_is_cut_short_ends_at_the_same_execution() {
    let report = same(&Check::new("cut").max_executions(1_234), |world| clients(world, 5, &["GET", "SET"]));
    assert_eq!((report.verdict, report.executions), (Verdict::NoViolationFound, 1_234));
}

#[test]
fn the_counterexample_and_where_it_was_met() {
    let report = same(&Check::new("lost"), |world| {
        clients(world, 4, &["GET", "SET"]);
        world.finally(|ctx| async move {
            let last: String = ctx.redis().get("k").await.unwrap();
            assert_ne!(last, "2", "the third client came last");
        });
    });
    assert_eq!((report.verdict, report.executions), (Verdict::Violated, 576));
    assert!(report.met_at.is_some() && report.violation.is_some());
}

#[test]
fn what_an_always_check_reads_is_learnt_on_the_way() {
    let report = same(&Check::new("always"), |world| {
        clients(world, 3, &["INCR", "GET", "SET"]);
        world.always(|ctx| async move {
            let mut redis = ctx.redis();
            let count: Option<i64> = redis.get("n").await.unwrap();
            if count > Some(2) {
                // Only now does it read this.
                assert_ne!(redis.get::<_, Option<i64>>("k").await.unwrap(), Some(7));
            }
        });
    });
    assert_eq!(report.verdict, Verdict::Verified);
}

#[test]
fn clients_that_die_and_time_that_passes() {
    let report = same(&Check::new("faults").crashes(1).pauses(1), |world| {
        world.setup(|ctx| async move { ctx.redis().pset_ex::<_, _, ()>("k", 1, 10).await });
        clients(world, 3, &["GET", "SET"]);
    });
    assert!(report.executions > 500, "{}", report.executions);
}

#[test]
fn each_thread_has_a_database_of_its_own() {
    let report = same(&Check::new("sql"), |world| {
        world.setup(|ctx| async move {
            let db = ctx.db();
            db.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)", ()).await?;
            db.execute("INSERT INTO account VALUES (1, 0)", ()).await
        });
        for client in ["a", "b", "c"] {
            world.client(client, |ctx| async move {
                let db = ctx.db();
                for _ in 0..2 {
                    let read = db.query_value("SELECT balance FROM account WHERE id = 1", ()).await?;
                    let balance = read.and_then(|value| value.as_integer()).unwrap_or_default();
                    db.execute("UPDATE account SET balance = ?1 WHERE id = 1", [balance + 1]).await?;
                }
                Ok::<(), raceproof_explore::SqlError>(())
            });
        }
    });
    assert_eq!((report.verdict, report.redundant), (Verdict::Verified, 0));
    assert!(report.executions > 100, "{}", report.executions);
}

#[test]
fn each_thread_has_a_scenario_of_its_own() {
    let source = r#"
        scenario { name = "threads/counter", expect = "violated" }
        clients { "a", "b", "c", "d", function() redis("SET", "n", (redis("GET", "n") or 0) + 1) end }
        finally(function() expect(redis("GET", "n") == "4", "an increment was lost") end)
    "#;
    let scenario = Scenario::parse("counter.lua", source).expect("a scenario");
    let alone = scenario.run(&scenario.check()).expect("it runs");
    assert_eq!((alone.verdict, alone.executions), (Verdict::Violated, 576));
    for threads in [2, 4] {
        let shared = scenario.run(&scenario.check().threads(threads)).expect("it runs");
        assert_eq!(told(&shared), told(&alone), "{threads} threads");
    }
}

//! What an execution costs, by a count that is the same on every machine: how often it allocates memory.
//!
//! Times are for the benches. Allocations were half of them once, and come back one by one when nobody looks.

use raceproof_explore::{Check, Strategy, World};
use redis::AsyncCommands;

/// Two clients that each GET and SET through redis-rs.
fn lost_update(world: &mut World) {
    for client in 0..2 {
        world.client("client", move |ctx| async move {
            let mut redis = ctx.redis();
            redis.get::<_, Option<String>>("k").await?;
            redis.set::<_, _, ()>("k", client).await
        });
    }
}

/// How often `work` allocates.
fn allocations(work: impl FnOnce()) -> u64 {
    allocation_counter::measure(work).count_total
}

/// How often each of many executions in a row allocates, so that what a search allocates once does not count.
fn for_each_execution(body: fn(&mut World)) -> f64 {
    let schedules = |executions: u64| {
        let check = Check::new("schedules").strategy(Strategy::Random { seed: 1 }).max_executions(executions);
        allocations(|| assert_eq!(check.run(body).expect("it runs").executions, executions))
    };
    let (few, many) = (schedules(100), schedules(1100));
    (many - few) as f64 / 1000.0
}

#[test]
fn an_execution_allocates_little() {
    let count = for_each_execution(lost_update);
    println!("{count} allocations for each execution of 2 x (GET, SET)");
    assert!(count > 10.0, "{count}: redis-rs alone allocates more often, so nothing was counted");
    assert!(count <= 24.0, "{count} allocations for each execution of 2 x (GET, SET)");
}

#[test]
fn a_step_that_is_tried_out_takes_no_execution() {
    // The place of each INCR is tried out in many places: 108 classes.
    let search = || {
        let report = Check::new("search").run(|world| {
            for _ in 0..3 {
                world.client("client", |ctx| async move {
                    let mut redis = ctx.redis();
                    for _ in 0..2 {
                        redis.get::<_, Option<i64>>("k").await?;
                    }
                    redis.incr::<_, _, i64>("k", 1).await
                });
            }
        });
        assert_eq!(report.expect("it runs").executions, 108);
    };
    search();
    let count = allocations(search) as f64 / 108.0;
    println!("{count} allocations for each of the 108 executions of 3 x (GET, GET, INCR)");
    assert!(count <= 100.0, "{count} allocations for each of the 108 executions of 3 x (GET, GET, INCR)");
}

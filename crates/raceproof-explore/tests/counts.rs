//! One execution for each Mazurkiewicz trace, on programs whose number of traces is known.

use raceproof_explore::{Check, Report, Verdict, World};
use redis::AsyncCommands;

/// Clients that each run a list of (command, key) pairs; written values are all distinct.
fn clients(world: &mut World, programs: &'static [&'static [(&'static str, &'static str)]]) {
    for (client, program) in programs.iter().enumerate() {
        world.client(format!("client-{client}"), move |ctx| async move {
            let mut redis = ctx.redis();
            for (step, (command, key)) in program.iter().enumerate() {
                match *command {
                    "GET" => drop(redis.get::<_, Option<String>>(key).await?),
                    "SET" => redis.set::<_, _, ()>(key, format!("{client}.{step}")).await?,
                    "INCR" => drop(redis.incr::<_, _, i64>(key, 1).await?),
                    other => panic!("no such command in these programs: {other}"),
                }
            }
            redis::RedisResult::Ok(())
        });
    }
}

fn explore(programs: &'static [&'static [(&'static str, &'static str)]]) -> Report {
    let report = Check::new("counts").audit(20).run(|world| clients(world, programs)).expect("the search runs");
    assert_eq!(report.verdict, Verdict::Verified);
    assert_eq!(report.redundant, 0, "an optimal search never starts an execution that it has to give up");
    report
}

const GET: (&str, &str) = ("GET", "k");
const SET: (&str, &str) = ("SET", "k");
const INCR: (&str, &str) = ("INCR", "k");

#[test]
fn two_clients_read_then_write_one_key() {
    assert_eq!(explore(&[&[GET, SET], &[GET, SET]]).executions, 4);
}

#[test]
fn two_clients_read_twice_then_increment() {
    assert_eq!(explore(&[&[GET, GET, INCR], &[GET, GET, INCR]]).executions, 6);
}

#[test]
fn three_clients_read_then_write_one_key() {
    assert_eq!(explore(&[&[GET, SET], &[GET, SET], &[GET, SET]]).executions, 36);
}

#[test]
fn three_clients_read_twice_then_increment() {
    let program: &[_] = &[GET, GET, INCR];
    static PROGRAMS: [&[(&str, &str)]; 3] = [&[GET, GET, INCR], &[GET, GET, INCR], &[GET, GET, INCR]];
    assert_eq!(program.len(), 3);
    assert_eq!(explore(&PROGRAMS).executions, 108);
}

#[test]
fn clients_on_different_keys_do_not_meet() {
    assert_eq!(explore(&[&[("GET", "a"), ("SET", "a")], &[("GET", "b"), ("SET", "b")]]).executions, 1);
    assert_eq!(explore(&[&[("SET", "a")], &[("SET", "b")], &[("SET", "c")], &[("SET", "d")]]).executions, 1);
}

#[test]
fn n_writers_of_one_key() {
    assert_eq!(explore(&[&[SET], &[SET]]).executions, 2);
    assert_eq!(explore(&[&[SET], &[SET], &[SET]]).executions, 6);
    assert_eq!(explore(&[&[SET], &[SET], &[SET], &[SET]]).executions, 24);
    assert_eq!(explore(&[&[SET], &[SET], &[SET], &[SET], &[SET]]).executions, 120);
}

#[test]
fn one_writer_and_n_readers() {
    assert_eq!(explore(&[&[SET], &[GET]]).executions, 2);
    assert_eq!(explore(&[&[SET], &[GET], &[GET]]).executions, 4);
    assert_eq!(explore(&[&[GET], &[SET], &[GET], &[GET]]).executions, 8);
    assert_eq!(explore(&[&[GET], &[GET], &[GET], &[GET], &[SET], &[GET]]).executions, 32);
}

//! The referee: every interleaving and every outcome of generated small programs, without reduction, against the
//! optimal search. Both must find the same number of traces, the same final states and replies, and the same verdicts.

use std::collections::{BTreeSet, HashMap};
use std::hash::{Hash, Hasher};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use redis::AsyncCommands;
use rustc_hash::FxHasher;

use super::bounded::Bounded;
use super::driver::{Aside, Bench, Body, execute};
use super::optimal::Optimal;
use crate::event::{Choice, Event, dependent};
use crate::execution::{Chooser, End, Mode, Run, Worker};
use crate::{Bounds, Ctx, Fault, Faults, Persistence, World};

/// More interleavings than this and a program is too large to referee.
const MOST_INTERLEAVINGS: usize = 6_000;

mod branching;
mod checks;
mod faults;
mod helped;
mod holds;
mod kills;
mod merging;
mod messages;
mod parts;
mod replicas;
mod turns;
mod waits;

#[derive(Clone, Debug)]
enum Act {
    Redis(Vec<&'static str>),
    /// Commands that are delivered as one `MULTI … EXEC`.
    Atomic(Vec<Vec<&'static str>>),
    /// A command sent to the replica, or several as one `MULTI … EXEC`.
    Replica(Vec<Vec<&'static str>>),
    Sql(&'static str),
    Begin,
    BeginDeferred,
    Commit,
    Sleep(u64),
    Now,
    Note,
    /// A command on the second session.
    Beside(Vec<&'static str>),
    /// Receives on the first session: waits, waits so many ms, or looks what there is.
    Receive,
    ReceiveFor(u64),
    Look,
    /// Two commands on two sessions at once.
    Join(Vec<&'static str>, Vec<&'static str>),
}

type Program = Vec<Vec<Act>>;

async fn act(ctx: Ctx, acts: Vec<Act>) {
    let mut redis = ctx.redis();
    let mut other = ctx.redis();
    let mut replica = ctx.replica();
    let db = ctx.db();
    let send = |act: &[&'static str]| {
        let mut cmd = redis::cmd(act[0]);
        for arg in &act[1..] {
            cmd.arg(*arg);
        }
        cmd
    };
    for one in acts {
        match one {
            Act::Redis(args) => drop(send(&args).query_async::<redis::Value>(&mut redis).await),
            Act::Atomic(commands) => {
                let mut pipe = redis::pipe();
                pipe.atomic();
                for args in &commands {
                    pipe.add_command(send(args));
                }
                drop(pipe.query_async::<redis::Value>(&mut redis).await);
            }
            Act::Replica(commands) => {
                if let [args] = &commands[..] {
                    drop(send(args).query_async::<redis::Value>(&mut replica).await);
                    continue;
                }
                let mut pipe = redis::pipe();
                pipe.atomic();
                for args in &commands {
                    pipe.add_command(send(args));
                }
                drop(pipe.query_async::<redis::Value>(&mut replica).await);
            }
            Act::Sql(sql) => drop(db.run(sql, ()).await),
            Act::Begin => drop(db.begin().await),
            Act::BeginDeferred => drop(db.begin_deferred().await),
            Act::Commit => drop(db.commit().await),
            Act::Sleep(ms) => ctx.sleep(ms).await,
            Act::Now => {
                let now = ctx.now();
                let _: redis::RedisResult<()> = redis.set(format!("now:{}", ctx.name()), now).await;
            }
            Act::Note => ctx.note("here"),
            Act::Beside(args) => drop(send(&args).query_async::<redis::Value>(&mut other).await),
            Act::Receive => drop(redis.receive().await),
            Act::ReceiveFor(ms) => drop(ctx.timeout(ms, redis.receive()).await),
            Act::Look => drop(redis.try_receive().await),
            Act::Join(a, b) => {
                let (a, b) = (send(&a), send(&b));
                let mut first = Box::pin(a.query_async::<redis::Value>(&mut redis));
                let mut second = Box::pin(b.query_async::<redis::Value>(&mut other));
                let (mut one, mut two) = (false, false);
                std::future::poll_fn(|cx| {
                    one = one || first.as_mut().poll(cx).is_ready();
                    two = two || second.as_mut().poll(cx).is_ready();
                    if one && two { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
                })
                .await;
            }
        }
    }
}

fn build(program: &Program, world: &mut World) {
    world.setup(|ctx| async move {
        let mut redis = ctx.redis();
        redis.set::<_, _, ()>("a", 1).await?;
        redis.hset::<_, _, _, ()>("h", "f", 1).await?;
        redis.hset::<_, _, _, ()>("one", "f", 1).await?;
        redis.pexpire::<_, ()>("one", 100).await?;
        redis
            .set_options::<_, _, ()>("v", 1, redis::SetOptions::default().with_expiration(redis::SetExpiry::PX(100)))
            .await?;
        redis::RedisResult::Ok(())
    });
    if uses_sql(program) {
        world.setup(|ctx| async move {
            let db = ctx.db();
            db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)", ()).await?;
            db.execute("INSERT INTO t VALUES (1, 10), (2, 20)", ()).await?;
            Ok::<(), crate::SqlError>(())
        });
    }
    for (number, acts) in program.iter().enumerate() {
        let acts = acts.clone();
        world.client(format!("c{number}"), move |ctx| act(ctx, acts));
    }
}

fn uses_sql(program: &Program) -> bool {
    program.iter().flatten().any(|act| matches!(act, Act::Sql(_) | Act::Begin | Act::BeginDeferred | Act::Commit))
}

/// By process, the fingerprints of its steps in order.
type Replies = Vec<(u16, Vec<u64>)>;

/// Executions of the optimal search that were begun in vain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Vain {
    /// All that could follow had been run before.
    blocked: u64,
    /// The step that was planned was not possible.
    impossible: u64,
}

const NONE_IN_VAIN: Vain = Vain { blocked: 0, impossible: 0 };

/// What a search found: traces, and what a program can come to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Findings {
    traces: HashMap<u64, Option<String>>,
    /// Final state, and for each process its replies in order.
    ends: BTreeSet<(u64, Replies)>,
    /// What the checks said, `None` where all held.
    verdicts: BTreeSet<Option<String>>,
    /// A trace whose executions differ in their verdicts.
    torn: Option<(String, String)>,
    executions: usize,
    /// For each of the ends, the choices that first led to it.
    schedules: HashMap<(u64, Replies), Vec<String>>,
}

impl Findings {
    fn add(&mut self, run: &Run) {
        self.executions += 1;
        let verdict = run.violation.as_ref().map(|violation| violation.message.clone());
        if let Some(other) = self.traces.insert(trace(run), verdict.clone())
            && other != verdict
        {
            self.torn = Some((format!("{other:?}"), format!("{verdict:?}")));
        }
        self.verdicts.insert(verdict);
        let mut replies: Replies = Vec::new();
        for event in &run.events {
            let process = event.footprint.choice.process.0;
            match replies.iter_mut().find(|(known, _)| *known == process) {
                Some((_, list)) => list.push(event.fingerprint),
                None => replies.push((process, vec![event.fingerprint])),
            }
        }
        replies.sort();
        let end = (run.final_state.expect("asked for"), replies);
        self.schedules.entry(end.clone()).or_insert_with(|| {
            let named = |event: &Event| {
                let Choice { process, outcome } = event.footprint.choice;
                format!("{} {outcome:?}{}", process.0, if event.footprint.barrier { " (all wait)" } else { "" })
            };
            run.events.iter().map(named).collect()
        });
        self.ends.insert(end);
    }

    /// The choices that lead to ends which another search has not come to: some of them, the shortest first.
    fn not_in(&self, other: &Self) -> Vec<&Vec<String>> {
        const SHOWN: usize = 5;
        let mut missing: Vec<_> = self.ends.difference(&other.ends).map(|end| &self.schedules[end]).collect();
        missing.sort_by_key(|schedule| schedule.len());
        missing.truncate(SHOWN);
        missing
    }
}

/// A step by its choice and its number within its process.
fn name(run: &Run, at: usize) -> (Choice, usize) {
    let choice = run.events[at].footprint.choice;
    let nth = run.events[..at].iter().filter(|event| event.footprint.choice.process == choice.process).count();
    (choice, nth)
}

/// A trace as a number: which events there are, and the order of every dependent pair.
fn trace(run: &Run) -> u64 {
    let name = |at| name(run, at);
    let mut facts: Vec<_> = (0..run.events.len()).map(|at| (name(at), name(at), false)).collect();
    for one in 0..run.events.len() {
        for other in one + 1..run.events.len() {
            if dependent(&run.events[one].footprint, &run.events[other].footprint) {
                facts.push((name(one), name(other), true));
            }
        }
    }
    facts.sort();
    let mut hasher = FxHasher::default();
    facts.hash(&mut hasher);
    hasher.finish()
}

fn mode() -> Mode {
    Mode { fingerprint_state: true, ..Mode::default() }
}

/// Nothing is remembered of one execution in the next.
fn in_full() -> Mode {
    Mode { in_full: true, ..mode() }
}

fn run(worker: &mut Worker, body: Body<'_>, bounds: Bounds, chooser: &mut dyn Chooser) -> Run {
    execute(worker, body, bounds, in_full(), chooser).expect("the program runs").expect("the setup works")
}

/// Every interleaving, every command executed on the engine itself; `None` if there are too many.
fn brute_force(body: Body<'_>, bounds: Bounds) -> Option<Findings> {
    let mut worker = Worker::new();
    // What an `always` check reads is part of dependence, so all of it has to be known before traces are counted.
    drop(optimal_in(&mut worker, body, bounds, in_full()));
    let mut chooser = Bounded::new(u32::MAX);
    let mut found = Findings::default();
    loop {
        let run = run(&mut worker, body, bounds, &mut chooser);
        if matches!(run.end, End::Complete) {
            found.add(&run);
        }
        if found.executions > MOST_INTERLEAVINGS {
            return None;
        }
        if !chooser.advance() {
            return Some(found);
        }
    }
}

fn optimal(body: Body<'_>, bounds: Bounds) -> (Findings, Vain) {
    optimal_in(&mut Worker::new(), body, bounds, mode())
}

fn optimal_in(worker: &mut Worker, body: Body<'_>, bounds: Bounds, mode: Mode) -> (Findings, Vain) {
    let mut bench = Bench { worker, body, bounds, mode, aside: Aside::Nobody };
    'again: loop {
        let mut tree = Optimal::new(bounds);
        let mut found = Findings::default();
        loop {
            let run = bench.run(&mut tree).expect("the program runs").expect("the setup works");
            if std::mem::take(&mut bench.worker.restart) {
                continue 'again;
            }
            if matches!(run.end, End::Complete) {
                found.add(&run);
            }
            let more = tree.advance(&run, &mut bench).expect("the program runs");
            if std::mem::take(&mut bench.worker.restart) {
                continue 'again;
            }
            if !more {
                return (found, Vain { blocked: tree.redundant, impossible: tree.impossible });
            }
        }
    }
}

fn agree(body: Body<'_>, bounds: Bounds) -> Result<bool, TestCaseError> {
    let Some(all) = brute_force(body, bounds) else { return Ok(false) };
    let (found, vain) = optimal(body, bounds);
    prop_assert_eq!(&all.torn, &None, "the verdict is the same for all executions of a trace");
    prop_assert_eq!(&found.verdicts, &all.verdicts, "verdicts");
    let (missed, too_many) = (all.not_in(&found), found.not_in(&all));
    let none = missed.is_empty() && too_many.is_empty();
    prop_assert!(none, "final states and replies: missed {missed:#?}, and only the search has {too_many:#?}");
    prop_assert_eq!(found.traces.len(), all.traces.len(), "traces");
    helped::same(body, bounds)?;
    prop_assert_eq!(found.executions, all.traces.len(), "executions: one for each trace");
    prop_assert_eq!(vain, NONE_IN_VAIN, "executions that were begun in vain");
    Ok(true)
}

/// Referees generated programs, three quarters of which must have been small enough. `RACEPROOF_REFEREE=n` takes n times
/// as many, and others each time.
fn referee(
    wanted: u32,
    clients: std::ops::RangeInclusive<usize>,
    most: usize,
    acts: BoxedStrategy<Act>,
    bounds: Bounds,
) {
    let program = proptest::collection::vec(proptest::collection::vec(acts, 1..=most), clients);
    referee_any(wanted, program, bounds, build);
}

/// Referees the worlds that `build` makes of generated programs.
fn referee_any<P: std::fmt::Debug>(
    wanted: u32,
    program: impl Strategy<Value = P>,
    bounds: Bounds,
    build: impl Fn(&P, &mut World),
) {
    referee_all(wanted, program, |program| agree(&|world: &mut World| build(program, world), bounds));
}

/// Referees generated cases, three quarters of which must be small enough.
fn referee_all<P: std::fmt::Debug>(
    wanted: u32,
    case: impl Strategy<Value = P>,
    agree: impl Fn(&P) -> Result<bool, TestCaseError>,
) {
    let times = std::env::var("RACEPROOF_REFEREE").ok();
    let times = times.map(|times| times.parse::<u32>().expect("RACEPROOF_REFEREE: a number"));
    let wanted = wanted * times.unwrap_or(1);
    let config = Config { cases: wanted, max_shrink_iters: 2_000, failure_persistence: None, ..Config::default() };
    // The suite runs the same programs every time; whoever asks for more gets others.
    let mut runner = match times {
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
        Some(_) => TestRunner::new(config),
    };
    let counted = std::cell::Cell::new(0);
    let result = runner.run(&case, |case| {
        counted.set(counted.get() + u32::from(agree(&case)?));
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
    assert!(counted.get() * 4 >= wanted * 3, "only {} of {wanted} programs were small enough", counted.get());
}

fn redis(args: &[&'static str]) -> Act {
    Act::Redis(args.to_vec())
}

fn plain() -> BoxedStrategy<Act> {
    prop_oneof![
        Just(redis(&["GET", "a"])),
        Just(redis(&["SET", "a", "2"])),
        Just(redis(&["SET", "a", "3"])),
        Just(redis(&["INCR", "a"])),
        Just(redis(&["APPEND", "b", "x"])),
        Just(redis(&["GET", "b"])),
        Just(redis(&["DEL", "a"])),
        Just(redis(&["DEL", "a", "b"])),
        Just(redis(&["EXISTS", "a", "b"])),
        Just(redis(&["DBSIZE"])),
        Just(redis(&["RENAME", "a", "b"])),
    ]
    .boxed()
}

fn hashes() -> BoxedStrategy<Act> {
    prop_oneof![
        Just(redis(&["HSET", "h", "f", "2"])),
        Just(redis(&["HSET", "h", "g", "3"])),
        Just(redis(&["HSETNX", "h", "g", "4"])),
        Just(redis(&["HINCRBY", "h", "f", "1"])),
        Just(redis(&["HGET", "h", "g"])),
        Just(redis(&["HGETALL", "h"])),
        Just(redis(&["HLEN", "h"])),
        Just(redis(&["HDEL", "h", "f"])),
        Just(redis(&["HDEL", "h", "g"])),
        Just(redis(&["HDEL", "one", "f"])),
        Just(redis(&["HSET", "one", "g", "1"])),
        Just(redis(&["EXISTS", "one"])),
    ]
    .boxed()
}

fn timed() -> BoxedStrategy<Act> {
    prop_oneof![
        Just(redis(&["GET", "v"])),
        Just(redis(&["SET", "v", "2"])),
        Just(redis(&["SET", "v", "3", "PX", "50"])),
        Just(redis(&["SET", "v", "4", "KEEPTTL"])),
        Just(redis(&["PEXPIRE", "v", "200"])),
        Just(redis(&["PERSIST", "v"])),
        Just(redis(&["PTTL", "v"])),
        Just(redis(&["HDEL", "one", "f"])),
        Just(redis(&["EXISTS", "one"])),
        Just(redis(&["SET", "a", "2"])),
        Just(redis(&["GET", "a"])),
        Just(Act::Sleep(50)),
        Just(Act::Sleep(100)),
        Just(Act::Sleep(101)),
        Just(Act::Now),
    ]
    .boxed()
}

fn transactions() -> BoxedStrategy<Act> {
    prop_oneof![
        Just(redis(&["WATCH", "a"])),
        Just(redis(&["WATCH", "v"])),
        Just(redis(&["GET", "a"])),
        Just(redis(&["SET", "a", "1"])),
        Just(Act::Atomic(vec![vec!["GET", "a"], vec!["SET", "b", "1"]])),
        Just(Act::Atomic(vec![vec!["INCR", "a"]])),
        Just(redis(&["EVAL", "return redis.call('INCR', KEYS[1])", "1", "a"])),
        Just(redis(&["EVAL", "return redis.call('GET', KEYS[1])", "1", "b"])),
    ]
    .boxed()
}

fn sql() -> BoxedStrategy<Act> {
    prop_oneof![
        Just(Act::Sql("SELECT v FROM t WHERE id = 1")),
        Just(Act::Sql("SELECT v FROM t WHERE id = 2")),
        Just(Act::Sql("SELECT sum(v) FROM t")),
        Just(Act::Sql("UPDATE t SET v = v + 1 WHERE id = 1")),
        Just(Act::Sql("UPDATE t SET v = v * 2 WHERE id = 2")),
        Just(Act::Sql("UPDATE t SET v = 0 WHERE id = 3")),
        Just(Act::Sql("INSERT INTO t (v) VALUES (5)")),
        Just(Act::Sql("DELETE FROM t")),
        Just(Act::Begin),
        Just(Act::BeginDeferred),
        Just(Act::Commit),
        Just(redis(&["GET", "a"])),
        Just(redis(&["SET", "a", "2"])),
    ]
    .boxed()
}

fn joined() -> BoxedStrategy<Act> {
    prop_oneof![
        Just(Act::Join(vec!["GET", "a"], vec!["SET", "a", "2"])),
        Just(Act::Join(vec!["SET", "a", "3"], vec!["SET", "b", "2"])),
        Just(Act::Join(vec!["GET", "b"], vec!["GET", "a"])),
        Just(redis(&["SET", "a", "4"])),
        Just(redis(&["GET", "b"])),
        Just(Act::Note),
    ]
    .boxed()
}

const NO_FAULTS: Bounds = Bounds {
    pauses: 0,
    faults: Faults::NONE,
    persistence: Persistence::EverySec,
    steps_per_client: 100,
    preemptions: None,
    depth: None,
};

fn fixed() -> BoxedStrategy<Act> {
    prop_oneof![
        Just(redis(&["GET", "a"])),
        Just(redis(&["GET", "b"])),
        Just(redis(&["MGET", "a", "b"])),
        Just(redis(&["SET", "a", "2"])),
        Just(redis(&["SET", "b", "3"])),
        Just(redis(&["INCR", "a"])),
        Just(redis(&["APPEND", "b", "x"])),
        Just(redis(&["MSET", "a", "4", "b", "5"])),
    ]
    .boxed()
}

#[test]
fn commands_that_touch_the_same_in_every_state() {
    referee(300, 2..=3, 3, fixed(), NO_FAULTS);
    referee(100, 4..=4, 2, fixed(), NO_FAULTS);
}

#[test]
fn strings() {
    referee(300, 2..=3, 3, plain(), NO_FAULTS);
}

#[test]
fn hash_fields_and_one_member_volatile_keys() {
    referee(300, 2..=3, 3, hashes(), NO_FAULTS);
}

#[test]
fn deadlines_and_sleeps() {
    referee(200, 2..=3, 3, timed(), NO_FAULTS);
}

#[test]
fn deadlines_under_pauses() {
    referee(150, 2..=2, 3, timed(), Bounds { pauses: 1, ..NO_FAULTS });
    referee(100, 2..=2, 2, timed(), Bounds { pauses: 2, ..NO_FAULTS });
}

#[test]
fn transactions_and_scripts() {
    referee(200, 2..=3, 3, transactions(), NO_FAULTS);
}

#[test]
fn watched_keys_that_expire() {
    referee(100, 2..=2, 3, transactions(), Bounds { pauses: 1, ..NO_FAULTS });
}

#[test]
fn sql_transactions() {
    referee(200, 2..=2, 4, sql(), NO_FAULTS);
    referee(100, 3..=3, 2, sql(), NO_FAULTS);
}

#[test]
fn crashes() {
    referee(150, 2..=2, 3, plain(), NO_FAULTS.with(Fault::Crash, 1));
    referee(100, 2..=2, 2, plain(), NO_FAULTS.with(Fault::Crash, 2));
}

#[test]
fn crashes_inside_sql_transactions() {
    referee(100, 2..=2, 3, sql(), NO_FAULTS.with(Fault::Crash, 1));
}

#[test]
fn crashes_and_pauses_together() {
    referee(100, 2..=2, 2, timed(), Bounds { pauses: 1, ..NO_FAULTS }.with(Fault::Crash, 1));
}

#[test]
fn requests_at_once_on_two_sessions() {
    referee(150, 2..=2, 2, joined(), NO_FAULTS);
}

/// Programs that generated cases once failed on.
#[test]
fn writes_after_a_snapshot_that_others_have_overtaken() {
    let select = Act::Sql("SELECT v FROM t WHERE id = 1");
    let update = Act::Sql("UPDATE t SET v = v + 1 WHERE id = 1");
    let delete = Act::Sql("DELETE FROM t");
    let writer = vec![Act::BeginDeferred, select, update.clone()];
    // The UPDATE that fails depends on the commit that makes it fail.
    let overtaken_by_one = vec![vec![update], writer.clone()];
    let overtaken_by_two = vec![vec![delete.clone(), delete.clone()], writer.clone()];
    // The second DELETE changes no row, and yet the snapshot is old after it.
    let overtaken_by_nothing = vec![vec![delete.clone()], [vec![delete], writer].concat()];
    for program in [overtaken_by_one, overtaken_by_two, overtaken_by_nothing] {
        let body = |world: &mut World| build(&program, world);
        assert!(agree(&body, NO_FAULTS).expect("the searches agree"));
        assert!(agree(&body, NO_FAULTS.with(Fault::Crash, 1)).expect("the searches agree"));
    }
}

#[test]
fn a_read_while_another_client_holds_the_write_lock() {
    let program = vec![
        vec![Act::Begin, redis(&["GET", "a"])],
        vec![Act::Sql("SELECT v FROM t WHERE id = 2")],
        vec![Act::Sql("UPDATE t SET v = v * 2 WHERE id = 2")],
    ];
    assert!(agree(&|world: &mut World| build(&program, world), NO_FAULTS).expect("the searches agree"));
}

//! Every check over the history against brute force: whether it holds must be the same for all executions of a trace,
//! and the reduced search must come to every verdict that some interleaving comes to.

use std::cell::RefCell;
use std::rc::Rc;

use proptest::prelude::*;

use super::{NO_FAULTS, agree, referee_any};
use crate::faults::Fault;
use crate::recording::{Record, Recorded};
use crate::{Bounds, Ctx, Datum, HistoryCheck, Model, World};

#[derive(Clone, Debug)]
enum Act {
    Redis(&'static str),
    Sql(&'static str),
    Sleep(u64),
    /// The lines are a write of the value.
    Write(&'static str, Vec<&'static str>),
    /// The row is written, and then the lines.
    WriteRow(&'static str, Vec<&'static str>),
    Read(&'static str),
    ReadRow,
    /// A look at what the client has read last: no step.
    ReadOwnCopy,
    /// The lines are an operation; what the last gives is its result.
    Call(&'static str, Vec<&'static str>, Vec<&'static str>),
    /// The line is accepted by a resource under a token.
    Fenced(&'static str, i64),
    /// The line has an effect with a key.
    Effect(&'static str, &'static str),
    /// Reads a number and writes one more, which is an `inc` if the flag is set and else a read and a write.
    Increment(bool),
}

#[derive(Clone)]
struct Scene {
    ctx: Ctx,
    redis: crate::RedisConnection,
    db: Rc<crate::Database>,
    copy: Rc<RefCell<Option<String>>>,
}

/// What Redis replied, as a client would record it.
struct Said(redis::RedisResult<redis::Value>);

impl Recorded for Said {
    fn record(&self) -> Record {
        match &self.0 {
            Ok(redis::Value::Array(items)) => {
                let text = |item: &redis::Value| match item.record() {
                    Record::Done(Some(Datum::Text(text))) => text,
                    _ => String::new(),
                };
                Record::Done(Some(Datum::List(items.iter().map(text).collect())))
            }
            Ok(value) => value.record(),
            Err(_) => Record::Failed,
        }
    }
}

impl Said {
    fn text(&self) -> Option<String> {
        match self.record() {
            Record::Done(Some(Datum::Text(text))) => Some(text),
            _ => None,
        }
    }
}

async fn send(scene: &Scene, line: &str) -> Said {
    let mut words = line.split(' ');
    let mut cmd = redis::cmd(words.next().unwrap());
    for word in words {
        cmd.arg(word);
    }
    Said(cmd.query_async(&mut scene.redis.clone()).await)
}

async fn send_all(scene: &Scene, lines: &[&str]) -> Said {
    let mut last = Said(Ok(redis::Value::Nil));
    for line in lines {
        last = send(scene, line).await;
    }
    last
}

async fn act(scene: &Scene, act: Act) {
    let ctx = &scene.ctx;
    let row = |value: &'static str| scene.db.execute("UPDATE t SET v = ?1 WHERE id = 1", [value]);
    match act {
        Act::Redis(line) => drop(send(scene, line).await),
        Act::Sql(sql) => drop(scene.db.run(sql, ()).await),
        Act::Sleep(ms) => ctx.sleep(ms).await,
        Act::Write(value, lines) => {
            drop(ctx.write("k", value, async { send_all(scene, &lines).await.0.map(drop) }).await)
        }
        Act::WriteRow(value, lines) => {
            let work = async {
                row(value).await.map_err(|_| ())?;
                send_all(scene, &lines).await.0.map(drop).map_err(|_| ())
            };
            ctx.write("k", value, work).await.ok();
        }
        Act::Read(line) => {
            let said = ctx.read("k", send(scene, line)).await;
            *scene.copy.borrow_mut() = said.text();
        }
        Act::ReadRow => {
            let value = async { scene.db.query_value("SELECT v FROM t WHERE id = 1", ()).await.ok().flatten() };
            ctx.read("k", value).await;
        }
        Act::ReadOwnCopy => {
            let copy = scene.copy.borrow().clone();
            if copy.is_some() {
                ctx.read("k", async { copy }).await;
            }
        }
        Act::Call(name, args, lines) => drop(ctx.operation("k", name, &args, send_all(scene, &lines)).await),
        Act::Fenced(line, token) => {
            send(scene, line).await;
            ctx.fenced("k", token);
        }
        Act::Effect(line, key) => {
            send(scene, line).await;
            ctx.effect("k", key);
        }
        Act::Increment(as_one) => {
            let number = |said: &Said| said.text().and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
            if as_one {
                let work = async {
                    let next = number(&send(scene, "GET k").await) + 1;
                    drop(send(scene, &format!("SET k {next}")).await);
                    next
                };
                ctx.operation("k", "inc", &[], work).await;
            } else {
                let next = number(&ctx.read("k", send(scene, "GET k")).await) + 1;
                let set = format!("SET k {next}");
                ctx.write("k", next, async { send(scene, &set).await.0.map(drop) }).await.ok();
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Program {
    clients: Vec<Vec<Act>>,
    /// `None`: serializability.
    check: Option<HistoryCheck>,
    /// What is looked at, at the start and at the end.
    value: Option<&'static str>,
}

fn build(program: &Program, world: &mut World) {
    world.setup(|ctx| async move {
        let db = ctx.db();
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)", ()).await?;
        db.execute("INSERT INTO t VALUES (1, 10)", ()).await
    });
    for (number, acts) in program.clients.iter().enumerate() {
        let acts = acts.clone();
        world.client(format!("c{number}"), move |ctx| async move {
            let (redis, db) = (ctx.redis(), Rc::new(ctx.db()));
            let scene = Scene { ctx, redis, db, copy: Rc::default() };
            for one in acts {
                act(&scene, one).await;
            }
        });
    }
    match &program.check {
        Some(check) => world.history(check.clone()),
        None => world.serializable(),
    }
    if let Some(line) = program.value {
        world.value("k", move |ctx| async move {
            let (redis, db) = (ctx.redis(), Rc::new(ctx.db()));
            send(&Scene { ctx, redis, db, copy: Rc::default() }, line).await
        });
    }
}

fn programs(
    clients: std::ops::RangeInclusive<usize>,
    most: usize,
    acts: Vec<Act>,
    checks: Vec<HistoryCheck>,
    value: Option<&'static str>,
) -> BoxedStrategy<Program> {
    let one = proptest::sample::select(acts);
    let clients = proptest::collection::vec(proptest::collection::vec(one, 1..=most), clients);
    let checks = checks.into_iter().map(Some).collect::<Vec<_>>();
    let checks = if checks.is_empty() { vec![None] } else { checks };
    (clients, proptest::sample::select(checks), any::<bool>())
        .prop_map(move |(clients, check, look)| Program { clients, check, value: value.filter(|_| look) })
        .boxed()
}

fn linearizable(model: Model) -> Vec<HistoryCheck> {
    vec![HistoryCheck::linearizable("k", model)]
}

/// Referees programs of two and three clients, and of two of which one may die.
fn referee(acts: &[Act], checks: &[HistoryCheck], value: Option<&'static str>) {
    let programs = |clients, most| programs(clients, most, acts.to_vec(), checks.to_vec(), value);
    referee_any(120, programs(2..=2, 3), NO_FAULTS, build);
    referee_any(60, programs(3..=3, 2), NO_FAULTS, build);
    referee_any(60, programs(2..=2, 2), NO_FAULTS.with(Fault::Crash, 1), build);
}

fn registers() -> Vec<Act> {
    vec![
        Act::Write("1", vec!["SET k 1"]),
        Act::Write("2", vec!["GET b", "SET k 2"]),
        Act::Write("3", vec!["SET k 3", "SET b 1"]),
        Act::Write("4", vec!["SET b 4"]),
        Act::Read("GET k"),
        Act::Read("GET k"),
        Act::ReadOwnCopy,
        Act::Call("swap", vec!["5"], vec!["GETSET k 5"]),
        Act::Call("cas", vec!["1", "6"], vec!["SET b 1", "SETNX k 6"]),
        Act::Redis("DEL k"),
        Act::Redis("GET c"),
    ]
}

#[test]
fn registers_are_linearizable() {
    referee(&registers(), &linearizable(Model::Register), Some("GET k"));
}

/// A look at what was read before takes no step, and yet it may come after another client's write.
#[test]
fn a_look_at_an_own_copy() {
    let reader = vec![Act::Write("1", vec!["SET k 1"]), Act::Read("GET k"), Act::Redis("GET c"), Act::ReadOwnCopy];
    let writer = vec![Act::Write("2", vec!["SET k 2", "GET d"])];
    for check in [HistoryCheck::fresh("k"), HistoryCheck::linearizable("k", Model::Register)] {
        let program = Program { clients: vec![reader.clone(), writer.clone()], check: Some(check), value: None };
        let body = |world: &mut World| build(&program, world);
        assert!(agree(&body, NO_FAULTS).expect("the searches agree"));
        assert!(crate::Check::new("copy").run(body).unwrap().violation.is_some(), "the copy is stale");
    }
}

#[test]
fn counters_are_linearizable() {
    let acts = [
        Act::Increment(true),
        Act::Call("inc", vec![], vec!["INCR k"]),
        Act::Call("dec", vec!["2"], vec!["DECRBY k 2"]),
        Act::Call("read", vec![], vec!["GET k"]),
        Act::Redis("DEL b"),
    ];
    referee(&acts, &linearizable(Model::Counter), Some("GET k"));
}

#[test]
fn sets_and_maps_are_linearizable() {
    let sets = [
        Act::Call("add", vec!["a"], vec!["HSETNX k a 1"]),
        Act::Call("add", vec!["b"], vec!["HEXISTS k b", "HSETNX k b 1"]),
        Act::Call("remove", vec!["a"], vec!["HDEL k a"]),
        Act::Call("contains", vec!["a"], vec!["HEXISTS k a"]),
        Act::Call("contains", vec!["b"], vec!["HEXISTS k b"]),
        Act::Call("size", vec![], vec!["HLEN k"]),
        Act::Read("HKEYS k"),
    ];
    referee(&sets, &linearizable(Model::Set), Some("HKEYS k"));
    let maps = [
        Act::Call("put", vec!["a", "1"], vec!["HSET k a 1"]),
        Act::Call("put", vec!["a", "2"], vec!["HGET k a", "HSET k a 2"]),
        Act::Call("put", vec!["b", "3"], vec!["HSET k b 4"]),
        Act::Call("get", vec!["a"], vec!["HGET k a"]),
        Act::Call("get", vec!["b"], vec!["HGET k b"]),
        Act::Call("remove", vec!["a"], vec!["HDEL k a"]),
    ];
    referee(&maps, &linearizable(Model::Map), Some("HGETALL k"));
}

#[test]
fn locks_are_linearizable() {
    let acts = [
        Act::Call("acquire", vec![], vec!["SETNX k x"]),
        Act::Call("acquire", vec!["me"], vec!["GET k", "SET k x"]),
        Act::Call("release", vec![], vec!["DEL k"]),
        Act::Redis("SET b 1"),
    ];
    referee(&acts, &linearizable(Model::Lock), None);
}

#[test]
fn reads_of_rows_that_are_cached() {
    let acts = [
        Act::WriteRow("11", vec!["DEL k"]),
        Act::WriteRow("12", vec!["SET k 12"]),
        Act::ReadRow,
        Act::Read("GET k"),
        Act::ReadOwnCopy,
        Act::Sql("SELECT v FROM t WHERE id = 1"),
        Act::Redis("SET k 10"),
        Act::Sleep(50),
    ];
    let bounds = Bounds { pauses: 1, ..NO_FAULTS };
    let checks = vec![HistoryCheck::linearizable("k", Model::Register), HistoryCheck::fresh("k")];
    referee(&acts, &checks, None);
    referee_any(60, programs(2..=2, 2, acts.to_vec(), checks, None), bounds, build);
}

#[test]
fn outcomes_of_serial_orders() {
    let redis = [
        Act::Redis("GET a"),
        Act::Redis("SET a 1"),
        Act::Redis("INCR a"),
        Act::Redis("INCR a"),
        Act::Redis("APPEND b x"),
        Act::Redis("GET b"),
        Act::Redis("MGET a b"),
        Act::Redis("DEL a"),
        Act::Increment(false),
        Act::Increment(true),
    ];
    referee(&redis, &[], None);
    let rows = [
        Act::Sql("SELECT v FROM t WHERE id = 1"),
        Act::Sql("UPDATE t SET v = v + 1 WHERE id = 1"),
        Act::Sql("UPDATE t SET v = 0 WHERE id = 1"),
        Act::Sql("INSERT INTO t (v) VALUES (5)"),
        Act::Sql("SELECT * FROM t"),
        Act::Redis("SET k 1"),
        Act::Redis("GET k"),
    ];
    referee(&rows, &[], None);
    let times = [
        Act::Redis("SET a 1 PX 40"),
        Act::Redis("PEXPIRE a 100"),
        Act::Redis("GET a"),
        Act::Redis("INCR b"),
        Act::Sleep(50),
    ];
    referee(&times, &[], None);
    let bounds = Bounds { pauses: 1, ..NO_FAULTS };
    referee_any(40, programs(2..=2, 2, times.to_vec(), Vec::new(), None), bounds, build);
    let bounds = NO_FAULTS.with(Fault::LostReply, 1);
    referee_any(40, programs(2..=2, 2, redis.to_vec(), Vec::new(), None), bounds, build);
}

#[test]
fn reads_of_one_client_and_old_reads() {
    let acts = [
        Act::Write("1", vec!["SET k 1"]),
        Act::Write("2", vec!["SET k 2", "GET c"]),
        Act::WriteRow("3", vec!["SET k 3"]),
        Act::Read("GET k"),
        Act::Read("GET b"),
        Act::ReadRow,
        Act::ReadOwnCopy,
        Act::Redis("SET b 1"),
        Act::Redis("GET d"),
        Act::Sleep(50),
    ];
    let checks = [
        HistoryCheck::monotonic_reads("k"),
        HistoryCheck::read_your_writes("k"),
        HistoryCheck::staleness("k", 0),
        HistoryCheck::staleness("k", 40),
        HistoryCheck::staleness_since_commit("k", 0),
    ];
    referee(&acts, &checks, None);
    let bounds = Bounds { pauses: 1, ..NO_FAULTS };
    let timed = [checks[2].clone(), checks[3].clone(), checks[4].clone()];
    referee_any(60, programs(2..=2, 2, acts.to_vec(), timed.to_vec(), None), bounds, build);
}

#[test]
fn changes_that_are_lost() {
    let acts = [
        Act::Increment(false),
        Act::Increment(false),
        Act::Write("7", vec!["SET k 7"]),
        Act::Write("8", vec!["GET b", "SET k 8"]),
        Act::Read("GET k"),
        Act::Redis("SET k 9"),
        Act::Redis("GET b"),
    ];
    let checks = [HistoryCheck::no_lost_update("k"), HistoryCheck::survival("k")];
    referee(&acts, &checks, Some("GET k"));
    let bounds = NO_FAULTS.with(Fault::PowerLoss, 1);
    let checks = vec![HistoryCheck::survival("k"), HistoryCheck::survival_but_for("k", 20)];
    let acts = vec![acts[2].clone(), acts[3].clone(), Act::Sleep(50), Act::Redis("GET b")];
    referee_any(60, programs(2..=2, 2, acts.clone(), checks.clone(), Some("GET k")), bounds, build);
    let bounds = Bounds { pauses: 1, ..bounds };
    referee_any(30, programs(1..=2, 2, acts, checks, Some("GET k")), bounds, build);
}

#[test]
fn tokens_and_effects() {
    let acts = [
        Act::Fenced("SET a 1", 1),
        Act::Fenced("SET b 1", 2),
        Act::Fenced("GET c", 3),
        Act::Effect("SET a 1", "x"),
        Act::Effect("GET c", "y"),
        Act::Redis("GET b"),
    ];
    referee(&acts, &[HistoryCheck::fencing("k"), HistoryCheck::at_most_once("k")], None);
}

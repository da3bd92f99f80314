//! Programs whose clients go on as the replies tell them, with checks whose verdicts must agree as well.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::Poll;

use proptest::prelude::*;
use raceproof_env::{Bell as _, Notify as _};
use redis::AsyncCommands;

use super::{NO_FAULTS, referee_any};
use crate::{Bounds, Ctx, Fault, HistoryCheck, Shared, SimBell, World};

#[derive(Clone, Debug)]
pub(super) enum Act {
    Redis(&'static str),
    /// Goes on with the first list if the reply is as given, else with the second.
    If(&'static str, &'static str, Vec<Act>, Vec<Act>),
    /// Gives the reply up after so many ms, and then goes on with the list.
    Within(u64, &'static str, Vec<Act>),
    Pipeline(Vec<&'static str>),
    Atomic(Vec<&'static str>),
    Sql(&'static str),
    Sleep(u64),
    /// Goes on with the list if this much time has passed since the start.
    After(i64, Vec<Act>),
    Look(Vec<Act>),
    Add,
    Inside(Vec<Act>),
    Write(&'static str, Vec<Act>),
    Read(&'static str),
    ReadSql,
    Spawn(Vec<Act>),
    Ring,
    Wait(Vec<Act>),
    Fail,
}

#[derive(Clone)]
struct Scene {
    ctx: Ctx,
    redis: crate::RedisConnection,
    db: std::rc::Rc<crate::Database>,
    start_ms: i64,
    shared: Shared<u32>,
    bell: SimBell,
}

fn words(line: &str) -> redis::Cmd {
    let mut words = line.split(' ');
    let mut cmd = redis::cmd(words.next().unwrap());
    for word in words {
        cmd.arg(word.replace('~', " "));
    }
    cmd
}

async fn send(scene: &Scene, line: &str) -> String {
    let mut redis = scene.redis.clone();
    match words(line).query_async::<redis::Value>(&mut redis).await {
        Ok(redis::Value::Nil) => "nil".to_owned(),
        Ok(redis::Value::Int(n)) => n.to_string(),
        Ok(redis::Value::BulkString(text)) => String::from_utf8_lossy(&text).into_owned(),
        Ok(other) => format!("{other:?}"),
        Err(_) => "error".to_owned(),
    }
}

type Run<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + 'a>>;

fn perform(scene: Scene, acts: Vec<Act>) -> Run<'static> {
    Box::pin(async move {
        for one in acts {
            act(&scene, one).await?;
        }
        Ok(())
    })
}

async fn act(scene: &Scene, act: Act) -> Result<(), String> {
    let go_on = |acts: Vec<Act>| perform(scene.clone(), acts);
    match act {
        Act::Redis(line) => drop(send(scene, line).await),
        Act::If(line, wanted, then, otherwise) => {
            let next = if send(scene, line).await == wanted { then } else { otherwise };
            return go_on(next).await;
        }
        Act::Within(ms, line, late) => {
            let in_time = {
                let (mut reply, mut timer) = (pin!(send(scene, line)), pin!(scene.ctx.sleep(ms)));
                std::future::poll_fn(|cx| {
                    if reply.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(true);
                    }
                    if timer.as_mut().poll(cx).is_ready() { Poll::Ready(false) } else { Poll::Pending }
                })
                .await
            };
            if !in_time {
                return go_on(late).await;
            }
        }
        Act::Pipeline(lines) => {
            let mut pipe = redis::pipe();
            for line in lines {
                pipe.add_command(words(line));
            }
            drop(pipe.query_async::<redis::Value>(&mut scene.redis.clone()).await);
        }
        Act::Atomic(lines) => {
            let mut pipe = redis::pipe();
            pipe.atomic();
            for line in lines {
                pipe.add_command(words(line));
            }
            drop(pipe.query_async::<redis::Value>(&mut scene.redis.clone()).await);
        }
        Act::Sql(sql) => drop(scene.db.run(sql, ()).await),
        Act::Sleep(ms) => scene.ctx.sleep(ms).await,
        Act::After(ms, acts) => {
            if scene.ctx.now() - scene.start_ms >= ms {
                return go_on(acts).await;
            }
        }
        Act::Look(acts) => {
            if scene.shared.read(&scene.ctx, |n| *n).await > 0 {
                return go_on(acts).await;
            }
        }
        Act::Add => scene.shared.update(&scene.ctx, |n| *n += 1).await,
        Act::Inside(acts) => return scene.ctx.inside("section", go_on(acts)).await,
        Act::Write(value, acts) => return scene.ctx.write("k", value, go_on(acts)).await,
        Act::Read(line) => {
            scene
                .ctx
                .read("k", async {
                    let value = send(scene, line).await;
                    (value != "nil").then_some(value)
                })
                .await;
        }
        Act::ReadSql => {
            scene
                .ctx
                .read("k", async { scene.db.query_value("SELECT v FROM t WHERE id = 1", ()).await.ok().flatten() })
                .await;
        }
        Act::Spawn(acts) => {
            let scene = scene.clone();
            scene.ctx.clone().spawn("child", move |ctx| {
                let scene = Scene { redis: ctx.redis(), db: std::rc::Rc::new(ctx.db()), ctx, ..scene };
                perform(scene, acts)
            });
        }
        Act::Ring => scene.bell.ring(),
        Act::Wait(late) => {
            let seen = scene.bell.rings();
            let rang = {
                let (mut ring, mut timer) = (pin!(scene.bell.after(seen)), pin!(scene.ctx.sleep(70)));
                std::future::poll_fn(|cx| {
                    if ring.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(true);
                    }
                    if timer.as_mut().poll(cx).is_ready() { Poll::Ready(false) } else { Poll::Pending }
                })
                .await
            };
            if !rang {
                return go_on(late).await;
            }
        }
        // Of several failures in one execution only the first is told, and which that is depends on the schedule.
        Act::Fail if scene.ctx.name() == "c0" => return Err("c0 failed".to_owned()),
        Act::Fail => {}
    }
    Ok(())
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Checks {
    None,
    /// a and b are never both as set by the clients.
    NotBoth,
    /// b may only be there if a is not 1.
    Conditional,
    Rows,
    Volatile,
    Fresh,
    FreshSinceCommit,
    Exclusion,
}

#[derive(Clone, Debug)]
pub(super) struct Program {
    clients: Vec<Vec<Act>>,
    checks: Checks,
}

pub(super) fn build(program: &Program, world: &mut World) {
    world.setup(|ctx| async move {
        let mut redis = ctx.redis();
        redis.set::<_, _, ()>("a", 1).await?;
        redis.hset::<_, _, _, ()>("one", "f", 1).await?;
        redis.pexpire::<_, ()>("one", 100).await?;
        redis.pset_ex::<_, _, ()>("v", 1, 100).await?;
        redis::RedisResult::Ok(())
    });
    world.setup(|ctx| async move {
        let db = ctx.db();
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)", ()).await?;
        db.execute("INSERT INTO t VALUES (1, 10), (2, 20)", ()).await?;
        Ok::<(), crate::SqlError>(())
    });
    let shared = world.shared("shared", 0_u32);
    let bell: std::rc::Rc<std::cell::OnceCell<SimBell>> = std::rc::Rc::default();
    for (number, acts) in program.clients.iter().enumerate() {
        let acts = acts.clone();
        let (shared, bell) = (shared.clone(), bell.clone());
        world.client(format!("c{number}"), move |ctx| {
            let bell = bell.get_or_init(|| ctx.bell()).clone();
            let scene = Scene {
                redis: ctx.redis(),
                db: std::rc::Rc::new(ctx.db()),
                start_ms: 1_767_225_600_000,
                shared,
                bell,
                ctx,
            };
            perform(scene, acts)
        });
    }
    let get = |ctx: &Ctx, key: &'static str| {
        let mut redis = ctx.redis();
        async move { redis.get::<_, Option<String>>(key).await.ok().flatten() }
    };
    match program.checks {
        Checks::None => {}
        Checks::NotBoth => world.always(move |ctx| async move {
            let (a, b) = (get(&ctx, "a").await, get(&ctx, "b").await);
            if a.as_deref() == Some("2") && b.is_none() { Err(format!("a {a:?}, b {b:?}")) } else { Ok(()) }
        }),
        Checks::Conditional => world.always(move |ctx| async move {
            if get(&ctx, "a").await.as_deref() != Some("1") {
                let b = get(&ctx, "b").await;
                if b.as_deref() == Some("x") {
                    return Err("b is x".to_owned());
                }
            }
            Ok(())
        }),
        Checks::Rows => world.always(move |ctx| async move {
            let row = ctx.db().query_value("SELECT v FROM t WHERE id = 1", ()).await.map_err(|e| e.to_string())?;
            let a = get(&ctx, "a").await;
            if row == Some(crate::SqlValue::Integer(11)) && a.as_deref() == Some("1") {
                return Err("row changed, a not".to_owned());
            }
            Ok(())
        }),
        Checks::Volatile => world.always(move |ctx| async move {
            let (a, v) = (get(&ctx, "a").await, get(&ctx, "v").await);
            if a.as_deref() == Some("2") && v.is_none() { Err("a is 2 and v gone".to_owned()) } else { Ok(()) }
        }),
        Checks::Fresh => world.history(HistoryCheck::fresh("k")),
        Checks::FreshSinceCommit => world.history(HistoryCheck::fresh_since_commit("k")),
        Checks::Exclusion => world.history(HistoryCheck::exclusion("section")),
    }
}

/// Either one of the acts, or a branch whose arms are made of them.
pub(super) fn branching(acts: BoxedStrategy<Act>) -> BoxedStrategy<Act> {
    let arm = || proptest::collection::vec(acts.clone(), 0..=2);
    let questions = proptest::sample::select(vec![
        ("GET a", "1"),
        ("GET a", "2"),
        ("GET b", "nil"),
        ("SETNX b y", "1"),
        ("GETDEL a", "1"),
        ("INCR a", "2"),
        ("DEL a b", "1"),
        ("HDEL one f", "1"),
        (
            "EVAL if~redis.call('GET','a')=='1'~then~return~redis.call('GET','b')~else~return~redis.call('SET','b','x')~end 0",
            "nil",
        ),
    ]);
    prop_oneof![
        2 => acts.clone(),
        2 => (questions, arm(), arm()).prop_map(|((line, wanted), then, other)| Act::If(line, wanted, then, other)),
    ]
    .boxed()
}

pub(super) fn commands() -> BoxedStrategy<Act> {
    proptest::sample::select(vec![
        Act::Redis("GET a"),
        Act::Redis("GET b"),
        Act::Redis("SET a 2"),
        Act::Redis("SET a 1"),
        Act::Redis("SET b x"),
        Act::Redis("DEL b"),
        Act::Redis("SETNX b y"),
        Act::Redis("APPEND a z"),
        Act::Redis("INCR a"),
        Act::Redis("HSET a f 1"),
        Act::Redis("HSETNX one g 1"),
        Act::Redis("HDEL one f"),
        Act::Redis("EXISTS one"),
        Act::Redis("MSET a 2 b x"),
        Act::Redis("GETDEL b"),
    ])
    .boxed()
}

pub(super) fn various() -> BoxedStrategy<Act> {
    prop_oneof![
        4 => commands(),
        3 => proptest::sample::select(vec![
        Act::Pipeline(vec!["GET b", "SET a 2"]),
        Act::Pipeline(vec!["SET b x", "GET a"]),
        Act::Atomic(vec!["SET b x", "GET a"]),
        Act::Redis("WATCH a"),
        Act::Add,
        Act::Look(vec![Act::Redis("SET b x")]),
        Act::Look(vec![Act::Add, Act::Redis("SET a 2")]),
        Act::Spawn(vec![Act::Redis("SET a 2")]),
        Act::Spawn(vec![Act::Redis("GET a"), Act::Add]),
    ]),
    ]
    .boxed()
}

pub(super) fn databases() -> BoxedStrategy<Act> {
    proptest::sample::select(vec![
        Act::Sql("SELECT v FROM t WHERE id = 1"),
        Act::Sql("UPDATE t SET v = v + 1 WHERE id = 1"),
        Act::Sql("UPDATE t SET v = v + 1 WHERE id = 2"),
        Act::Sql("INSERT INTO t VALUES (1, 5)"),
        Act::Sql("INSERT INTO t VALUES (3, 5)"),
        Act::Sql("CREATE TABLE x (id INTEGER)"),
        Act::Sql("INSERT INTO x VALUES (1)"),
        Act::Sql("SELECT * FROM x"),
        Act::Sql("BEGIN"),
        Act::Sql("BEGIN IMMEDIATE"),
        Act::Sql("COMMIT"),
        Act::Sql("ROLLBACK"),
        Act::Sql("INSERT OR ROLLBACK INTO t VALUES (1, 6)"),
        Act::Redis("SET a 2"),
        Act::Redis("GET a"),
        Act::Sleep(60),
    ])
    .boxed()
}

pub(super) fn times() -> BoxedStrategy<Act> {
    prop_oneof![
        2 => commands(),
        3 => proptest::sample::select(vec![
        Act::Redis("GET v"),
        Act::Redis("SET v 2 PX 40"),
        Act::Redis("PERSIST v"),
        Act::Redis("PEXPIRE v 150"),
        Act::Sleep(50),
        Act::Sleep(100),
        Act::Sleep(101),
        Act::After(60, vec![Act::Redis("SET b x")]),
        Act::Within(50, "GET a", vec![Act::Redis("SET a 2")]),
        Act::Within(50, "INCR a", vec![Act::Redis("GET b")]),
        Act::Redis("WATCH v"),
        Act::Atomic(vec!["SET b x"]),
    ]),
    ]
    .boxed()
}

pub(super) fn bells() -> BoxedStrategy<Act> {
    prop_oneof![
        2 => commands(),
        3 => proptest::sample::select(vec![
        Act::Ring,
        Act::Wait(vec![]),
        Act::Wait(vec![Act::Redis("SET a 2")]),
        Act::Sleep(50),
        Act::Look(vec![Act::Ring]),
        Act::Add,
    ]),
    ]
    .boxed()
}

pub(super) fn locks() -> BoxedStrategy<Act> {
    let stay = |acts: Vec<Act>| vec![Act::Inside(acts), Act::Redis("DEL l")];
    proptest::sample::select(vec![
        Act::If("SET l x NX PX 100", "Okay", vec![], stay(vec![Act::Redis("GET a")])),
        Act::If("SETNX l x", "1", stay(vec![Act::Redis("GET a")]), vec![]),
        Act::If("GET l", "nil", stay(vec![Act::Redis("GET a"), Act::Redis("SET a 2")]), vec![]),
        Act::Inside(vec![Act::Redis("GET b")]),
        Act::Inside(vec![Act::Sleep(100)]),
        Act::Inside(vec![]),
        Act::Redis("DEL l"),
        Act::Redis("SET a 2"),
        Act::Sleep(100),
    ])
    .boxed()
}

pub(super) fn operations() -> BoxedStrategy<Act> {
    let update = |v: &'static str| Act::Sql(v);
    proptest::sample::select(vec![
        Act::Write("11", vec![update("UPDATE t SET v = 11 WHERE id = 1"), Act::Redis("DEL k")]),
        Act::Write("12", vec![update("UPDATE t SET v = 12 WHERE id = 1"), Act::Redis("SET k 12")]),
        Act::Write("13", vec![Act::Redis("SET k 13")]),
        Act::Write("14", vec![Act::Redis("SET k 14"), Act::Redis("GET b")]),
        Act::Write("15", vec![Act::Redis("SET k 15"), Act::Redis("GET c")]),
        Act::Read("GET k"),
        Act::ReadSql,
        Act::If("GET k", "nil", vec![Act::Redis("SET k 10")], vec![Act::Redis("SET a 2")]),
        Act::Redis("SET k 9"),
    ])
    .boxed()
}

pub(super) fn programs(
    clients: std::ops::RangeInclusive<usize>,
    most: usize,
    acts: BoxedStrategy<Act>,
    checks: &'static [Checks],
) -> BoxedStrategy<Program> {
    let clients = proptest::collection::vec(proptest::collection::vec(acts, 1..=most), clients);
    (clients, proptest::sample::select(checks)).prop_map(|(clients, checks)| Program { clients, checks }).boxed()
}

pub(super) const STATE: &[Checks] = &[Checks::None, Checks::NotBoth, Checks::Conditional];

#[test]
fn replies_decide() {
    referee_any(200, programs(2..=2, 3, branching(commands()), &[Checks::None]), NO_FAULTS, build);
    referee_any(100, programs(3..=3, 2, branching(commands()), &[Checks::None]), NO_FAULTS, build);
}

#[test]
fn always_checks() {
    referee_any(200, programs(2..=3, 2, branching(commands()), STATE), NO_FAULTS, build);
    referee_any(100, programs(2..=2, 2, branching(commands()), STATE), NO_FAULTS.with(Fault::Crash, 1), build);
}

#[test]
fn pipelines_shared_state_and_spawned_clients() {
    referee_any(200, programs(2..=2, 2, branching(various()), STATE), NO_FAULTS, build);
    referee_any(60, programs(2..=2, 2, various(), STATE), NO_FAULTS.with(Fault::Crash, 1), build);
}

#[test]
fn statements_that_fail() {
    let checks = &[Checks::None, Checks::Rows];
    referee_any(200, programs(2..=2, 4, databases(), checks), NO_FAULTS, build);
    referee_any(100, programs(3..=3, 2, databases(), checks), NO_FAULTS, build);
    referee_any(60, programs(2..=2, 3, databases(), checks), NO_FAULTS.with(Fault::Crash, 1), build);
}

#[test]
fn statements_under_pauses() {
    referee_any(100, programs(2..=2, 3, databases(), &[Checks::None]), Bounds { pauses: 1, ..NO_FAULTS }, build);
}

#[test]
fn time_decides() {
    let checks = &[Checks::None, Checks::NotBoth, Checks::Volatile];
    referee_any(200, programs(2..=2, 3, branching(times()), checks), NO_FAULTS, build);
    referee_any(100, programs(2..=2, 2, branching(times()), checks), Bounds { pauses: 1, ..NO_FAULTS }, build);
    referee_any(
        60,
        programs(2..=2, 2, times(), checks),
        Bounds { pauses: 1, ..NO_FAULTS }.with(Fault::Crash, 1),
        build,
    );
}

#[test]
fn bells_ring() {
    referee_any(150, programs(2..=2, 3, bells(), &[Checks::None]), NO_FAULTS, build);
    referee_any(60, programs(2..=2, 2, bells(), &[Checks::None]), Bounds { pauses: 1, ..NO_FAULTS }, build);
}

#[test]
fn critical_sections() {
    let checks = &[Checks::Exclusion];
    referee_any(150, programs(2..=3, 2, locks(), checks), NO_FAULTS, build);
    referee_any(100, programs(2..=2, 2, locks(), checks), NO_FAULTS.with(Fault::Crash, 1), build);
    referee_any(100, programs(2..=2, 2, locks(), checks), Bounds { pauses: 1, ..NO_FAULTS }, build);
}

#[test]
fn reads_and_writes() {
    let checks = &[Checks::Fresh, Checks::FreshSinceCommit];
    referee_any(200, programs(2..=3, 2, operations(), checks), NO_FAULTS, build);
    referee_any(100, programs(2..=2, 2, operations(), checks), NO_FAULTS.with(Fault::Crash, 1), build);
}

#[test]
fn three_clients_and_a_crash() {
    referee_any(100, programs(3..=3, 1, branching(commands()), STATE), NO_FAULTS.with(Fault::Crash, 1), build);
    referee_any(60, programs(3..=3, 1, various(), STATE), NO_FAULTS.with(Fault::Crash, 2), build);
}

#[test]
fn failing_clients() {
    let acts = prop_oneof![
        3 => commands(),
        3 => proptest::sample::select(vec![
        Act::If("GET a", "2", vec![Act::Fail], vec![]),
        Act::If("GET b", "x", vec![], vec![Act::Fail]),
    ]),
    ];
    referee_any(100, programs(2..=2, 3, acts.boxed(), &[Checks::None]), NO_FAULTS, build);
}

#[test]
fn a_reply_that_is_given_up_before_it_comes() {
    let program = Program {
        clients: vec![
            vec![Act::Redis("SET b x")],
            vec![
                Act::If("HDEL one f", "1", vec![Act::Redis("APPEND a z"), Act::Redis("PERSIST v")], vec![]),
                Act::Within(50, "GET a", vec![Act::Redis("SET a 2")]),
            ],
        ],
        checks: Checks::None,
    };
    let bounds = Bounds { pauses: 1, ..NO_FAULTS };
    assert!(super::agree(&|world: &mut World| build(&program, world), bounds).expect("the searches agree"));
}

#[test]
fn three_clients_one_of_which_may_die() {
    let first = vec![
        vec![Act::If(
            "EVAL if~redis.call('GET','a')=='1'~then~return~redis.call('GET','b')~else~return~redis.call('SET','b','x')~end 0",
            "nil",
            vec![Act::Redis("SET a 2"), Act::Redis("GET b")],
            vec![],
        )],
        vec![Act::Redis("SETNX b y")],
        vec![Act::If("SETNX b y", "1", vec![Act::Redis("SET b x"), Act::Redis("APPEND a z")], vec![])],
    ];
    let second = vec![
        vec![Act::Redis("GETDEL a")],
        vec![Act::If("GET a", "1", vec![], vec![Act::Redis("GET b")])],
        vec![Act::If("INCR a", "2", vec![Act::Redis("SET b x"), Act::Redis("GET a")], vec![])],
    ];
    for clients in [first, second] {
        let program = Program { clients, checks: Checks::None };
        let bounds = NO_FAULTS.with(Fault::Crash, 1);
        assert!(super::agree(&|world: &mut World| build(&program, world), bounds).expect("the searches agree"));
    }
}

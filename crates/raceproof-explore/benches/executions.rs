//! How fast raceproof runs executions, beside shuttle in the same run. `docs/performance.md` says what the numbers mean.
//!
//! ```text
//! cargo bench -p raceproof-explore [-- [--rounds N] [WORD]]
//! ```
//!
//! Other work on the machine disturbs everything that is measured here. So times are those of the processor, contestants
//! take turns, a few milliseconds each, for many rounds, and a ratio is the median of the ratios of the rounds: what
//! disturbs a round disturbs both. Where threads share a search it is the lead's time that counts: it waits for nobody, so
//! that is how long the search takes where each thread has a core of its own.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use raceproof_explore::{Check, Strategy, World};
use redis::AsyncCommands;
use rustix::time::{ClockId, clock_gettime};

/// How many random schedules a turn runs: so many that what a search costs besides them hardly counts.
const SCHEDULES: u64 = 1000;
/// How many executions two clients with GET and SET take exhaustively, by raceproof: one for each class of schedules
/// that anyone could tell apart.
const LOST_UPDATE_CLASSES: u64 = 4;

/// What takes turns.
struct Contestant {
    name: &'static str,
    /// How many executions one run makes.
    executions: u64,
    run: Box<dyn FnMut()>,
    /// How many runs a turn takes: of short ones many, so that they find the caches warm.
    runs: u32,
}

impl Contestant {
    fn new(name: &'static str, executions: u64, run: impl FnMut() + 'static) -> Self {
        let runs = if executions < 1000 { 1000 / executions as u32 } else { 1 };
        Self { name, executions, run: Box::new(run), runs }
    }

    /// How long a run takes (us).
    fn turn(&mut self) -> f64 {
        let start = processor_time();
        for _ in 0..self.runs {
            (self.run)();
        }
        (processor_time() - start).as_secs_f64() * 1e6 / f64::from(self.runs)
    }
}

/// The processor's time for this thread, on which both explorers run their clients.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().expect("it is not negative")
}

fn main() {
    let (rounds, word) = arguments();
    type Table = (&'static str, fn() -> Vec<Contestant>);
    let tables: [Table; 5] = [
        ("2 x (GET, SET), every schedule; for each 1 of shuttle's check_dfs with threads", every_schedule),
        ("random schedules of 2 clients; for each 1 of shuttle's check_random with threads", random_schedules),
        ("whole exhaustive searches; for each 1 of 2 x (GET, SET)", searches),
        ("threads that share 4 x (GET, GET, INCR); for each 1 of a search on one", || {
            shared(|world| clients(world, 4, &["GET", "GET", "INCR"]))
        }),
        ("threads that share 4 x (SELECT, UPDATE); for each 1 of a search on one", || {
            shared(|world| clients_with_sql(world, 4))
        }),
    ];
    for (title, contestants) in tables {
        let mut contestants = contestants();
        if !title.contains(&word) {
            let mut at = 0;
            contestants.retain(|contestant| {
                at += 1;
                at == 1 || contestant.name.contains(&word)
            });
        }
        if contestants.len() > 1 {
            contest(title, &mut contestants, rounds);
        }
    }
}

/// The number of rounds, and a word of the titles or names that are wanted. Cargo adds `--bench`.
fn arguments() -> (usize, String) {
    let (mut rounds, mut word) = (100, String::new());
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    while let Some(arg) = args.next() {
        if arg == "--rounds" {
            rounds = args.next().and_then(|text| text.parse().ok()).expect("--rounds takes a number");
        } else {
            word = arg;
        }
    }
    (rounds, word)
}

/// Lets all take turns and prints what they took. The first is what the others are compared with.
fn contest(title: &str, contestants: &mut [Contestant], rounds: usize) {
    let mut times = vec![Vec::with_capacity(rounds); contestants.len()];
    for round in 0..=rounds {
        for (contestant, times) in contestants.iter_mut().zip(&mut times) {
            let time = contestant.turn();
            // The first round warms up.
            if round > 0 {
                times.push(time);
            }
        }
    }
    println!("\n{title}, {rounds} rounds");
    println!("{:44} {:>6} {:>10} {:>10} {:>12} {:>9}", "", "execs", "fastest", "median", "execs/s", "ratio");
    for (contestant, mine) in contestants.iter().zip(&times) {
        let executions = contestant.executions as f64;
        let ratios = times[0].iter().zip(mine).map(|(first, mine)| first / mine).collect();
        println!(
            "{:44} {:>6} {:>7.1} us {:>7.1} us {:>12.0} {:>9.2}",
            contestant.name,
            contestant.executions,
            mine.iter().copied().fold(f64::INFINITY, f64::min),
            median(mine.clone()),
            executions * 1e6 / median(mine.clone()),
            median(ratios)
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn every_schedule() -> Vec<Contestant> {
    let dfs = |name, body: fn()| Contestant::new(name, executions_of_dfs(body), move || shuttle::check_dfs(body, None));
    vec![
        dfs("shuttle, check_dfs, threads", shuttle_threads),
        dfs("shuttle, check_dfs, tasks", shuttle_tasks),
        search("raceproof, redis-rs", LOST_UPDATE_CLASSES, lost_update),
        search("raceproof, without redis-rs", LOST_UPDATE_CLASSES, lost_update_raw),
    ]
}

fn random_schedules() -> Vec<Contestant> {
    let schedules = usize::try_from(SCHEDULES).expect("it is small");
    let random = |name, body: fn()| Contestant::new(name, SCHEDULES, move || shuttle::check_random(body, schedules));
    vec![
        random("shuttle, check_random, threads", shuttle_threads),
        random("shuttle, check_random, tasks", shuttle_tasks),
        in_a_row("raceproof, GET and SET, redis-rs", SCHEDULES, lost_update),
        in_a_row("raceproof, GET and SET, without redis-rs", SCHEDULES, lost_update_raw),
        in_a_row("raceproof, two scripts, redis-rs", SCHEDULES, lost_update_script),
        in_a_row("raceproof, SELECT and UPDATE", SCHEDULES / 10, lost_update_sql),
    ]
}

fn searches() -> Vec<Contestant> {
    vec![
        search("2 x (GET, SET)", LOST_UPDATE_CLASSES, lost_update),
        search("2 x (GET, SET), without redis-rs", LOST_UPDATE_CLASSES, lost_update_raw),
        search("3 x (GET, SET)", 36, |world| clients(world, 3, &["GET", "SET"])),
        search("3 x (GET, GET, INCR)", 108, |world| clients(world, 3, &["GET", "GET", "INCR"])),
        search("4 x (GET, SET)", 576, |world| clients(world, 4, &["GET", "SET"])),
        search("2 x (EVAL that reads, EVAL that writes)", 6, lost_update_script),
        search("2 x (SELECT, UPDATE)", LOST_UPDATE_CLASSES, lost_update_sql),
    ]
}

/// A whole exhaustive search, as a test or the command line runs it.
fn search(name: &'static str, executions: u64, body: fn(&mut World)) -> Contestant {
    Contestant::new(name, executions, move || {
        let report = Check::new("search").run(body).expect("the search runs");
        assert_eq!((report.executions, report.redundant), (executions, 0), "{name}");
    })
}

/// One search by one thread, and by two.
fn shared(body: fn(&mut World)) -> Vec<Contestant> {
    let executions = Check::new("search").run(body).expect("the search runs").executions;
    let on = |name, threads| {
        let check = Check::new("search").threads(threads);
        Contestant::new(name, executions, move || {
            assert_eq!(check.run(body).expect("the search runs").executions, executions, "{name}");
        })
    };
    vec![on("one thread", 1), on("two threads", 2)]
}

fn in_a_row(name: &'static str, executions: u64, body: fn(&mut World)) -> Contestant {
    let check = Check::new("schedules").strategy(Strategy::Random { seed: 1 }).max_executions(executions);
    Contestant::new(name, executions, move || {
        assert_eq!(check.run(body).expect("the search runs").executions, executions, "{name}");
    })
}

/// Clients through redis-rs, each with the same commands on one key; each reads its own.
fn clients(world: &mut World, count: usize, commands: &'static [&'static str]) {
    for client in 0..count {
        world.client(format!("client-{client}"), move |ctx| async move {
            let mut redis = ctx.redis();
            for command in commands {
                match *command {
                    "GET" => drop(redis.get::<_, Option<String>>("k").await?),
                    "SET" => redis.set::<_, _, ()>("k", client).await?,
                    "INCR" => drop(redis.incr::<_, _, i64>("k", 1).await?),
                    other => panic!("no such command in these programs: {other}"),
                }
            }
            redis::RedisResult::Ok(())
        });
    }
}

fn lost_update(world: &mut World) {
    clients(world, 2, &["GET", "SET"]);
}

/// The same without redis-rs: bytes in, the engine's reply out.
fn lost_update_raw(world: &mut World) {
    for value in [&b"0"[..], b"1"] {
        world.client(if value == b"0" { "client-0" } else { "client-1" }, move |ctx| async move {
            let redis = ctx.redis();
            redis.command(vec![Bytes::from_static(b"GET"), Bytes::from_static(b"k")]).await;
            let set = [&b"SET"[..], b"k", value];
            redis.command(set.map(Bytes::from_static).to_vec()).await;
        });
    }
}

/// The lost update in the database: two clients that each read a row and write it back.
fn lost_update_sql(world: &mut World) {
    clients_with_sql(world, 2);
}

fn clients_with_sql(world: &mut World, count: usize) {
    world.setup(|ctx| async move {
        let db = ctx.db();
        db.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)", ()).await?;
        db.execute("INSERT INTO account VALUES (1, 0)", ()).await
    });
    for client in 0..count {
        world.client(format!("client-{client}"), |ctx| async move {
            let db = ctx.db();
            let read = db.query_value("SELECT balance FROM account WHERE id = 1", ()).await?;
            let balance = read.and_then(|value| value.as_integer()).unwrap_or_default();
            db.execute("UPDATE account SET balance = ?1 WHERE id = 1", [balance + 1]).await
        });
    }
}

/// The lost update by scripts: two clients that each read a key by one script and write it by another.
fn lost_update_script(world: &mut World) {
    for client in ["client-0", "client-1"] {
        world.client(client, move |ctx| async move {
            let mut redis = ctx.redis();
            let eval = |script| {
                let mut cmd = redis::cmd("EVAL");
                cmd.arg(script).arg(1).arg("k");
                cmd
            };
            eval("return redis.call('GET', KEYS[1])").query_async::<Option<String>>(&mut redis).await?;
            eval("return redis.call('SET', KEYS[1], ARGV[1])").arg(client).query_async::<()>(&mut redis).await
        });
    }
}

type Map = HashMap<String, String>;

fn get(map: &shuttle::sync::Mutex<Map>) -> Option<String> {
    map.lock().expect("nobody panics").get("k").cloned()
}

fn set(map: &shuttle::sync::Mutex<Map>, client: usize) {
    map.lock().expect("nobody panics").insert("k".to_owned(), client.to_string());
}

/// The lost update for shuttle: two threads on a map, which each lock to read and lock again to write.
fn shuttle_threads() {
    let map = shuttle::sync::Arc::new(shuttle::sync::Mutex::new(Map::new()));
    let threads = [0, 1].map(|client| {
        let map = map.clone();
        shuttle::thread::spawn(move || {
            black_box(get(&map));
            set(&map, client);
        })
    });
    for thread in threads {
        thread.join().expect("the thread ends");
    }
}

/// The same with shuttle's tasks, which yield between the steps as clients do at the gate.
fn shuttle_tasks() {
    let map = shuttle::sync::Arc::new(shuttle::sync::Mutex::new(Map::new()));
    let tasks = [0, 1].map(|client| {
        let map = map.clone();
        shuttle::future::spawn(async move {
            black_box(get(&map));
            set(&map, client);
        })
    });
    shuttle::future::block_on(async {
        for task in tasks {
            task.await.expect("the task ends");
        }
    });
}

/// How many executions shuttle takes to run every schedule.
fn executions_of_dfs(body: fn()) -> u64 {
    let executions = shuttle::sync::Arc::new(AtomicU64::new(0));
    let counter = executions.clone();
    let counted = move || {
        counter.fetch_add(1, Ordering::Relaxed);
        body();
    };
    shuttle::check_dfs(counted, None);
    executions.load(Ordering::Relaxed)
}

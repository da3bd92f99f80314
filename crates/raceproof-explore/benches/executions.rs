//! Executions per second, of raceproof and in the same run of shuttle, on the lost update: two clients that each GET a
//! key and then SET it. `docs/performance.md` says what the numbers mean.
//!
//! An item is one execution: all clients run from the start to their end. `search` benches are whole searches with
//! whatever they cost besides executions (stores, Lua, the check that the body is deterministic); `schedules` benches
//! run so many random schedules that this no longer counts.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use divan::Bencher;
use divan::counter::ItemsCount;
use raceproof_explore::{Check, Report, Strategy, World};
use redis::AsyncCommands;

/// How many random schedules one sample runs.
const SCHEDULES: u64 = 10_000;
/// How many executions two clients with GET and SET take exhaustively, by raceproof: one for each class of schedules
/// that anyone could tell apart.
const LOST_UPDATE_CLASSES: u64 = 4;

fn main() {
    eprintln!(
        "lost update, every schedule: raceproof runs {LOST_UPDATE_CLASSES} executions, shuttle's check_dfs {} with threads \
         and {} with tasks",
        executions_of_dfs(shuttle_threads),
        executions_of_dfs(shuttle_tasks)
    );
    divan::main();
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
    world.setup(|ctx| async move {
        let db = ctx.db();
        db.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)", ()).await?;
        db.execute("INSERT INTO account VALUES (1, 0)", ()).await
    });
    for client in ["client-0", "client-1"] {
        world.client(client, |ctx| async move {
            let db = ctx.db();
            let read = db.query_value("SELECT balance FROM account WHERE id = 1", ()).await?;
            let balance = read.and_then(|value| value.as_integer()).unwrap_or_default();
            db.execute("UPDATE account SET balance = ?1 WHERE id = 1", [balance + 1]).await
        });
    }
}

/// A whole exhaustive search, as a test or the command line runs it.
fn search(bencher: Bencher<'_, '_>, executions: u64, body: fn(&mut World)) {
    let run = || Check::new("search").run(body).expect("the search runs");
    let report = run();
    assert_eq!((report.executions, report.redundant), (executions, 0));
    bencher.counter(ItemsCount::new(executions)).bench_local(run);
}

/// So many random schedules that what a search costs besides them does not count.
fn schedules(bencher: Bencher<'_, '_>, executions: u64, body: fn(&mut World)) {
    let check = Check::new("schedules").strategy(Strategy::Random { seed: 1 }).max_executions(executions);
    let run = || -> Report { check.run(body).expect("the search runs") };
    assert_eq!(run().executions, executions);
    bencher.counter(ItemsCount::new(executions)).bench_local(run);
}

mod raceproof_search {
    use super::{Bencher, LOST_UPDATE_CLASSES, clients, lost_update, lost_update_raw, lost_update_sql, search};

    #[divan::bench]
    fn lost_update_4(bencher: Bencher<'_, '_>) {
        search(bencher, LOST_UPDATE_CLASSES, lost_update);
    }

    #[divan::bench]
    fn lost_update_without_redis_rs_4(bencher: Bencher<'_, '_>) {
        search(bencher, LOST_UPDATE_CLASSES, lost_update_raw);
    }

    #[divan::bench]
    fn lost_update_sql_4(bencher: Bencher<'_, '_>) {
        search(bencher, LOST_UPDATE_CLASSES, lost_update_sql);
    }

    #[divan::bench]
    fn three_get_set_36(bencher: Bencher<'_, '_>) {
        search(bencher, 36, |world| clients(world, 3, &["GET", "SET"]));
    }

    #[divan::bench]
    fn three_get_get_incr_108(bencher: Bencher<'_, '_>) {
        search(bencher, 108, |world| clients(world, 3, &["GET", "GET", "INCR"]));
    }

    #[divan::bench]
    fn four_get_set_576(bencher: Bencher<'_, '_>) {
        search(bencher, 576, |world| clients(world, 4, &["GET", "SET"]));
    }
}

mod raceproof_schedules {
    use super::{Bencher, SCHEDULES, lost_update, lost_update_raw, lost_update_sql, schedules};

    #[divan::bench(sample_count = 30)]
    fn lost_update_redis_rs(bencher: Bencher<'_, '_>) {
        schedules(bencher, SCHEDULES, lost_update);
    }

    #[divan::bench(sample_count = 30)]
    fn lost_update_without_redis_rs(bencher: Bencher<'_, '_>) {
        schedules(bencher, SCHEDULES, lost_update_raw);
    }

    #[divan::bench(sample_count = 10)]
    fn lost_update_in_sql(bencher: Bencher<'_, '_>) {
        schedules(bencher, SCHEDULES / 10, lost_update_sql);
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
            divan::black_box(get(&map));
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
            divan::black_box(get(&map));
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

mod shuttle_search {
    use super::{Bencher, ItemsCount, executions_of_dfs, shuttle_tasks, shuttle_threads};

    #[divan::bench(sample_count = 10)]
    fn lost_update_threads(bencher: Bencher<'_, '_>) {
        dfs(bencher, shuttle_threads);
    }

    #[divan::bench(sample_count = 10)]
    fn lost_update_tasks(bencher: Bencher<'_, '_>) {
        dfs(bencher, shuttle_tasks);
    }

    fn dfs(bencher: Bencher<'_, '_>, body: fn()) {
        bencher.counter(ItemsCount::new(executions_of_dfs(body))).bench_local(|| shuttle::check_dfs(body, None));
    }
}

mod shuttle_schedules {
    use super::{Bencher, ItemsCount, SCHEDULES, shuttle_tasks, shuttle_threads};

    #[divan::bench(sample_count = 30)]
    fn lost_update_threads(bencher: Bencher<'_, '_>) {
        random(bencher, shuttle_threads);
    }

    #[divan::bench(sample_count = 30)]
    fn lost_update_tasks(bencher: Bencher<'_, '_>) {
        random(bencher, shuttle_tasks);
    }

    fn random(bencher: Bencher<'_, '_>, body: fn()) {
        let schedules = usize::try_from(SCHEDULES).expect("it is small");
        bencher.counter(ItemsCount::new(SCHEDULES)).bench_local(|| shuttle::check_random(body, schedules));
    }
}

//! A cache in front of a SQL row, as many services have it: is it race-proof, and against what?
//!
//! `cargo run -p raceproof-explore --example cache_aside` searches the same client code under one fault after another
//! and shows the shortest execution that breaks the promise.

use raceproof_explore::{
    Check, Ctx, Database, Error, Fault, HistoryCheck, SqlError, SqlValue, Strategy, Verdict, World, render,
};
use redis::AsyncCommands;

/// How long the cache may keep a row (s).
const TTL_S: u64 = 300;

/// Reads the plan of user 1: from the cache, else from the database, which then fills the cache. A cache that cannot be
/// reached is done without.
async fn plan(redis: &mut impl AsyncCommands, db: &Database) -> Result<Option<String>, SqlError> {
    if let Ok(Some(plan)) = redis.get::<_, Option<String>>("user:1").await {
        return Ok(Some(plan));
    }
    let row = db.query_value("SELECT plan FROM users WHERE id = 1", ()).await?;
    let plan = row.as_ref().and_then(SqlValue::as_text).map(str::to_owned);
    if let Some(plan) = &plan {
        let _: redis::RedisResult<()> = redis.set_ex("user:1", plan, TTL_S).await;
    }
    Ok(plan)
}

/// Writes the plan of user 1 and deletes what the cache has of it.
async fn upgrade(redis: &mut impl AsyncCommands, db: &Database, to: &str) -> Result<(), SqlError> {
    db.execute("UPDATE users SET plan = ? WHERE id = 1", [to]).await?;
    let _: redis::RedisResult<()> = redis.del("user:1").await;
    Ok(())
}

fn world(world: &mut World) {
    world.setup(|ctx| async move {
        let db = ctx.db();
        db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)", ()).await?;
        db.execute("INSERT INTO users VALUES (1, 'free')", ()).await?;
        plan(&mut ctx.redis(), &db).await
    });
    world.client("writer", |ctx: Ctx| async move {
        let (mut redis, db) = (ctx.redis(), ctx.db());
        ctx.write("plan", "pro", upgrade(&mut redis, &db, "pro")).await
    });
    world.client("reader", |ctx: Ctx| async move {
        let (mut redis, db) = (ctx.redis(), ctx.db());
        ctx.read("plan", async { plan(&mut redis, &db).await.ok().flatten() }).await;
    });
    world.history(HistoryCheck::fresh("plan"));
}

fn main() -> Result<(), Error> {
    for fault in [None, Some(Fault::LostReply), Some(Fault::Flush)] {
        let name = fault.map_or("cache-aside", Fault::name);
        let check = fault.map_or_else(|| Check::new(name), |fault| Check::new(name).fault(fault, 1));
        let report = check.run(world)?;
        match (&report.verdict, &report.violation) {
            (Verdict::Violated, Some(found)) => {
                let met = render::met(&report, &Strategy::Exhaustive);
                println!("{}\n", render::test_failure(name, found, met, ""));
            }
            (verdict, _) => println!("{name}: {verdict:?} after {} executions\n", report.executions),
        }
    }
    Ok(())
}

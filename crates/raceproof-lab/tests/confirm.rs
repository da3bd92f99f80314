//! Counterexamples found in simulation happen on a real redis-server: the same replies, the same broken check.

use raceproof_explore::{Check, Confirmation, Error, World};
use raceproof_lab::RealRedis;
use redis::{AsyncCommands, RedisResult, Script};

/// Finds the violation, and plays it.
fn confirm(check: &Check, body: impl Fn(&mut World) + Sync) -> Result<Confirmation, Error> {
    let report = check.run(&body).expect("the search can be carried out");
    let violation = report.violation.expect("the protocol is broken");
    let redis = RealRedis::start().expect("redis-server starts");
    check.confirm(&violation.token, Box::new(redis), body)
}

fn assert_same(confirmation: Result<Confirmation, Error>) {
    let confirmation = confirmation.expect("the server plays along");
    assert_eq!(confirmation.difference, None);
    assert!(confirmation.same_outcome && confirmation.server.starts_with("redis-server 7.0."), "{confirmation:?}");
}

#[test]
fn a_lost_update() {
    let confirmation = confirm(&Check::new("serialized value"), |world| {
        world.setup(|ctx| async move { ctx.redis().set::<_, _, ()>("user:123", "1,2").await });
        for me in ["web", "mobile"] {
            world.client(me, move |ctx| async move {
                let mut redis = ctx.redis();
                let memories: String = redis.get("user:123").await?;
                redis.set::<_, _, ()>("user:123", format!("{memories},{me}")).await
            });
        }
        world.finally(|ctx| async move {
            let memories: String = ctx.redis().get("user:123").await.unwrap_or_default();
            assert!(memories.contains("web") && memories.contains("mobile"), "a memory is lost: {memories}");
        });
    });
    assert_same(confirmation);
}

#[test]
fn a_hash_that_is_read_and_replaced() {
    let confirmation = confirm(&Check::new("replace hash"), |world| {
        world.setup(|ctx| async move { ctx.redis().hset_multiple::<_, _, _, ()>("h", &[("b", 1), ("a", 2)]).await });
        for me in ["web", "mobile"] {
            world.client(me, move |ctx| async move {
                let mut redis = ctx.redis();
                let mut fields: Vec<(String, i64)> = redis.hgetall("h").await?;
                fields.push((me.to_owned(), 3));
                redis::pipe().atomic().del("h").hset_multiple("h", &fields).exec_async(&mut redis).await
            });
        }
        world.finally(|ctx| async move {
            let fields: i64 = ctx.redis().hlen("h").await.unwrap_or_default();
            assert!(fields == 4, "{fields} fields are left");
        });
    });
    assert_same(confirmation);
}

/// Takes a lock for 30 s, counts itself in and out, and releases the lock if it is still its own.
async fn worker(ctx: raceproof_explore::Ctx, me: &'static str) -> RedisResult<()> {
    let mut redis = ctx.redis();
    let taken: Option<String> =
        redis::cmd("SET").arg("lock").arg(me).arg("NX").arg("PX").arg(30_000).query_async(&mut redis).await?;
    if taken.is_none() {
        return Ok(());
    }
    let inside: i64 = redis.incr("inside", 1).await?;
    let _: i64 = redis.decr("inside", 1).await?;
    let release = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";
    let _: i64 = Script::new(release).key("lock").arg(me).invoke_async(&mut redis).await?;
    assert!(inside == 1, "{inside} are inside");
    Ok(())
}

#[test]
fn a_lock_held_twice_after_a_pause_past_its_ttl() {
    let confirmation = confirm(&Check::new("lock with token").pauses(1), |world| {
        world.client("a", |ctx| worker(ctx, "a"));
        world.client("b", |ctx| worker(ctx, "b"));
    });
    assert_same(confirmation);
}

#[test]
fn a_key_that_lives_for_ever_after_a_crash() {
    let confirmation = confirm(&Check::new("set, then expire").crashes(1), |world| {
        world.client("web", |ctx| async move {
            let mut redis = ctx.redis();
            redis.hset::<_, _, _, ()>("session", "user", "7").await?;
            redis.expire::<_, ()>("session", 60).await
        });
        world.finally(|ctx| async move {
            ctx.sleep(3_600_000).await;
            let left: bool = ctx.redis().exists("session").await.unwrap_or_default();
            assert!(!left, "the session lives for ever");
        });
    });
    assert_same(confirmation);
}

#[test]
fn a_script_is_told_the_played_time() {
    let confirmation = confirm(&Check::new("clock in a script"), |world| {
        world.client("a", |ctx| async move {
            let mut redis = ctx.redis();
            let script = Script::new("return tonumber(redis.call('TIME')[1])");
            let now: i64 = script.invoke_async(&mut redis).await?;
            redis.set::<_, _, ()>("k", now).await
        });
        world.finally(|ctx| async move {
            let set: bool = ctx.redis().exists("k").await.unwrap_or_default();
            assert!(!set, "k is set");
        });
    });
    assert_same(confirmation);
}

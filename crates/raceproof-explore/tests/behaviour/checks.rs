//! The other checks over the history: what each finds in a small world, and in which words.

use raceproof_explore::{Broken, Check, Ctx, Fault, HistoryCheck, Persistence, Verdict, World};
use redis::{AsyncCommands, RedisResult};

use crate::{explore, verified, violated};

async fn get(ctx: &Ctx, key: &str) -> Option<String> {
    ctx.redis().get(key).await.unwrap()
}

async fn set(ctx: &Ctx, key: &str, value: impl ToString) {
    ctx.redis().set::<_, _, ()>(key, value.to_string()).await.unwrap();
}

fn value_of(world: &mut World, key: &'static str) {
    world.value(key, move |ctx| async move { get(&ctx, key).await });
}

#[test]
fn a_lost_update_is_found_among_recorded_reads_and_writes() {
    let counter = |world: &mut World, locked: bool| {
        for me in ["web", "mobile"] {
            world.client(me, move |ctx| async move {
                let mut redis = ctx.redis();
                if locked && !redis.set_nx::<_, _, bool>("lock", me).await? {
                    return Ok(());
                }
                let n = ctx.read("n", get(&ctx, "n")).await.map_or(0, |n| n.parse::<i64>().unwrap());
                ctx.write("n", n + 1, set(&ctx, "n", n + 1)).await;
                if locked {
                    redis.del::<_, ()>("lock").await?;
                }
                RedisResult::Ok(())
            });
        }
        world.history(HistoryCheck::no_lost_update("n"));
    };
    verified(&Check::new("locked"), |world| counter(world, true));
    let found = violated(&Check::new("open"), |world| counter(world, false));
    assert_eq!((found.message.as_str(), found.broken), ("lost update of n", Broken::History));
    let story = found.story.unwrap();
    assert!(story.contains("read nothing and wrote 1, acknowledged at step"), "{story}");
    assert!(story.contains("read nothing as well and wrote 1"), "{story}");
}

/// A cached copy that lives for a second, read by a client that comes later and later.
fn cached(world: &mut World, check: HistoryCheck) {
    world.setup(|ctx| async move { ctx.redis().pset_ex::<_, _, ()>("copy", "old", 1_000).await });
    world.client("writer", |ctx| async move { ctx.write("x", "new", set(&ctx, "x", "new")).await });
    world.client("reader", |ctx| async move {
        for _ in 0..2 {
            ctx.sleep(600).await;
            let work = async {
                match get(&ctx, "copy").await {
                    Some(copy) => Some(copy),
                    None => get(&ctx, "x").await,
                }
            };
            ctx.read("x", work).await;
        }
    });
    world.history(check);
}

#[test]
fn staleness_is_measured_in_virtual_time() {
    verified(&Check::new("600 ms"), |world| cached(world, HistoryCheck::staleness("x", 600)));
    let found = violated(&Check::new("599 ms"), |world| cached(world, HistoryCheck::staleness("x", 599)));
    assert_eq!(found.message, "stale read: x was out of date for more than 599 ms");
    let story = "writer's write of new was acknowledged at step 1; reader's read began after it, at step 3 (600 ms), and \
                 returned old, out of date for 600 ms.";
    assert_eq!(found.story.as_deref(), Some(story));
    // Under a pause a read may wait for its reply past any bound, but the copy is gone by then.
    let paused = Check::new("paused").pauses(1);
    assert_eq!(explore(&paused, |world| cached(world, HistoryCheck::staleness("x", 1_000))).verdict, Verdict::Verified);
}

#[test]
fn what_a_client_may_rely_on_for_itself() {
    let replicas = |world: &mut World, check: HistoryCheck| {
        world.client("copier", |ctx| async move {
            if let Some(value) = get(&ctx, "primary").await {
                set(&ctx, "replica", value).await;
            }
        });
        world.client("user", |ctx| async move {
            ctx.write("x", "new", set(&ctx, "primary", "new")).await;
            for place in ["primary", "replica"] {
                ctx.read("x", get(&ctx, place)).await;
            }
        });
        world.history(check);
    };
    let back = violated(&Check::new("monotonic"), |world| replicas(world, HistoryCheck::monotonic_reads("x")));
    assert_eq!(back.message, "reads of x go back: a client's later read returned an older value");
    let story = "user's read at step 2 returned new; its read at step 3 returned nothing, which is older.";
    assert_eq!(back.story.as_deref(), Some(story));
    let own = violated(&Check::new("own"), |world| replicas(world, HistoryCheck::read_your_writes("x")));
    assert_eq!(own.message, "a client did not read its own write of x");
}

/// Two workers whose lock ends while they are held up, and a resource that looks at the token or does not.
fn fenced(world: &mut World, looks: bool) {
    for me in ["A", "B"] {
        world.client(me, move |ctx| async move {
            let mut redis = ctx.redis();
            let options = redis::SetOptions::default()
                .conditional_set(redis::ExistenceCheck::NX)
                .with_expiration(redis::SetExpiry::PX(100));
            if !redis.set_options::<_, _, bool>("lock", me, options).await? {
                return Ok(());
            }
            let token: i64 = redis.incr("token", 1).await?;
            let script = "if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then return 0 end \
                          redis.call('SET', KEYS[1], ARGV[1]) return 1";
            let accepted: bool = if looks {
                redis::Script::new(script).key("resource").arg(token).invoke_async(&mut redis).await?
            } else {
                redis.set("resource", token).await?
            };
            if accepted {
                ctx.fenced("resource", token);
            }
            RedisResult::Ok(())
        });
    }
    world.history(HistoryCheck::fencing("resource"));
}

#[test]
fn fencing_tokens_rise_only_if_the_resource_looks() {
    assert_eq!(explore(&Check::new("looks").pauses(1), |world| fenced(world, true)).verdict, Verdict::Verified);
    verified(&Check::new("nobody is held up"), |world| fenced(world, false));
    let found = violated(&Check::new("does not look").pauses(1), |world| fenced(world, false));
    assert_eq!(found.message, "resource accepted a fencing token that is lower than one before");
    assert!(found.story.unwrap().starts_with("resource accepted 2 from B at step"), "which token, from whom, when");
}

/// A client that charges and notes it, and another that takes over.
fn charges(world: &mut World, together: bool) {
    for me in ["first", "second"] {
        world.client(me, move |ctx| async move {
            let mut redis = ctx.redis();
            if together {
                if redis.set_nx::<_, _, bool>("charged:42", me).await? {
                    ctx.effect("charge", "order-42");
                }
            } else if !redis.exists::<_, bool>("charged:42").await? {
                redis.append::<_, _, ()>("charges", "42;").await?;
                ctx.effect("charge", "order-42");
                redis.set::<_, _, ()>("charged:42", me).await?;
            }
            RedisResult::Ok(())
        });
    }
    world.history(HistoryCheck::at_most_once("charge"));
}

#[test]
fn an_effect_that_is_noted_afterwards_happens_twice() {
    assert_eq!(
        explore(&Check::new("SET NX").fault(Fault::Crash, 1), |world| charges(world, true)).verdict,
        Verdict::Verified
    );
    let found = violated(&Check::new("check, charge, note"), |world| charges(world, false));
    assert_eq!(found.message, "charge happened twice for one key");
    assert!(found.story.unwrap().contains("did it for order-42 at step"));
}

fn lossy(world: &mut World, check: HistoryCheck) {
    world.client("writer", |ctx| async move {
        ctx.write("x", "1", set(&ctx, "x", "1")).await;
        ctx.sleep(1_500).await;
        ctx.redis().set::<_, _, ()>("y", "2").await
    });
    value_of(world, "x");
    world.history(check);
}

#[test]
fn what_a_power_loss_costs_is_measured() {
    let everysec = Check::new("everysec").fault(Fault::PowerLoss, 1);
    let found = violated(&everysec, |world| lossy(world, HistoryCheck::survival("x")));
    assert_eq!(found.message, "an acknowledged write of x is lost");
    let story = found.story.unwrap();
    assert!(story.starts_with("writer's write of 1 was acknowledged at step 1, "), "{story}");
    assert!(story.contains(" ms before \"power loss: "), "{story}");
    assert!(story.ends_with("; at the end x holds nothing."), "{story}");
    let within = |ms| explore(&everysec, |world| lossy(world, HistoryCheck::survival_but_for("x", ms))).verdict;
    assert_eq!((within(2_000), within(1_000)), (Verdict::Verified, Verdict::Violated), "everysec loses up to 2 s here");
    let always = Check::new("always").fault(Fault::PowerLoss, 1).persistence(Persistence::Always);
    assert_eq!(explore(&always, |world| lossy(world, HistoryCheck::survival("x"))).verdict, Verdict::Verified);
}

fn copy(world: &mut World, ttl: bool) {
    world.setup(|ctx| async move {
        let db = ctx.db();
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)", ()).await?;
        db.execute("INSERT INTO t VALUES (1, 'old')", ()).await
    });
    let row = |ctx: Ctx| async move {
        let row = ctx.db().query_value("SELECT v FROM t WHERE id = 1", ()).await.unwrap();
        row.and_then(|value| value.as_text().map(str::to_owned))
    };
    world.client("reader", move |ctx| async move {
        let value = row(ctx.clone()).await.unwrap();
        let mut redis = ctx.redis();
        if ttl {
            redis.set_ex::<_, _, ()>("copy", value, 300).await
        } else {
            redis.set::<_, _, ()>("copy", value).await
        }
    });
    world.client("writer", |ctx| async move {
        ctx.db().execute("UPDATE t SET v = 'new' WHERE id = 1", ()).await.unwrap();
        ctx.redis().del::<_, ()>("copy").await
    });
    world.agrees("t:1", |ctx| async move { get(&ctx, "copy").await }, row);
}

#[test]
fn a_copy_that_disagrees_with_its_row() {
    let found = violated(&Check::new("with a TTL"), |world| copy(world, true));
    assert_eq!(found.message, "t:1: the cache holds old and the row new, until a key expires (300 s)");
    assert_eq!(found.broken, Broken::Quiet);
    let story = "reader read t at step 1 and wrote copy at step 4; in between, writer changed t at step 2.";
    assert_eq!(found.story.as_deref(), Some(story));
    let found = violated(&Check::new("without"), |world| copy(world, false));
    assert_eq!(found.message, "t:1: the cache holds old and the row new, for ever");
    verified(&Check::new("nothing cached"), |world| {
        world.client("writer", |ctx| async move { ctx.redis().set::<_, _, ()>("row", 1).await });
        let row = |ctx: Ctx| async move { get(&ctx, "row").await };
        world.agrees("row", |ctx| async move { get(&ctx, "copy").await }, row);
        world.agrees("itself", row, row);
    });
}

//! The checks over the recorded history: small worlds with known verdicts.

use raceproof_explore::{Check, Ctx, HistoryCheck, Report, Verdict, World};
use redis::{AsyncCommands, RedisResult};

use crate::{explore, lines, violated};

fn table(world: &mut World) {
    world.setup(|ctx| async move {
        let db = ctx.db();
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)", ()).await?;
        db.execute("INSERT INTO t VALUES (1, 'old')", ()).await?;
        ctx.redis().set::<_, _, ()>("c", "old").await.unwrap();
        Ok::<(), raceproof_explore::SqlError>(())
    });
}

async fn update_row(ctx: &Ctx, value: &str) {
    ctx.db().execute("UPDATE t SET v = ?1 WHERE id = 1", [value]).await.unwrap();
}

async fn update_cache(ctx: &Ctx, value: &str) {
    ctx.redis().set::<_, _, ()>("c", value).await.unwrap();
}

async fn read_cache(ctx: &Ctx) -> Option<String> {
    ctx.redis().get("c").await.unwrap()
}

async fn read_row(ctx: &Ctx) -> Option<String> {
    let row = ctx.db().query_value("SELECT v FROM t WHERE id = 1", ()).await.unwrap();
    row.and_then(|value| value.as_text().map(str::to_owned))
}

/// One writer, whose work is given, beside one reader of the cache.
fn writer_and_reader<F: Future<Output = ()> + 'static>(
    check: HistoryCheck,
    work: impl Fn(Ctx) -> F + Clone + Sync + 'static,
) -> Report {
    explore(&Check::new("history"), |world: &mut World| {
        table(world);
        let work = work.clone();
        world.client("writer", move |ctx| async move {
            ctx.write("item", "new", work(ctx.clone())).await;
            ctx.redis().set::<_, _, ()>("unrelated", 1).await
        });
        world.client("reader", |ctx| async move {
            ctx.read("item", read_cache(&ctx)).await;
        });
        world.history(check.clone());
    })
}

fn verdicts<F: Future<Output = ()> + 'static>(work: impl Fn(Ctx) -> F + Clone + Sync + 'static) -> [Verdict; 2] {
    let of = |check| writer_and_reader(check, work.clone()).verdict;
    [of(HistoryCheck::fresh("item")), of(HistoryCheck::fresh_since_commit("item"))]
}

#[test]
fn a_write_that_reaches_the_cache_before_it_returns() {
    let work = |ctx: Ctx| async move {
        update_row(&ctx, "new").await;
        update_cache(&ctx, "new").await;
    };
    assert_eq!(
        verdicts(work),
        [Verdict::Verified, Verdict::Violated],
        "stale between commit and SET, but not owed yet"
    );
}

#[test]
fn a_write_that_reaches_the_cache_first() {
    let work = |ctx: Ctx| async move {
        update_cache(&ctx, "new").await;
        update_row(&ctx, "new").await;
    };
    assert_eq!(verdicts(work), [Verdict::Verified, Verdict::Verified]);
}

#[test]
fn a_write_that_never_reaches_the_cache() {
    let work = |ctx: Ctx| async move { update_row(&ctx, "new").await };
    assert_eq!(verdicts(work), [Verdict::Violated, Verdict::Violated]);
}

#[test]
fn a_write_without_a_database_is_owed_from_its_acknowledgement_alone() {
    let work = |ctx: Ctx| async move { update_cache(&ctx, "new").await };
    assert_eq!(verdicts(work), [Verdict::Verified, Verdict::Verified]);
    let nothing = |ctx: Ctx| async move { ctx.redis().set::<_, _, ()>("elsewhere", "new").await.unwrap() };
    assert_eq!(verdicts(nothing), [Verdict::Violated, Verdict::Verified], "it was never committed");
}

#[test]
fn a_stale_read_is_told_in_words() {
    let found = violated(&Check::new("stale"), |world| {
        table(world);
        world.client("writer", |ctx| async move { ctx.write("item", "new", update_row(&ctx, "new")).await });
        world.client("reader", |ctx| async move {
            ctx.read("item", read_cache(&ctx)).await;
        });
        world.history(HistoryCheck::fresh("item"));
    });
    assert_eq!(found.message, "stale read: an acknowledged write of item was not seen");
    let story =
        "writer's write of new was acknowledged at step 1; reader's read began after it, at step 2, and returned old.";
    assert_eq!(found.story.as_deref(), Some(story));
    assert_eq!(lines(&found), ["writer: UPDATE t SET v = 'new' WHERE id = 1 → 1 row", "reader: GET c → \"old\""]);
    let committed = violated(&Check::new("stale"), |world| {
        table(world);
        world.client("writer", |ctx| async move {
            let work = async {
                update_row(&ctx, "new").await;
                update_cache(&ctx, "new").await;
            };
            ctx.write("item", "new", work).await;
        });
        world.client("reader", |ctx| async move {
            ctx.read("item", read_cache(&ctx)).await;
        });
        world.history(HistoryCheck::fresh_since_commit("item"));
    });
    assert_eq!(committed.message, "stale read: a committed write of item was not seen");
    assert_eq!(committed.steps.len(), 2, "the SET is not needed to show it");
}

#[test]
fn a_read_that_began_before_the_acknowledgement_may_return_either() {
    let report = explore(&Check::new("concurrent"), |world| {
        table(world);
        world.client("writer", |ctx| async move { ctx.write("item", "new", update_row(&ctx, "new")).await });
        world.client("reader", |ctx| async move {
            let slow = async {
                let old = read_row(&ctx).await;
                ctx.redis().set::<_, _, ()>("a", 1).await.unwrap();
                ctx.redis().set::<_, _, ()>("b", 1).await.unwrap();
                old
            };
            ctx.read("item", slow).await;
        });
        world.history(HistoryCheck::fresh("item"));
    });
    assert_eq!((report.verdict, report.violation), (Verdict::Verified, None));
}

#[test]
fn a_newer_value_than_the_one_owed_is_fresh() {
    let report = explore(&Check::new("two writers"), |world| {
        table(world);
        for value in ["one", "two"] {
            world.client(format!("writer {value}"), move |ctx| async move {
                ctx.write("item", value, update_row(&ctx, value)).await;
            });
        }
        world.client("reader", |ctx| async move {
            ctx.read("item", read_row(&ctx)).await;
        });
        world.history(HistoryCheck::fresh("item"));
        world.history(HistoryCheck::fresh_since_commit("item"));
    });
    assert_eq!((report.verdict, report.violation), (Verdict::Verified, None));
}

#[test]
fn a_writer_that_dies_was_never_acknowledged() {
    let body = |world: &mut World| {
        table(world);
        world.client("writer", |ctx| async move {
            let work = async {
                update_row(&ctx, "new").await;
                update_cache(&ctx, "new").await;
            };
            ctx.write("item", "new", work).await;
        });
        world.client("reader", |ctx| async move {
            ctx.read("item", read_cache(&ctx)).await;
        });
        world.history(HistoryCheck::fresh("item"));
    };
    assert_eq!(explore(&Check::new("dies").crashes(1), body).verdict, Verdict::Verified);
}

#[test]
fn another_object_is_another_matter() {
    let report = explore(&Check::new("other"), |world| {
        table(world);
        world.client("writer", |ctx| async move { ctx.write("item", "new", update_row(&ctx, "new")).await });
        world.client("reader", |ctx| async move {
            ctx.read("something else", read_cache(&ctx)).await;
        });
        world.history(HistoryCheck::fresh("item"));
    });
    assert_eq!(report.verdict, Verdict::Verified);
}

/// Two clients that take a lock in one way, stay inside, and give it back.
fn section(world: &mut World, locked: bool) {
    for me in ["web", "mobile"] {
        world.client(me, move |ctx| async move {
            let mut redis = ctx.redis();
            if locked && !redis.set_nx::<_, _, bool>("lock", me).await? {
                return Ok(());
            }
            ctx.inside("row", async {
                ctx.redis().set::<_, _, ()>(me, "a").await?;
                ctx.redis().set::<_, _, ()>(me, "b").await
            })
            .await?;
            if locked {
                redis.del::<_, ()>("lock").await?;
            }
            RedisResult::Ok(())
        });
    }
    world.history(HistoryCheck::exclusion("row"));
}

#[test]
fn mutual_exclusion() {
    assert_eq!(explore(&Check::new("locked"), |world| section(world, true)).verdict, Verdict::Verified);
    let found = violated(&Check::new("open"), |world| section(world, false));
    assert_eq!(found.message, "two clients inside row");
    let story = found.story.expect("who was inside since when");
    assert!(story.contains("was inside row from step") && story.contains("came in at step"), "{story}");
}

#[test]
fn a_client_that_died_inside_is_not_inside_any_more() {
    let body = |world: &mut World| {
        for me in ["web", "mobile"] {
            world.client(me, move |ctx| async move {
                let options = redis::SetOptions::default()
                    .conditional_set(redis::ExistenceCheck::NX)
                    .with_expiration(redis::SetExpiry::PX(100));
                while !ctx.redis().set_options::<_, _, bool>("lock", me, options.clone()).await? {
                    ctx.sleep(101).await;
                }
                ctx.inside("row", ctx.redis().set::<_, _, ()>(me, "a")).await?;
                ctx.redis().del::<_, ()>("lock").await
            });
        }
        world.history(HistoryCheck::exclusion("row"));
    };
    assert_eq!(explore(&Check::new("dies inside").crashes(1), body).verdict, Verdict::Verified);
}

//! The replica, as clients meet it.

use raceproof_explore::{Check, Fault, Persistence, Verdict, World};
use redis::{AsyncCommands, RedisResult};

use crate::{Tally, explore, violated};

/// A client that writes twice, and another that then reads the replica twice.
fn two_reads(world: &mut World, seen: &Tally) {
    let seen = seen.clone();
    world.client("web", |ctx| async move {
        let mut redis = ctx.redis();
        redis.set::<_, _, ()>("a", 1).await?;
        redis.set::<_, _, ()>("a", 2).await
    });
    world.client("reader", move |ctx| {
        let seen = seen.clone();
        async move {
            if ctx.redis().get::<_, Option<u8>>("a").await? != Some(2) {
                return RedisResult::Ok(());
            }
            let mut replica = ctx.replica();
            let first: Option<u8> = replica.get("a").await?;
            let second: Option<u8> = replica.get("a").await?;
            seen.add(format!("{} {}", first.unwrap_or(0), second.unwrap_or(0)));
            Ok(())
        }
    });
}

fn seen(lags: u32) -> Vec<String> {
    let tally = Tally::default();
    let check = Check::new("replica").fault(Fault::Lag, lags);
    assert_eq!(explore(&check, |world| two_reads(world, &tally)).verdict, Verdict::Verified);
    tally.seen()
}

#[test]
fn it_is_up_to_date_unless_it_lags() {
    assert_eq!(seen(0), ["2 2"]);
    assert_eq!(seen(1), ["0 2", "1 2", "2 2"]);
}

#[test]
fn it_never_goes_back() {
    assert_eq!(seen(2), ["0 0", "0 1", "0 2", "1 1", "1 2", "2 2"]);
}

/// One client has read the new value from the replica, and another reads after it.
#[test]
fn all_clients_read_the_same_one() {
    let report = explore(&Check::new("one replica").fault(Fault::Lag, 2), |world| {
        world.client("web", |ctx| async move { ctx.redis().set::<_, _, ()>("a", 1).await });
        let told = world.shared("told", false);
        let (tells, hears) = (told.clone(), told);
        world.client("first", move |ctx| {
            let tells = tells.clone();
            async move {
                if ctx.replica().exists("a").await? {
                    tells.update(&ctx, |told| *told = true).await;
                }
                RedisResult::Ok(())
            }
        });
        world.client("second", move |ctx| {
            let hears = hears.clone();
            async move {
                let shown = hears.read(&ctx, |told| *told).await;
                let here: bool = ctx.replica().exists("a").await?;
                assert!(here || !shown, "it has gone back");
                RedisResult::Ok(())
            }
        });
    });
    assert_eq!(report.verdict, Verdict::Verified, "{:?}", report.violation);
}

#[test]
fn it_refuses_writes() {
    let report = explore(&Check::new("read only"), |world| {
        world.client("web", |ctx| async move {
            let mut replica = ctx.replica();
            let refused = |ended: RedisResult<()>| ended.expect_err("a write").to_string();
            let set = refused(replica.set("a", 1).await);
            assert!(set.contains("You can't write against a read only replica."), "{set}");
            let script = redis::Script::new("return redis.call('SET', KEYS[1], 1)");
            let in_script = refused(script.key("a").invoke_async(&mut replica).await);
            assert!(in_script.contains("You can't write against a read only replica."), "{in_script}");
            refused(redis::pipe().atomic().get("a").set("a", 1).query_async(&mut replica).await);
            assert!(!ctx.redis().exists::<_, bool>("a").await.expect("an answer"));
        });
    });
    assert_eq!(report.verdict, Verdict::Verified, "{:?}", report.violation);
}

/// The deadline that the primary has taken away still ends the key on a replica that has not heard of it; and the
/// primary's deletion of it is nothing that the replica waits for.
#[test]
fn keys_expire_on_it_by_its_own_clock() {
    let seen = |lags: u32| {
        let tally = Tally::default();
        let check = Check::new("expiry").fault(Fault::Lag, lags).pauses(1);
        let report = explore(&check, |world| {
            world.setup(|ctx| async move { ctx.redis().pset_ex::<_, _, ()>("v", 1, 100).await });
            let seen = tally.clone();
            world.client("web", move |ctx| {
                let seen = seen.clone();
                async move {
                    let mut redis = ctx.redis();
                    redis.persist::<_, ()>("v").await?;
                    let kept: bool = redis.exists("v").await?;
                    let shown: bool = ctx.replica().exists("v").await?;
                    seen.add(format!("{kept} {shown}"));
                    RedisResult::Ok(())
                }
            });
        });
        assert_eq!(report.verdict, Verdict::Verified, "{:?}", report.violation);
        tally.seen()
    };
    assert_eq!(seen(0), ["false false", "true true"]);
    assert_eq!(seen(1), ["false false", "true false", "true true"]);
}

/// A replica that takes over has what it has shown, whether it may lag otherwise or not.
#[test]
fn what_it_has_shown_survives_it_taking_over() {
    for lags in [0, 1] {
        let check = Check::new("takes over").fault(Fault::Lag, lags).fault(Fault::Failover, 1);
        let body = |replica: bool| {
            move |world: &mut World| {
                world.client("web", |ctx| async move {
                    let _: RedisResult<()> = ctx.redis().set("a", 1).await;
                });
                world.client("reader", move |ctx| async move {
                    let mut first = if replica { ctx.replica() } else { ctx.redis() };
                    let shown = first.exists::<_, bool>("a").await.unwrap_or(false);
                    // The first command may meet a connection that broke.
                    let mut redis = ctx.redis();
                    let here = match redis.exists::<_, bool>("a").await {
                        Ok(here) => here,
                        Err(_) => redis.exists("a").await.unwrap_or(true),
                    };
                    assert!(here || !shown, "what was read is gone");
                });
            }
        };
        assert_eq!(explore(&check, body(true)).verdict, Verdict::Verified);
        assert_eq!(explore(&check, body(false)).verdict, Verdict::Violated);
    }
}

#[test]
fn its_connections_outlive_the_server() {
    let tally = Tally::default();
    let check = Check::new("outlive").fault(Fault::Restart, 1).persistence(Persistence::Rdb);
    let report = explore(&check, |world| {
        let seen = tally.clone();
        world.client("web", move |ctx| {
            let seen = seen.clone();
            async move {
                let mut replica = ctx.replica();
                redis::cmd("SELECT").arg(1).query_async::<()>(&mut replica).await?;
                let mut redis = ctx.redis();
                redis::cmd("SELECT").arg(1).query_async::<()>(&mut redis).await?;
                redis.set::<_, _, ()>("a", 1).await?;
                let shown: bool = replica.exists("a").await?;
                let kept = redis.exists::<_, bool>("a").await;
                seen.add(format!("{shown} {}", kept.map_or("broken".to_owned(), |kept| kept.to_string())));
                RedisResult::Ok(())
            }
        });
    });
    assert_eq!(report.verdict, Verdict::Verified, "{:?}", report.violation);
    assert_eq!(tally.seen(), ["false broken", "true broken", "true true"]);
}

/// Without lag there is no order of the clients in which the read is stale, and with it none is sought.
#[test]
fn what_an_old_state_shows_is_not_serializable() {
    let body = |world: &mut World| {
        world.client("web", |ctx| async move {
            ctx.redis().set::<_, _, ()>("a", 1).await?;
            let _: Option<u8> = ctx.replica().get("a").await?;
            RedisResult::Ok(())
        });
        world.serializable();
    };
    assert_eq!(explore(&Check::new("calm"), body).verdict, Verdict::Verified);
    violated(&Check::new("lag").fault(Fault::Lag, 1), body);
}

#[test]
fn a_counterexample_says_how_far_behind_it_is() {
    let found = violated(&Check::new("own write").fault(Fault::Lag, 1), |world| {
        world.client("web", |ctx| async move {
            ctx.redis().set::<_, _, ()>("a", 1).await.expect("it is set");
            let read: Option<u8> = ctx.replica().get("a").await.expect("a number");
            assert_eq!(read, Some(1), "its own write");
        });
    });
    assert_eq!(found.steps[1].notes, ["from the replica, one write behind"]);
    assert!(found.token.starts_with("rp1.aa1O0."), "{}", found.token);
}

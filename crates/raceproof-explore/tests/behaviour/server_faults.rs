//! Faults of the surroundings, as clients and checks meet them.

use raceproof_explore::{Check, Fault, Persistence, Strategy, Verdict, World};
use redis::{AsyncCommands, RedisResult};

use crate::{Tally, explore, lines, violated};

/// A write whose end goes to the tally, and what the key holds when all is over.
fn one_write(world: &mut World, seen: &Tally) {
    let (told, held) = (seen.clone(), seen.clone());
    world.setup(|ctx| async move { ctx.redis().set::<_, _, ()>("a", "old").await });
    world.client("web", move |ctx| {
        let told = told.clone();
        async move {
            let before = ctx.now();
            let ended: RedisResult<()> = ctx.redis().set("a", "new").await;
            let waited = ctx.now() - before;
            let how = match &ended {
                Ok(()) => "told",
                Err(error) if error.is_timeout() => "timed out",
                Err(error) if error.is_connection_refusal() => "refused",
                Err(error) if error.is_connection_dropped() => "dropped",
                Err(_) => "otherwise",
            };
            told.add(format!("{how} after {waited} ms"));
        }
    });
    world.finally(move |ctx| {
        let held = held.clone();
        async move {
            let value: Option<String> = ctx.redis().get("a").await?;
            held.add(format!("holds {}", value.unwrap_or_default()));
            RedisResult::Ok(())
        }
    });
}

fn seen(check: &Check) -> Vec<String> {
    let tally = Tally::default();
    assert_eq!(explore(check, |world| one_write(world, &tally)).verdict, Verdict::Verified);
    tally.seen()
}

#[test]
fn a_lost_reply_is_an_error_of_the_connection_or_of_its_patience() {
    let check = Check::new("lost").fault(Fault::LostReply, 1);
    assert_eq!(
        seen(&check),
        ["dropped after 0 ms", "holds new", "holds old", "timed out after 500 ms", "told after 0 ms"]
    );
}

#[test]
fn a_command_may_arrive_when_its_client_has_gone_on() {
    let check = Check::new("late").fault(Fault::Late, 1);
    assert_eq!(
        seen(&check),
        ["dropped after 0 ms", "holds new", "holds old", "timed out after 500 ms", "told after 0 ms"]
    );
}

/// A write that is tried again, and one more after it.
fn tries_again(world: &mut World) {
    world.client("web", |ctx| async move {
        let mut redis = ctx.redis();
        if redis.set::<_, _, ()>("a", "first").await.is_err() {
            redis.set::<_, _, ()>("a", "first").await?;
        }
        redis.set::<_, _, ()>("a", "second").await
    });
    world.finally(|ctx| async move {
        let value: Option<String> = ctx.redis().get("a").await?;
        assert!(!ctx.returned("web") || value.as_deref() == Some("second"), "the first write came last");
        RedisResult::Ok(())
    });
}

#[test]
fn a_late_command_overtakes_nothing_and_is_overtaken() {
    assert_eq!(explore(&Check::new("lost").fault(Fault::LostReply, 2), tries_again).verdict, Verdict::Verified);
    let found = violated(&Check::new("late").fault(Fault::Late, 1), tries_again);
    let steps: Vec<(&str, bool)> = found.steps.iter().map(|step| (step.text.as_str(), step.unanswered)).collect();
    assert_eq!(
        steps,
        [
            ("SET a first is still on its way when the connection breaks", false),
            ("SET a first", false),
            ("SET a second", false),
            ("SET a first", true),
        ]
    );
    assert_eq!(found.steps[3].notes, ["arrives late"]);
    let choices = found.token.split('.').nth(1);
    assert_eq!(choices, Some("aVaaaM"), "the token names what arrives");
}

/// The connection that is given up had chosen another database; the new one has not.
#[test]
fn a_late_command_finds_its_connection_as_it_was() {
    let tally = Tally::default();
    let report = explore(&Check::new("late").fault(Fault::Late, 1), |world| {
        let seen = tally.clone();
        world.client("web", |ctx| async move {
            let mut redis = ctx.redis();
            redis::cmd("SELECT").arg(3).query_async::<()>(&mut redis).await?;
            let lost = redis.set::<_, _, ()>("a", 1).await.is_err();
            if lost { redis.set::<_, _, ()>("b", 1).await } else { Ok(()) }
        });
        world.finally(move |ctx| {
            let seen = seen.clone();
            async move {
                let mut redis = ctx.redis();
                let here: Vec<String> = redis.keys("*").await?;
                redis::cmd("SELECT").arg(3).query_async::<()>(&mut redis).await?;
                let there: Vec<String> = redis.keys("*").await?;
                seen.add(format!("{here:?} {there:?}"));
                RedisResult::Ok(())
            }
        });
    });
    assert_eq!(report.verdict, Verdict::Verified);
    let expected = [r#"["b"] ["a"]"#, r#"["b"] []"#, r#"[] ["a"]"#, "[] []"];
    assert_eq!(tally.seen(), expected);
}

#[test]
fn who_is_cut_off_is_refused_and_nothing_is_written() {
    let check = Check::new("partition").fault(Fault::Partition, 1);
    assert_eq!(seen(&check), ["holds new", "holds old", "refused after 0 ms", "told after 0 ms"]);
}

#[test]
fn what_a_restart_keeps_is_a_matter_of_persistence() {
    let left = |fault, persistence| {
        let mut seen = seen(&Check::new("kept").fault(fault, 1).persistence(persistence));
        seen.retain(|what| what.starts_with("holds"));
        seen.join(", ")
    };
    assert_eq!(left(Fault::Restart, Persistence::Always), "holds new");
    assert_eq!(left(Fault::Restart, Persistence::EverySec), "holds new");
    assert_eq!(left(Fault::Restart, Persistence::Rdb), "holds new, holds old");
    assert_eq!(left(Fault::Restart, Persistence::None), "holds , holds new");
    assert_eq!(left(Fault::PowerLoss, Persistence::Always), "holds new");
    assert_eq!(left(Fault::PowerLoss, Persistence::EverySec), "holds new, holds old");
    assert_eq!(left(Fault::PowerLoss, Persistence::No), "holds new, holds old");
    assert_eq!(left(Fault::Failover, Persistence::Always), "holds new, holds old");
}

/// A write that is seen `ms` later: may it still be lost?
fn lost_after(ms: u64) -> bool {
    let tally = Tally::default();
    let check = Check::new("everysec").fault(Fault::PowerLoss, 1);
    let report = explore(&check, |world| {
        let lost = tally.clone();
        world.client("web", move |ctx| async move {
            let mut redis = ctx.redis();
            redis.set::<_, _, ()>("a", 1).await?;
            ctx.sleep(ms).await;
            let there: bool = redis.exists("a").await?;
            if there { RedisResult::Ok(()) } else { std::future::pending().await }
        });
        world.finally(move |ctx| {
            let lost = lost.clone();
            async move {
                let there: bool = ctx.redis().exists("a").await?;
                if ctx.returned("web") && !there {
                    lost.add("lost".to_owned());
                }
                RedisResult::Ok(())
            }
        });
    });
    assert_eq!(report.verdict, Verdict::Verified);
    !tally.seen().is_empty()
}

#[test]
fn a_write_grows_durable_with_time() {
    assert!(lost_after(1_999));
    assert!(!lost_after(2_000));
}

#[test]
fn a_script_that_is_gone_is_an_error_that_the_client_sees() {
    let found = violated(&Check::new("evalsha").fault(Fault::ScriptFlush, 1), |world| {
        world.client("web", |ctx| async move {
            let mut redis = ctx.redis();
            let sha: String = redis::cmd("SCRIPT").arg("LOAD").arg("return 1").query_async(&mut redis).await?;
            redis::cmd("EVALSHA").arg(sha).arg(0).query_async::<i64>(&mut redis).await
        });
    });
    assert_eq!(
        lines(&found)[1..],
        [
            "server: SCRIPT FLUSH",
            "web: EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0 → (error) NOSCRIPT No matching script. Please use EVAL."
        ]
    );
}

#[test]
fn the_servers_clock_jumps_and_the_clients_does_not() {
    let found = violated(&Check::new("jump").fault(Fault::ClockJump, 1), |world| {
        world.setup(|ctx| async move { ctx.redis().set_ex::<_, _, ()>("lock", 1, 30).await });
        world.client("holder", |ctx| async move {
            let before = ctx.now();
            let there: bool = ctx.redis().exists("lock").await?;
            assert_eq!(ctx.now(), before, "no time has passed here");
            assert!(there, "the lock is gone");
            RedisResult::Ok(())
        });
    });
    assert_eq!(lines(&found), ["server: its clock jumps by +30001 ms", "holder: EXISTS lock → 0"]);
}

#[test]
fn evicted_and_flushed_keys_are_gone() {
    for (fault, text) in [(Fault::Evict, "server: evicts a"), (Fault::Flush, "server: FLUSHALL")] {
        let found = violated(&Check::new("gone").fault(fault, 1), |world| {
            world.setup(|ctx| async move { ctx.redis().set::<_, _, ()>("a", 1).await });
            world.client("web", |ctx| async move {
                let there: bool = ctx.redis().exists("a").await?;
                assert!(there, "a is gone");
                RedisResult::Ok(())
            });
        });
        assert_eq!(lines(&found), [text, "web: EXISTS a → 0"]);
    }
}

/// The fault comes after the last step of the last client as well.
#[test]
fn a_server_may_go_down_when_all_clients_have_ended() {
    let check = Check::new("end").fault(Fault::Failover, 1);
    let found = violated(&check, |world| {
        world.client("web", |ctx| async move { ctx.redis().set::<_, _, ()>("a", 1).await });
        world.finally(|ctx| async move {
            let there: bool = ctx.redis().exists("a").await?;
            assert!(there || !ctx.returned("web"), "an acknowledged write is gone");
            RedisResult::Ok(())
        });
    });
    assert_eq!(lines(&found), ["web: SET a 1 → OK", "server: failover: the last write is lost"]);
    assert!(found.token.starts_with("rp1.aF0."), "{}", found.token);
}

#[test]
fn a_commit_of_which_nobody_knows_took_effect_or_not() {
    let tally = Tally::default();
    let report = explore(&Check::new("commit").fault(Fault::CommitUnknown, 1), |world| {
        let (told, held) = (tally.clone(), tally.clone());
        world.setup(|ctx| async move { ctx.db().execute("CREATE TABLE t (id INTEGER PRIMARY KEY)", ()).await });
        world.client("web", move |ctx| {
            let told = told.clone();
            async move {
                let db = ctx.db();
                db.begin().await?;
                db.execute("INSERT INTO t VALUES (1)", ()).await?;
                match db.commit().await {
                    Err(error) if error.maybe_applied => told.add("unknown".to_owned()),
                    ended => ended?,
                }
                Ok::<(), raceproof_explore::SqlError>(())
            }
        });
        world.finally(move |ctx| {
            let held = held.clone();
            async move {
                let rows = ctx.db().query("SELECT id FROM t", ()).await?;
                held.add(format!("{} rows", rows.len()));
                Ok::<(), raceproof_explore::SqlError>(())
            }
        });
    });
    assert_eq!(report.verdict, Verdict::Verified);
    assert_eq!(tally.seen(), ["0 rows", "1 rows", "unknown"]);
}

#[test]
fn a_restarted_server_has_the_settings_of_the_setup_and_no_others() {
    for (fault, persistence) in [
        (Fault::Restart, Persistence::EverySec),
        (Fault::Restart, Persistence::None),
        (Fault::PowerLoss, Persistence::EverySec),
        (Fault::Failover, Persistence::EverySec),
    ] {
        let tally = Tally::default();
        let report = explore(&Check::new("settings").fault(fault, 1).persistence(persistence), |world| {
            let seen = tally.clone();
            let set = |policy| {
                let mut set = redis::cmd("CONFIG");
                set.arg("SET").arg("maxmemory-policy").arg(policy);
                set
            };
            world.setup(move |ctx| async move { set("volatile-lru").query_async::<()>(&mut ctx.redis()).await });
            world.client("web", move |ctx| async move { set("allkeys-lru").query_async::<()>(&mut ctx.redis()).await });
            world.finally(move |ctx| {
                let seen = seen.clone();
                async move {
                    let mut get = redis::cmd("CONFIG");
                    get.arg("GET").arg("maxmemory-policy");
                    let found: std::collections::HashMap<String, String> = get.query_async(&mut ctx.redis()).await?;
                    seen.add(found["maxmemory-policy"].clone());
                    RedisResult::Ok(())
                }
            });
        });
        assert_eq!(report.verdict, Verdict::Verified, "{:?}", report.violation);
        assert_eq!(tally.seen(), ["allkeys-lru", "volatile-lru"], "{fault}");
    }
}

/// A worker that waits for what another client pushes, whose command may be still on its way.
fn waits_for(world: &mut World, queue: &'static str) {
    world.client("web", |ctx| async move {
        let _ = ctx.redis().rpush::<_, _, ()>("q", 1).await;
    });
    world.client("worker", move |ctx| async move {
        redis::cmd("BLPOP").arg(queue).arg(0).query_async::<redis::Value>(&mut ctx.redis()).await.map(drop)
    });
}

#[test]
fn nobody_waits_for_ever_for_what_is_still_on_its_way() {
    let check = Check::new("late").fault(Fault::Late, 1);
    assert_eq!(explore(&check, |world| waits_for(world, "q")).verdict, Verdict::Verified);
    let sampled = check.clone().strategy(Strategy::Random { seed: 1 }).max_executions(200);
    assert_eq!(explore(&sampled, |world| waits_for(world, "q")).violation, None);
    let found = violated(&check, |world| waits_for(world, "elsewhere"));
    assert_eq!(found.message, "deadlock: worker waits with BLPOP elsewhere 0");
    let lost = violated(&Check::new("lost").fault(Fault::LostReply, 1), |world| waits_for(world, "q"));
    assert_eq!(lost.message, "deadlock: worker waits with BLPOP q 0");
}

//! What clients are sent beside replies.

use raceproof_explore::{Check, Ctx, Fault, StepKind, World};
use redis::{AsyncCommands, Msg, PushKind, RedisResult, Value, cmd};

use super::{explore, lines, verified, violated};

/// What was said on a channel.
fn text(message: redis::PushInfo) -> String {
    Msg::from_push_info(message).expect("a message of a channel").get_payload().expect("a text")
}

async fn publish(ctx: Ctx, messages: &'static [&'static str]) -> RedisResult<()> {
    for message in messages {
        ctx.redis().publish::<_, _, ()>("c", *message).await?;
    }
    Ok(())
}

async fn subscribed(ctx: &Ctx) -> RedisResult<raceproof_explore::RedisConnection> {
    let mut redis = ctx.redis();
    cmd("SUBSCRIBE").arg("c").query_async::<Value>(&mut redis).await?;
    Ok(redis)
}

#[test]
fn messages_come_in_the_order_in_which_they_were_sent_or_not_at_all() {
    let seen = super::Tally::default();
    explore(&Check::new("channel"), |world: &mut World| {
        let seen = seen.clone();
        world.client("ear", move |ctx| {
            let seen = seen.clone();
            async move {
                let redis = subscribed(&ctx).await?;
                let mut heard = Vec::new();
                while let Ok(message) = ctx.timeout(10, redis.receive()).await {
                    heard.push(text(message?));
                }
                seen.add(heard.join(" "));
                RedisResult::Ok(())
            }
        });
        world.client("mouth", |ctx| publish(ctx, &["1", "2"]));
    });
    assert_eq!(seen.seen(), ["", "1 2", "2"]);
}

#[test]
fn what_is_looked_for_has_arrived_for_certain_only_after_a_reply() {
    for (ping, expected) in [(true, &["1"][..]), (false, &["", "1"])] {
        let seen = super::Tally::default();
        explore(&Check::new("look"), |world: &mut World| {
            let seen = seen.clone();
            world.client("ear", move |ctx| {
                let seen = seen.clone();
                async move {
                    let mut redis = subscribed(&ctx).await?;
                    ctx.redis().set::<_, _, ()>("listens", 1).await?;
                    while ctx.redis().get::<_, Option<String>>("said").await?.is_none() {
                        ctx.sleep(1).await;
                    }
                    if ping {
                        cmd("PING").query_async::<Value>(&mut redis).await?;
                    }
                    seen.add(redis.try_receive().await?.map(text).unwrap_or_default());
                    RedisResult::Ok(())
                }
            });
            world.client("mouth", |ctx| async move {
                while ctx.redis().get::<_, Option<String>>("listens").await?.is_none() {
                    ctx.sleep(1).await;
                }
                publish(ctx.clone(), &["1"]).await?;
                ctx.redis().set::<_, _, ()>("said", 1).await
            });
        });
        assert_eq!(seen.seen(), expected, "with a reply in between: {ping}");
    }
}

#[test]
fn a_receiver_learns_once_that_its_connection_is_gone() {
    let check = Check::new("gone").fault(Fault::Restart, 1);
    let seen = super::Tally::default();
    explore(&check, |world: &mut World| {
        let seen = seen.clone();
        world.client("ear", move |ctx| {
            let seen = seen.clone();
            async move {
                let redis = subscribed(&ctx).await?;
                let mut heard = Vec::new();
                for _ in 0..2 {
                    heard.push(match ctx.timeout(10, redis.receive()).await {
                        Ok(Ok(message)) => text(message),
                        Ok(Err(error)) => format!("{:?}", error.is_io_error()),
                        Err(_) => "nothing".to_owned(),
                    });
                }
                seen.add(heard.join(" "));
                RedisResult::Ok(())
            }
        });
    });
    assert_eq!(seen.seen(), ["nothing nothing", "nothing true", "true nothing"]);
}

#[test]
fn the_counterexample_shows_when_a_message_is_received() {
    let found = violated(&Check::new("tracking"), |world: &mut World| {
        world.client("app", |ctx| async move {
            let mut redis = ctx.redis();
            cmd("HELLO").arg(3).query_async::<Value>(&mut redis).await.expect("RESP3");
            cmd("CLIENT").arg(&["TRACKING", "ON"]).query_async::<Value>(&mut redis).await.expect("it tracks");
            redis.get::<_, Option<String>>("k").await.expect("a text");
            match ctx.timeout(10, redis.receive()).await {
                Ok(message) => {
                    assert_eq!(message.expect("it arrives").kind, PushKind::Invalidate);
                    Err("k was changed")
                }
                Err(_) => Ok(()),
            }
        });
        world.client("writer", |ctx| async move { ctx.redis().set::<_, _, ()>("k", 1).await });
    });
    assert_eq!(found.steps.last().map(|step| step.kind), Some(StepKind::Message));
    assert_eq!(lines(&found).last().map(String::as_str), Some("app: receives invalidate k"));
}

/// Of several tasks that share a connection each message reaches one.
#[test]
fn a_message_is_received_once() {
    verified(&Check::new("shared"), |world: &mut World| {
        world.client("ear", |ctx| async move {
            let redis = subscribed(&ctx).await?;
            let other = redis.clone();
            let counts = |ctx: Ctx, redis: raceproof_explore::RedisConnection| async move {
                if ctx.timeout(10, redis.receive()).await.is_ok() {
                    ctx.redis().incr::<_, _, ()>("heard", 1).await?;
                }
                RedisResult::Ok(())
            };
            ctx.spawn("other", move |ctx| counts(ctx, other));
            counts(ctx, redis).await
        });
        world.client("mouth", |ctx| publish(ctx, &["1"]));
        world.finally(|ctx| async move {
            let heard = ctx.redis().get::<_, Option<i64>>("heard").await.expect("a number").unwrap_or_default();
            if heard <= 1 { Ok(()) } else { Err(format!("heard {heard} times")) }
        });
    });
}

/// An admin who closes the connection of a worker, which is the first of the first client.
fn closes(world: &mut World) {
    world.client("admin", |ctx| async move {
        let kill = cmd("CLIENT").arg("KILL").arg("ID").arg(10_000).to_owned();
        let killed: i64 = kill.query_async(&mut ctx.redis()).await?;
        ctx.redis().set::<_, _, ()>("killed", killed).await
    });
}

#[test]
fn a_client_that_waits_learns_at_once_that_its_connection_is_closed() {
    let seen = super::Tally::default();
    verified(&Check::new("kill"), |world: &mut World| {
        let seen = seen.clone();
        world.client("worker", move |ctx| {
            let seen = seen.clone();
            async move {
                let mut redis = ctx.redis();
                let begun = ctx.now();
                let wait = cmd("BLPOP").arg("q").arg(1).to_owned();
                let ended = wait.query_async::<Value>(&mut redis).await;
                let (after, dropped) = (ctx.now() - begun, ended.is_err_and(|error| error.is_connection_dropped()));
                // It connects anew.
                let again = redis.get::<_, Option<i64>>("killed").await?;
                seen.add(format!("dropped: {dropped} after {after} ms, then {again:?}"));
                RedisResult::Ok(())
            }
        });
        closes(world);
    });
    assert_eq!(
        seen.seen(),
        [
            "dropped: false after 1001 ms, then Some(0)",
            "dropped: true after 0 ms, then None",
            "dropped: true after 0 ms, then Some(1)",
        ]
    );
}

#[test]
fn a_client_learns_from_its_next_command_that_its_connection_is_closed() {
    let seen = super::Tally::default();
    verified(&Check::new("kill"), |world: &mut World| {
        let seen = seen.clone();
        world.client("worker", move |ctx| {
            let seen = seen.clone();
            async move {
                let mut redis = ctx.redis();
                let mut ends = Vec::new();
                for value in 1..=3 {
                    let ended: RedisResult<()> = redis.append("a", value).await;
                    ends.push(if ended.is_ok() { "ok" } else { "dropped" });
                }
                // What was dropped was not sent.
                let text: String = redis.get("a").await?;
                seen.add(format!("{} {text}", ends.join(" ")));
                RedisResult::Ok(())
            }
        });
        closes(world);
    });
    // Before its first command there is no connection to close.
    assert_eq!(seen.seen(), ["ok dropped ok 13", "ok ok dropped 12", "ok ok ok 123"]);
}

/// With its connection go what it has watched and what it listens to.
#[test]
fn who_listens_learns_that_its_connection_is_closed() {
    let seen = super::Tally::default();
    verified(&Check::new("kill"), |world: &mut World| {
        let seen = seen.clone();
        world.client("ear", move |ctx| {
            let seen = seen.clone();
            async move {
                let redis = subscribed(&ctx).await?;
                let heard = match ctx.timeout(10, redis.receive()).await {
                    Ok(Ok(message)) => text(message),
                    Ok(Err(error)) => format!("dropped: {}", error.is_connection_dropped()),
                    Err(_) => "nothing".to_owned(),
                };
                let ears: std::collections::HashMap<String, i64> =
                    cmd("PUBSUB").arg("NUMSUB").arg("c").query_async(&mut ctx.redis()).await?;
                seen.add(format!("{heard}, {} listen", ears["c"]));
                RedisResult::Ok(())
            }
        });
        closes(world);
    });
    assert_eq!(seen.seen(), ["dropped: true, 0 listen", "nothing, 1 listen"]);
}

#[test]
fn the_counterexample_shows_whose_connection_is_closed() {
    let found = violated(&Check::new("kill"), |world: &mut World| {
        world.client("worker", |ctx| async move {
            let mut redis = ctx.redis();
            let wait = cmd("BLPOP").arg("q").arg(0).to_owned();
            match wait.query_async::<Value>(&mut redis).await {
                Err(_) => Err("its queue is gone"),
                Ok(_) => Ok(()),
            }
        });
        closes(world);
    });
    assert_eq!(
        lines(&found),
        [
            "worker: BLPOP q 0 → (waits)",
            "admin: CLIENT KILL ID 10000 → 1",
            "worker: BLPOP q 0 fails: its connection is closed"
        ]
    );
}

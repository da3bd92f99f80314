//! **M3**: both keys of a session have one deadline, at most its maximal age after its birth.
//! **M5**: a session touched at gaps of at most 0.9 × its sliding life does not expire before its maximal age.

use raceproof::memory::{Error, Scripts};
use raceproof_explore::{Ctx, World};
use redis::AsyncCommands;

use crate::{File, NO_FAULTS, S, Within, begin, begun, holds_only_whole, memory, mutant, op};

const TWO_DEADLINES: &str = "M3: two deadlines";
const TOO_OLD: &str = "M3: a deadline beyond the maximal age";
const FOR_EVER: &str = "M3: no deadline";
const EXPIRED: &str = "M5: a session in use expired";

/// What `PEXPIRETIME` gives for a key without deadline, and for no key.
const NO_DEADLINE: i64 = -1;
const NO_KEY: i64 = -2;

async fn deadlines(ctx: Ctx) -> Result<(), redis::RedisError> {
    let mut redis = ctx.redis();
    let m: i64 = redis::cmd("PEXPIRETIME").arg("{s}:m").query_async(&mut redis).await?;
    let ops: i64 = redis::cmd("PEXPIRETIME").arg("{s}:ops").query_async(&mut redis).await?;
    assert!(m != NO_DEADLINE && ops != NO_DEADLINE, "{FOR_EVER}");
    let (gone, born): (Option<String>, Option<i64>) = redis.hmget("{s}:m", &["_gone", "_born"]).await?;
    match born {
        Some(born) => {
            assert_eq!(m, ops, "{TWO_DEADLINES}");
            assert!(m <= born + 40_000, "{TOO_OLD}");
        }
        None => assert!(ops == NO_KEY && (m == NO_KEY || gone.is_some()), "{TWO_DEADLINES}"),
    }
    Ok(())
}

/// Merges, a merge sent again and a read, at different times and with a pause: after every step there is one deadline.
#[test]
fn both_keys_have_one_deadline() {
    fn world(world: &mut World, scripts: &Scripts) {
        let web = scripts.clone();
        world.client("web", move |ctx| async move {
            let memory = memory(&ctx, &web);
            memory.merge(S, &op("x").incr("n", 1)).await?;
            ctx.sleep(2000).await;
            memory.merge(S, &op("y").incr("n", 1)).await
        });
        let again = scripts.clone();
        world.client("web again", move |ctx| async move {
            ctx.sleep(1500).await;
            memory(&ctx, &again).merge(S, &op("x").incr("n", 1)).await
        });
        let reader = scripts.clone();
        world.client("reader", move |ctx| async move {
            ctx.sleep(4000).await;
            memory(&ctx, &reader).read(S).await
        });
        world.always(deadlines);
    }
    let both = "redis.call('PEXPIREAT', ops, int(now + left))";
    let ring_after_merge = "redis.call('PEXPIREAT', ops, int(now + left))\nreturn";
    let ring_after_duplicate = "redis.call('PEXPIREAT', ops, int(now + left))\n  end";
    holds_only_whole(
        "deadlines",
        Within { pauses: 1, crashes: 0 },
        world,
        &[
            mutant("a merge does not expire the ring", FOR_EVER, File::Merge, &[(ring_after_merge, "return")]),
            mutant(
                "a merge does not expire the session",
                FOR_EVER,
                File::Merge,
                &[("redis.call('PEXPIREAT', m, int(now + left))\nredis.call", "redis.call")],
            ),
            mutant(
                "a duplicate extends the session only",
                TWO_DEADLINES,
                File::Merge,
                &[(ring_after_duplicate, "end")],
            ),
            mutant("a read extends the session only", TWO_DEADLINES, File::Read, &[(both, "")]),
        ],
    );
}

/// A forgotten session leaves one key, and not for ever; also if its eraser dies.
#[test]
fn a_tombstone_has_a_deadline_and_no_ring() {
    fn world(world: &mut World, scripts: &Scripts) {
        begin(world, scripts);
        let eraser = scripts.clone();
        world.client("eraser", move |ctx| async move { memory(&ctx, &eraser).forget(S).await });
        let web = scripts.clone();
        world.client("web", move |ctx| async move {
            match memory(&ctx, &web).merge(S, &op("x").incr("n", 1)).await {
                Err(Error::SessionGone { .. }) => Ok(()),
                answer => answer.map(drop),
            }
        });
        world.always(deadlines);
    }
    holds_only_whole(
        "a tombstone's deadline",
        Within { pauses: 1, crashes: 1 },
        world,
        &[
            mutant(
                "the tombstone does not expire",
                FOR_EVER,
                File::Forget,
                &[("existed)\nredis.call('PEXPIREAT', m, int(now + life))", "existed)")],
            ),
            mutant(
                "the ring is left",
                TWO_DEADLINES,
                File::Forget,
                &[("redis.call('DEL', m, ops)", "redis.call('DEL', m)")],
            ),
        ],
    );
}

/// A session in use until it is too old: no deadline is beyond its age, also not that of a merge or a read near its end.
#[test]
fn no_deadline_is_beyond_the_maximal_age() {
    fn world(world: &mut World, scripts: &Scripts) {
        begin(world, scripts);
        let web = scripts.clone();
        world.client("web", move |ctx| async move {
            let memory = memory(&ctx, &web);
            for _ in 0..4 {
                ctx.sleep(8000).await;
                memory.merge(S, &memory.change().incr("n", 1)).await?;
            }
            Ok::<_, Error>(())
        });
        let reader = scripts.clone();
        world.client("reader", move |ctx| async move {
            let memory = memory(&ctx, &reader);
            for _ in 0..4 {
                ctx.sleep(8000).await;
                memory.read(S).await?;
            }
            Ok::<_, Error>(())
        });
        world.always(deadlines);
    }
    let unlimited = "math.min(sliding, born + max_age - now)";
    let after_merge = "local left = math.min(sliding, born + max_age - now)\nredis";
    holds_only_whole(
        "maximal age",
        NO_FAULTS,
        world,
        &[
            mutant("a merge extends beyond it", TOO_OLD, File::Merge, &[(after_merge, "local left = sliding\nredis")]),
            mutant("a read extends beyond it", TOO_OLD, File::Read, &[(unlimited, "sliding")]),
        ],
    );
}

/// Two clients that keep to gaps of 0.9 × the sliding life: the session lives until it is too old, and then ends.
#[test]
fn a_session_in_use_does_not_expire() {
    fn world(world: &mut World, scripts: &Scripts) {
        begin(world, scripts);
        for me in ["web", "mobile"] {
            let scripts = scripts.clone();
            world.client(me, move |ctx| async move {
                let memory = memory(&ctx, &scripts);
                // Nine tenths are left: the last instant at which a read could think that it need not extend.
                ctx.sleep(1000).await;
                for _ in 0..4 {
                    assert!(memory.read(S).await?.is_some(), "{EXPIRED}");
                    ctx.sleep(9000).await;
                }
                Ok::<_, Error>(())
            });
        }
        let scripts = scripts.clone();
        world.finally(move |ctx| {
            let memory = memory(&ctx, &scripts);
            async move {
                ctx.sleep(10_000).await;
                assert!(memory.read(S).await?.is_none(), "M3: a session is older than its maximal age");
                Ok::<_, Error>(())
            }
        });
    }
    holds_only_whole(
        "a session in use",
        NO_FAULTS,
        world,
        &[
            mutant(
                "a read never extends",
                EXPIRED,
                File::Read,
                &[("if left * 10 <= sliding * 9 and left < want then", "if false then")],
            ),
            mutant(
                "a read extends a little too late",
                EXPIRED,
                File::Read,
                &[("left * 10 <= sliding * 9", "left * 10 < sliding * 9")],
            ),
            mutant(
                "a read extends too late",
                EXPIRED,
                File::Read,
                &[("left * 10 <= sliding * 9", "left * 10 <= sliding * 0")],
            ),
        ],
    );
}

/// The same with merges, and with merges sent again, which are uses too.
#[test]
fn merges_keep_a_session_alive() {
    fn world(world: &mut World, scripts: &Scripts) {
        begin(world, scripts);
        for (me, again) in [("web", false), ("web again", true)] {
            let scripts = scripts.clone();
            world.client(me, move |ctx| async move {
                let memory = memory(&ctx, &scripts);
                for n in 0..2 {
                    let name = if again { "x".to_owned() } else { format!("x{n}") };
                    ctx.sleep(9000).await;
                    let merged = memory.merge(S, &op(&name).incr("n", 1)).await?;
                    assert_eq!(merged.version.incarnation(), begun().incarnation(), "{EXPIRED}");
                }
                Ok::<_, Error>(())
            });
        }
    }
    holds_only_whole(
        "merges keep alive",
        NO_FAULTS,
        world,
        &[mutant(
            "only the first merge sets the life",
            EXPIRED,
            File::Merge,
            &[(
                "local left = math.min(sliding, born + max_age - now)\nredis.call('PEXPIREAT', m",
                "local left = next_rev == 1 and sliding or redis.call('PTTL', m)\nredis.call('PEXPIREAT', m",
            )],
        )],
    );
}

/// One client sends one operation again and again: its duplicates alone keep the session alive.
#[test]
fn duplicates_keep_a_session_alive() {
    fn world(world: &mut World, scripts: &Scripts) {
        for me in ["web", "web again"] {
            let scripts = scripts.clone();
            world.client(me, move |ctx| async move {
                let memory = memory(&ctx, &scripts);
                let first = memory.merge(S, &op("x").incr("n", 1)).await?;
                for _ in 0..3 {
                    ctx.sleep(9000).await;
                    let again = memory.merge(S, &op("x").incr("n", 1)).await?;
                    assert_eq!(again.version, first.version, "{EXPIRED}");
                }
                Ok::<_, Error>(())
            });
        }
    }
    holds_only_whole(
        "duplicates keep alive",
        NO_FAULTS,
        world,
        &[mutant(
            "a duplicate never extends",
            EXPIRED,
            File::Merge,
            &[("if left * 10 <= sliding * 9 and left < want then", "if false then")],
        )],
    );
}

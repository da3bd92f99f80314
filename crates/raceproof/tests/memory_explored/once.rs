//! **M2**: an operation whose id is in the ring is applied once.

use raceproof::memory::{Error, OpId, Options, Scripts};
use raceproof_explore::World;

use crate::{File, NO_FAULTS, S, Within, begin, begun, holds_only_whole, memory, memory_with, mutant, number, op};

/// The reply to an operation is lost, or its sender dies: it is sent again, by a driver or by another process, while the
/// first sending may still be under way.
#[test]
fn an_operation_sent_again_is_applied_once() {
    fn world(world: &mut World, scripts: &Scripts) {
        for (me, name) in [("web", "x"), ("web again", "x"), ("mobile", "y")] {
            let scripts = scripts.clone();
            world.client(me, move |ctx| async move {
                let merged = memory(&ctx, &scripts).merge(S, &op(name).incr(name, 1)).await?;
                assert_eq!(merged.counters, [1], "M2: an operation was applied twice");
                Ok::<_, Error>(())
            });
        }
        counted_once(world, scripts);
    }
    let twice = "M2: an operation was applied twice";
    holds_only_whole(
        "an operation sent again",
        Within { pauses: 0, crashes: 1 },
        world,
        &[
            mutant(
                "the ring is not looked up",
                twice,
                File::Merge,
                &[("if ring_is_ours and ring[3] then", "if false then")],
            ),
            mutant(
                "the operation is not recorded",
                twice,
                File::Merge,
                &[("redis.call('HSET', ops, 'o:' .. op,", "redis.call('HSET', ops, 'o:',")],
            ),
            mutant(
                "the ring begins anew with each merge",
                twice,
                File::Merge,
                &[("if not ring_is_ours then", "if true then")],
            ),
            mutant(
                "the ring is trimmed at once",
                twice,
                File::Merge,
                &[
                    ("if next_rev - floor > window then", "if true then"),
                    ("for old_rev = floor + 1, next_rev - window do", "for old_rev = floor + 1, next_rev do"),
                ],
            ),
        ],
    );
}

/// A ring of one: what it has forgotten is unknown, not new.
#[test]
fn an_operation_that_left_the_ring_is_not_applied_again() {
    fn world(world: &mut World, scripts: &Scripts) {
        let small = |options: &mut Options| options.op_window = 1;
        begin(world, scripts);
        for (me, name) in [("web", "x"), ("web again", "x"), ("mobile", "y")] {
            let scripts = scripts.clone();
            world.client(me, move |ctx| async move {
                let memory = memory_with(&ctx, &scripts, small);
                let change = op(name).incr(name, 1).after(&begun());
                match memory.merge(S, &change).await {
                    Err(Error::OpWindowExceeded { .. }) if name == "x" => Ok(()),
                    answer => answer.map(drop),
                }
            });
        }
        counted_once(world, scripts);
    }
    holds_only_whole(
        "an operation that left the ring",
        NO_FAULTS,
        world,
        &[
            mutant(
                "the floor is not looked at",
                "M2: an operation was applied twice",
                File::Merge,
                &[("if want_rev < floor then", "if false then")],
            ),
            mutant(
                "the floor is not raised",
                "M2: an operation was applied twice",
                File::Merge,
                &[("redis.call('HSET', ops, '_from', int(next_rev - window))", "")],
            ),
        ],
    );
}

/// The server evicts the ring alone.
#[test]
fn a_lost_ring_is_not_an_empty_one() {
    fn world(world: &mut World, scripts: &Scripts) {
        begin(world, scripts);
        for me in ["web", "web again"] {
            let scripts = scripts.clone();
            world.client(me, move |ctx| async move {
                let change = op("x").incr("x", 1).after(&begun());
                match memory(&ctx, &scripts).merge(S, &change).await {
                    Err(Error::OpWindowExceeded { .. }) => Ok(()),
                    answer => answer.map(drop),
                }
            });
        }
        world.client("eviction", |ctx| async move {
            redis::cmd("DEL").arg("{s}:ops").query_async::<i64>(&mut ctx.redis()).await
        });
        counted_once(world, scripts);
    }
    holds_only_whole(
        "a lost ring",
        NO_FAULTS,
        world,
        &[mutant(
            "a lost ring is taken for an empty one",
            "M2: an operation was applied twice",
            File::Merge,
            &[("tonumber(ring[2]) or rev", "tonumber(ring[2]) or 0")],
        )],
    );
}

/// Two different changes under one id, by mistake: one of them is told so, or its acknowledgement would be a lie (M1).
#[test]
fn an_operation_id_used_for_two_changes_is_noticed() {
    fn world(world: &mut World, scripts: &Scripts) {
        for me in ["web", "mobile"] {
            let scripts = scripts.clone();
            world.client(me, move |ctx| async move {
                let memory = memory(&ctx, &scripts);
                match memory.merge(S, &op("x").set(me, me)).await {
                    Err(Error::OpReused { op, .. }) if op == OpId::new("x") => return Ok(()),
                    answer => answer?,
                };
                let session = memory.read(S).await?.expect("M1: the session is there");
                assert_eq!(session.text(me), Some(me), "M1: an acknowledged field is lost");
                Ok::<_, Error>(())
            });
        }
    }
    holds_only_whole(
        "an operation id used twice",
        NO_FAULTS,
        world,
        &[mutant(
            "the fingerprint is not compared",
            "M1: an acknowledged field is lost",
            File::Merge,
            &[("if done_fingerprint ~= fingerprint then", "if false then")],
        )],
    );
}

fn counted_once(world: &mut World, scripts: &Scripts) {
    let scripts = scripts.clone();
    world.finally(move |ctx| {
        let memory = memory(&ctx, &scripts);
        async move {
            let session = memory.read(S).await?.expect("at most one client died");
            for name in ["x", "y"] {
                assert!(number(&session, name).unwrap_or(1) == 1, "M2: an operation was applied twice");
            }
            Ok::<_, Error>(())
        }
    });
}

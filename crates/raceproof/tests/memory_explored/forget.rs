//! **M4**: within a tombstone's life nothing brings the session back.

use raceproof::memory::{Error, Forget, Gone, OpId, Scripts};
use raceproof_explore::World;

use crate::{File, NO_FAULTS, S, Within, begin, begun, holds_only_whole, memory, memory_with, mutant, op};

const BACK: &str = "M4: a forgotten session is back";

/// Nothing is merged after a forget, whatever the change expects.
fn forgotten(answer: Result<raceproof::memory::Merged, Error>) -> Result<(), Error> {
    match answer {
        Err(Error::SessionGone { cause: Gone::Forgotten, .. }) => Ok(()),
        answer => answer.map(drop),
    }
}

fn stays_forgotten(world: &mut World, scripts: &Scripts) {
    let scripts = scripts.clone();
    world.finally(move |ctx| {
        let memory = memory(&ctx, &scripts);
        async move {
            assert!(memory.read(S).await?.is_none(), "{BACK}");
            Ok::<_, Error>(())
        }
    });
}

/// What a mutant does that does not know tombstones: it takes one for an absent session.
const IGNORES_TOMBSTONES: (&str, &str) = (
    "if meta[4] then return {'GONE', 'forgotten'} end",
    "if meta[4] then redis.call('DEL', m) inc, rev, born = false, nil, nil end",
);

#[test]
fn no_merge_brings_a_forgotten_session_back() {
    fn world(world: &mut World, scripts: &Scripts) {
        begin(world, scripts);
        let eraser = scripts.clone();
        world.client("eraser", move |ctx| async move {
            assert!(memory(&ctx, &eraser).forget(S).await?.existed);
            Ok::<_, Error>(())
        });
        let web = scripts.clone();
        world.client("web", move |ctx| async move {
            let memory = memory(&ctx, &web);
            forgotten(memory.merge(S, &memory.change().set("b", "1")).await)
        });
        let worker = scripts.clone();
        world.client("worker", move |ctx| async move {
            let memory = memory(&ctx, &worker);
            let Some(session) = memory.read(S).await? else { return Ok(()) };
            forgotten(memory.merge(S, &memory.change().set("c", "1").after(&session.version)).await)
        });
        stays_forgotten(world, scripts);
    }
    holds_only_whole(
        "merges and a forget",
        NO_FAULTS,
        world,
        &[
            mutant("a merge does not look for the tombstone", BACK, File::Merge, &[IGNORES_TOMBSTONES]),
            mutant(
                "no tombstone is left",
                BACK,
                File::Forget,
                &[("redis.call('HSET', m, '_gone', op, '_inc', inc or '', '_existed', existed)", "")],
            ),
            mutant(
                "the fields are left",
                BACK,
                File::Forget,
                &[(
                    "redis.call('HSET', m, '_gone', op, '_inc', inc or '', '_existed', existed)",
                    "redis.call('HSET', m, '_inc', inc or '', '_rev', '1', '_born', int(now))",
                )],
            ),
        ],
    );
}

/// The session's first merge is under way when it is forgotten.
#[test]
fn a_forget_overtakes_a_first_merge() {
    fn world(world: &mut World, scripts: &Scripts) {
        for me in ["web", "mobile"] {
            let scripts = scripts.clone();
            world.client(me, move |ctx| async move {
                let memory = memory(&ctx, &scripts);
                match memory.merge(S, &memory.change().set(me, me).only_new()).await {
                    // The other one was first.
                    Err(Error::RevConflict { rev: 1, .. }) => Ok(()),
                    answer => forgotten(answer),
                }
            });
        }
        let eraser = scripts.clone();
        world.client("eraser", move |ctx| async move { memory(&ctx, &eraser).forget(S).await });
        stays_forgotten(world, scripts);
    }
    holds_only_whole(
        "a first merge and a forget",
        NO_FAULTS,
        world,
        &[
            mutant("a merge does not look for the tombstone", BACK, File::Merge, &[IGNORES_TOMBSTONES]),
            mutant(
                "no tombstone without a session",
                BACK,
                File::Forget,
                &[(
                    "existed = inc and '1' or '0'",
                    "existed = inc and '1' or '0' if not inc then return {'OK', existed} end",
                )],
            ),
        ],
    );
}

/// The reply to a forget is lost or its sender dies; it is sent again, and both get the answer of the first time.
#[test]
fn a_forget_sent_again_gives_the_same_answer() {
    fn world(world: &mut World, scripts: &Scripts) {
        begin(world, scripts);
        for me in ["eraser", "eraser again"] {
            let scripts = scripts.clone();
            world.client(me, move |ctx| async move {
                let forgotten = memory(&ctx, &scripts).forget_as(S, &Forget::new(OpId::new("erase"))).await?;
                assert!(forgotten.existed, "M2: the answers to one operation differ");
                Ok::<_, Error>(())
            });
        }
        let web = scripts.clone();
        world.client("web", move |ctx| async move {
            let memory = memory(&ctx, &web);
            forgotten(memory.merge(S, &memory.change().set("b", "1")).await)
        });
        stays_forgotten(world, scripts);
    }
    holds_only_whole(
        "a forget sent again",
        Within { pauses: 0, crashes: 1 },
        world,
        &[mutant(
            "the operation is not known again",
            "M2: the answers to one operation differ",
            File::Forget,
            &[("if gone == op then", "if false then")],
        )],
    );
}

/// Two forgets with tombstones of different lives, in either order: the longer one counts.
#[test]
fn a_second_forget_does_not_shorten_the_tombstone() {
    fn world(world: &mut World, scripts: &Scripts) {
        begin(world, scripts);
        for (me, life_ms) in [("eraser", 20_000), ("hasty eraser", 5000)] {
            let scripts = scripts.clone();
            world.client(me, move |ctx| async move {
                memory_with(&ctx, &scripts, |options| options.tombstone_ms = life_ms).forget(S).await
            });
        }
        let late = scripts.clone();
        world.client("late", move |ctx| async move {
            ctx.sleep(19_999).await;
            let answer = memory(&ctx, &late).merge(S, &op("late").set("b", "1")).await;
            assert!(answer.is_err(), "{BACK}");
            forgotten(answer)
        });
    }
    holds_only_whole(
        "two forgets",
        NO_FAULTS,
        world,
        &[
            mutant(
                "the last forget counts",
                BACK,
                File::Forget,
                &[("if redis.call('PTTL', m) < life then", "if true then")],
            ),
            mutant(
                "the first forget counts",
                BACK,
                File::Forget,
                &[("if redis.call('PTTL', m) < life then", "if false then")],
            ),
        ],
    );
}

/// A forget that was meant for an earlier session comes late.
#[test]
fn a_late_forget_of_another_incarnation_harms_nobody() {
    fn world(world: &mut World, scripts: &Scripts) {
        begin(world, scripts);
        world.setup(|ctx| async move {
            // That session has expired.
            redis::cmd("DEL").arg("{s}:m").arg("{s}:ops").query_async::<i64>(&mut ctx.redis()).await
        });
        for me in ["eraser", "eraser again"] {
            let scripts = scripts.clone();
            world.client(me, move |ctx| async move {
                memory(&ctx, &scripts).forget_as(S, &Forget::new(OpId::new("erase")).only(&begun())).await
            });
        }
        let web = scripts.clone();
        world.client("web", move |ctx| async move {
            let memory = memory(&ctx, &web);
            match memory.merge(S, &memory.change().set("b", "1")).await {
                Err(Error::SessionGone { cause: Gone::Forgotten, .. }) => return Ok(()),
                answer => answer?,
            };
            let session = memory.read(S).await?;
            assert!(session.is_some(), "M1: an acknowledged field is lost");
            Ok::<_, Error>(())
        });
    }
    holds_only_whole(
        "a late forget",
        NO_FAULTS,
        world,
        &[mutant(
            "the incarnation is not compared",
            "M1: an acknowledged field is lost",
            File::Forget,
            &[("if inc and only_inc ~= '' and inc ~= only_inc then", "if false then")],
        )],
    );
}

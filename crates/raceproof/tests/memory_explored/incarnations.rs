//! A session that ended is another one than its successor: changes and pages do not get from one into the other.

use raceproof::memory::{Cursor, Error, Gone, Scripts};
use raceproof_explore::World;
use redis::AsyncCommands;

use crate::{File, NO_FAULTS, S, Within, begin, begun, holds_only_whole, memory, memory_with, mutant};

const MIXED: &str = "two sessions are mixed";

/// The field of a session that has ended is in no other.
fn never_mixed(world: &mut World) {
    world.always(|ctx| async move {
        let mut redis = ctx.redis();
        let (inc, a): (Option<String>, Option<String>) = redis.hmget("{s}:m", &["_inc", "a"]).await?;
        let gone = inc.is_some_and(|inc| inc != begun().incarnation());
        assert!(!(gone && a.is_some()), "{MIXED}");
        Ok::<_, redis::RedisError>(())
    });
}

/// A worker knows the session; it expires (a pause), and somebody begins another under the same id. A third reads it
/// meanwhile, in its last millisecond or just after it, too.
#[test]
fn a_change_for_an_expired_session_does_not_get_into_its_successor() {
    fn world(world: &mut World, scripts: &Scripts) {
        begin(world, scripts);
        let worker = scripts.clone();
        world.client("worker", move |ctx| async move {
            let memory = memory(&ctx, &worker);
            match memory.merge(S, &memory.change().set("a", "2").after(&begun())).await {
                Err(Error::SessionGone { cause: Gone::Expired | Gone::Replaced, .. }) => Ok(()),
                answer => {
                    assert_eq!(answer?.version.incarnation(), begun().incarnation(), "{MIXED}");
                    Ok::<_, Error>(())
                }
            }
        });
        let web = scripts.clone();
        world.client("web", move |ctx| async move {
            let memory = memory(&ctx, &web);
            memory.merge(S, &memory.change().set("b", "1")).await
        });
        let reader = scripts.clone();
        world.client("reader", move |ctx| async move {
            if let Some(session) = memory(&ctx, &reader).read(S).await? {
                let first = session.version.incarnation() == begun().incarnation();
                assert_eq!(session.get("a").is_some(), first, "{MIXED}");
                assert!(session.ttl_ms > 9000, "M5: a read left less than nine tenths");
            }
            Ok::<_, Error>(())
        });
        never_mixed(world);
    }
    holds_only_whole(
        "an expired session",
        Within { pauses: 1, crashes: 0 },
        world,
        &[
            mutant(
                "the incarnation is not compared",
                MIXED,
                File::Merge,
                &[("if inc ~= want_inc then return {'GONE', 'replaced'} end", "")],
            ),
            mutant(
                "an absent session is begun anew",
                MIXED,
                File::Merge,
                &[(
                    "if not inc then return {'GONE', 'expired'} end\n  if inc ~= want_inc",
                    "if inc and inc ~= want_inc",
                )],
            ),
        ],
    );
}

/// The age of a session runs out while its key lives on, since a client with other options gave it a later deadline.
#[test]
fn a_session_over_its_age_leaves_nothing_to_its_successor() {
    fn world(world: &mut World, scripts: &Scripts) {
        begin(world, scripts);
        for me in ["web", "mobile"] {
            let scripts = scripts.clone();
            world.client(me, move |ctx| async move {
                let memory = memory_with(&ctx, &scripts, |options| {
                    options.sliding_ttl_ms = 2000;
                    options.max_age_ms = 5000;
                });
                ctx.sleep(5000).await;
                if let Some(session) = memory.read(S).await? {
                    assert_ne!(session.version, begun(), "M3: a session is older than its maximal age");
                }
                let merged = memory.merge(S, &memory.change().set(me, "1")).await?;
                assert_ne!(
                    merged.version.incarnation(),
                    begun().incarnation(),
                    "M3: a session is older than its maximal age"
                );
                Ok::<_, Error>(())
            });
        }
        never_mixed(world);
    }
    let older = "M3: a session is older than its maximal age";
    holds_only_whole(
        "a session over its age",
        NO_FAULTS,
        world,
        &[
            mutant("its fields are left", MIXED, File::Merge, &[("if over then redis.call('DEL', m, ops) end", "")]),
            mutant(
                "a merge goes on with it",
                older,
                File::Merge,
                &[("local over = inc and now >= born + max_age", "local over = false")],
            ),
            mutant("a read still gives it", older, File::Read, &[("if now >= born + max_age then", "if false then")]),
        ],
    );
}

/// A large session is read in pages while it is forgotten, or ends and is begun anew.
#[test]
fn pages_belong_to_one_session() {
    fn world(world: &mut World, scripts: &Scripts) {
        begin(world, scripts);
        let reader = scripts.clone();
        world.client("reader", move |ctx| async move {
            let memory = memory(&ctx, &reader);
            let first = Cursor::new(begun().incarnation(), "0");
            match memory.read_page(S, Some(&first), 10).await {
                Err(Error::SessionGone { .. }) => Ok(()),
                page => {
                    let page = page?.expect("a later page is there or gone");
                    assert_eq!(page.version.incarnation(), begun().incarnation(), "{MIXED}");
                    Ok::<_, Error>(())
                }
            }
        });
        let web = scripts.clone();
        world.client("web", move |ctx| async move {
            // The session is lost, and begun anew.
            ctx.redis().del::<_, i64>(&["{s}:m", "{s}:ops"]).await.expect("deleted");
            let memory = memory(&ctx, &web);
            memory.merge(S, &memory.change().set("b", "1")).await
        });
    }
    holds_only_whole(
        "pages",
        NO_FAULTS,
        world,
        &[mutant(
            "the incarnation is not compared",
            MIXED,
            File::Read,
            &[("if inc ~= ARGV[4] then return {'GONE', 'replaced'} end", "")],
        )],
    );
}

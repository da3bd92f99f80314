//! **M1**: an acknowledged merge is visible.

use raceproof::memory::{Error, Scripts};
use raceproof_explore::World;

use crate::{File, NO_FAULTS, S, begin, holds_only_whole, memory, mutant, number};

const UPDATE_LOST: &str = "M1: an update is lost";

#[test]
fn merges_of_several_clients_all_stay() {
    fn world(world: &mut World, scripts: &Scripts) {
        for me in ["web", "mobile", "voice"] {
            let scripts = scripts.clone();
            world.client(me, move |ctx| async move {
                let memory = memory(&ctx, &scripts);
                let change = memory.change().set(me, me).incr("n", 1).append("log", me, 9);
                let merged = memory.merge(S, &change).await?;
                let session = memory.read(S).await?.expect("M1: the session is there");
                assert_eq!(session.text(me), Some(me), "M1: an acknowledged field is lost");
                assert!(session.version.rev() >= merged.version.rev(), "M1: revisions go back");
                Ok::<_, Error>(())
            });
        }
        let scripts = scripts.clone();
        world.finally(move |ctx| {
            let memory = memory(&ctx, &scripts);
            async move {
                let session = memory.read(S).await?.expect("M1: the session is there");
                for me in ["web", "mobile", "voice"] {
                    assert_eq!(session.text(me), Some(me), "M1: an acknowledged field is lost");
                }
                assert_eq!(number(&session, "n"), Some(3), "M1: an increment is lost");
                let items = session.get("log").and_then(|log| log.items()).map(<[_]>::len);
                assert_eq!(items, Some(3), "M1: an item is lost");
                assert_eq!(session.version.rev(), 3);
                Ok::<_, Error>(())
            }
        });
    }
    holds_only_whole(
        "merges of several clients",
        NO_FAULTS,
        world,
        &[
            mutant(
                "the hash is replaced",
                "M1: an acknowledged field is lost",
                File::Merge,
                &[(
                    "for _, write in ipairs(writes) do",
                    "redis.call('DEL', m) redis.call('HSET', m, '_inc', inc, '_born', int(born)) for _, write in ipairs(writes) do",
                )],
            ),
            mutant(
                "counters start anew",
                "M1: an increment is lost",
                File::Merge,
                &[("local sum = number + tonumber(a)", "local sum = tonumber(a)")],
            ),
            mutant(
                "lists start anew",
                "M1: an item is lost",
                File::Merge,
                &[("if old_shape == '+' then count, items = string.match(old_payload, '^(%d+) (.*)$') end", "")],
            ),
        ],
    );
}

/// Read, compute, and merge only if nobody was faster; else again.
fn two_count(world: &mut World, scripts: &Scripts) {
    for me in ["web", "mobile"] {
        let scripts = scripts.clone();
        world.client(me, move |ctx| async move {
            let memory = memory(&ctx, &scripts);
            loop {
                let session = memory.read(S).await?;
                let (change, count) = match &session {
                    None => (memory.change().only_new(), 0),
                    Some(session) => (memory.change().only_at(&session.version), number(session, "n").unwrap_or(0)),
                };
                match memory.merge(S, &change.set("n", (count + 1).to_string())).await {
                    Err(Error::RevConflict { field: None, .. }) => {}
                    answer => break answer.map(drop),
                }
            }
        });
    }
    sum_is_two(world, scripts);
}

#[test]
fn a_change_for_one_version_never_overwrites_a_later_one() {
    fn world(world: &mut World, scripts: &Scripts) {
        begin(world, scripts);
        two_count(world, scripts);
    }
    holds_only_whole(
        "changes for one version",
        NO_FAULTS,
        world,
        &[mutant(
            "the version is not compared",
            UPDATE_LOST,
            File::Merge,
            &[("if expect ~= 'after' and rev ~= want_rev then", "if expect == 'new' and rev ~= want_rev then")],
        )],
    );
}

#[test]
fn a_change_for_a_new_session_never_overwrites_a_session() {
    holds_only_whole(
        "changes for a new session",
        NO_FAULTS,
        two_count,
        &[mutant(
            "whether it is new is not looked at",
            UPDATE_LOST,
            File::Merge,
            &[("if expect ~= 'any' and inc then", "if expect ~= 'any' and expect ~= 'new' and inc then")],
        )],
    );
}

#[test]
fn a_field_set_at_its_revision_never_overwrites_a_later_one() {
    fn world(world: &mut World, scripts: &Scripts) {
        begin(world, scripts);
        for me in ["web", "mobile"] {
            let scripts = scripts.clone();
            world.client(me, move |ctx| async move {
                let memory = memory(&ctx, &scripts);
                loop {
                    let session = memory.read_fields(S, &["n"]).await?.expect("M1: the session is there");
                    let (rev, count) = session.get("n").map_or((0, 0), |n| (n.rev, n.integer().unwrap_or(0)));
                    // Another field changes all the time, which is no conflict.
                    let change = memory.change().set_if_rev("n", (count + 1).to_string(), rev).set("by", me);
                    match memory.merge(S, &change).await {
                        Err(Error::RevConflict { field: Some(_), .. }) => {}
                        answer => break answer.map(drop),
                    }
                }
            });
        }
        sum_is_two(world, scripts);
    }
    holds_only_whole(
        "fields set at their revision",
        NO_FAULTS,
        world,
        &[
            mutant(
                "the field's revision is not compared",
                UPDATE_LOST,
                File::Merge,
                &[("if old_rev ~= b then", "if false then")],
            ),
            mutant(
                "fields keep the revision that created them",
                UPDATE_LOST,
                File::Merge,
                &[("payload and int(next_rev) .. shape", "payload and (old and old_rev or int(next_rev)) .. shape")],
            ),
        ],
    );
}

fn sum_is_two(world: &mut World, scripts: &Scripts) {
    let scripts = scripts.clone();
    world.finally(move |ctx| {
        let memory = memory(&ctx, &scripts);
        async move {
            let session = memory.read(S).await?.expect("M1: the session is there");
            assert_eq!(number(&session, "n"), Some(2), "{UPDATE_LOST}");
            Ok::<_, Error>(())
        }
    });
}

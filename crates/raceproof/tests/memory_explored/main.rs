//! Session memories under every interleaving: the code that ships, with the scripts that ship, and with scripts that
//! lack one mechanism each.
//!
//! Each test is one small world: two or three clients of a [`Memory`], and what must hold of it. It is explored
//! exhaustively, so *verified* means that no schedule within the stated bounds breaks it. Then the same world runs on
//! each mutant, which must be *violated*, and for the reason that the mechanism is there for: a mutant that fails
//! otherwise (a script that does not run, say) would prove nothing.

mod appear;
mod forget;
mod incarnations;
mod life;
mod once;

use raceproof::env::Tokens;
use raceproof::memory::{Change, Error, Memory, OpId, Options, Scripts, Session, Version};
use raceproof_explore::{Check, Ctx, RedisConnection, Report, Verdict, World};

/// The session of all tests.
const S: &str = "s";

/// A world to explore, given the scripts to run in it.
type Body = fn(&mut World, &Scripts);

/// A mutant of the scripts.
struct Mutant {
    name: &'static str,
    /// A part of the message of the check that must break.
    breaks: &'static str,
    scripts: Scripts,
}

/// Which script a mutant edits.
#[derive(Clone, Copy)]
enum File {
    Merge,
    Read,
    Forget,
}

/// A mutant that has each `from` replaced by its `to`. Each must be there exactly once, so that no edit goes stale unseen.
fn mutant(name: &'static str, breaks: &'static str, file: File, edits: &[(&str, &str)]) -> Mutant {
    let shipped = [Scripts::MERGE, Scripts::READ, Scripts::FORGET];
    let mut texts = shipped.map(str::to_owned);
    let text = &mut texts[file as usize];
    for (from, to) in edits {
        assert_eq!(text.matches(from).count(), 1, "mutant {name:?}: {from:?} is not in the script once");
        *text = text.replacen(from, to, 1);
    }
    Mutant { name, breaks, scripts: Scripts::new(&texts[0], &texts[1], &texts[2]) }
}

/// Bounds of a search: pauses past a deadline, and clients that die.
#[derive(Clone, Copy)]
struct Within {
    pauses: u32,
    crashes: u32,
}

const NO_FAULTS: Within = Within { pauses: 0, crashes: 0 };

/// `audit`: in so many executions steps that are taken for independent are swapped, to see that they are.
fn explore(name: &str, within: Within, body: Body, scripts: &Scripts, audit: u64) -> Report {
    let check = Check::new(name).pauses(within.pauses).crashes(within.crashes).audit(audit);
    let report = check.run(|world| {
        let sources = scripts.sources().map(str::to_owned);
        world.setup(move |ctx| async move {
            // The scripts are loaded beforehand, so that a call is one step.
            for source in sources {
                redis::cmd("SCRIPT").arg("LOAD").arg(source).query_async::<String>(&mut ctx.redis()).await?;
            }
            Ok::<_, redis::RedisError>(())
        });
        body(world, scripts);
    });
    report.unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The world holds with the scripts that ship, and breaks with each mutant, for its reason.
fn holds_only_whole(name: &str, within: Within, body: Body, mutants: &[Mutant]) {
    let report = explore(name, within, body, &Scripts::default(), 50);
    if let Some(violation) = &report.violation {
        panic!("{name}: {}\n{:#?}", violation.message, violation.steps);
    }
    assert_eq!(report.verdict, Verdict::Verified, "{name}");
    assert!(report.executions > 1, "{name}: one execution is no race");
    println!("{name}: verified, {} executions in {:?}", report.executions, report.elapsed);
    for mutant in mutants {
        let report = explore(name, within, body, &mutant.scripts, 0);
        let Some(violation) = &report.violation else {
            panic!("{name}: the mutant {:?} is not caught in {} executions", mutant.name, report.executions);
        };
        assert!(
            violation.message.contains(mutant.breaks),
            "{name}: the mutant {:?} breaks {:?} instead of {:?}\n{:#?}",
            mutant.name,
            violation.message,
            mutant.breaks,
            violation.steps
        );
    }
}

type Explored = Memory<RedisConnection, Ctx>;

/// A client's memory. Lives are short, so that tests can say them in full.
fn memory(ctx: &Ctx, scripts: &Scripts) -> Explored {
    memory_with(ctx, scripts, |_| {})
}

fn memory_with(ctx: &Ctx, scripts: &Scripts, change: impl FnOnce(&mut Options)) -> Explored {
    let mut options = options();
    change(&mut options);
    Memory::with_scripts(ctx.redis(), ctx.clone(), options, scripts.clone()).expect("valid options")
}

fn options() -> Options {
    Options {
        sliding_ttl_ms: 10_000,
        max_age_ms: 40_000,
        tombstone_ms: 20_000,
        driver_may_resend: false,
        ..Options::default()
    }
}

/// The incarnation of a session that was there before the clients started.
#[derive(Clone, Copy)]
struct Begun;

impl Tokens for Begun {
    fn token(&self) -> String {
        "begun".to_owned()
    }
}

/// Begins the session before the clients start: it has the fields `a` and `n`, and the version that [`begun`] gives.
fn begin(world: &mut World, scripts: &Scripts) {
    let scripts = scripts.clone();
    world.setup(move |ctx| async move {
        let memory = Memory::with_scripts(ctx.redis(), Begun, options(), scripts).expect("valid options");
        let merged = memory.merge(S, &op("begin").set("a", "1").set("n", "0")).await?;
        assert_eq!(merged.version, begun());
        Ok::<_, Error>(())
    });
}

fn begun() -> Version {
    Version::new(Begun.token(), 1)
}

/// A change whose operation id is the same wherever it is made: what a resend sends.
fn op(name: &str) -> Change {
    Change::new(OpId::new(name))
}

fn number(session: &Session, field: &str) -> Option<i64> {
    session.get(field).and_then(|field| field.integer())
}

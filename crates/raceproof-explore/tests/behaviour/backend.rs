//! What a server is told that runs beside the simulation, and what is said of one that does otherwise.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use raceproof_engine::{Engine, LuaHost, Options, Outcome, Reply, SessionId, Timestamp};
use raceproof_explore::{Backend, BackendError, Check, Fault, Played, World};
use redis::AsyncCommands;

use crate::violated;

/// A server that is an engine, and notes what it is told.
struct Twin {
    engine: Engine,
    lua: LuaHost,
    sessions: HashMap<u32, SessionId>,
    told: Arc<Mutex<Vec<String>>>,
    /// It gives this reply to every `GET`.
    lie: Option<&'static str>,
    /// When it is asked for a time to live so much time has passed.
    late_ms: i64,
    held: bool,
}

impl Twin {
    fn new(lie: Option<&'static str>) -> (Box<Self>, Arc<Mutex<Vec<String>>>) {
        let told = Arc::default();
        let engine = Engine::new(Options::default());
        let twin = Self {
            engine,
            lua: LuaHost::new(),
            sessions: HashMap::new(),
            told: Arc::clone(&told),
            lie,
            late_ms: 0,
            held: false,
        };
        (Box::new(twin), told)
    }

    fn note(&self, what: String) {
        self.told.lock().expect("nobody panicked").push(what);
    }
}

impl Backend for Twin {
    fn name(&self) -> String {
        "twin".to_owned()
    }

    fn reset(&mut self) -> Result<(), BackendError> {
        self.engine = Engine::new(Options::default());
        self.sessions.clear();
        Ok(())
    }

    fn now_ms(&mut self) -> Result<i64, BackendError> {
        Ok(1_000_000)
    }

    fn clock_is_held(&self) -> bool {
        self.held
    }

    fn connect(&mut self, session: u32) -> Result<(), BackendError> {
        self.sessions.insert(session, self.engine.connect());
        Ok(())
    }

    fn disconnect(&mut self, session: u32) {
        self.sessions.remove(&session);
    }

    fn execute(&mut self, session: u32, args: &[Bytes]) -> Result<Reply, BackendError> {
        let words: Vec<String> = args.iter().map(|arg| String::from_utf8_lossy(arg).into_owned()).collect();
        self.note(words.join(" "));
        let mut outcome = Outcome::default();
        let now = Timestamp::from_ms(1_000_000 + if words[0] == "PTTL" { self.late_ms } else { 0 });
        self.engine.execute(&mut self.lua, self.sessions[&session], args, now, &mut outcome);
        Ok(match self.lie.filter(|_| words[0] == "GET") {
            Some(lie) => Reply::Bulk(lie.into()),
            None => outcome.reply,
        })
    }

    fn logged(&mut self, entries: usize) -> Result<(), BackendError> {
        self.note(format!("{entries} entries"));
        Ok(())
    }

    fn advance(&mut self, _by_ms: i64) -> Result<(), BackendError> {
        Ok(())
    }
}

/// Counts twice and asks; the counter is to be 2 at the end.
fn counts(world: &mut World) {
    world.setup(|ctx| async move { ctx.redis().set::<_, _, ()>("n", 0).await });
    world.client("a", |ctx| async move {
        let mut redis = ctx.redis();
        let _: i64 = redis.incr("n", 1).await?;
        let _: i64 = redis.get("n").await?;
        let _: i64 = redis.incr("n", 1).await?;
        redis::RedisResult::Ok(())
    });
    world.finally(|ctx| async move {
        let n: i64 = ctx.redis().get("n").await.unwrap_or_default();
        assert!(n == 2, "n is {n}");
    });
}

fn played(check: &Check, lie: Option<&'static str>) -> Played {
    check.play(3, 1, Twin::new(lie).0, counts).expect("it can be run")
}

#[test]
fn a_server_is_told_each_entry_of_the_log_when_it_has_written_it() {
    let check = Check::new("loses").fault(Fault::Failover, 1);
    let found = violated(&check, counts);
    let (twin, told) = Twin::new(None);
    let error = check.confirm(&found.token, twin, counts).expect_err("it cannot do that").to_string();
    assert_eq!(error, "a failover cannot be brought about on this server");
    let told = told.lock().expect("nobody panicked").clone();
    let steps = ["SET n 0", "0 entries", "INCRBY n 1", "1 entries", "GET n", "INCRBY n 1", "2 entries"];
    assert!(told.len() >= 4 && told == steps[..told.len()], "{told:?}");
}

#[test]
fn nothing_is_told_of_a_log_that_no_fault_can_cut() {
    let check = Check::new("safe");
    let (twin, told) = Twin::new(None);
    let played = check.play(1, 0, twin, counts).expect("it can be run");
    assert_eq!((played.executions, played.difference, played.refused), (1, None, None));
    let told = told.lock().expect("nobody panicked").clone();
    assert!(!told.is_empty() && told.iter().all(|what| !what.contains("entries")), "{told:?}");
}

#[test]
fn what_no_server_was_made_for_is_refused_by_name() {
    for (fault, what) in [
        (Fault::Restart, "a restart cannot be brought about on this server"),
        (Fault::Failover, "a failover cannot be brought about on this server"),
        (Fault::Evict, "an eviction cannot be brought about on this server"),
        (Fault::ClockJump, "the clock of this server cannot be stepped"),
    ] {
        // Some of so many schedules have the fault in them.
        let played = Check::new("refuses").fault(fault, 1).play(200, 0, Twin::new(None).0, counts);
        let played = played.expect("it can be run");
        assert_eq!(played.refused.as_deref(), Some(what), "{played:?}");
    }
}

#[test]
fn times_to_live_are_exact_where_the_clock_is_held() {
    for (late_ms, held, same) in [(0, true, true), (700, false, true), (1, true, false), (6_000, false, false)] {
        let (mut twin, _) = Twin::new(None);
        (twin.late_ms, twin.held) = (late_ms, held);
        let played = Check::new("time to live").play(1, 0, twin, |world| {
            world.client("a", |ctx| async move {
                let mut redis = ctx.redis();
                redis.set_ex::<_, _, ()>("k", "v", 60).await?;
                redis.pttl::<_, ()>("k").await
            });
        });
        let difference = played.expect("it can be run").difference;
        assert_eq!(difference.is_none(), same, "{late_ms} ms, {held}: {difference:?}");
    }
}

#[test]
fn a_reply_that_differs_is_told_with_its_step_and_both() {
    let alike = played(&Check::new("alike"), None);
    assert_eq!((alike.server.as_str(), alike.executions, alike.difference), ("twin", 3, None));
    let lied = played(&Check::new("lies"), Some("7"));
    let difference = lied.difference.expect("it lies");
    assert_eq!(difference, "step 2: GET n → \"1\" in simulation, \"7\" on the server");
    assert_eq!(lied.executions, 1, "the first one tells");
}

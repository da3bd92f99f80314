//! A random state, and units that different sessions run in it.

use std::fmt;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::strategy::Union;
use raceproof_engine::{Access, Effect, Footprint, Object, Options, Outcome, Reply, Timestamp, Version};

use crate::contended::{GENERAL, THEMES, TRACKING, Theme, WAITING};
use crate::support::driver::{self, Driver};
use crate::support::dump::dump_with_readers;
use crate::support::generate;
use crate::support::sequence::{Action, Arg, SESSIONS, Sequence, Step, resolve};
use crate::support::show;

/// The time at which every case starts (ms since the Unix epoch); not the beginning of a second.
const BASE_MS: i64 = 1_700_000_000_123;

/// The session of the units that come first, of those that come second, and of the one that watches.
const FIRST: usize = 0;
const SECOND: usize = 1;
const WATCHER: usize = 2;
/// The first of the sessions that wait.
const WAITERS: usize = SESSIONS;

/// What is run at once.
#[derive(Clone, Debug)]
enum Unit {
    /// Commands that one session runs in a row: one command, or a transaction.
    Commands(Vec<Vec<Arg>>),
    /// The server's own cycle, which removes expired keys.
    Expiry,
}

/// A state, and units to be run in it in pairs.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    version: Version,
    setup: Sequence,
    /// What the watching session does last: it watches keys and opens a transaction.
    watch: Vec<Arg>,
    /// How much more than it uses by then the server may use (bytes), and what it evicts.
    limit: Option<(i64, &'static str)>,
    /// What sessions of their own wait with.
    waits: Vec<Vec<Arg>>,
    first: Vec<Unit>,
    second: Vec<Unit>,
    /// When the units run, after the start (ms); and another time at which they might.
    at_ms: i64,
    other_ms: i64,
}

/// Whether an access is kept.
pub(crate) type Keep = fn(&(Object, Access)) -> bool;

/// What a test keeps of footprints.
#[derive(Clone, Copy)]
pub(crate) struct Footprints {
    /// Whether an access is kept.
    pub(crate) keep: Keep,
}

impl Footprints {
    fn of(self, accesses: &[(Object, Access)]) -> Footprint {
        let mut footprint = Footprint::default();
        for (object, access) in accesses.iter().filter(|access| (self.keep)(access)) {
            footprint.add(object.clone(), *access);
        }
        footprint
    }
}

/// How many pairs were looked at.
pub(crate) struct Counts {
    /// All.
    pub(crate) pairs: u64,
    /// Those that claimed to be independent.
    pub(crate) independent: u64,
}

/// Random cases, each mostly about one type of value.
pub(crate) fn strategy() -> impl Strategy<Value = Case> {
    Union::new(THEMES.iter().chain([&TRACKING, &TRACKING]).map(case))
}

fn case(theme: &'static Theme) -> BoxedStrategy<Case> {
    let templates = |texts: &[&str]| Union::new(texts.iter().map(|text| generate::template(text)));
    let (contended, general) = (templates(theme.commands), templates(GENERAL));
    let unit = || {
        prop_oneof![
            3 => generate::command().prop_map(|command| Unit::Commands(vec![command])),
            5 => contended.clone().prop_map(|command| Unit::Commands(vec![command])),
            3 => general.clone().prop_map(|command| Unit::Commands(vec![command])),
            1 => generate::transaction().prop_map(Unit::Commands),
        ]
    };
    let units = || prop::collection::vec(unit(), 1..5);
    let watch = generate::template("WATCH key+");
    let waits = prop::collection::vec(templates(WAITING), 0..3);
    let policy = prop::sample::select(vec![
        "noeviction",
        "allkeys-lru",
        "volatile-lru",
        "allkeys-lfu",
        "volatile-lfu",
        "allkeys-random",
        "volatile-random",
        "volatile-ttl",
    ]);
    let limit = prop_oneof![4 => Just(None), 1 => (-1000_i64..1000, policy).prop_map(Some)];
    let time = || prop::sample::select(vec![0_i64, 1, 2, 3, 1000, 60_000, 150_000, 2_000_000]);
    let version = prop::sample::select(vec![Version::V7_0, Version::V8_4]);
    (version, setup(theme), watch, limit, waits, units(), units(), (time(), time()))
        .prop_map(|(version, setup, watch, limit, waits, first, second, (at_ms, other_ms))| Case {
            version,
            setup,
            watch,
            limit,
            waits,
            first,
            second,
            at_ms,
            other_ms,
        })
        .boxed()
}

/// States: mostly some keys of the type, some others, and sessions that may be anywhere.
fn setup(theme: &'static Theme) -> impl Strategy<Value = Sequence> + use<> {
    let tracks = theme.families.contains(&"tracking");
    let fill = |family: &str| {
        let sessions = if tracks { FIRST..SESSIONS } else { WATCHER..SESSIONS };
        let step = |(session, args)| vec![Step { session, action: Action::Run(args) }];
        (sessions, generate::family(family)).prop_map(step)
    };
    let of_theme = Union::new(theme.families.iter().map(|family| fill(family)));
    let anything = generate::sequence(2, true).prop_map(|sequence| sequence.steps);
    let group = prop_oneof![
        8 => of_theme,
        1 => generate::listening(),
        2 => fill("strings"),
        1 => fill("hashes"),
        1 => fill("expiry"),
        1 => fill("databases"),
        1 => anything,
    ];
    (prop::array::uniform3(prop::bool::weighted(0.7)), prop::collection::vec(group, 0..10))
        .prop_map(move |(resp3, groups)| Sequence { resp3: resp3.map(|resp3| resp3 && tracks), steps: groups.concat() })
}

/// What one unit did.
#[derive(Clone, PartialEq)]
struct Ran {
    /// What came on each connection.
    heard: Vec<Vec<u8>>,
    replies: Vec<String>,
    effects: Vec<Effect>,
    accesses: Vec<(Object, Access)>,
}

impl Ran {
    /// The accesses in an order that does not depend on when they were made.
    fn footprint(&self) -> Vec<(Object, Access)> {
        let mut accesses = self.accesses.clone();
        accesses.sort();
        accesses.dedup();
        accesses
    }
}

impl Case {
    /// What claims to be independent gives the same replies, effects and state in both orders.
    pub(crate) fn check_order(&self, footprints: Footprints) -> Result<Counts, String> {
        let mut counts = Counts { pairs: 0, independent: 0 };
        let start = self.start();
        let now_ms = BASE_MS + self.at_ms;
        for first in &self.first {
            for second in self.second.iter().chain([&Unit::Expiry]) {
                counts.pairs += 1;
                let mut forth = start.clone();
                let first_forth = run_unit(&mut forth, FIRST, first, now_ms);
                let second_forth = run_unit(&mut forth, SECOND, second, now_ms);
                let mut back = start.clone();
                let second_back = run_unit(&mut back, SECOND, second, now_ms);
                let first_back = run_unit(&mut back, FIRST, first, now_ms);
                let claims = |a: &Ran, b: &Ran| !footprints.of(&a.accesses).conflicts(&footprints.of(&b.accesses));
                if !claims(&first_forth, &second_forth) && !claims(&first_back, &second_back) {
                    continue;
                }
                counts.independent += 1;
                let told = |what: &str, forth: &dyn fmt::Debug, back: &dyn fmt::Debug| {
                    Err(format!(
                        "{} and {} claim to be independent, but {what} differ:\nin this order {forth:?}\nin the other  {back:?}",
                        shown(first),
                        shown(second)
                    ))
                };
                let (heard_forth, heard_back) =
                    (heard(&[&first_forth, &second_forth]), heard(&[&second_back, &first_back]));
                if heard_forth != heard_back {
                    return told("what sessions hear", &heard_forth, &heard_back);
                }
                for (forth, back) in [(&first_forth, &first_back), (&second_forth, &second_back)] {
                    if forth.replies != back.replies {
                        return told("replies", &forth.replies, &back.replies);
                    }
                    if forth.effects != back.effects {
                        return told("effects", &forth.effects, &back.effects);
                    }
                    if forth.footprint() != back.footprint() {
                        return told("footprints", &forth.footprint(), &back.footprint());
                    }
                }
                let (forth, back) = (observe(forth, now_ms), observe(back, now_ms));
                if forth != back {
                    return told("states", &forth, &back);
                }
            }
        }
        Ok(counts)
    }

    /// What does not read the clock is the same at another time.
    pub(crate) fn check_clock(&self, footprints: Footprints) -> Result<(), String> {
        let start = self.start();
        for unit in self.first.iter().chain(&self.second) {
            let run = |ms| {
                let mut driver = start.clone();
                let ran = run_unit(&mut driver, FIRST, unit, BASE_MS + ms);
                (ran, observe(driver, BASE_MS + self.at_ms.max(self.other_ms)))
            };
            let (now, state_now) = run(self.at_ms);
            if footprints.of(&now.accesses).iter().any(|(object, _)| *object == Object::Clock) {
                continue;
            }
            let (then, state_then) = run(self.other_ms);
            if now.replies != then.replies || now.effects != then.effects || state_now != state_then {
                return Err(format!(
                    "{} claims not to read the clock, but differs {} ms and {} ms after the start:\n{:?} {:?} {:?} {:#?}\n{:?} {:?} {:?} {:#?}",
                    shown(unit),
                    self.at_ms,
                    self.other_ms,
                    now.replies,
                    now.effects,
                    now.accesses,
                    state_now,
                    then.replies,
                    then.effects,
                    then.accesses,
                    state_then
                ));
            }
        }
        Ok(())
    }

    /// What does not write deadlines leaves the next one where it is.
    pub(crate) fn check_deadlines(&self, footprints: Footprints) -> Result<(), String> {
        let start = self.start();
        for unit in self.first.iter().chain(&self.second) {
            let mut driver = start.clone();
            let ran = run_unit(&mut driver, FIRST, unit, BASE_MS + self.at_ms);
            let writes = |(object, access): &(Object, Access)| *object == Object::Deadlines && access.writes();
            let next = |driver: &Driver| (driver.engine.next_deadline_ms(), driver.engine.next_timeout_ms());
            let (before, after) = (next(&start), next(&driver));
            if before != after && !footprints.of(&ran.accesses).iter().any(writes) {
                return Err(format!(
                    "{} claims to move no deadline, but the next one was {before:?} and is {after:?}",
                    shown(unit)
                ));
            }
        }
        Ok(())
    }

    /// The state in which the units run.
    fn start(&self) -> Driver {
        let mut driver =
            Driver::new(Options { sorted_replies: true, seed: 7, version: self.version, ..Options::default() });
        let mut host = driver::host();
        let mut now_ms = BASE_MS;
        for step in self.setup.all_steps() {
            match step.action {
                Action::Wait(ms) => now_ms += i64::try_from(ms).expect("a short wait"),
                Action::Run(args) => drop(driver.run(&mut host, step.session, &resolve(&args, BASE_MS), now_ms)),
            }
        }
        if let Some((more, policy)) = self.limit {
            limit(&mut driver, more, policy, now_ms);
        }
        driver.run(&mut host, WATCHER, &resolve(&self.watch, BASE_MS), now_ms);
        driver.run(&mut host, WATCHER, &[Bytes::from_static(b"MULTI")], now_ms);
        for session in [FIRST, SECOND] {
            if driver.engine.waits(driver.sessions[session]) {
                driver.run(&mut host, session, &[Bytes::from_static(b"PING")], now_ms);
            }
        }
        for (nth, args) in self.waits.iter().enumerate() {
            driver.sessions.push(driver.engine.connect());
            driver.run(&mut host, WAITERS + nth, &resolve(args, BASE_MS), now_ms);
        }
        driver
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?}, memory: {:?}, setup:\n{}  [{WATCHER}] {}\n  [{WATCHER}] MULTI\n",
            self.version,
            self.limit,
            self.setup,
            show::command(&resolve(&self.watch, BASE_MS))
        )?;
        for (nth, args) in self.waits.iter().enumerate() {
            writeln!(f, "  [{}] {}", WAITERS + nth, show::command(&resolve(args, BASE_MS)))?;
        }
        writeln!(f, "first, {} ms after the start (or {} ms):", self.at_ms, self.other_ms)?;
        self.first.iter().try_for_each(|unit| writeln!(f, "  {}", shown(unit)))?;
        writeln!(f, "second:")?;
        self.second.iter().try_for_each(|unit| writeln!(f, "  {}", shown(unit)))
    }
}

/// Sets a limit near to what is in use.
fn limit(driver: &mut Driver, more: i64, policy: &str, now_ms: i64) {
    let words = |line: &str| line.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect::<Vec<_>>();
    let mut host = driver::host();
    let Reply::Verbatim(_, info) = driver.run(&mut host, WATCHER, &words("INFO memory"), now_ms).reply else { return };
    let info = String::from_utf8_lossy(&info).into_owned();
    let used = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
    let used: i64 = used.and_then(|used| used.parse().ok()).expect("INFO says how much memory is in use");
    let set = format!("CONFIG SET maxmemory-policy {policy} maxmemory {}", used + more);
    driver.run(&mut host, WATCHER, &words(&set), now_ms);
}

/// What came on each connection in the order of the units.
fn heard(units: &[&Ran]) -> Vec<String> {
    let of = |session: usize| units.iter().flat_map(|ran| ran.heard[session].clone()).collect::<Vec<u8>>();
    (0..units[0].heard.len()).map(|session| show::quoted(&of(session))).collect()
}

fn shown(unit: &Unit) -> String {
    let Unit::Commands(commands) = unit else { return "the removal of expired keys".to_owned() };
    commands.iter().map(|args| show::command(&resolve(args, BASE_MS))).collect::<Vec<_>>().join("; ")
}

fn run_unit(driver: &mut Driver, session: usize, unit: &Unit, now_ms: i64) -> Ran {
    let mut ran = Ran {
        heard: vec![Vec::new(); driver.sessions.len()],
        replies: Vec::new(),
        effects: Vec::new(),
        accesses: Vec::new(),
    };
    let Unit::Commands(commands) = unit else {
        let mut outcome = Outcome::default();
        driver.engine.expire_due(Timestamp::from_ms(now_ms), &mut outcome);
        driver.hear(None, &outcome, &mut ran.heard);
        ran.effects = outcome.effects;
        ran.accesses.extend(outcome.footprint.iter().cloned());
        return ran;
    };
    let mut host = driver::host();
    for args in commands {
        let outcome = driver.run(&mut host, session, &resolve(args, BASE_MS), now_ms);
        ran.replies.push(match outcome.waits {
            true => "waits".to_owned(),
            false => show::quoted(&driver.bytes(session, &outcome.reply)),
        });
        driver.hear(Some(session), &outcome, &mut ran.heard);
        ran.effects.extend(outcome.effects);
        ran.accesses.extend(outcome.footprint.iter().cloned());
    }
    ran
}

/// Who gets what when there is something for everybody.
fn who_waits(mut driver: Driver, now_ms: i64) -> Vec<String> {
    let giver = driver.sessions.len();
    driver.sessions.push(driver.engine.connect());
    let mut seen = Vec::new();
    for db in ["0", "1", "2"] {
        let select = format!("SELECT {db}");
        for line in [
            select.as_str(),
            "DEL l m z y x",
            "RPUSH l 1 2 3 4 5 6",
            "RPUSH m 1 2 3 4 5 6",
            "ZADD z 1 a 2 b 3 c 4 d",
            "ZADD y 1 a 2 b 3 c 4 d",
            "XADD x 9999999999999-1 f v",
        ] {
            let args: Vec<Bytes> = line.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
            let outcome = driver.run(&mut driver::host(), giver, &args, now_ms);
            seen.extend(served(&driver, &outcome));
        }
    }
    seen
}

/// What comes of the commands that a pause holds.
fn what_is_held(driver: &mut Driver, now_ms: i64) -> Vec<String> {
    if !driver.sessions.iter().any(|session| driver.engine.is_held(*session)) {
        return Vec::new();
    }
    let Some(end_ms) = driver.engine.pause_end_ms() else { return Vec::new() };
    let mut outcome = Outcome::default();
    let now = Timestamp::from_ms(end_ms.max(now_ms) + 1);
    driver.engine.time_out(&mut driver::host(), now, &mut outcome);
    let mut heard = vec![Vec::new(); driver.sessions.len()];
    driver.hear(None, &outcome, &mut heard);
    let effects = format!("held until {end_ms}: {:?}", outcome.effects);
    heard.iter().map(|bytes| show::quoted(bytes)).chain([effects]).collect()
}

/// What each session is told if keys are changed.
fn who_is_told(mut driver: Driver, now_ms: i64) -> Vec<String> {
    let changer = driver.sessions.len();
    driver.sessions.push(driver.engine.connect());
    let mut seen = Vec::new();
    for name in ["a", "b", "c", "h", "l", "m", "s", "x"] {
        let mut heard = vec![Vec::new(); driver.sessions.len()];
        let args = ["SET", name, "1"].map(Bytes::from);
        let outcome = driver.run(&mut driver::host(), changer, &args, now_ms);
        driver.hear(Some(changer), &outcome, &mut heard);
        seen.extend(heard.iter().enumerate().map(|(at, bytes)| format!("{name} tells [{at}] {}", show::quoted(bytes))));
    }
    for session in 0..SESSIONS {
        let args = ["CLIENT", "TRACKINGINFO"].map(Bytes::from);
        let reply = driver.run(&mut driver::host(), session, &args, now_ms).reply;
        seen.push(format!("[{session}] tracks {}", show::quoted(&driver.bytes(session, &reply))));
    }
    seen
}

/// What sessions that waited were sent.
fn served(driver: &Driver, outcome: &Outcome) -> Vec<String> {
    let shown = |(session, bytes): (usize, Vec<u8>)| format!("to [{session}]: {}", show::quoted(&bytes));
    driver.served(outcome).into_iter().map(shown).collect()
}

/// All that can be seen afterwards: the data, the next deadlines, who waits for what in which order, and whether each
/// session's transaction goes through.
fn observe(mut driver: Driver, now_ms: i64) -> Vec<String> {
    let mut seen = dump_with_readers(&driver, now_ms);
    seen.push(format!("next deadline {:?}", driver.engine.next_deadline_ms()));
    seen.push(format!("next timeout {:?}", driver.engine.next_timeout_ms()));
    let mut host = driver::host();
    seen.extend(what_is_held(&mut driver, now_ms));
    seen.extend(who_waits(driver.clone(), now_ms));
    seen.extend(who_is_told(driver.clone(), now_ms));
    for session in 0..SESSIONS {
        driver.run(&mut host, session, &[Bytes::from_static(b"MULTI")], now_ms);
        let reply = driver.run(&mut host, session, &[Bytes::from_static(b"EXEC")], now_ms).reply;
        seen.push(format!("EXEC of session {session}: {}", show::quoted(&driver.bytes(session, &reply))));
    }
    seen
}

//! What a crash leaves: a model over the log of effects.
//!
//! The disk holds a beginning of the log. How much of it is certain follows from the policy, with the windows that the
//! explorer has too (`raceproof check --persistence`): under `everysec` what is older than [`EVERYSEC_WINDOW_MS`], under
//! `no` only what was there when the policy was chosen. A crash of the process loses nothing that reached the log, since
//! the kernel holds it; a power loss leaves the certain part, or more of it.
//!
//! The certain part is an engine of its own, the *disk*, which executes the log as a server does that loads it: each
//! entry at the time at which it was made.

use std::collections::VecDeque;

use raceproof_engine::{Effect, Engine, LuaHost, Options, Outcome, SessionId, Timestamp};

/// How old a write must be to survive a power loss under `everysec` (ms): the server gives the disk up to two seconds
/// before it holds its clients back.
pub(crate) const EVERYSEC_WINDOW_MS: i64 = 2_000;

/// How many bytes of arguments the uncertain part of the log may hold. Older entries count as written.
const LONGEST_LOG: usize = 256 << 20;

/// What is kept when the server goes down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Persistence {
    /// `appendfsync always`: every write is on disk before its reply is sent.
    Always,
    /// `appendfsync everysec`: a power loss may cost the writes of the last two seconds.
    Everysec,
    /// `appendfsync no`: a power loss may cost every write since the policy was chosen.
    No,
    /// No append-only file: a crash of either kind costs everything, but for what was there at the last `SAVE`.
    #[default]
    Off,
}

impl Persistence {
    /// All policies.
    pub const ALL: [Self; 4] = [Self::Always, Self::Everysec, Self::No, Self::Off];

    /// Its name on the command line and in `RACEPROOF PERSISTENCE`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Everysec => "everysec",
            Self::No => "no",
            Self::Off => "off",
        }
    }

    /// The policy of a name in any case.
    #[must_use]
    pub fn named(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name().as_bytes().eq_ignore_ascii_case(name))
    }
}

/// What goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// The process alone: the kernel still writes what it was given.
    Process,
    /// The machine.
    Power,
}

/// How much of the uncertain part survives a power loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Survivors {
    /// Nothing of it.
    Worst,
    /// A beginning of it, by this number.
    Chosen(u64),
}

/// What one command, or the passing of time, propagated: survives as a whole or not at all.
#[derive(Clone, Debug)]
struct Entry {
    at: Timestamp,
    effects: Vec<Effect>,
    bytes: usize,
}

/// The disk of one universe.
#[derive(Clone, Debug)]
pub(crate) struct Durability {
    pub(crate) policy: Persistence,
    disk: Engine,
    log: VecDeque<Entry>,
    bytes: usize,
}

impl Durability {
    /// A disk that holds what a server holds at this moment, or nothing without an append-only file.
    pub(crate) fn new(policy: Persistence, held: &Engine) -> Self {
        let kept = match policy {
            Persistence::Everysec | Persistence::No => Some(held),
            // Of nobody's use: what survives is everything, or nothing.
            Persistence::Always | Persistence::Off => None,
        };
        let disk = kept.map_or_else(|| Engine::new(Options::default()), |held| held.restarted(Some(held)));
        Self { policy, disk, log: VecDeque::new(), bytes: 0 }
    }

    /// Whether effects have to be made at all.
    pub(crate) const fn wants_effects(&self) -> bool {
        matches!(self.policy, Persistence::Everysec | Persistence::No)
    }

    /// Adds what was propagated at a time.
    pub(crate) fn record(&mut self, effects: &mut Vec<Effect>, at: Timestamp, host: &mut LuaHost) {
        if effects.is_empty() {
            return;
        }
        let effects = std::mem::take(effects);
        let bytes = effects.iter().flat_map(|effect| &effect.args).map(|arg| arg.len() + 32).sum();
        self.bytes += bytes;
        self.log.push_back(Entry { at, effects, bytes });
        self.settle(at, host);
    }

    /// Writes to the disk what is certain by now.
    fn settle(&mut self, now: Timestamp, host: &mut LuaHost) {
        let certain_before = match self.policy {
            Persistence::Everysec => now.ms().saturating_sub(EVERYSEC_WINDOW_MS),
            _ => i64::MIN,
        };
        let mut loader = None;
        while let Some(first) = self.log.front()
            && (first.at.ms() < certain_before || self.bytes > LONGEST_LOG)
            && let Some(entry) = self.log.pop_front()
        {
            self.bytes -= entry.bytes;
            loader.get_or_insert_with(|| Loader::new(&mut self.disk)).load(&mut self.disk, &entry, host);
        }
        if let Some(loader) = loader {
            self.disk.disconnect(loader.session);
        }
    }

    /// What a server holds that starts after a crash: `held` is what it held before, `saved` what it last wrote by
    /// `SAVE`. Gives the state to load, if there is any.
    pub(crate) fn after_crash<'a>(
        &'a mut self,
        crash: Crash,
        survivors: Survivors,
        held: &'a Engine,
        saved: Option<&'a Engine>,
        now: Timestamp,
        host: &mut LuaHost,
    ) -> Option<&'a Engine> {
        match (self.policy, crash) {
            (Persistence::Off, _) => saved,
            (Persistence::Always, _) | (_, Crash::Process) => Some(held),
            (Persistence::Everysec | Persistence::No, Crash::Power) => {
                self.settle(now, host);
                let kept = match survivors {
                    Survivors::Worst => 0,
                    Survivors::Chosen(number) => (number % (self.log.len() as u64 + 1)) as usize,
                };
                let loader = Loader::new(&mut self.disk);
                for entry in self.log.drain(..).take(kept) {
                    loader.load(&mut self.disk, &entry, host);
                }
                self.disk.disconnect(loader.session);
                self.bytes = 0;
                Some(&self.disk)
            }
        }
    }
}

/// The session of the disk that executes the log.
#[derive(Clone, Copy, Debug)]
struct Loader {
    session: SessionId,
}

impl Loader {
    fn new(disk: &mut Engine) -> Self {
        Self { session: disk.connect() }
    }

    fn load(self, disk: &mut Engine, entry: &Entry, host: &mut LuaHost) {
        let mut outcome = Outcome { without_effects: true, ..Outcome::default() };
        let mut db = None;
        for effect in &entry.effects {
            // `MULTI` and `EXEC` only frame: an entry is loaded as a whole anyway.
            if matches!(&effect.args[..], [name] if name.as_ref() == b"MULTI" || name.as_ref() == b"EXEC") {
                continue;
            }
            if db.replace(effect.db) != Some(effect.db) {
                let select = [bytes::Bytes::from_static(b"SELECT"), effect.db.to_string().into()];
                disk.execute(host, self.session, &select, entry.at, &mut outcome);
            }
            disk.execute(host, self.session, &effect.args, entry.at, &mut outcome);
        }
    }
}

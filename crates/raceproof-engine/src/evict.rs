//! `maxmemory`: room is made for commands by evicting keys, or they are refused.
//!
//! As in Redis, keys are evicted before a command and not after one, so that memory may be over the limit by what the last
//! command added. `…-lru` and `…-lfu` look at a few keys at a time and keep the best candidates ever seen in a pool.
//! Redis does so for `volatile-ttl` as well; here the deadlines are in order, and the nearest one goes first.
//!
//! What is evicted depends on all keys, so where there is a limit every command reads the account ([`Object::Memory`]),
//! and every one that changes it writes it.

use bytes::Bytes;

use crate::{
    Access, Engine, Object,
    access::{Counting, Used},
    context::Context,
    db::Entry,
    key::Key,
    memory, notify,
};

/// Which keys a policy may evict, and in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Keys without a deadline are spared.
    pub(crate) volatile_only: bool,
    /// `None`: nothing is evicted.
    pub(crate) order: Option<Order>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The longest unused first.
    Lru,
    /// The least often used first.
    Lfu,
    Random,
    /// The nearest deadline first.
    Ttl,
}

impl Policy {
    /// By its name in `maxmemory-policy`.
    pub(crate) fn named(name: &[u8]) -> Self {
        let order = match name {
            b"allkeys-lru" | b"volatile-lru" => Some(Order::Lru),
            b"allkeys-lfu" | b"volatile-lfu" => Some(Order::Lfu),
            b"allkeys-random" | b"volatile-random" => Some(Order::Random),
            b"volatile-ttl" => Some(Order::Ttl),
            _ => None,
        };
        Self { volatile_only: name.starts_with(b"volatile-"), order }
    }

    /// Whether it goes by how keys were used.
    pub(crate) const fn goes_by_use(self) -> bool {
        matches!(self.order, Some(Order::Lru | Order::Lfu))
    }

    fn admits(self, entry: &Entry) -> bool {
        !self.volatile_only || entry.deadline().is_some()
    }
}

/// A key that was looked at and may go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Candidate {
    /// The higher, the sooner it goes.
    idle: u32,
    db: u32,
    key: Key,
}

/// How many candidates are kept.
const POOL: usize = 16;
/// Up to this many keys are counted off, so that each is as likely as any other.
const COUNTED_OFF: usize = 1024;
/// Of more, one is drawn by a random position and less than so many steps from there: none would favour keys after a gap.
const STEPS: usize = 16;
/// How many keys are looked at for one that has a deadline, before the index of deadlines is asked.
const LOOKED_AT: usize = 128;

impl Engine {
    /// The bytes that a Redis with this data would say that it uses.
    pub(crate) fn used_memory(&self) -> usize {
        memory::AT_START + self.databases.in_use()
    }

    /// [`Self::used_memory`], where a process keeps its peak.
    pub(crate) fn used_memory_if_told(&self) -> Option<usize> {
        self.process.is_some().then(|| self.used_memory())
    }

    fn is_over_limit(&self) -> bool {
        self.config.memory_limit().is_some_and(|limit| self.used_memory() > limit)
    }

    /// Keeps account of memory if there is a limit.
    pub(crate) fn settle_account(&mut self) {
        let wanted = self.config.memory_limit().is_some();
        if wanted != self.databases.account().is_some() {
            self.databases.keep_account(wanted);
        }
        if !wanted {
            self.candidates.clear();
        }
    }

    /// Whether keys remember how they were used.
    pub(crate) fn notes_use(&self) -> bool {
        self.options.access_times || (self.config.memory_limit().is_some() && self.config.policy().goes_by_use())
    }

    /// Whether keys remember when they were used last, and not how often.
    pub(crate) fn dates_uses(&self) -> bool {
        self.notes_use() && self.config.counting().is_none()
    }
}

impl Context<'_> {
    /// Evicts keys until the memory in use is within the limit. Tells whether it is, or clients are paused, so that it does
    /// not matter.
    pub(crate) fn make_room(&mut self) -> bool {
        if self.engine.config.memory_limit().is_none() || self.engine.is_paused(self.now) {
            return true;
        }
        self.touch(Object::Memory, Access::Read);
        if !self.engine.is_over_limit() {
            return true;
        }
        let policy = self.engine.config.policy();
        let Some(order) = policy.order else { return false };
        self.touch(Object::Memory, Access::Write);
        self.touch(Object::Deadlines, Access::Read);
        for db in 0..self.engine.config.databases() {
            self.touch(Object::Keyspace(db), Access::Read);
        }
        while self.engine.is_over_limit() {
            let victim = match order {
                Order::Ttl => self.databases().first_deadline().map(|(_, db, name)| (*db, Key::new(name))),
                Order::Random => self.drawn(None, policy),
                Order::Lru | Order::Lfu => self.longest_idle(policy),
            };
            let Some((db, key)) = victim else { return false };
            self.evict(db, &key);
        }
        true
    }

    /// Evicts a key that is there.
    pub(crate) fn evict(&mut self, db: u32, key: &Key) {
        if let Some(statistics) = &mut self.engine.statistics {
            statistics.evicted += 1;
        }
        self.take_out(db, key);
        self.changed_by(db, key, None);
        self.notify(notify::EVICTED, "evicted", db, &key.name);
        let command = self.engine.config.eviction_command();
        self.effects.add(db, || vec![command, key.name.clone()]);
    }

    /// A random key of a database, or of any, that a policy may evict. Keys with a deadline may come from another database.
    fn drawn(&mut self, db: Option<u32>, policy: Policy) -> Option<(u32, Key)> {
        self.touch(Object::Random, Access::Write);
        let Engine { databases, random, .. } = &mut *self.engine;
        if policy.volatile_only && databases.volatile() <= COUNTED_OFF {
            return databases.volatile_key(random.below(databases.volatile()));
        }
        let filled = databases.iter().count();
        let db = match db {
            Some(db) => db,
            None => databases.iter().nth(random.below(filled))?.0 as u32,
        };
        let database = databases.get(db);
        let size = database.keys.len();
        let (position, steps) = if size <= COUNTED_OFF {
            (database.keys.iter().nth(random.below(size))?.0.position, 0)
        } else {
            (random.next() >> 12, random.below(STEPS))
        };
        let looked_at = if policy.volatile_only { LOOKED_AT } else { STEPS };
        let around = database.keys.starting_at(position).chain(database.keys.iter()).take(looked_at);
        let found = around.filter(|(_, entry)| policy.admits(entry)).take(steps + 1).last();
        match found {
            Some((name, _)) => Some((db, name.to_key())),
            None => databases.volatile_key(random.below(LOOKED_AT)),
        }
    }

    /// The best candidate that is still there, after some more keys were looked at.
    fn longest_idle(&mut self, policy: Policy) -> Option<(u32, Key)> {
        let counting = self.engine.config.counting();
        self.read_clock();
        loop {
            let filled: Vec<u32> = self.databases().iter().map(|(db, _)| db as u32).collect();
            let known = self.engine.candidates.len();
            for db in filled {
                for _ in 0..self.engine.config.eviction_samples() {
                    let Some((db, key)) = self.drawn(Some(db), policy) else { break };
                    self.consider(db, key, counting);
                }
            }
            if known == 0 && self.engine.candidates.is_empty() {
                return None;
            }
            while let Some(Candidate { db, key, .. }) = self.engine.candidates.pop() {
                if self.databases().entry(db, &key).is_some_and(|entry| policy.admits(entry)) {
                    return Some((db, key));
                }
            }
        }
    }

    /// Keeps a key as a candidate if it is better than one that is kept, or there is room.
    fn consider(&mut self, db: u32, key: Key, counting: Option<Counting>) {
        let now_ms = self.now_ms();
        let Some(used) = self.databases().entry(db, &key).map(|entry| entry.used) else { return };
        let idle = match counting {
            None => used.idle_s(now_ms),
            Some(counting) => u32::from(u8::MAX - used.count(now_ms, counting)),
        };
        let candidates = &mut self.engine.candidates;
        if candidates.iter().any(|known| known.db == db && known.key == key) {
            return;
        }
        let at = candidates.partition_point(|known| known.idle < idle);
        candidates.insert(at, Candidate { idle, db, key });
        if candidates.len() > POOL {
            candidates.remove(0);
        }
    }

    // Accesses

    /// An access to a key that is there, which is kept in mind if accesses are.
    pub(crate) fn note_use(&mut self, db: u32, key: &Key) {
        if !self.touches || !self.engine.notes_use() {
            return;
        }
        let (now_ms, counting) = (self.now_ms(), self.engine.config.counting());
        self.touch_use(Access::IntentWrite);
        let Engine { databases, random, .. } = &mut *self.engine;
        let mut drawn = false;
        if let Some(used) = databases.used_mut(db, key) {
            *used = match counting {
                None => Used::at(now_ms),
                Some(counting) => used.count_up(now_ms, counting, |limit| {
                    drawn = true;
                    random.below(limit)
                }),
            };
        }
        if drawn {
            self.touch(Object::Random, Access::Write);
        }
    }

    /// A key was added, of which nothing is known yet.
    pub(crate) fn note_new(&mut self, db: u32, key: &Key) {
        let counted = self.engine.config.counting().is_some();
        self.put_use(db, key, Used::stored(self.now_ms(), counted, None));
    }

    /// Sets how a key was used, if that is kept in mind.
    pub(crate) fn put_use(&mut self, db: u32, key: &Key, new: Used) {
        if self.engine.notes_use() {
            self.touch_use(Access::IntentWrite);
            if let Some(used) = self.engine.databases.used_mut(db, key) {
                *used = new;
            }
        }
    }

    /// How a key was used counts as part of the account, by which it is evicted. Whoever notes an access notes the time.
    pub(crate) fn touch_use(&mut self, access: Access) {
        if !self.footprint.ignores() {
            self.touch(Object::Memory, access);
            self.read_clock();
        }
    }

    /// Declares a look at how much memory is in use.
    pub(crate) fn read_memory(&mut self) {
        if self.databases().account().is_some() {
            return self.touch(Object::Memory, Access::Read);
        }
        for db in 0..self.engine.config.databases() {
            self.touch(Object::Keyspace(db), Access::Read);
        }
        self.touch(Object::Deadlines, Access::Read);
        let keys: Vec<(u32, Bytes)> =
            self.databases().entries().map(|(db, name, _)| (db, name.to_key().name)).collect();
        for (db, name) in keys {
            self.touch(Object::Key(db, name), Access::Read);
        }
    }
}

//! The order in which the atlas tells its protocols, what each group promises, and the protocols that still wait for
//! commands of the engine. Everything else stands in the scenario files.

/// A group of protocols that promise the same.
#[derive(Debug)]
pub(crate) struct Chapter {
    /// The folder below `scenarios/`.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What is checked of each of them.
    pub(crate) promise: &'static str,
    pub(crate) entries: &'static [Entry],
}

#[derive(Debug)]
pub(crate) enum Entry {
    /// The row of this scenario.
    Of(&'static str),
    /// A row without a scenario.
    Waits(Waiting),
}

/// A protocol that cannot be run yet.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) title: &'static str,
    pub(crate) about: &'static str,
    pub(crate) known_from: &'static str,
    /// What the engine lacks.
    pub(crate) lacks: &'static str,
}

use Entry::{Of, Waits};

/// All of them, in the order of the page.
pub(crate) static CHAPTERS: &[Chapter] = &[
    Chapter {
        name: "memory",
        title: "Memories: what a session remembers",
        promise: "What a client was told to be stored is there until its time is over, what was forgotten stays \
                  forgotten, and a session has an end.",
        entries: &[
            Of("memory/serialized-value"),
            Of("memory/lua-merge"),
            Of("memory/evalsha"),
            Of("memory/evalsha-eval"),
            Of("memory/watch-without-retry"),
            Of("memory/watch-retry"),
            Of("memory/replace-hash"),
            Of("memory/hmset-merge"),
            Of("memory/hset-forget"),
            Of("memory/counter-read-modify-write"),
            Of("memory/counter-hincrby"),
            Of("memory/hset-then-expire"),
            Of("memory/hset-expire-script"),
            Of("memory/document-then-expire"),
            Of("memory/document-set-ex"),
            Of("memory/expire-then-set"),
            Of("memory/set-ex"),
            Of("memory/per-message-ttl"),
            Of("memory/conversation-ttl"),
            Of("memory/fixed-ttl"),
            Of("memory/sliding-ttl"),
            Of("memory/set-again-late"),
            Of("memory/set-again-version"),
        ],
    },
    Chapter {
        name: "cache",
        title: "Caches: Redis in front of a row",
        promise: "When all is quiet the cache has no value or the row's, and no read that starts after a write was \
                  acknowledged returns an older value. Rows that say so count from the COMMIT instead.",
        entries: &[
            Of("cache/delete-then-database"),
            Of("cache/database-then-delete"),
            Of("cache/database-then-delete-warm"),
            Of("cache/double-delete-at-once"),
            Of("cache/double-delete-delayed"),
            Of("cache/tombstone"),
            Of("cache/lease-guarded-fill"),
            Of("cache/version-then-delete"),
            Of("cache/version-then-set"),
            Of("cache/refresh-ahead"),
            Of("cache/refresh-ahead-compare"),
            Of("cache/write-through"),
            Of("cache/write-through-transaction"),
            Of("cache/write-through-with-reader"),
            Of("cache/dual-write-in-transaction"),
            Of("cache/write-after-commit"),
            Of("cache/write-behind"),
            Of("cache/write-behind-compare"),
            Of("cache/outbox-then-delete"),
            Of("cache/outbox-refill"),
            Of("cache/outbox-lease"),
            Of("cache/cdc-watermark-max-id"),
            Of("cache/cdc-rows-removed"),
            Of("cache/rockscache-delete"),
            Of("cache/rockscache-lock-for-update"),
            Of("cache/rockscache-lock-persist"),
            Of("cache/commit-to-delete-window"),
            Of("cache/mark-with-ttl"),
            Of("cache/mark-before-commit"),
            Of("cache/single-mark"),
            Of("cache/mark-set"),
            Of("cache/strict"),
            Waits(Waiting {
                title: "client-side caching with TRACKING",
                about: "values are kept in the process; Redis tells which keys have changed",
                known_from: "Valkey, Client-side caching (https://valkey.io/topics/client-side-caching)",
                lacks: "CLIENT TRACKING, and clients that are sent messages",
            }),
        ],
    },
    Chapter {
        name: "lock",
        title: "Locks: one at a time",
        promise: "No two clients are inside at once, or, where a row says so, none of their writes is lost; and a lock \
                  whose holder is gone comes free.",
        entries: &[
            Of("lock/setnx-without-ttl"),
            Of("lock/setnx-then-expire"),
            Of("lock/set-nx-px"),
            Of("lock/blind-delete"),
            Of("lock/token-delete"),
            Of("lock/token"),
            Of("lock/token-paused-row"),
            Of("lock/renewal"),
            Of("lock/release-late"),
            Of("lock/release-late-token"),
            Of("lock/redlock-3"),
            Of("lock/redlock-3-clock-jump"),
            Of("lock/redlock-5"),
            Of("lock/redlock-5-clock-jump"),
            Of("lock/redis-or-file"),
            Of("lock/redis-and-file"),
            Of("lock/fencing-without-claim"),
            Of("lock/fencing-claim"),
        ],
    },
    Chapter {
        name: "idempotency",
        title: "Idempotency keys: once, however often it is asked",
        promise: "A request and its retry charge once at most, and who was told that it is done has been charged.",
        entries: &[
            Of("idempotency/check-then-set"),
            Of("idempotency/set-nx"),
            Of("idempotency/in-progress"),
            Of("idempotency/row"),
        ],
    },
    Chapter {
        name: "counter",
        title: "Counters: limits, stocks and numbers",
        promise: "No more is served, sold or given out than there is, nothing is counted for ever, nothing is lost \
                  between two stores.",
        entries: &[
            Of("counter/incr-then-expire"),
            Of("counter/incr-expire-script"),
            Of("counter/retry"),
            Of("counter/retry-once"),
            Of("counter/limit-check-then-incr"),
            Of("counter/limit-incr"),
            Of("counter/sliding-window"),
            Of("counter/sliding-window-script"),
            Of("counter/stock-check-then-decr"),
            Of("counter/stock-script"),
            Of("counter/stock-row"),
            Of("counter/number-get-set"),
            Of("counter/number-incr"),
        ],
    },
    Chapter {
        name: "queue",
        title: "Queues: every job, even if its worker dies",
        promise: "A job that was accepted is done, or is still there to be done; a job is done once, where a row says \
                  so.",
        entries: &[
            Of("queue/pop"),
            Of("queue/move"),
            Of("queue/requeue"),
            Of("queue/requeue-once"),
            Of("queue/blocking-pop"),
            Of("queue/blocking-move"),
            Of("queue/stream-noack"),
            Of("queue/stream-ack-first"),
            Of("queue/stream"),
            Of("queue/stream-claim"),
            Of("queue/stream-claim-once"),
            Waits(Waiting {
                title: "PUBLISH to workers",
                about: "jobs as messages of a channel: who does not listen does not hear",
                known_from: "redis.io, Pub/Sub, delivery semantics (https://redis.io/docs/latest/develop/pubsub/)",
                lacks: "clients that are sent messages",
            }),
        ],
    },
    Chapter {
        name: "session",
        title: "Sessions: logged in, and logged out",
        promise: "Who has logged out stays logged out, and nobody else is.",
        entries: &[
            Of("session/save-revives"),
            Of("session/save-if-present"),
            Of("session/rotate-refresh-token"),
            Of("session/rotate-with-grace"),
        ],
    },
];

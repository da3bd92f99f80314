//! The settings of Redis 7.0 that clients ask for, with their defaults.
//!
//! Left out are those of TLS, clusters and processes, which nobody here could honour.

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    /// The setting that this is another name for.
    alias_of: Option<&'static str>,
    pub(crate) default: &'static str,
    pub(crate) kind: Kind,
}

/// What values a setting takes. Bounds include both ends.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Set at the start for good.
    Fixed,
    Text,
    /// `yes` or `no`
    Flag,
    Choice(&'static [&'static str]),
    Number(i64, i64),
    /// A number that is brought within the bounds instead of being refused.
    Clamped(i64, i64),
    /// Bytes; units are understood.
    Memory(i64, i64),
    /// Classes of keyspace events.
    Events,
    /// `save`
    SavePoints,
}

impl Setting {
    /// The name under which its value is kept.
    pub(crate) fn primary(&self) -> &'static str {
        self.alias_of.unwrap_or(self.name)
    }
}

const INT: i64 = i32::MAX as i64;
const LONG: i64 = i64::MAX;

const fn setting(name: &'static str, default: &'static str, kind: Kind) -> Setting {
    Setting { name, alias_of: None, default, kind }
}

const fn alias(name: &'static str, of: &'static str, default: &'static str, kind: Kind) -> Setting {
    Setting { name, alias_of: Some(of), default, kind }
}

/// In the order of names.
pub(crate) const SETTINGS: &[Setting] = &[
    setting("aclfile", "", Kind::Fixed),
    setting("acllog-max-len", "128", Kind::Number(0, INT)),
    setting("active-expire-effort", "1", Kind::Number(1, 10)),
    setting("activedefrag", "no", Kind::Flag),
    setting("activerehashing", "yes", Kind::Flag),
    setting("aof-load-truncated", "yes", Kind::Flag),
    setting("aof-timestamp-enabled", "no", Kind::Flag),
    setting("aof-use-rdb-preamble", "yes", Kind::Fixed),
    setting("appenddirname", "appendonlydir", Kind::Fixed),
    setting("appendfilename", "appendonly.aof", Kind::Fixed),
    setting("appendfsync", "everysec", Kind::Choice(&["everysec", "always", "no"])),
    setting("appendonly", "no", Kind::Flag),
    setting("auto-aof-rewrite-min-size", "67108864", Kind::Memory(0, LONG)),
    setting("auto-aof-rewrite-percentage", "100", Kind::Number(0, INT)),
    setting("bind", "* -::*", Kind::Fixed),
    setting("busy-reply-threshold", "5000", Kind::Number(0, LONG)),
    setting(
        "client-output-buffer-limit",
        "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
        Kind::Text,
    ),
    setting("client-query-buffer-limit", "1073741824", Kind::Memory(1 << 20, LONG)),
    setting("cluster-enabled", "no", Kind::Fixed),
    setting("daemonize", "no", Kind::Fixed),
    setting("databases", "16", Kind::Fixed),
    setting("dbfilename", "dump.rdb", Kind::Text),
    setting("dir", "/data", Kind::Text),
    setting("dynamic-hz", "yes", Kind::Flag),
    setting("hash-max-listpack-entries", "512", Kind::Number(0, LONG)),
    setting("hash-max-listpack-value", "64", Kind::Memory(0, LONG)),
    alias("hash-max-ziplist-entries", "hash-max-listpack-entries", "512", Kind::Number(0, LONG)),
    alias("hash-max-ziplist-value", "hash-max-listpack-value", "64", Kind::Memory(0, LONG)),
    setting("hll-sparse-max-bytes", "3000", Kind::Memory(0, LONG)),
    setting("hz", "10", Kind::Clamped(1, 500)),
    setting("io-threads", "1", Kind::Fixed),
    setting("latency-monitor-threshold", "0", Kind::Number(0, INT)),
    setting("latency-tracking", "yes", Kind::Flag),
    setting("lazyfree-lazy-eviction", "no", Kind::Flag),
    setting("lazyfree-lazy-expire", "no", Kind::Flag),
    setting("lazyfree-lazy-server-del", "no", Kind::Flag),
    setting("lazyfree-lazy-user-del", "no", Kind::Flag),
    setting("lazyfree-lazy-user-flush", "no", Kind::Flag),
    setting("lfu-decay-time", "1", Kind::Number(0, INT)),
    setting("lfu-log-factor", "10", Kind::Number(0, INT)),
    setting("list-compress-depth", "0", Kind::Number(0, INT)),
    setting("list-max-listpack-size", "-2", Kind::Number(i32::MIN as i64, INT)),
    alias("list-max-ziplist-size", "list-max-listpack-size", "-2", Kind::Number(i32::MIN as i64, INT)),
    setting("logfile", "", Kind::Fixed),
    setting("loglevel", "notice", Kind::Choice(&["debug", "verbose", "notice", "warning"])),
    alias("lua-time-limit", "busy-reply-threshold", "5000", Kind::Number(0, LONG)),
    setting("masterauth", "", Kind::Text),
    setting("masteruser", "", Kind::Text),
    setting("maxclients", "10000", Kind::Number(1, INT)),
    setting("maxmemory", "0", Kind::Memory(0, LONG)),
    setting("maxmemory-eviction-tenacity", "10", Kind::Number(0, 100)),
    setting(
        "maxmemory-policy",
        "noeviction",
        Kind::Choice(&[
            "volatile-lru",
            "volatile-lfu",
            "volatile-random",
            "volatile-ttl",
            "allkeys-lru",
            "allkeys-lfu",
            "allkeys-random",
            "noeviction",
        ]),
    ),
    setting("maxmemory-samples", "5", Kind::Number(1, INT)),
    setting("min-replicas-max-lag", "10", Kind::Number(0, INT)),
    setting("min-replicas-to-write", "0", Kind::Number(0, INT)),
    alias("min-slaves-max-lag", "min-replicas-max-lag", "10", Kind::Number(0, INT)),
    alias("min-slaves-to-write", "min-replicas-to-write", "0", Kind::Number(0, INT)),
    setting("no-appendfsync-on-rewrite", "no", Kind::Flag),
    setting("notify-keyspace-events", "", Kind::Events),
    setting("pidfile", "", Kind::Fixed),
    setting("port", "6379", Kind::Number(0, 65535)),
    setting("protected-mode", "yes", Kind::Flag),
    setting("proto-max-bulk-len", "536870912", Kind::Memory(1 << 20, LONG)),
    setting("rdbchecksum", "yes", Kind::Flag),
    setting("rdbcompression", "yes", Kind::Flag),
    setting("repl-backlog-size", "1048576", Kind::Memory(1, LONG)),
    setting("repl-backlog-ttl", "3600", Kind::Number(0, LONG)),
    setting("repl-disable-tcp-nodelay", "no", Kind::Flag),
    setting("repl-diskless-load", "disabled", Kind::Choice(&["disabled", "on-empty-db", "swapdb"])),
    setting("repl-diskless-sync", "yes", Kind::Flag),
    setting("repl-diskless-sync-delay", "5", Kind::Number(0, INT)),
    setting("repl-ping-replica-period", "10", Kind::Number(1, INT)),
    alias("repl-ping-slave-period", "repl-ping-replica-period", "10", Kind::Number(1, INT)),
    setting("repl-timeout", "60", Kind::Number(0, INT)),
    setting("replica-ignore-maxmemory", "yes", Kind::Flag),
    setting("replica-lazy-flush", "no", Kind::Flag),
    setting("replica-priority", "100", Kind::Number(0, INT)),
    setting("replica-read-only", "yes", Kind::Flag),
    setting("replica-serve-stale-data", "yes", Kind::Flag),
    setting("requirepass", "", Kind::Text),
    setting("save", "3600 1 300 100 60 10000", Kind::SavePoints),
    setting("set-max-intset-entries", "512", Kind::Number(0, LONG)),
    setting("shutdown-timeout", "10", Kind::Number(0, INT)),
    alias("slave-ignore-maxmemory", "replica-ignore-maxmemory", "yes", Kind::Flag),
    alias("slave-lazy-flush", "replica-lazy-flush", "no", Kind::Flag),
    alias("slave-priority", "replica-priority", "100", Kind::Number(0, INT)),
    alias("slave-read-only", "replica-read-only", "yes", Kind::Flag),
    alias("slave-serve-stale-data", "replica-serve-stale-data", "yes", Kind::Flag),
    setting("slowlog-log-slower-than", "10000", Kind::Number(-1, LONG)),
    setting("slowlog-max-len", "128", Kind::Number(0, INT)),
    setting("stop-writes-on-bgsave-error", "yes", Kind::Flag),
    setting("stream-node-max-bytes", "4096", Kind::Memory(0, LONG)),
    setting("stream-node-max-entries", "100", Kind::Number(0, LONG)),
    setting("supervised", "no", Kind::Fixed),
    setting("syslog-enabled", "no", Kind::Fixed),
    setting("tcp-backlog", "511", Kind::Fixed),
    setting("tcp-keepalive", "300", Kind::Number(0, INT)),
    setting("timeout", "0", Kind::Number(0, INT)),
    setting("tls-port", "0", Kind::Fixed),
    setting("tracking-table-max-keys", "1000000", Kind::Number(0, LONG)),
    setting("unixsocket", "", Kind::Fixed),
    setting("unixsocketperm", "0", Kind::Fixed),
    setting("zset-max-listpack-entries", "128", Kind::Number(0, LONG)),
    setting("zset-max-listpack-value", "64", Kind::Memory(0, LONG)),
    alias("zset-max-ziplist-entries", "zset-max-listpack-entries", "128", Kind::Number(0, LONG)),
    alias("zset-max-ziplist-value", "zset-max-listpack-value", "64", Kind::Memory(0, LONG)),
];

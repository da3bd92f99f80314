//! The settings that the front itself goes by.

use raceproof_engine::Engine;

use crate::connection::Connection;

/// What connections of a universe may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// `proto-max-bulk-len`
    pub(crate) longest_bulk: i64,
    /// `client-query-buffer-limit`
    pub(crate) input: usize,
    /// `client-output-buffer-limit`, for ordinary clients, for those that have subscribed, and for replicas.
    pub(crate) normal: OutputLimit,
    pub(crate) pubsub: OutputLimit,
    pub(crate) replica: OutputLimit,
    /// `maxmemory-clients` (bytes): what all connections may take together. 0: as much as they like.
    pub(crate) memory: usize,
    /// `repl-backlog-size` (bytes), and `repl-backlog-ttl` (s; 0: for ever).
    pub(crate) backlog: usize,
    pub(crate) backlog_ttl_s: i64,
    /// Whether writes need replicas (`min-replicas-to-write`).
    pub(crate) needs_replicas: bool,
    /// `maxclients`
    pub(crate) clients: usize,
    /// `repl-ping-replica-period`
    pub(crate) ping_period_ms: i64,
    /// `timeout` (s): how long a connection may be idle. 0: as long as it likes.
    pub(crate) idle_s: i64,
    /// `tcp-keepalive` (s). 0: peers that are silent are not asked whether they are there.
    pub(crate) keepalive_s: u32,
    /// Whether `requirepass` is set.
    pub(crate) has_password: bool,
}

/// How much output may wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OutputLimit {
    /// Bytes; a connection beyond it is closed. 0: no limit.
    pub(crate) hard: usize,
    /// Bytes; a connection that stays beyond it for so many seconds is closed. 0: no limit.
    pub(crate) soft: usize,
    pub(crate) seconds: i64,
}

impl Limits {
    /// The limits that an engine's settings say.
    pub(crate) fn of(engine: &Engine) -> Self {
        let number = |name| -> usize {
            engine.setting(name).and_then(|text| std::str::from_utf8(&text).ok()?.parse().ok()).unwrap_or(usize::MAX)
        };
        let output = engine.setting("client-output-buffer-limit").unwrap_or_default();
        let output = String::from_utf8_lossy(&output).into_owned();
        Self {
            longest_bulk: i64::try_from(number("proto-max-bulk-len")).unwrap_or(i64::MAX),
            input: number("client-query-buffer-limit"),
            normal: output_limit(&output, "normal"),
            pubsub: output_limit(&output, "pubsub"),
            replica: {
                // Who has the whole backlog to come may be owed as much.
                let limit = output_limit(&output, "slave");
                OutputLimit {
                    hard: if limit.hard == 0 { 0 } else { limit.hard.max(number("repl-backlog-size")) },
                    ..limit
                }
            },
            memory: clients_memory(engine, number("maxmemory")),
            backlog: number("repl-backlog-size"),
            backlog_ttl_s: i64::try_from(number("repl-backlog-ttl")).unwrap_or(0),
            needs_replicas: number("min-replicas-to-write") > 0,
            clients: number("maxclients"),
            ping_period_ms: i64::try_from(number("repl-ping-replica-period")).unwrap_or(10).saturating_mul(1000),
            idle_s: i64::try_from(number("timeout")).unwrap_or(i64::MAX),
            keepalive_s: u32::try_from(number("tcp-keepalive")).unwrap_or(u32::MAX),
            has_password: engine.setting("requirepass").is_some_and(|password| !password.is_empty()),
        }
    }
}

impl OutputLimit {
    /// Whether a connection has to be closed for the output that it does not take.
    pub(crate) fn is_exceeded(self, connection: &mut Connection, machine_us: i64) -> bool {
        // As Redis counts it: what fits into the reply buffer is free.
        let (_, _, waiting) = connection.output_parts();
        if self.soft == 0 || waiting <= self.soft {
            connection.above_since = None;
        }
        if self.hard > 0 && waiting > self.hard {
            return true;
        }
        let second = machine_us / 1_000_000;
        self.soft > 0 && waiting > self.soft && {
            let since = *connection.above_since.get_or_insert(second);
            second - since > self.seconds
        }
    }
}

/// `maxmemory-clients`: bytes, or a share of `maxmemory`.
fn clients_memory(engine: &Engine, maxmemory: usize) -> usize {
    let set = engine.setting("maxmemory-clients").unwrap_or_default();
    let set = String::from_utf8_lossy(&set);
    match set.strip_suffix('%') {
        Some(percent) => percent.parse::<usize>().map_or(0, |percent| maxmemory.saturating_mul(percent) / 100),
        None => set.parse().unwrap_or(0),
    }
}

/// `… class hard soft seconds …`
fn output_limit(setting: &str, class: &str) -> OutputLimit {
    let mut words = setting.split_ascii_whitespace().skip_while(|word| !word.eq_ignore_ascii_case(class)).skip(1);
    let mut number = || words.next().and_then(bytes_of).unwrap_or(0);
    let (hard, soft, seconds) = (number(), number(), number());
    OutputLimit { hard, soft, seconds: i64::try_from(seconds).unwrap_or(i64::MAX) }
}

/// A number of bytes, with a unit or without, as `CONFIG SET` takes it.
fn bytes_of(text: &str) -> Option<usize> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let factor = match text[digits..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    text[..digits].parse::<usize>().ok()?.checked_mul(factor)
}

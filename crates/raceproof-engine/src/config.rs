//! The settings that `CONFIG` shows and changes.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;

use crate::{
    access::Counting,
    evict::{Order, Policy},
    failure::{self, Failure},
    hash::Limits,
    notify,
    number::{integer_text, parse_integer},
    settings::{Kind, SETTINGS, Setting},
    stream, zset,
};

/// The most bytes of a stream's node.
const MAX_STREAM_NODE: usize = 1 << 30;

/// The settings that were changed, and the parsed form of those that the engine itself goes by.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    changed: BTreeMap<&'static str, Bytes>,
    hash_entries: usize,
    hash_value: usize,
    set_integers: usize,
    zset_entries: usize,
    zset_value: usize,
    stream_bytes: usize,
    stream_entries: usize,
    longest_string: usize,
    sparse_bytes: usize,
    list_fill: i64,
    compresses: bool,
    lazy_expire: bool,
    memory_limit: usize,
    policy: Policy,
    eviction_samples: usize,
    counting: Counting,
    lazy_eviction: bool,
    slow_us: i64,
    wanted_replicas: usize,
    longest_lag_s: i64,
    serves_stale: bool,
    replica_read_only: bool,
    slow_entries: usize,
    refusals: usize,
    tracked_keys: usize,
    events: u32,
}

impl Config {
    /// The settings of a server that nobody has configured. All such servers share them.
    pub(crate) fn first() -> Arc<Self> {
        static FIRST: OnceLock<Arc<Config>> = OnceLock::new();
        FIRST.get_or_init(|| Arc::new(Self::unchanged())).clone()
    }

    fn unchanged() -> Self {
        let mut config = Self {
            changed: BTreeMap::new(),
            hash_entries: 0,
            hash_value: 0,
            set_integers: 0,
            zset_entries: 0,
            zset_value: 0,
            stream_bytes: 0,
            stream_entries: 0,
            longest_string: 0,
            sparse_bytes: 0,
            list_fill: 0,
            compresses: false,
            lazy_expire: false,
            memory_limit: 0,
            policy: Policy { volatile_only: false, order: None },
            eviction_samples: 0,
            counting: Counting { factor: 0, decay_min: 0 },
            lazy_eviction: false,
            slow_us: 0,
            wanted_replicas: 0,
            longest_lag_s: 0,
            serves_stale: true,
            replica_read_only: true,
            slow_entries: 0,
            refusals: 0,
            tracked_keys: 0,
            events: 0,
        };
        config.refresh();
        config
    }
}

impl Config {
    pub(crate) const fn limits(&self, sorted: bool) -> Limits {
        Limits { entries: self.hash_entries, value: self.hash_value, sorted }
    }

    pub(crate) const fn zset_limits(&self) -> zset::Limits {
        zset::Limits { entries: self.zset_entries, value: self.zset_value }
    }

    pub(crate) const fn stream_limits(&self) -> stream::Limits {
        stream::Limits { bytes: self.stream_bytes, entries: self.stream_entries }
    }

    /// How many integers a set holds before it becomes a table.
    pub(crate) const fn set_integers(&self) -> usize {
        self.set_integers
    }

    /// How many databases there are. Fixed, as in Redis, while the server runs.
    pub(crate) const fn databases(&self) -> u32 {
        16
    }

    /// The most bytes that a string may have.
    pub(crate) const fn longest_string(&self) -> usize {
        self.longest_string
    }

    /// The most bytes of a HyperLogLog whose registers are runs.
    pub(crate) const fn sparse_bytes(&self) -> usize {
        self.sparse_bytes
    }

    /// Whether long strings in payloads are compressed.
    pub(crate) const fn compresses(&self) -> bool {
        self.compresses
    }

    /// How large a node of a list may be, as it was set.
    pub(crate) const fn list_fill(&self) -> i64 {
        self.list_fill
    }

    /// Whether a node of a list may have that many bytes and elements.
    pub(crate) const fn list_node_holds(&self, bytes: usize, elements: usize) -> bool {
        /// The most bytes of a node whose elements are counted.
        const SAFE: usize = 8192;
        match self.list_fill {
            fill @ 0.. => bytes <= SAFE && elements <= fill.unsigned_abs() as usize,
            fill => {
                let level = fill.unsigned_abs() - 1;
                bytes <= 4096 << if level > 4 { 4 } else { level }
            }
        }
    }

    /// What an expiry is propagated as.
    pub(crate) fn expiry_command(&self) -> Bytes {
        Bytes::from_static(if self.lazy_expire { b"UNLINK" } else { b"DEL" })
    }

    /// What an eviction is propagated as.
    pub(crate) fn eviction_command(&self) -> Bytes {
        Bytes::from_static(if self.lazy_eviction { b"UNLINK" } else { b"DEL" })
    }

    /// How accesses are counted; `None` if the eviction policy dates them instead.
    pub(crate) fn counting(&self) -> Option<Counting> {
        (self.policy.order == Some(Order::Lfu)).then_some(self.counting)
    }

    /// The bytes that may be in use, if there is a limit.
    pub(crate) fn memory_limit(&self) -> Option<usize> {
        (self.memory_limit > 0).then_some(self.memory_limit)
    }

    pub(crate) const fn policy(&self) -> Policy {
        self.policy
    }

    /// How many keys of each database are looked at for one to evict.
    pub(crate) const fn eviction_samples(&self) -> usize {
        self.eviction_samples
    }

    /// The value of a setting as `CONFIG GET` shows it.
    pub(crate) fn value(&self, setting: &Setting) -> Bytes {
        if matches!(setting.kind, Kind::Events) {
            return notify::text(self.events);
        }
        self.changed.get(setting.primary()).cloned().unwrap_or(Bytes::from_static(setting.default.as_bytes()))
    }

    /// What was changed, by name: all else follows from it.
    pub(crate) const fn changed(&self) -> &BTreeMap<&'static str, Bytes> {
        &self.changed
    }

    /// Changes several settings, or none if one of them cannot be.
    pub(crate) fn change(&mut self, pairs: &[(&'static Setting, &Bytes)]) -> Result<(), Failure> {
        let mut changed = self.changed.clone();
        for (setting, value) in pairs {
            let before = changed.get(setting.primary()).cloned();
            let before = before.unwrap_or(Bytes::from_static(setting.default.as_bytes()));
            let value =
                setting.kind.checked(value, &before).map_err(|reason| refused(setting.name.as_bytes(), &reason))?;
            changed.insert(setting.primary(), value);
        }
        self.changed = changed;
        self.refresh();
        Ok(())
    }

    fn refresh(&mut self) {
        self.hash_entries = self.number("hash-max-listpack-entries");
        self.hash_value = self.number("hash-max-listpack-value");
        self.set_integers = self.number("set-max-intset-entries").min(1 << 30);
        self.zset_entries = self.number("zset-max-listpack-entries");
        self.zset_value = self.number("zset-max-listpack-value");
        let bytes = self.number("stream-node-max-bytes");
        self.stream_bytes = if bytes == 0 { MAX_STREAM_NODE } else { bytes.min(MAX_STREAM_NODE) };
        self.stream_entries = self.number("stream-node-max-entries");
        self.longest_string = self.number("proto-max-bulk-len");
        self.sparse_bytes = self.number("hll-sparse-max-bytes");
        self.list_fill = parse_integer(&self.named("list-max-listpack-size")).unwrap_or(-2);
        self.compresses = self.named("rdbcompression") == "yes";
        self.lazy_expire = self.named("lazyfree-lazy-expire") == "yes";
        self.memory_limit = self.number("maxmemory");
        self.policy = Policy::named(&self.named("maxmemory-policy"));
        self.eviction_samples = self.number("maxmemory-samples");
        let count = |name| u32::try_from(self.number(name)).unwrap_or(u32::MAX);
        self.counting = Counting { factor: count("lfu-log-factor"), decay_min: count("lfu-decay-time") };
        self.lazy_eviction = self.named("lazyfree-lazy-eviction") == "yes";
        self.slow_us = parse_integer(&self.named("slowlog-log-slower-than")).unwrap_or(-1);
        let lag = self.number("min-replicas-max-lag");
        self.wanted_replicas = if lag == 0 { 0 } else { self.number("min-replicas-to-write") };
        self.longest_lag_s = i64::try_from(lag).unwrap_or(i64::MAX);
        self.serves_stale = self.named("replica-serve-stale-data") == "yes";
        self.replica_read_only = self.named("replica-read-only") == "yes";
        self.slow_entries = self.number("slowlog-max-len");
        self.refusals = self.number("acllog-max-len");
        self.tracked_keys = self.number("tracking-table-max-keys");
        // What is shown may be less than what was set.
        self.events = self.changed.get("notify-keyspace-events").and_then(|set| notify::parse(set)).unwrap_or(0);
    }

    /// The classes of keyspace events that are told.
    pub(crate) const fn events(&self) -> u32 {
        self.events
    }

    /// How many replicas writes need (`min-replicas-to-write`); none if there is no limit to their lag.
    pub(crate) const fn wanted_replicas(&self) -> usize {
        self.wanted_replicas
    }

    /// After how long a replica that is not heard of counts no more (s).
    pub(crate) const fn longest_lag_s(&self) -> i64 {
        self.longest_lag_s
    }

    /// Sets what a server is started with, and what cannot be changed while it runs.
    pub(crate) fn begin_with(&mut self, setting: &'static Setting, value: Bytes) {
        self.changed.insert(setting.primary(), value);
        self.refresh();
    }

    /// Whether there are save points.
    pub(crate) fn saves(&self) -> bool {
        !self.named("save").is_empty()
    }

    /// Whether a replica answers while it has no link to its primary.
    pub(crate) const fn serves_stale(&self) -> bool {
        self.serves_stale
    }

    /// Whether a replica refuses writes.
    pub(crate) const fn replica_read_only(&self) -> bool {
        self.replica_read_only
    }

    /// Whether the slow log takes commands that took so long (µs).
    pub(crate) const fn is_slow(&self, took_us: i64) -> bool {
        self.slow_us >= 0 && took_us >= self.slow_us
    }

    /// Whether the latency monitor keeps an event that took so long (ms).
    pub(crate) fn is_spike(&self, took_ms: i64) -> bool {
        match parse_integer(&self.named("latency-monitor-threshold")) {
            Some(threshold @ 1..) => took_ms >= threshold,
            _ => false,
        }
    }

    /// How many entries the slow log has at most.
    pub(crate) const fn slow_entries(&self) -> usize {
        self.slow_entries
    }

    /// How many entries `ACL LOG` has at most.
    pub(crate) const fn refusals(&self) -> usize {
        self.refusals
    }

    /// Of how many names the clients that have read them are remembered at most; 0 for no limit.
    pub(crate) const fn tracked_keys(&self) -> usize {
        self.tracked_keys
    }

    fn named(&self, name: &str) -> Bytes {
        setting(name.as_bytes()).map_or_else(Bytes::new, |setting| self.value(setting))
    }

    fn number(&self, name: &str) -> usize {
        parse_integer(&self.named(name)).and_then(|value| usize::try_from(value).ok()).unwrap_or(usize::MAX)
    }
}

/// The setting of a name in any case.
pub(crate) fn setting(name: &[u8]) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name.as_bytes().eq_ignore_ascii_case(name))
}

/// A setting that cannot be set, or not to that.
pub(crate) fn refused(name: &[u8], reason: &str) -> Failure {
    let mut text = b"ERR CONFIG SET failed (possibly related to argument '".to_vec();
    text.extend_from_slice(failure::quoted(name, name.len()));
    text.extend_from_slice(b"') - ");
    text.extend_from_slice(reason.as_bytes());
    Failure::Bytes(text.into())
}

impl Kind {
    /// The value in the form in which it is kept, or why it is refused. `before` is what is kept now.
    fn checked(&self, value: &Bytes, before: &[u8]) -> Result<Bytes, String> {
        match *self {
            Self::Fixed => Err("can't set immutable config".into()),
            Self::Text => Ok(value.clone()),
            Self::Flag => one_of(value, &["yes", "no"]).ok_or_else(|| "argument must be 'yes' or 'no'".into()),
            Self::Choice(choices) => one_of(value, choices)
                .ok_or_else(|| format!("argument(s) must be one of the following: {}", choices.join(", "))),
            Self::Clamped(low, high) => match parse_integer(value) {
                Some(number) => {
                    within(number, 0, i64::from(i32::MAX))?;
                    Ok(integer_text(number.clamp(low, high)))
                }
                None => Err("argument couldn't be parsed into an integer".into()),
            },
            Self::Number(low, high) => match parse_integer(value) {
                Some(number) => within(number, low, high),
                None => Err("argument couldn't be parsed into an integer".into()),
            },
            Self::Memory(low, high) => match parse_memory(value) {
                Some(number) => within(number, low, high),
                None => Err("argument must be a memory value".into()),
            },
            Self::Events => {
                let refusal = "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
                notify::parse(value).map(|_| value.clone()).ok_or_else(|| refusal.into())
            }
            Self::OutputLimits => output_limits(value, before),
            Self::Percentiles => percentiles(value),
            Self::MemoryOrPercent => memory_or_percent(value),
            Self::SavePoints => checked_save_points(value).ok_or_else(|| "Invalid save parameters".into()),
        }
    }
}

fn within(number: i64, low: i64, high: i64) -> Result<Bytes, String> {
    if (low..=high).contains(&number) {
        return Ok(integer_text(number));
    }
    Err(format!("argument must be between {low} and {high} inclusive"))
}

fn one_of(value: &[u8], choices: &[&'static str]) -> Option<Bytes> {
    let choice = choices.iter().find(|choice| choice.as_bytes().eq_ignore_ascii_case(value))?;
    Some(Bytes::from_static(choice.as_bytes()))
}

/// A number of bytes, with a unit or without: `100mb`.
pub(crate) fn parse_memory(text: &[u8]) -> Option<i64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let factor: i64 = match text[digits..].to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    // Redis takes a number without digits for zero.
    let number = if digits == 0 { 0 } else { std::str::from_utf8(&text[..digits]).ok()?.parse::<i64>().ok()? };
    number.checked_mul(factor)
}

/// Classes of clients, each with two numbers of bytes and one of seconds, in Redis's order.
fn output_limits(value: &[u8], before: &[u8]) -> Result<Bytes, String> {
    const NAMES: [&[&str]; 3] = [&["normal"], &["slave", "replica"], &["pubsub"]];
    let words = |text: &[u8]| -> Vec<String> {
        String::from_utf8_lossy(text).split_ascii_whitespace().map(str::to_owned).collect()
    };
    let (mut limits, set) = (words(before), words(value));
    if set.len() % 4 != 0 {
        return Err("Wrong number of arguments in buffer limit configuration.".into());
    }
    for class in set.chunks_exact(4) {
        let of = |names: &&[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(&class[0]));
        let at = NAMES.iter().position(of).ok_or("Invalid client class specified in buffer limit configuration.")?;
        let refusal = "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
        for (place, word) in class.iter().enumerate().skip(1) {
            let number = if place < 3 { parse_memory(word.as_bytes()) } else { parse_integer(word.as_bytes()) };
            let number = number.filter(|number| *number >= 0).ok_or(refusal)?;
            limits[4 * at + place] = number.to_string();
        }
    }
    Ok(limits.join(" ").into())
}

/// Numbers from 0 to 100.
fn percentiles(value: &[u8]) -> Result<Bytes, String> {
    let mut shown = Vec::new();
    for word in String::from_utf8_lossy(value).split_ascii_whitespace() {
        let number: f64 = word.parse().map_err(|_| "Invalid latency-tracking-info-percentiles parameters")?;
        if !(0.0..=100.0).contains(&number) {
            return Err("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]".into());
        }
        shown.push(number.to_string());
    }
    Ok(shown.join(" ").into())
}

fn memory_or_percent(value: &Bytes) -> Result<Bytes, String> {
    let refusal = || "argument must be a memory or percent value".to_owned();
    let Some(percent) = value.strip_suffix(b"%") else {
        return parse_memory(value).map(integer_text).ok_or_else(refusal);
    };
    match parse_integer(percent).ok_or_else(refusal)? {
        ..0 => Err(refusal()),
        0..=100 => Ok(value.clone()),
        _ => Err("percentage argument must be less or equal to 100".into()),
    }
}

/// Pairs of seconds and changes.
fn checked_save_points(value: &Bytes) -> Option<Bytes> {
    let numbers: Option<Vec<i64>> =
        std::str::from_utf8(value).ok()?.split_ascii_whitespace().map(|word| parse_integer(word.as_bytes())).collect();
    let valid = |pair: &[i64]| matches!(pair, [seconds, changes] if *seconds >= 1 && *changes >= 0);
    numbers?.chunks(2).all(valid).then(|| value.clone())
}

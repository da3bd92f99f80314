//! `INFO`: which sections are shown, and what follows from the data, the sessions and the commands executed.

use std::fmt::Write;

use bytes::Bytes;

use super::info_fields::{self as fields, Field};
use crate::{
    Access, Engine, Machine, Object, ProcessCounts, Reply, SessionId, Stream,
    command::{Command, Group, flag::*},
    context::Context,
    failure::Answer,
    rng::Random,
    statistics::Statistics,
};

pub(super) const COMMANDS: &[Command] = &[Command::new("info", info, -1, LOADING | STALE, Group::Dangerous).tips(&[
    "nondeterministic_output",
    "request_policy:all_shards",
    "response_policy:special",
])];

/// What a section shows.
#[derive(Clone, Copy)]
enum Body {
    Fields(&'static [(&'static str, Field)]),
    Text(fn(&Context<'_>, &mut String)),
}

/// The sections in Redis's order, and whether they are shown without being asked for.
const SECTIONS: &[(&str, Body, bool)] = &[
    ("Server", Body::Fields(fields::SERVER), true),
    ("Clients", Body::Fields(fields::CLIENTS), true),
    ("Memory", Body::Fields(fields::MEMORY), true),
    ("Persistence", Body::Text(persistence), true),
    ("Stats", Body::Fields(fields::STATS), true),
    ("Replication", Body::Text(replication), true),
    ("CPU", Body::Fields(fields::CPU), true),
    ("Modules", Body::Text(|_, _| {}), true),
    ("Commandstats", Body::Text(commandstats), false),
    ("Errorstats", Body::Text(errorstats), true),
    ("Latencystats", Body::Text(latencystats), false),
    ("Cluster", Body::Fields(fields::CLUSTER), true),
    ("Keyspace", Body::Text(keyspace), true),
];

/// Notes what a section tells: who asks for the server's identity alone does not see its keys. What is counted belongs to
/// no object: `Options::statistics` says why.
fn look(context: &mut Context<'_>, section: &str) {
    match section {
        "Server" | "Persistence" => context.read_clock(),
        "Memory" => {
            context.touch(Object::Scripts, Access::Read);
            context.touch(Object::Functions, Access::Read);
            context.read_memory();
        }
        "Clients" => context.touch(Object::Tracking, Access::Read),
        "Stats" => {
            context.touch(Object::Tracking, Access::Read);
            context.touch(Object::Subscriptions, Access::Read);
            context.touch(Object::Patterns, Access::Read);
        }
        "Keyspace" => {
            context.touch(Object::Deadlines, Access::Read);
            context.read_clock();
            for db in 0..context.engine.config.databases() {
                context.touch(Object::Keyspace(db), Access::Read);
            }
        }
        _ => {}
    }
}

fn info(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    context.touch(Object::Server, Access::Read);
    let asked = |name: &str| args[1..].iter().any(|arg| arg.eq_ignore_ascii_case(name.as_bytes()));
    let used = context.engine.used_memory_if_told();
    if let (Some(process), Some(used)) = (&mut context.engine.process, used) {
        process.peak = process.peak.max(used);
    }
    let everything = asked("all") || asked("everything");
    let default = args.len() == 1 || asked("default");
    let mut text = String::new();
    for (name, body, by_default) in SECTIONS {
        if !(everything || (default && *by_default) || asked(name)) {
            continue;
        }
        look(context, name);
        let gap = if text.is_empty() { "" } else { "\r\n" };
        let _ = write!(text, "{gap}# {name}\r\n");
        match body {
            Body::Fields(fields) => show(context, &mut text, fields),
            Body::Text(section) => section(context, &mut text),
        }
    }
    Ok(Reply::Verbatim(*b"txt", text.into()))
}

/// Appends `name:value` lines.
fn show(context: &Context<'_>, text: &mut String, fields: &[(&str, Field)]) {
    for (name, field) in fields {
        let _ = match field {
            Field::Constant(value) => write!(text, "{name}:{value}\r\n"),
            Field::Of(value) => write!(text, "{name}:{}\r\n", value(context)),
        };
    }
}

/// A name of 40 hexadecimal digits, which a server gives itself at random when it starts.
pub(super) fn identity(context: &Context<'_>, salt: u64) -> String {
    context.engine.identity(salt)
}

impl Engine {
    fn identity(&self, salt: u64) -> String {
        let process = self.incarnation.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut random = Random::new(self.options.seed ^ salt ^ process);
        let digits: String = (0..3).map(|_| format!("{:016x}", random.next())).collect();
        digits[..40].into()
    }

    /// The name of the history of writes (`master_replid`): another one for each `epoch`, which is to rise when what replicas have is no
    /// longer a beginning of it.
    #[must_use]
    pub fn history_identity(&self, epoch: u64) -> String {
        self.identity(0x7265_706c_6964 ^ epoch.wrapping_mul(0xd134_2543_de82_ef95))
    }
}

pub(super) fn up_s(context: &Context<'_>) -> i64 {
    (context.now_ms() - context.engine.started.unwrap_or_default().ms()) / 1000
}

pub(super) fn connected(context: &Context<'_>) -> String {
    context.engine.sessions.iter().filter(|session| session.open).count().to_string()
}

/// The memory that the data would take, with a unit or without.
pub(super) fn used(context: &Context<'_>) -> String {
    context.engine.used_memory().to_string()
}

pub(super) fn used_human(context: &Context<'_>) -> String {
    human(&used(context))
}

/// The most that the data was ever seen to take.
pub(super) fn peak(context: &Context<'_>) -> usize {
    let used = context.engine.used_memory();
    context.engine.process.as_ref().map_or(used, |process| process.peak.max(used))
}

/// The memory of connections as Redis counts it: of replicas, or of the others.
pub(super) fn clients_memory(context: &Context<'_>, fed: bool) -> usize {
    let engine = &context.engine;
    let of_kind = engine.sessions.iter().enumerate().filter(|(_, session)| session.open && session.fed == fed);
    of_kind.filter_map(|(index, _)| Some(engine.client_memory(SessionId(index as u32))?.0)).sum()
}

/// Something that the process has said of the machine, or what is shown where nobody has.
pub(super) fn told(context: &Context<'_>, otherwise: &str, what: fn(&Machine) -> String) -> String {
    let machine = context.engine.process.as_ref().and_then(|process| process.machine.as_ref());
    machine.map_or_else(|| otherwise.into(), what)
}

/// Something that the process has counted since the last reset.
pub(super) fn noted(context: &Context<'_>, count: fn(&ProcessCounts) -> u64) -> String {
    context.engine.process.as_ref().map_or(0, |process| count(&process.counted())).to_string()
}

/// Something of the stream that replicas get, or what is shown where nobody has said anything of one.
pub(super) fn streamed(context: &Context<'_>, otherwise: &str, what: fn(&Stream) -> String) -> String {
    context.engine.process.as_ref().map_or_else(|| otherwise.into(), |process| what(&process.stream))
}

/// How many sessions are told of changes.
pub(super) fn tracking_sessions(context: &Context<'_>) -> String {
    let tracking = context.engine.sessions.iter().filter(|session| session.open && session.tracking.is_some());
    tracking.count().to_string()
}

/// One of the counts of what is tracked.
pub(super) fn tracked(context: &Context<'_>, which: usize) -> String {
    context.engine.tracking.as_ref().map_or(0, |table| table.counts()[which]).to_string()
}

/// What `CONFIG GET` shows.
pub(super) fn configured(context: &Context<'_>, name: &str) -> String {
    let setting = crate::config::setting(name.as_bytes());
    let value = setting.map(|setting| context.engine.config.value(setting));
    String::from_utf8_lossy(&value.unwrap_or_default()).into_owned()
}

/// A count, or 0 where nothing is counted.
pub(super) fn counted(context: &Context<'_>, count: fn(&Statistics) -> u64) -> String {
    context.engine.statistics.as_deref().map_or(0, count).to_string()
}

/// A number of bytes with a unit.
pub(super) fn human(bytes: &str) -> String {
    let bytes: f64 = bytes.parse().unwrap_or_default();
    let units = [(1_u64 << 50, "P"), (1 << 40, "T"), (1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit as f64) {
        Some((unit, name)) => format!("{:.2}{name}", bytes / unit as f64),
        None => format!("{bytes}B"),
    }
}

fn persistence(context: &Context<'_>, text: &mut String) {
    show(context, text, fields::PERSISTENCE);
    if configured(context, "appendonly") == "yes" {
        show(context, text, fields::APPENDONLY);
    }
}

/// The primary of a replica is never reached.
fn replication(context: &Context<'_>, text: &mut String) {
    let role = if context.session().replica || context.engine.primary.is_some() { "slave" } else { "master" };
    let _ = write!(text, "role:{role}\r\n");
    if let Some(primary) = &context.engine.primary {
        let host = String::from_utf8_lossy(&primary.0);
        let _ = write!(text, "master_host:{host}\r\nmaster_port:{}\r\n", primary.1);
        show(context, text, fields::UNREACHABLE_PRIMARY);
    }
    let replicas = context.engine.process.as_ref().map_or(&[][..], |process| &process.stream.replicas);
    let _ = write!(text, "connected_slaves:{}\r\n", replicas.len());
    if context.engine.config.wanted_replicas() > 0 {
        let _ = write!(text, "min_slaves_good_slaves:{}\r\n", context.engine.good_replicas());
    }
    for (number, replica) in replicas.iter().enumerate() {
        let state = if replica.is_online { "online" } else { "send_bulk" };
        let _ = write!(
            text,
            "slave{number}:ip={},port={},state={state},offset={},lag={}\r\n",
            replica.host, replica.port, replica.acknowledged, replica.lag_s
        );
    }
    show(context, text, fields::REPLICATION);
}

/// Commands take no time here but for `DEBUG SLEEP`.
fn commandstats(context: &Context<'_>, text: &mut String) {
    let Some(statistics) = &context.engine.statistics else { return };
    for (name, calls) in statistics.calls() {
        let _ = write!(
            text,
            "cmdstat_{name}:calls={},usec={},usec_per_call={:.2},rejected_calls={},failed_calls={}\r\n",
            calls.made,
            calls.took_us,
            calls.took_us as f64 / calls.made.max(1) as f64,
            calls.rejected,
            calls.failed
        );
    }
}

fn errorstats(context: &Context<'_>, text: &mut String) {
    let Some(statistics) = &context.engine.statistics else { return };
    for (code, count) in &statistics.errors {
        let _ = write!(text, "errorstat_{}:count={count}\r\n", String::from_utf8_lossy(code));
    }
}

fn latencystats(context: &Context<'_>, text: &mut String) {
    let Some(statistics) = &context.engine.statistics else { return };
    if configured(context, "latency-tracking") == "no" {
        return;
    }
    let percentiles = configured(context, "latency-tracking-info-percentiles");
    let shown: Vec<String> = percentiles.split_ascii_whitespace().map(|part| format!("p{part}=0.001")).collect();
    for (name, _) in statistics.calls().iter().filter(|(_, calls)| calls.made > 0) {
        let _ = write!(text, "latency_percentiles_usec_{name}:{}\r\n", shown.join(","));
    }
}

fn keyspace(context: &Context<'_>, text: &mut String) {
    for db in 0..context.engine.config.databases() {
        let keys = context.databases().get(db).keys.len();
        if keys > 0 {
            let expires = context.databases().deadlines(db).count();
            let _ = write!(text, "db{db}:keys={keys},expires={expires},avg_ttl=0\r\n");
        }
    }
}

//! `LATENCY`: what took long. Commands take no time here but for `DEBUG SLEEP`; what else does, the caller says.

use std::fmt::Write;

use bytes::Bytes;

use super::{help, monitoring::never, text};
use crate::{
    Access, Engine, Object, Reply, Timestamp,
    command::{Command, Group, Run, flag::*},
    context::Context,
    failure::{Answer, Failure},
    statistics::Spikes,
};

const fn row(name: &'static str, run: Run, arity: i32) -> Command {
    Command::new(name, run, arity, ADMIN | NOSCRIPT | LOADING | STALE, Group::Server)
}

const EVERY_NODE: &[&str] = &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"];

pub(super) const COMMANDS: &[Command] = &[Command::new("latency", never, -2, 0, Group::Server).subcommands(&[
    row("latency|doctor", doctor, 2).tips(EVERY_NODE),
    row("latency|graph", graph, 3).tips(EVERY_NODE),
    row("latency|history", history, 3).tips(EVERY_NODE),
    row("latency|latest", latest, 2).tips(EVERY_NODE),
    row("latency|reset", reset, -2).tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    row("latency|histogram", histogram, -2).tips(EVERY_NODE),
    Command::new("latency|help", help::latency, 2, LOADING | STALE, Group::Server),
])];

impl Engine {
    /// Tells the latency monitor of something that took so long (ms) for whoever runs the engine; it is kept if it reaches
    /// `latency-monitor-threshold` and `Options::statistics` is set.
    pub fn note_latency(&mut self, event: &'static str, now: Timestamp, took_ms: i64) {
        if self.config.is_spike(took_ms)
            && let Some(statistics) = &mut self.statistics
        {
            statistics.add_spike(event, now.ms().div_euclid(1000), took_ms);
        }
    }
}

/// The events that were kept, by kind.
fn spikes<'a>(context: &'a mut Context<'_>) -> impl Iterator<Item = (&'static str, &'a Spikes)> {
    context.touch(Object::Server, Access::Read);
    let statistics = context.engine.statistics.iter();
    statistics.flat_map(|statistics| statistics.spikes.iter().map(|(event, spikes)| (*event, spikes)))
}

fn history(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let asked = spikes(context).find(|(event, _)| event.as_bytes() == args[2]);
    let pair = |(at_s, ms): &(i64, i64)| Reply::Array(vec![Reply::Integer(*at_s), Reply::Integer(*ms)]);
    Ok(Reply::Array(asked.iter().flat_map(|(_, spikes)| spikes.latest.iter().map(pair)).collect()))
}

fn latest(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    let last = |(event, spikes): (&'static str, &Spikes)| {
        let (at_s, ms) = spikes.latest.back()?;
        let numbers = [*at_s, *ms, spikes.longest_ms].map(Reply::Integer);
        Some(Reply::Array([text(event)].into_iter().chain(numbers).collect()))
    };
    Ok(Reply::Array(spikes(context).filter_map(last).collect()))
}

fn reset(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    context.touch(Object::Server, Access::Write);
    let Some(statistics) = &mut context.engine.statistics else { return Ok(Reply::Integer(0)) };
    let before = statistics.spikes.len();
    statistics.spikes.retain(|event, _| args.len() > 2 && !args[2..].iter().any(|arg| event.as_bytes() == arg));
    Ok(Reply::Integer((before - statistics.spikes.len()) as i64))
}

/// The numbers without the picture.
fn graph(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let Some((event, spikes)) = spikes(context).find(|(event, _)| event.as_bytes() == args[2]) else {
        return Err(Failure::quoting("ERR No samples available for event '", &args[2], "'"));
    };
    let of_latest = || spikes.latest.iter().map(|(_, ms)| *ms);
    let (high, low) = (of_latest().max().unwrap_or_default(), of_latest().min().unwrap_or_default());
    let longest = spikes.longest_ms;
    Ok(Reply::Verbatim(
        *b"txt",
        format!("{event} - high {high} ms, low {low} ms (all time high {longest} ms)\n").into(),
    ))
}

fn doctor(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    context.touch(Object::Server, Access::Read);
    let threshold = crate::config::setting(b"latency-monitor-threshold");
    if threshold.is_some_and(|setting| context.engine.config.value(setting) == "0") {
        let told = "I'm sorry, Dave, I can't do that. Latency monitoring is disabled in this Redis instance. You may use \
             \"CONFIG SET latency-monitor-threshold <milliseconds>.\" in order to enable it. If we weren't in a deep \
             space mission I'd suggest to take a look at https://redis.io/topics/latency-monitor.\n";
        return Ok(Reply::Verbatim(*b"txt", Bytes::from_static(told.as_bytes())));
    }
    let mut told = String::new();
    for (event, spikes) in spikes(context) {
        let (count, longest) = (spikes.latest.len(), spikes.longest_ms);
        let _ = writeln!(told, "{event}: {count} events that took long, the longest {longest} ms.");
    }
    if told.is_empty() {
        told.push_str(
            "Dave, no latency spike was observed during the lifetime of this Redis instance, not in the slightest bit. \
             I honestly think you ought to sit down calmly, take a stress pill, and think things over.\n",
        );
    }
    Ok(Reply::Verbatim(*b"txt", told.into()))
}

/// How long the calls of each command took: all less than a microsecond.
fn histogram(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    context.touch(Object::Server, Access::Read);
    let asked = |name: &str| {
        args.len() == 2
            || args[2..].iter().any(|arg| {
                let arg = arg.to_ascii_lowercase();
                let container = name.split('|').next().unwrap_or(name);
                name.as_bytes() == arg || container.as_bytes() == arg
            })
    };
    let counted = context.engine.statistics.iter().flat_map(|statistics| &statistics.by_command);
    let shown = counted.filter(|(name, calls)| calls.made > 0 && asked(name)).map(|(name, calls)| {
        let made = Reply::Integer(calls.made as i64);
        let histogram = Reply::Map(vec![(Reply::Integer(1), made.clone())]);
        (text(name), Reply::Map(vec![(text("calls"), made), (text("histogram_usec"), histogram)]))
    });
    Ok(Reply::Map(shown.collect()))
}

//! HyperLogLogs: `PFADD` and its family.

use bytes::{Bytes, BytesMut};

use crate::{
    Reply,
    command::{Command, Group, KeySpec, Run, flag::*, keys},
    context::Context,
    db::{Encoding, Text},
    failure::{self, Answer, Failure},
    hyperloglog::{self, Corrupted, REGISTERS, Sketch},
    key::Key,
    notify,
};

const fn row(name: &'static str, run: Run, arity: i32, flags: u32) -> Command {
    Command::new(name, run, arity, flags, Group::HyperLogLog)
}

pub(super) const COMMANDS: &[Command] = &[
    row("pfadd", pfadd, -2, WRITE | DENYOOM | FAST).keys(&[keys(1, 0, 1, &["RW", "insert"])]),
    row("pfcount", pfcount, -2, READONLY).keys(&[KeySpec {
        notes: Some("RW because it may change the internal representation of the key, and propagate to replicas"),
        ..keys(1, -1, 1, &["RW", "access"])
    }]),
    row("pfmerge", pfmerge, -2, WRITE | DENYOOM)
        .keys(&[keys(1, 0, 1, &["RW", "access", "insert"]), keys(2, -1, 1, &["RO", "access"])]),
    row("pfdebug", pfdebug, 3, WRITE | DENYOOM | ADMIN).keys(&[keys(2, 0, 1, &["RW", "access"])]),
    row("pfselftest", pfselftest, 1, ADMIN),
];

const NOT_A_SKETCH: Failure = Failure::Constant("WRONGTYPE Key is not a valid HyperLogLog string value.");
const CORRUPTED: Failure = Failure::Constant("INVALIDOBJ Corrupted HLL object detected");

impl From<Corrupted> for Failure {
    fn from(_: Corrupted) -> Self {
        CORRUPTED
    }
}

/// Looks a key up that must hold a HyperLogLog.
fn sketch(context: &mut Context<'_>, key: &Key) -> Result<Option<Text>, Failure> {
    let Some(text) = context.text(key)? else { return Ok(None) };
    if Sketch::of(&text.data).is_none() {
        return Err(NOT_A_SKETCH);
    }
    Ok(Some(text.clone()))
}

/// Edits the HyperLogLog of a key, or a new one, in whose place a string that is no number and in a piece of its own is
/// left. The key has been looked up.
fn edit<T>(context: &mut Context<'_>, key: &Key, edit: impl FnOnce(&mut BytesMut) -> T) -> T {
    let (_, result) = context.edit_text(key, 0, |data| {
        if data.is_empty() {
            *data = hyperloglog::empty();
        }
        edit(data)
    });
    result
}

fn pfadd(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    let limit = context.engine.config.sparse_bytes();
    let places: Vec<(usize, u8)> = args[2..].iter().map(|element| hyperloglog::place_of(element)).collect();
    let old = sketch(context, &key)?;
    let new = old.is_none();
    if let Some(Text { data, encoding: Encoding::Raw }) = &old
        && let Some(sketch) = Sketch::of(data)
        && places.iter().all(|(index, value)| sketch.register(*index).is_some_and(|known| known >= *value))
    {
        return Ok(Reply::Integer(0));
    }
    drop(old);
    let changed = edit(context, &key, |data| {
        let mut changed = usize::from(new);
        for (index, value) in places {
            changed += usize::from(hyperloglog::raise(data, index, value, limit)?);
        }
        if changed > 0 {
            hyperloglog::invalidate(data);
        }
        Ok::<_, Corrupted>(changed)
    })?;
    if changed > 0 {
        context.changed(context.db, &key);
        context.event(notify::STRING, "pfadd", &key);
        context.propagate_changes(args, changed);
    }
    Ok(Reply::Integer(i64::from(changed > 0)))
}

fn pfcount(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    if args.len() > 2 {
        let (highest, _) = merged(context, &args[1..])?;
        return Ok(estimate_reply(hyperloglog::estimate_of(&highest)));
    }
    let key = Key::new(&args[1]);
    let Some(Text { data, encoding }) = sketch(context, &key)? else { return Ok(Reply::Integer(0)) };
    let sketch = Sketch::of(&data).ok_or(NOT_A_SKETCH)?;
    if let Some(estimate) = sketch.known_estimate() {
        if encoding != Encoding::Raw {
            edit(context, &key, |_| ());
        }
        return Ok(estimate_reply(estimate));
    }
    let estimate = sketch.estimate();
    drop(data);
    edit(context, &key, |data| {
        let estimate = estimate?;
        hyperloglog::keep_estimate(data, estimate);
        Ok::<_, Corrupted>(())
    })?;
    // The string is another one now, and copies of it are to have the same bytes.
    context.changed(context.db, &key);
    context.propagate(args);
    Ok(estimate_reply(estimate?))
}

fn estimate_reply(estimate: u64) -> Reply {
    Reply::Integer(estimate.cast_signed())
}

/// The highest registers of several, and whether one of them is dense.
fn merged(context: &mut Context<'_>, names: &[Bytes]) -> Result<(Box<[u8; REGISTERS]>, bool), Failure> {
    let (mut highest, mut dense) = (Box::new([0; REGISTERS]), false);
    for name in names {
        let Some(text) = sketch(context, &Key::new(name))? else { continue };
        let sketch = Sketch::of(&text.data).ok_or(NOT_A_SKETCH)?;
        dense |= !sketch.is_sparse();
        sketch.merge_into(&mut highest)?;
    }
    Ok((highest, dense))
}

fn pfmerge(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    let limit = context.engine.config.sparse_bytes();
    context.reads = true;
    let (highest, dense) = merged(context, &args[1..])?;
    context.reads = false;
    edit(context, &key, |data| {
        if dense {
            hyperloglog::make_dense(data)?;
        }
        for (index, value) in highest.iter().enumerate().filter(|(_, value)| **value > 0) {
            hyperloglog::raise(data, index, *value, limit)?;
        }
        hyperloglog::invalidate(data);
        Ok::<_, Corrupted>(())
    })?;
    context.changed(context.db, &key);
    context.event(notify::STRING, "pfadd", &key);
    context.propagate(args);
    Ok(Reply::Simple("OK"))
}

fn pfdebug(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[2]);
    let Some(text) = sketch(context, &key)? else {
        return Err(Failure::Constant("ERR The specified key does not exist"));
    };
    let sketch = Sketch::of(&text.data).ok_or(NOT_A_SKETCH)?;
    if text.encoding != Encoding::Raw {
        edit(context, &key, |_| ());
    }
    match args[1].to_ascii_lowercase().as_slice() {
        b"getreg" => {
            let mut registers = Box::new([0; REGISTERS]);
            sketch.merge_into(&mut registers)?;
            drop(text);
            make_dense(context, &key, args)?;
            Ok(Reply::Array(registers.iter().map(|value| Reply::Integer(i64::from(*value))).collect()))
        }
        b"todense" => {
            drop(text);
            make_dense(context, &key, args).map(|new| Reply::Integer(i64::from(new)))
        }
        b"decode" if sketch.is_sparse() => {
            let word = |run: hyperloglog::Run| match (run.value, run.bytes) {
                (0, 1) => format!("z:{}", run.len),
                (0, _) => format!("Z:{}", run.len),
                (value, _) => format!("v:{value},{}", run.len),
            };
            Ok(Reply::Bulk(sketch.runs().map(word).collect::<Vec<_>>().join(" ").into()))
        }
        b"decode" => Err(Failure::Constant("ERR HLL encoding is not sparse")),
        b"encoding" => Ok(Reply::Simple(if sketch.is_sparse() { "sparse" } else { "dense" })),
        _ => {
            let mut text = b"ERR Unknown PFDEBUG subcommand '".to_vec();
            text.extend_from_slice(failure::quoted(&args[1], args[1].len()));
            text.push(b'\'');
            Err(Failure::Bytes(text.into()))
        }
    }
}

/// Makes the HyperLogLog of a key dense and tells whether that was new. Nobody who watches the key is told.
fn make_dense(context: &mut Context<'_>, key: &Key, args: &[Bytes]) -> Result<bool, Failure> {
    let new = edit(context, key, hyperloglog::make_dense)?;
    if new {
        context.propagate(args);
    }
    Ok(new)
}

/// Whether registers keep what they are given, sparse and dense ones agree, and estimates are as good as they should be.
fn pfselftest(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    const ELEMENTS: u64 = 100_000;
    const CHECKED_EVERY: u64 = 10_000;
    // Six standard errors, 1.04 / √registers each.
    let tolerance = 6.0 * 1.04 / (REGISTERS as f64).sqrt();
    let (mut sparse, mut dense) = (hyperloglog::empty(), hyperloglog::empty());
    hyperloglog::make_dense(&mut dense)?;
    for element in 1..=ELEMENTS {
        let (index, value) = hyperloglog::place_of(&element.to_le_bytes());
        let raised = hyperloglog::raise(&mut dense, index, value, 0)?;
        if hyperloglog::raise(&mut sparse, index, value, 3000)? != raised {
            return Err(Failure::Constant("ERR TESTFAILED sparse and dense registers differ"));
        }
        if element % CHECKED_EVERY == 0 || element < 100 {
            let estimates = [&sparse, &dense].map(|data| Sketch::of(data).map(Sketch::estimate));
            let Some(Ok(estimate)) = estimates[0] else { return Err(CORRUPTED) };
            let error = (estimate as f64 - element as f64).abs() / element as f64;
            if estimates[0] != estimates[1] || error > tolerance.max(1.0 / element as f64) {
                return Err(Failure::Constant("ERR TESTFAILED the estimate is too far off"));
            }
        }
    }
    Ok(Reply::Simple("OK"))
}

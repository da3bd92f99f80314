//! `LCS`, the longest common subsequence of two strings.

use bytes::Bytes;

use super::text;
use crate::{
    Access, Reply,
    command::{Command, Group, flag::*, keys},
    context::Context,
    db::Value,
    failure::{Answer, Failure, NOT_AN_INTEGER, SYNTAX},
    key::Key,
    number::parse_integer,
};

pub(super) const COMMANDS: &[Command] =
    &[Command::new("lcs", lcs, -3, READONLY, Group::String).keys(&[keys(1, 1, 1, &["RO", "access"])])];

/// The most cells that the table of lengths may have, whatever `proto-max-bulk-len` is (1 GiB of them).
const MAX_CELLS: usize = 1 << 28;

#[derive(Debug, Default)]
struct Options {
    length: bool,
    ranges: bool,
    with_lengths: bool,
    /// Shorter ranges are not shown.
    min_length: usize,
}

impl Options {
    fn parse(args: &[Bytes]) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut rest = args.iter();
        while let Some(option) = rest.next() {
            match option.to_ascii_lowercase().as_slice() {
                b"idx" => options.ranges = true,
                b"len" => options.length = true,
                b"withmatchlen" => options.with_lengths = true,
                b"minmatchlen" => {
                    let least = parse_integer(rest.next().ok_or(SYNTAX)?).ok_or(NOT_AN_INTEGER)?;
                    options.min_length = usize::try_from(least).unwrap_or(0);
                }
                _ => return Err(SYNTAX),
            }
        }
        if options.length && options.ranges {
            return Err(Failure::Constant("ERR If you want both the length and indexes, please just use IDX."));
        }
        Ok(options)
    }
}

fn lcs(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let (a, b) = (operand(context, &args[1]), operand(context, &args[2]));
    let (Some(a), Some(b)) = (a, b) else {
        return Err(Failure::Constant("ERR The specified keys must contain string values"));
    };
    let options = Options::parse(&args[3..])?;
    let lengths = Lengths::new(&a, &b, context.engine.config.longest_string())?;
    let total = Reply::Integer(lengths.at(a.len(), b.len()) as i64);
    if options.length {
        return Ok(total);
    }
    let (common, ranges) = lengths.trace(&a, &b);
    if !options.ranges {
        return Ok(Reply::Bulk(common.into()));
    }
    let shown = ranges.iter().filter(|range| range.len() >= options.min_length);
    let matches = shown.map(|range| range.reply(options.with_lengths)).collect();
    Ok(Reply::Map(vec![(text("matches"), Reply::Array(matches)), (text("len"), total)]))
}

/// A missing key counts as empty; `None` is a key that holds no string.
fn operand(context: &mut Context<'_>, name: &Bytes) -> Option<Bytes> {
    let key = Key::new(name);
    context.visit(&key, Access::Read);
    match context.entry(&key).map(|entry| &entry.value) {
        None => Some(Bytes::new()),
        Some(Value::Text(text)) => Some(text.data.to_bytes()),
        Some(_) => None,
    }
}

/// The lengths of the common subsequences of all pairs of prefixes.
struct Lengths {
    width: usize,
    cells: Vec<u32>,
}

impl Lengths {
    /// `most` bytes may be taken for it.
    fn new(a: &[u8], b: &[u8], most: usize) -> Result<Self, Failure> {
        let width = b.len() + 1;
        let size = (a.len() + 1).saturating_mul(width);
        if size > most / size_of::<u32>() {
            let refusal = "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len";
            return Err(Failure::Constant(refusal));
        }
        if size > MAX_CELLS {
            return Err(Failure::Constant("ERR Insufficient memory, failed allocating transient memory for LCS"));
        }
        let mut cells = vec![0u32; size];
        let (mut above, mut rest) = cells.split_at_mut(width);
        for from_a in a {
            let (row, below) = rest.split_at_mut(width);
            let mut left = 0;
            for ((from_b, over), cell) in b.iter().zip(above.windows(2)).zip(&mut row[1..]) {
                left = if from_a == from_b { over[0] + 1 } else { over[1].max(left) };
                *cell = left;
            }
            (above, rest) = (row, below);
        }
        Ok(Self { width, cells })
    }

    fn at(&self, i: usize, j: usize) -> u32 {
        self.cells[i * self.width + j]
    }

    /// Walks back from the ends, as Redis does: the subsequence, and the ranges that match, last first.
    ///
    /// When a match does not continue the range at hand, Redis reports that range and drops the match that ended it
    /// from all ranges; so does this.
    fn trace(&self, a: &[u8], b: &[u8]) -> (Vec<u8>, Vec<Range>) {
        let (mut common, mut ranges) = (Vec::new(), Vec::new());
        let mut current: Option<Range> = None;
        let (mut i, mut j) = (a.len(), b.len());
        while i > 0 && j > 0 {
            let done = if a[i - 1] == b[j - 1] {
                common.push(a[i - 1]);
                let follows = match &mut current {
                    None => {
                        current = Some(Range { a: (i - 1, i - 1), b: (j - 1, j - 1) });
                        true
                    }
                    Some(range) if range.a.0 == i && range.b.0 == j => {
                        range.a.0 -= 1;
                        range.b.0 -= 1;
                        true
                    }
                    Some(_) => false,
                };
                i -= 1;
                j -= 1;
                !follows || current.as_ref().is_some_and(|range| range.a.0 == 0 || range.b.0 == 0)
            } else {
                if self.at(i - 1, j) > self.at(i, j - 1) {
                    i -= 1;
                } else {
                    j -= 1;
                }
                true
            };
            if done {
                ranges.extend(current.take());
            }
        }
        common.reverse();
        (common, ranges)
    }
}

/// Where the two strings agree: first and last index in each.
struct Range {
    a: (usize, usize),
    b: (usize, usize),
}

impl Range {
    const fn len(&self) -> usize {
        self.a.1 - self.a.0 + 1
    }

    fn reply(&self, with_length: bool) -> Reply {
        let pair = |(first, last): (usize, usize)| {
            Reply::Array(vec![Reply::Integer(first as i64), Reply::Integer(last as i64)])
        };
        let mut parts = vec![pair(self.a), pair(self.b)];
        if with_length {
            parts.push(Reply::Integer(self.len() as i64));
        }
        Reply::Array(parts)
    }
}

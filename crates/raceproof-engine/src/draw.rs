//! Random members of a collection.

use crate::{Access, Object, context::Context, failure::Failure, number::parse_integer};

/// The longest reply with repetitions that is made; Redis would try any.
const MAX_DRAWS: u64 = 1 << 24;

/// How many members are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Draw {
    /// So many, each as often as it comes.
    Repeating(usize),
    /// At most so many, each once.
    Distinct(usize),
}

impl Draw {
    /// A count as `HRANDFIELD` and its like take it: negative ones ask for repetitions.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Failure> {
        let count = parse_integer(text).ok_or(crate::failure::NOT_AN_INTEGER)?;
        if count == i64::MIN {
            return Err(Failure::Constant(
                "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
            ));
        }
        let size = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        Ok(if count < 0 { Self::Repeating(size) } else { Self::Distinct(size) })
    }

    /// Refuses what is too much to be made. `pairs` tells whether each member comes with something.
    pub(crate) fn limited(self, pairs: bool) -> Result<Self, Failure> {
        let too_much = match self {
            Self::Repeating(count) => count as u64 > MAX_DRAWS,
            Self::Distinct(count) => pairs && count as u64 > i64::MAX as u64 / 2,
        };
        if too_much { Err(Failure::Constant("ERR value is out of range")) } else { Ok(self) }
    }
}

/// Draws ranks among `len` members. Where there is no choice, there is no randomness.
pub(crate) fn ranks(context: &mut Context<'_>, len: usize, draw: Draw) -> Vec<usize> {
    let count = match draw {
        Draw::Distinct(count) if count >= len => return (0..len).collect(),
        Draw::Distinct(count) | Draw::Repeating(count) => count,
    };
    if len == 0 || count == 0 {
        return Vec::new();
    }
    context.touch(Object::Random, Access::Write);
    let random = &mut context.engine.random;
    if matches!(draw, Draw::Repeating(_)) {
        return (0..count).map(|_| random.below(len)).collect();
    }
    // The beginning of a shuffle, in which only the places that were swapped are kept.
    let mut swapped = rustc_hash::FxHashMap::default();
    let mut drawn = Vec::with_capacity(count);
    for at in 0..count {
        let other = at + random.below(len - at);
        drawn.push(swapped.get(&other).copied().unwrap_or(other));
        let here = swapped.get(&at).copied().unwrap_or(at);
        swapped.insert(other, here);
    }
    drawn
}

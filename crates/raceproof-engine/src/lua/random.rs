//! `math.random` as Redis replaces it: the 48-bit linear congruential generator of `lrand48`, seeded afresh with 0 for
//! every script, so that a script draws the same numbers on every machine.

use std::cell::Cell;
use std::rc::Rc;

use mlua::{Lua, Table};

use super::native::{Args, Fail, native};

const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const INCREMENT: u64 = 0xB;
const MASK: u64 = (1 << 48) - 1;
const LOW_BITS_OF_SEED: u64 = 0x330E;

/// The generator's state.
#[derive(Debug, Default)]
pub(super) struct Random(Cell<u64>);

impl Random {
    pub(super) fn seed(&self, seed: i32) {
        self.0.set(u64::from(seed as u32) << 16 | LOW_BITS_OF_SEED);
    }

    /// The next number, 31 bits.
    fn next(&self) -> i32 {
        let next = self.0.get().wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT) & MASK;
        self.0.set(next);
        (next >> 17) as i32
    }

    /// The next number in `0.0..1.0`.
    fn next_unit(&self) -> f64 {
        f64::from(self.next() % i32::MAX) / f64::from(i32::MAX)
    }
}

/// Puts `random` and `randomseed` into the `math` library.
pub(super) fn install(lua: &Lua, math: &Table, random: &Rc<Random>) -> mlua::Result<()> {
    let generator = Rc::clone(random);
    math.raw_set("random", native(lua, move |args| draw(args, &generator))?)?;
    let generator = Rc::clone(random);
    math.raw_set(
        "randomseed",
        native(lua, move |args| {
            generator.seed(args.integer(1)? as i32);
            Ok(())
        })?,
    )
}

fn draw(args: &Args<'_>, random: &Random) -> Result<f64, Fail> {
    let unit = random.next_unit();
    let empty = |number| Fail::arg(number, "interval is empty");
    match args.len() {
        0 => Ok(unit),
        1 => {
            let upper = args.integer(1)? as i32;
            if upper < 1 { Err(empty(1)) } else { Ok((unit * f64::from(upper)).floor() + 1.0) }
        }
        2 => {
            let (lower, upper) = (args.integer(1)? as i32, args.integer(2)? as i32);
            let width = upper.wrapping_sub(lower).wrapping_add(1);
            if lower > upper { Err(empty(2)) } else { Ok((unit * f64::from(width)).floor() + f64::from(lower)) }
        }
        _ => Err(Fail::at("wrong number of arguments")),
    }
}

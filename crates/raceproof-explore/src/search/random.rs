//! Random schedules from a seed.

use crate::Error;
use crate::event::{Choice, Event, Outcome};
use crate::execution::{Cast, Chooser, Enabled};

/// How often, of 256, a step that may go wrong does, and an optional step is considered at all.
const RARE: u64 = 32;

/// A generator whose whole state is its seed.
#[derive(Debug)]
pub(crate) struct Generator {
    state: u64,
}

impl Generator {
    /// The generator of the execution with this number: each execution can be repeated on its own.
    pub(crate) fn new(seed: u64, execution: u64) -> Self {
        // Mixed once, so that the executions of neighbouring seeds are not each other's.
        let mut start = Self { state: seed };
        Self { state: start.next() ^ execution.wrapping_mul(0x9e37_79b9_7f4a_7c15) }
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of `0..n`; `n` must not be 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let n = u64::try_from(n).unwrap_or(u64::MAX);
        // The same, without a division where that is not needed: mostly two clients can go on.
        let chosen = if n.is_power_of_two() { self.next() & (n - 1) } else { self.next() % n };
        usize::try_from(chosen).unwrap_or(0)
    }
}

/// Chooses every step at random.
#[derive(Debug)]
pub(crate) struct Random(Generator);

impl Random {
    pub(crate) fn new(seed: u64, execution: u64) -> Self {
        Self(Generator::new(seed, execution))
    }
}

impl Chooser for Random {
    fn choose(&mut self, _at: usize, enabled: &[Enabled], _cast: &Cast<'_>) -> Option<Choice> {
        let rare = self.0.next() % 256 < RARE;
        let one = if rare || enabled.iter().all(|one| one.optional == enabled[0].optional) {
            &enabled[self.0.below(enabled.len())]
        } else {
            let must = enabled.iter().filter(|one| !one.optional).count();
            let chosen = self.0.below(must);
            enabled.iter().filter(|one| !one.optional).nth(chosen)?
        };
        // That a message is still on its way is nothing rare.
        let even = || one.outcomes[0] != Outcome::Done || one.outcomes.contains(&Outcome::NotArrived);
        let goes_wrong = one.outcomes.len() > 1 && (even() || self.0.next() % 256 < RARE);
        let outcome = if goes_wrong { one.outcomes[self.0.below(one.outcomes.len())] } else { one.outcomes[0] };
        Some(Choice { process: one.process, outcome })
    }

    fn executed(&mut self, _at: usize, _event: &Event) -> Result<(), Error> {
        Ok(())
    }
}

//! What a step has touched, and whether that conflicts with what another one has.

use raceproof_engine::Access;
use smallvec::SmallVec;

use super::ThingId;
use crate::execution::Known;

/// The objects that a step touched, with a filter that tells at once what nearly any two steps are to each other.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Touched {
    accesses: SmallVec<[(ThingId, Access); 8]>,
    filter: Filter,
}

/// The things that were touched, each as the bit of its number modulo 64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Filter {
    any: u64,
    writes: u64,
    reads: u64,
    intends_to_write: u64,
    /// There are things beyond the first 64: a bit may mean several.
    far: bool,
}

impl Filter {
    fn add(&mut self, thing: ThingId, access: Access) {
        let bit = 1 << (thing % 64);
        self.any |= bit;
        self.far |= thing >= 64;
        match access {
            Access::IntentRead => {}
            Access::IntentWrite => self.intends_to_write |= bit,
            Access::Read => self.reads |= bit,
            Access::Write => self.writes |= bit,
        }
    }

    /// Whether accesses conflict, as [`Access::conflicts`] has it; `None` if these bits do not tell.
    fn conflicts(&self, other: &Self) -> Option<bool> {
        let meet = (self.writes & other.any)
            | (self.any & other.writes)
            | (self.reads & other.intends_to_write)
            | (self.intends_to_write & other.reads);
        if meet == 0 {
            return Some(false);
        }
        (!self.far && !other.far).then_some(true)
    }
}

impl Clone for Touched {
    fn clone(&self) -> Self {
        Self { accesses: SmallVec::from_slice(&self.accesses), filter: self.filter }
    }

    fn clone_from(&mut self, source: &Self) {
        self.accesses.clear();
        self.accesses.extend_from_slice(&source.accesses);
        self.filter = source.filter;
    }
}

impl Touched {
    pub(crate) fn is_empty(&self) -> bool {
        self.accesses.is_empty()
    }

    pub(crate) fn add(&mut self, thing: ThingId, access: Access) {
        self.filter.add(thing, access);
        if !self.accesses.contains(&(thing, access)) {
            self.accesses.push((thing, access));
        }
    }

    /// Adds what is known to be touched by a command.
    pub(crate) fn take_in(&mut self, known: &Known) {
        if self.accesses.is_empty() {
            self.clone_from(&known.touched);
        } else {
            known.touched.iter().for_each(|(thing, access)| self.add(*thing, *access));
        }
    }

    pub(crate) fn conflicts(&self, other: &Self) -> bool {
        self.filter.conflicts(&other.filter).unwrap_or_else(|| self.compare(other))
    }

    /// As [`Self::conflicts`], access by access.
    fn compare(&self, other: &Self) -> bool {
        let conflicts = |(thing, access): &(ThingId, Access)| {
            other.accesses.iter().any(|(theirs, how)| thing == theirs && access.conflicts(*how))
        };
        self.accesses.iter().any(conflicts)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(ThingId, Access)> {
        self.accesses.iter()
    }

    pub(crate) fn clear(&mut self) {
        self.accesses.clear();
        self.filter = Filter::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCESSES: [Access; 4] = [Access::IntentRead, Access::IntentWrite, Access::Read, Access::Write];

    #[test]
    fn the_filter_says_what_comparing_access_by_access_says() {
        let mut state = 1_u64;
        let mut below = |n: usize| {
            // Knuth's generator; the upper bits are its best.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n
        };
        let (mut told, mut conflicts) = (0, 0);
        for _ in 0..20_000 {
            // Of numbers that differ by 64 the bits are the same.
            let numbers: &[ThingId] = if below(2) == 0 { &[0, 1, 2, 63] } else { &[0, 1, 63, 64, 65, 127] };
            let mut any = || {
                let mut touched = Touched::default();
                for _ in 0..below(5) {
                    touched.add(numbers[below(numbers.len())], ACCESSES[below(4)]);
                }
                touched
            };
            let (one, other) = (any(), any());
            let truth = one.compare(&other);
            assert_eq!(one.conflicts(&other), truth, "{one:?} {other:?}");
            told += u32::from(one.filter.conflicts(&other.filter).is_some());
            conflicts += u32::from(truth);
        }
        assert!(told > 10_000 && told < 20_000, "{told}: the filter tells nearly always, and not always");
        assert!(conflicts > 2_000 && conflicts < 18_000, "{conflicts}");
    }
}

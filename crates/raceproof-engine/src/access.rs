//! When a key was used last, or how often: what `OBJECT IDLETIME` and `OBJECT FREQ` tell, and what eviction goes by.
//!
//! Redis keeps 24 bits with every value: the second of the last access, or under an `…-lfu` policy the minute of the last
//! access and a counter of eight bits, which grows the more slowly the larger it is and shrinks with time
//! (<https://redis.io/docs/latest/develop/reference/eviction/>). A change of policy reads the same bits in the other way.

/// The 24 bits of a key; 0 where accesses leave no trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Used(u32);

/// The seconds of an access are counted up to this, and then from 0.
const LAST_SECOND: u32 = (1 << 24) - 1;
const LAST_MINUTE: u32 = (1 << 16) - 1;
/// The counter of a new key, so that it is not the first to go.
const NEW: u8 = 5;

/// How the counter of a policy that counts changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counting {
    /// `lfu-log-factor`
    pub(crate) factor: u32,
    /// `lfu-decay-time`: after so many minutes without an access the counter is one less; never if 0.
    pub(crate) decay_min: u32,
}

fn second(now_ms: i64) -> u32 {
    (now_ms.div_euclid(1000) & i64::from(LAST_SECOND)) as u32
}

fn minute(now_ms: i64) -> u32 {
    (now_ms.div_euclid(60_000) & i64::from(LAST_MINUTE)) as u32
}

impl Used {
    /// A key that is used now, under a policy that dates.
    pub(crate) fn at(now_ms: i64) -> Self {
        Self(second(now_ms))
    }

    /// A key as it is stored anew, under a policy that counts or one that dates. Where accesses are counted, a key that takes
    /// the place of another inherits its count.
    pub(crate) fn stored(now_ms: i64, counted: bool, old: Option<Self>) -> Self {
        match (counted, old) {
            (false, _) => Self::at(now_ms),
            (true, Some(old)) => old,
            (true, None) => Self::counted(now_ms, NEW),
        }
    }

    pub(crate) fn counted(now_ms: i64, count: u8) -> Self {
        Self(minute(now_ms) << 8 | u32::from(count))
    }

    /// A key that was used so many seconds ago. What would be before the clock's beginning was in another round of it.
    pub(crate) fn idle_for(now_ms: i64, idle_s: i64) -> Self {
        let now = i64::from(second(now_ms));
        match now.checked_sub(idle_s) {
            Some(at @ 0..) => Self(at as u32),
            _ => Self((second(now_ms) + LAST_SECOND / 2) % LAST_SECOND),
        }
    }

    /// Seconds since the last access.
    pub(crate) fn idle_s(self, now_ms: i64) -> u32 {
        let now = second(now_ms);
        if now >= self.0 { now - self.0 } else { now + (LAST_SECOND - self.0) }
    }

    /// The counter as it has shrunk by now.
    pub(crate) fn count(self, now_ms: i64, counting: Counting) -> u8 {
        let (counted, now) = (self.0 >> 8, minute(now_ms));
        let elapsed = if now >= counted { now - counted } else { LAST_MINUTE - counted + now };
        let lost = elapsed.checked_div(counting.decay_min).unwrap_or(0);
        (self.0 as u8).saturating_sub(u8::try_from(lost).unwrap_or(u8::MAX))
    }

    /// One access more. `draw` gives a number below its argument, and is asked only where chance decides.
    pub(crate) fn count_up(self, now_ms: i64, counting: Counting, draw: impl FnOnce(usize) -> usize) -> Self {
        let count = self.count(now_ms, counting);
        let one_in = usize::from(count.saturating_sub(NEW)).saturating_mul(counting.factor as usize).saturating_add(1);
        let grows = count < u8::MAX && (one_in == 1 || draw(one_in) == 0);
        Self::counted(now_ms, count + u8::from(grows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Random;

    const NOW_MS: i64 = 1_700_000_000_000;
    const COUNTING: Counting = Counting { factor: 10, decay_min: 1 };

    #[test]
    fn idle_time_is_in_whole_seconds_of_a_clock_that_goes_round() {
        assert_eq!(Used::at(NOW_MS).idle_s(NOW_MS + 999), 0);
        assert_eq!(Used::at(NOW_MS).idle_s(NOW_MS + 2000), 2);
        assert_eq!(Used::idle_for(NOW_MS, 30).idle_s(NOW_MS + 5000), 35);
        let last = i64::from(LAST_SECOND) * 1000;
        assert_eq!(Used::at(last).idle_s(last + 3000), 2);
    }

    #[test]
    fn the_counter_grows_slowly_and_shrinks_with_time() {
        let mut random = Random::new(1);
        let mut accessed = |times: usize, factor: u32| {
            let counting = Counting { factor, ..COUNTING };
            (0..times).fold(Used::stored(NOW_MS, true, None), |used, _| {
                used.count_up(NOW_MS, counting, |limit| random.below(limit))
            })
        };
        assert_eq!(accessed(0, 10).count(NOW_MS, COUNTING), 5);
        assert_eq!(accessed(7, 0).count(NOW_MS, COUNTING), 12);
        assert_eq!(accessed(1000, 0).count(NOW_MS, COUNTING), 255);
        // The table in Redis's configuration file: a factor of 10 reaches 18 after 1000 accesses, 142 after 100,000.
        assert!((14..=24).contains(&accessed(1000, 10).count(NOW_MS, COUNTING)));
        assert!((125..=160).contains(&accessed(100_000, 10).count(NOW_MS, COUNTING)));
        let used = accessed(7, 0);
        assert_eq!(used.count(NOW_MS + 4 * 60_000, COUNTING), 8);
        assert_eq!(used.count(NOW_MS + 1000 * 60_000, COUNTING), 0);
        assert_eq!(used.count(NOW_MS + 1000 * 60_000, Counting { decay_min: 0, ..COUNTING }), 12);
    }
}

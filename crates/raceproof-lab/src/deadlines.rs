//! Deadlines on a clock that stands still, kept on a server whose clock does not.
//!
//! In simulation time stands still between two steps of the clock, and a key lives to the end of the millisecond of its
//! deadline. A real server's time runs on while we play the steps: a key with 30,000 ms to live has 29,997 ms left when
//! the clock is to move by 30,000 ms, and would be gone where the simulation still sees it. So the lab notes for every
//! volatile key what its deadline is on the *played* clock, which only [`Deadlines::advance`] moves, and sets the
//! server's deadline from that, not from what is left.
//!
//! The played deadline of a key is known from the server's deadline and the real time of the command that set it. That
//! command ran between its sending and its reply, which lie in one millisecond nearly always (the lab sends at the start
//! of one), so the deadline is exact. Otherwise it is an interval, and a step of the clock into that interval is refused.
//!
//! A key that is about to end is *held*: the server gets a later deadline than the played one, so that the key ends
//! when the played clock says so and not before. While a key is held, `PTTL` shows up to 2 s too much.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::LabError;

/// A key in a numbered database.
pub(crate) type Place = (u32, Bytes);

/// A key with less than this to live is held, else it could end in real time between two steps.
const HOLD_BELOW_MS: i64 = 1_000;
/// What a held key has to live in real time.
const HELD_MS: i64 = 2_000;

/// What is known of one key's deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Deadline {
    /// What the server holds, in real Unix time.
    real_ms: i64,
    /// The earliest that it can be on the played clock.
    earliest_ms: i64,
    /// The latest that it can be on the played clock.
    latest_ms: i64,
}

/// The deadlines of all volatile keys, and the played clock.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deadlines {
    /// Milliseconds since the execution began.
    now_ms: i64,
    keys: BTreeMap<Place, Deadline>,
}

/// What a step of the clock does to the volatile keys.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    /// The played clock after the step.
    now_ms: i64,
    /// Their deadline has passed.
    pub(crate) ended: Vec<Place>,
    /// They live on.
    pub(crate) left: Vec<Place>,
}

impl Deadlines {
    /// The played clock: milliseconds since the execution began.
    pub(crate) fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// Takes in the volatile keys as they are after a command that ran in real time between two instants.
    pub(crate) fn observe(&mut self, found: Vec<(Place, i64)>, sent_ms: i64, received_ms: i64) {
        let known = std::mem::take(&mut self.keys);
        for (place, real_ms) in found {
            let same = known.get(&place).filter(|deadline| deadline.real_ms == real_ms);
            // RENAME, COPY and MOVE take a deadline along as it is.
            let moved = || known.values().find(|deadline| deadline.real_ms == real_ms);
            let deadline = same.or_else(moved).copied().unwrap_or(Deadline {
                real_ms,
                earliest_ms: self.now_ms + real_ms - received_ms,
                latest_ms: self.now_ms + real_ms - sent_ms,
            });
            self.keys.insert(place, deadline);
        }
    }

    /// The keys are again what they were; the clock has gone on. `found` is what the server has: an error if that is
    /// something else, because keys have ended in real time meanwhile.
    pub(crate) fn return_to(&mut self, then: &Self, found: &[(Place, i64)]) -> Result<(), LabError> {
        let there: BTreeMap<&Place, i64> = found.iter().map(|(place, real_ms)| (place, *real_ms)).collect();
        let missing =
            then.keys.iter().find(|(place, deadline)| there.get(place).is_none_or(|found| *found != deadline.real_ms));
        if let Some(((_, key), _)) = missing {
            return Err(LabError::Late { key: key.escape_ascii().to_string() });
        }
        self.keys = then.keys.clone();
        Ok(())
    }

    /// A key is gone.
    pub(crate) fn forget(&mut self, place: &Place) {
        self.keys.remove(place);
    }

    /// What a step of the clock will do, if for every key it is certain whether it ends. Nothing is changed yet.
    pub(crate) fn due_after(&self, delta_ms: i64) -> Result<Due, LabError> {
        let now_ms = self.now_ms.saturating_add(delta_ms);
        let mut due = Due { now_ms, ..Due::default() };
        for (place, deadline) in &self.keys {
            if now_ms > deadline.latest_ms {
                due.ended.push(place.clone());
            } else if now_ms <= deadline.earliest_ms {
                due.left.push(place.clone());
            } else {
                let slack_ms = deadline.latest_ms - deadline.earliest_ms;
                return Err(LabError::Imprecise { key: place.1.escape_ascii().to_string(), slack_ms });
            }
        }
        Ok(due)
    }

    /// Moves the played clock and forgets the keys that end by it.
    pub(crate) fn advance(&mut self, due: &Due) {
        self.now_ms = due.now_ms;
        for place in &due.ended {
            self.keys.remove(place);
        }
    }

    /// The keys that could end in real time before the next step.
    pub(crate) fn to_hold(&self, real_now_ms: i64) -> Vec<Place> {
        let short = |deadline: &Deadline| deadline.real_ms - real_now_ms < HOLD_BELOW_MS;
        self.keys.iter().filter(|(_, deadline)| short(deadline)).map(|(place, _)| place.clone()).collect()
    }

    /// The keys whose remaining time on the server is no longer what it is on the played clock, and that are not held.
    pub(crate) fn to_align(&self, real_now_ms: i64) -> Vec<Place> {
        let drifted = |deadline: &Deadline| {
            let left_ms = deadline.latest_ms - self.now_ms;
            left_ms >= HOLD_BELOW_MS && deadline.real_ms - real_now_ms != left_ms
        };
        self.keys.iter().filter(|(_, deadline)| drifted(deadline)).map(|(place, _)| place.clone()).collect()
    }

    /// The deadline that the server is to be given for a key at a real time, and from then on is taken to hold.
    pub(crate) fn set(&mut self, place: &Place, real_now_ms: i64) -> Option<i64> {
        let left_ms = self.keys.get(place)?.latest_ms - self.now_ms;
        let mut real_ms = real_now_ms.saturating_add(left_ms);
        if left_ms < HOLD_BELOW_MS {
            // Unlike any other, so that `observe` tells which key a renamed one was.
            real_ms = real_now_ms + HELD_MS;
            while self.keys.iter().any(|(other, deadline)| other != place && deadline.real_ms == real_ms) {
                real_ms += 1;
            }
        }
        self.keys.get_mut(place)?.real_ms = real_ms;
        Some(real_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(key: &'static str) -> Place {
        (0, Bytes::from_static(key.as_bytes()))
    }

    /// A key that was given `ttl_ms` at real time 1,000,000, known to the millisecond.
    fn one_key(ttl_ms: i64) -> Deadlines {
        let mut deadlines = Deadlines::default();
        deadlines.observe(vec![(place("k"), 1_000_000 + ttl_ms)], 1_000_000, 1_000_000);
        deadlines
    }

    /// Moves the clock; whether the only key ends by it.
    fn ends(deadlines: &mut Deadlines, delta_ms: i64) -> bool {
        let due = deadlines.due_after(delta_ms).expect("it is certain");
        assert_eq!(due.ended.len() + due.left.len(), 1);
        deadlines.advance(&due);
        due.ended.len() == 1
    }

    #[test]
    fn a_key_lives_through_its_last_millisecond() {
        let mut deadlines = one_key(30_000);
        assert!(!ends(&mut deadlines, 30_000));
        assert!(ends(&mut deadlines, 1));
        assert!(deadlines.keys.is_empty());
        assert!(ends(&mut one_key(30_000), 30_001));
    }

    #[test]
    fn steps_add_up_and_real_time_does_not_count() {
        let mut deadlines = one_key(30_000);
        assert!(!ends(&mut deadlines, 10_000));
        assert_eq!(deadlines.set(&place("k"), 1_000_700), Some(1_020_700), "20 s are left, whatever real time it is");
        deadlines.observe(vec![(place("k"), 1_020_700)], 1_000_800, 1_000_900);
        assert!(!ends(&mut deadlines, 20_000));
        assert!(ends(&mut deadlines, 1));
    }

    #[test]
    fn a_new_deadline_replaces_the_old_one_and_a_removed_one_is_forgotten() {
        let mut deadlines = one_key(30_000);
        deadlines.observe(vec![(place("k"), 1_000_005 + 60_000)], 1_000_005, 1_000_005);
        assert!(!ends(&mut deadlines, 60_000));
        deadlines.observe(vec![], 1_000_006, 1_000_006);
        assert!(deadlines.keys.is_empty());
    }

    #[test]
    fn a_renamed_key_takes_its_deadline_along() {
        let mut deadlines = one_key(30_000);
        deadlines.observe(vec![(place("k2"), 1_030_000)], 1_000_009, 1_000_009);
        assert!(!ends(&mut deadlines, 30_000));
        assert!(ends(&mut deadlines, 1));
    }

    #[test]
    fn a_step_into_what_is_uncertain_is_refused() {
        let slow = || {
            let mut deadlines = Deadlines::default();
            deadlines.observe(vec![(place("k"), 1_030_002)], 1_000_000, 1_000_002);
            deadlines
        };
        assert!(!ends(&mut slow(), 30_000), "earlier than all it can be");
        for delta_ms in [30_001, 30_002] {
            let error = slow().due_after(delta_ms).unwrap_err();
            assert!(matches!(&error, LabError::Imprecise { key, slack_ms: 2 } if key == "k"), "{error}");
        }
        assert!(ends(&mut slow(), 30_003), "later than all it can be");
    }

    #[test]
    fn what_is_about_to_end_is_held_and_still_ends_on_time() {
        let mut deadlines = one_key(30_000);
        assert_eq!(deadlines.to_hold(1_000_000), []);
        assert!(!ends(&mut deadlines, 29_999));
        assert_eq!(deadlines.to_hold(1_029_500), [place("k")]);
        let held_ms = deadlines.set(&place("k"), 1_000_010).expect("it is volatile");
        assert_eq!(held_ms, 1_000_010 + HELD_MS);
        assert_eq!((deadlines.to_hold(1_000_020), deadlines.to_align(1_000_020)), (vec![], vec![]));
        assert!(!ends(&mut deadlines, 1));
        assert!(ends(&mut deadlines, 1));
    }

    #[test]
    fn a_clock_that_is_stepped_back_gives_keys_more_time() {
        let mut deadlines = one_key(30_000);
        assert!(!ends(&mut deadlines, -3_600_000));
        assert_eq!(deadlines.set(&place("k"), 1_000_000), Some(1_000_000 + 3_630_000));
        assert!(!ends(&mut deadlines, 3_630_000));
        assert!(ends(&mut deadlines, 1));
    }

    #[test]
    fn what_returns_has_the_deadlines_of_then_on_the_clock_of_now() {
        let mut deadlines = one_key(30_000);
        let then = deadlines.clone();
        deadlines.observe(vec![(place("later"), 1_090_000)], 1_000_000, 1_000_000);
        let due = deadlines.due_after(20_000).expect("it is certain");
        deadlines.advance(&due);
        let lost = deadlines.return_to(&then, &[]).unwrap_err();
        assert!(matches!(&lost, LabError::Late { key } if key == "k"), "{lost}");
        deadlines.return_to(&then, &[(place("k"), 1_030_000)]).expect("it is all there");
        assert_eq!(deadlines.keys.keys().collect::<Vec<_>>(), [&place("k")], "what came later is gone");
        assert!(!ends(&mut deadlines, 10_000), "20 s have passed, and count");
        assert!(ends(&mut deadlines, 1));
    }

    #[test]
    fn two_held_keys_can_be_told_apart() {
        let mut deadlines = Deadlines::default();
        deadlines.observe(vec![(place("a"), 1_000_100), (place("b"), 1_000_200)], 1_000_000, 1_000_000);
        let a = deadlines.set(&place("a"), 1_000_000);
        let b = deadlines.set(&place("b"), 1_000_000);
        assert_ne!(a, b);
        deadlines.observe(vec![(place("c"), b.expect("b is volatile"))], 1_000_003, 1_000_003);
        assert!(!ends(&mut deadlines, 200), "c is b renamed, not a");
    }

    #[test]
    fn a_drifted_key_is_aligned() {
        let mut deadlines = one_key(30_000);
        assert_eq!(deadlines.to_align(1_000_000), []);
        assert_eq!(deadlines.to_align(1_000_004), [place("k")]);
        assert_eq!(deadlines.set(&place("k"), 1_000_004), Some(1_030_004));
        assert_eq!(deadlines.to_align(1_000_004), []);
    }
}

//! Sorted sets: one list in the order of ranks while small; when large, a table of scores and a tree of places.

use std::cmp::Ordering;

use bytes::Bytes;

use crate::{
    key::Key,
    memory,
    tree::{self, Tree},
    zrange::Range,
};

/// What a sorted set may hold while it is small (`zset-max-listpack-entries`, `zset-max-listpack-value`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) entries: usize,
    /// Bytes of a member.
    pub(crate) value: usize,
}

/// A member with its score. Places are ordered by score, then by the bytes of the member; a score is never NaN.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) score: f64,
    pub(crate) member: Bytes,
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_score = self.score.partial_cmp(&other.score).unwrap_or(Ordering::Equal);
        by_score.then_with(|| self.member.cmp(&other.member))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Place {}

/// One sorted set. One that has become large stays large, as in Redis.
#[derive(Clone, Debug)]
pub(crate) enum Zset {
    /// `listpack`
    Small(Vec<Place>),
    /// `skiplist`
    Large {
        scores: Tree<Key, f64>,
        order: Tree<Place, ()>,
        /// What the members take in the table (`memory::element`).
        bytes: usize,
    },
}

/// The same encoding, members and scores; scores are compared by their bits, since replies show the sign of a zero.
impl PartialEq for Zset {
    fn eq(&self, other: &Self) -> bool {
        let same =
            |(one, other): (&Place, &Place)| one.member == other.member && one.score.to_bits() == other.score.to_bits();
        self.encoding() == other.encoding() && self.len() == other.len() && self.iter().zip(other.iter()).all(same)
    }
}

impl Eq for Zset {}

impl Default for Zset {
    fn default() -> Self {
        Self::Small(Vec::new())
    }
}

impl Zset {
    /// A sorted set of what a `…STORE` command has found: small if it may be.
    pub(crate) fn of(mut places: Vec<Place>, limits: Limits) -> Self {
        let longest = places.iter().map(|place| place.member.len()).max().unwrap_or(0);
        let small = places.len() <= limits.entries && longest <= limits.value;
        places.sort_unstable();
        if small {
            places.iter_mut().for_each(|place| place.score += 0.0);
        }
        let mut zset = Self::Small(places);
        if !small {
            zset.enlarge();
        }
        zset
    }

    /// What `OBJECT ENCODING` says.
    pub(crate) const fn encoding(&self) -> &'static str {
        match self {
            Self::Small(_) => "listpack",
            Self::Large { .. } => "skiplist",
        }
    }

    /// The table of a large one, in the order of scans.
    pub(crate) const fn table(&self) -> Option<&Tree<Key, f64>> {
        match self {
            Self::Small(_) => None,
            Self::Large { scores, .. } => Some(scores),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Small(list) => list.len(),
            Self::Large { order, .. } => order.len(),
        }
    }

    pub(crate) fn score(&self, member: &Bytes) -> Option<f64> {
        match self {
            Self::Small(list) => list.iter().find(|place| place.member == *member).map(|place| place.score),
            Self::Large { scores, .. } => scores.get(&Key::new(member)).copied(),
        }
    }

    /// Adds a member or moves it to another score.
    pub(crate) fn set(&mut self, member: &Bytes, score: f64, limits: Limits) {
        if let Self::Small(list) = self {
            // A listpack keeps whole numbers as integers, of which none is negative zero.
            let place = Place { score: score + 0.0, member: member.clone() };
            let known = list.iter().position(|place| place.member == *member);
            if known.is_none() && (list.len() >= limits.entries || member.len() > limits.value) {
                self.enlarge();
            } else {
                if let Some(at) = known {
                    list.remove(at);
                }
                let at = list.partition_point(|other| *other < place);
                list.insert(at, place);
                return;
            }
        }
        if let Self::Large { scores, order, bytes } = self {
            if let Some(old) = scores.insert(Key::new(member), score) {
                order.remove(&Place { score: old, member: member.clone() });
            } else {
                *bytes += memory::element(member);
            }
            order.insert(Place { score, member: member.clone() }, ());
        }
    }

    /// Removes a member and tells whether it was there.
    pub(crate) fn remove(&mut self, member: &Bytes) -> bool {
        match self {
            Self::Small(list) => {
                let found = list.iter().position(|place| place.member == *member);
                found.map(|at| list.remove(at)).is_some()
            }
            Self::Large { scores, order, bytes } => {
                let Some(score) = scores.remove(&Key::new(member)) else { return false };
                *bytes -= memory::element(member);
                order.remove(&Place { score, member: member.clone() });
                true
            }
        }
    }

    /// How many members come before a member; `None` if it is not there.
    pub(crate) fn rank(&self, member: &Bytes) -> Option<usize> {
        let place = Place { score: self.score(member)?, member: member.clone() };
        Some(self.partition_point(|other| *other < place))
    }

    fn partition_point(&self, before: impl FnMut(&Place) -> bool) -> usize {
        match self {
            Self::Small(list) => list.partition_point(before),
            Self::Large { order, .. } => order.partition_point(before),
        }
    }

    /// The place of a rank.
    pub(crate) fn nth(&self, rank: usize) -> Option<&Place> {
        match self {
            Self::Small(list) => list.get(rank),
            Self::Large { order, .. } => order.nth(rank).map(|(place, ())| place),
        }
    }

    /// The places from a rank on, towards the last or towards the first.
    pub(crate) fn walk(&self, rank: usize, down: bool) -> Walk<'_> {
        match (self, down) {
            (Self::Small(list), false) => Walk::Up(list.get(rank..).unwrap_or_default().iter()),
            (Self::Small(list), true) => Walk::Down(list[..list.len().min(rank.saturating_add(1))].iter().rev()),
            (Self::Large { order, .. }, false) => Walk::Large(order.iter_from(rank)),
            (Self::Large { order, .. }, true) => Walk::Large(order.iter_down_from(rank)),
        }
    }

    pub(crate) fn iter(&self) -> Walk<'_> {
        self.walk(0, false)
    }

    /// The rank of the first place of a range, or of the last.
    ///
    /// A range of members means something only where all scores are equal. Where they are not, Redis walks a small set
    /// from the end, and so does this; what it finds in a large one depends on the levels that it drew for its nodes.
    pub(crate) fn end_of(&self, range: &Range, last: bool) -> Option<usize> {
        let (first_place, last_place) = (self.nth(0)?, self.nth(self.len() - 1)?);
        if range.is_empty() || !range.is_after_min(last_place) || !range.is_before_max(first_place) {
            return None;
        }
        let found = match (self, last) {
            (Self::Small(list), false) => list.iter().position(|place| range.is_after_min(place))?,
            (Self::Small(list), true) => list.iter().rposition(|place| range.is_before_max(place))?,
            (Self::Large { order, .. }, false) => order.partition_point(|place| !range.is_after_min(place)),
            (Self::Large { order, .. }, true) => {
                order.partition_point(|place| range.is_before_max(place)).checked_sub(1)?
            }
        };
        let place = self.nth(found)?;
        (range.is_after_min(place) && range.is_before_max(place)).then_some(found)
    }

    /// How many places are in a range.
    pub(crate) fn count(&self, range: &Range) -> usize {
        let Some(first) = self.end_of(range, false) else { return 0 };
        match self {
            Self::Small(list) => list[first..].iter().take_while(|place| range.is_before_max(place)).count(),
            Self::Large { .. } => self.end_of(range, true).map_or(0, |last| (last + 1).saturating_sub(first)),
        }
    }

    pub(crate) fn enlarge(&mut self) {
        if let Self::Small(list) = self {
            let scores = list.iter().map(|place| (Key::new(&place.member), place.score)).collect();
            let bytes = list.iter().map(|place| memory::element(&place.member)).sum();
            *self = Self::Large { scores, order: list.drain(..).map(|place| (place, ())).collect(), bytes };
        }
    }
}

/// The iterator of [`Zset::walk`].
pub(crate) enum Walk<'a> {
    Up(std::slice::Iter<'a, Place>),
    Down(std::iter::Rev<std::slice::Iter<'a, Place>>),
    Large(tree::Iter<'a, Place, ()>),
}

impl<'a> Iterator for Walk<'a> {
    type Item = &'a Place;

    fn next(&mut self) -> Option<&'a Place> {
        match self {
            Self::Up(list) => list.next(),
            Self::Down(list) => list.next(),
            Self::Large(tree) => tree.next().map(|(place, ())| place),
        }
    }
}

//! Ranges of sorted sets: by score and by member.

use std::cmp::Ordering;

use bytes::Bytes;

use crate::{failure::Failure, float, zset::Place};

/// Two bounds, each with whether it is left out itself.
#[derive(Clone, Debug)]
pub(crate) enum Range {
    Scores { min: (f64, bool), max: (f64, bool) },
    Members { min: (End, bool), max: (End, bool) },
}

/// The bound of a range of members.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    /// `-`
    Lowest,
    Member(Bytes),
    /// `+`
    Highest,
}

impl Range {
    /// `min` and `max` of a range of scores: floats, after `(` if they are left out.
    pub(crate) fn scores(min: &[u8], max: &[u8]) -> Result<Self, Failure> {
        let bound = |text: &[u8]| {
            let (number, open) = text.strip_prefix(b"(").map_or((text, false), |number| (number, true));
            Some((float::parse_bound(number)?, open))
        };
        match (bound(min), bound(max)) {
            (Some(min), Some(max)) => Ok(Self::Scores { min, max }),
            _ => Err(Failure::Constant("ERR min or max is not a float")),
        }
    }

    /// `min` and `max` of a range of members: `[member`, `(member`, `-` or `+`.
    pub(crate) fn members(min: &Bytes, max: &Bytes) -> Result<Self, Failure> {
        let bound = |text: &Bytes| match text.first() {
            // What follows a NUL is not looked at.
            Some(b'+') if matches!(text.get(1), None | Some(0)) => Some((End::Highest, true)),
            Some(b'-') if matches!(text.get(1), None | Some(0)) => Some((End::Lowest, true)),
            Some(b'(') => Some((End::Member(text.slice(1..)), true)),
            Some(b'[') => Some((End::Member(text.slice(1..)), false)),
            _ => None,
        };
        match (bound(min), bound(max)) {
            (Some(min), Some(max)) => Ok(Self::Members { min, max }),
            _ => Err(Failure::Constant("ERR min or max not valid string range item")),
        }
    }

    /// Whether nothing can be in it.
    pub(crate) fn is_empty(&self) -> bool {
        let (order, open) = match self {
            Self::Scores { min, max } => (min.0.partial_cmp(&max.0), min.1 || max.1),
            Self::Members { min, max } => (Some(min.0.cmp(&max.0)), min.1 || max.1),
        };
        order == Some(Ordering::Greater) || (order == Some(Ordering::Equal) && open)
    }

    pub(crate) fn is_after_min(&self, place: &Place) -> bool {
        match self {
            Self::Scores { min: (min, open), .. } => place.score > *min || (!open && place.score == *min),
            Self::Members { min: (min, open), .. } => match min {
                End::Lowest => true,
                End::Highest => false,
                End::Member(min) => place.member > min || (!open && place.member == min),
            },
        }
    }

    pub(crate) fn is_before_max(&self, place: &Place) -> bool {
        match self {
            Self::Scores { max: (max, open), .. } => place.score < *max || (!open && place.score == *max),
            Self::Members { max: (max, open), .. } => match max {
                End::Lowest => false,
                End::Highest => true,
                End::Member(max) => place.member < max || (!open && place.member == max),
            },
        }
    }
}

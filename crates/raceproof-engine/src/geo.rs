//! Positions on the earth as scores: longitude and latitude are numbers of 26 bits each, interleaved, so that what has
//! the beginning of a score in common lies in one cell of a grid.
//!
//! Replies and stored distances are the server's to the last digit where `sin`, `cos` and `asin` are those of the C
//! library that it runs with.

use std::f64::consts::PI;

use crate::zrange::Range;
use crate::zset::{Walk, Zset};

pub(crate) const LONGITUDES: (f64, f64) = (-180.0, 180.0);
/// Where Web Mercator makes the earth a square.
pub(crate) const LATITUDES: (f64, f64) = (-85.051_128_78, 85.051_128_78);
/// All of them, as the common text form of geohashes has it.
pub(crate) const ALL_LATITUDES: (f64, f64) = (-90.0, 90.0);

/// The bits of each coordinate in a score.
const STEPS: u32 = 26;
const EARTH_RADIUS_M: f64 = 6_372_797.560_856;
/// Half the circumference in Web Mercator.
const MERCATOR_MAX_M: f64 = 20_037_726.37;

/// Longitude and latitude in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Position {
    pub(crate) longitude: f64,
    pub(crate) latitude: f64,
}

impl Position {
    pub(crate) fn is_valid(self) -> bool {
        let within = |value: f64, (low, high): (f64, f64)| (low..=high).contains(&value);
        within(self.longitude, LONGITUDES) && within(self.latitude, LATITUDES)
    }

    pub(crate) fn score(self) -> u64 {
        Cell::of(self, STEPS, LATITUDES).bits()
    }

    /// The middle of the cell of a score, whatever it is.
    pub(crate) fn of_score(score: f64) -> Self {
        let bounds = Cell::of_bits(unsigned(score)).bounds();
        let middle = |(low, high): (f64, f64), (least, most): (f64, f64)| {
            let middle = (low + high) / 2.0;
            if middle > most {
                most
            } else if middle < least {
                least
            } else {
                middle
            }
        };
        Self { longitude: middle(bounds.longitudes, LONGITUDES), latitude: middle(bounds.latitudes, LATITUDES) }
    }

    /// The bits of the position among all latitudes.
    pub(crate) fn standard_bits(self) -> u64 {
        Cell::of(self, STEPS, ALL_LATITUDES).bits()
    }

    /// Metres, by the haversine formula.
    pub(crate) fn distance_m(self, other: Self) -> f64 {
        let sine = ((radians(other.longitude) - radians(self.longitude)) / 2.0).sin();
        if sine == 0.0 {
            return self.latitude_distance_m(other);
        }
        let (here, there) = (radians(self.latitude), radians(other.latitude));
        let rise = ((there - here) / 2.0).sin();
        let part = rise * rise + here.cos() * there.cos() * sine * sine;
        2.0 * EARTH_RADIUS_M * part.sqrt().asin()
    }

    fn latitude_distance_m(self, other: Self) -> f64 {
        EARTH_RADIUS_M * (radians(other.latitude) - radians(self.latitude)).abs()
    }
}

fn radians(degrees: f64) -> f64 {
    degrees * (PI / 180.0)
}

fn degrees(radians: f64) -> f64 {
    radians / (PI / 180.0)
}

/// A score as a whole number without a sign, as x86-64 converts it, also where it does not fit.
fn unsigned(score: f64) -> u64 {
    const HALF: f64 = (1_u64 << 63) as f64;
    let signed = |value: f64| if (-HALF..HALF).contains(&value) { value as i64 } else { i64::MIN };
    if score < HALF { signed(score).cast_unsigned() } else { signed(score - HALF).cast_unsigned() ^ 1 << 63 }
}

/// A cell of a grid that divides both coordinates into 2^steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    x: u32,
    y: u32,
    steps: u32,
}

/// What a cell covers.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    longitudes: (f64, f64),
    latitudes: (f64, f64),
}

impl Cell {
    fn of(position: Position, steps: u32, latitudes: (f64, f64)) -> Self {
        let place =
            |value: f64, (low, high): (f64, f64)| ((value - low) / (high - low) * (1_u64 << steps) as f64) as u32;
        Self { x: place(position.longitude, LONGITUDES), y: place(position.latitude, latitudes), steps }
    }

    fn of_bits(bits: u64) -> Self {
        Self { x: every_second(bits >> 1), y: every_second(bits), steps: STEPS }
    }

    /// Longitude and latitude interleaved, the latitude lowest.
    fn bits(self) -> u64 {
        spread(self.x) << 1 | spread(self.y)
    }

    fn bounds(self) -> Bounds {
        let cells = (1_u64 << self.steps) as f64;
        let part = |at: u32, (low, high): (f64, f64)| {
            let edge = |at: u32| low + f64::from(at) / cells * (high - low);
            (edge(at), edge(at.wrapping_add(1)))
        };
        Bounds { longitudes: part(self.x, LONGITUDES), latitudes: part(self.y, LATITUDES) }
    }

    /// The neighbour so many cells to the east and to the north; the grid goes round in both.
    fn moved(self, east: i32, north: i32) -> Self {
        let mask = (1 << self.steps) - 1;
        let moved = |at: u32, by: i32| if by == 0 { at } else { at.wrapping_add_signed(by) & mask };
        Self { x: moved(self.x, east), y: moved(self.y, north), ..self }
    }

    /// The scores in the cell: from the first up to the second, which is left out.
    fn scores(self) -> (f64, f64) {
        let shift = 2 * (STEPS - self.steps);
        ((self.bits() << shift) as f64, ((self.bits() + 1) << shift) as f64)
    }
}

/// The bits of a number with a zero above each.
fn spread(number: u32) -> u64 {
    let mut bits = u64::from(number);
    for (shift, mask) in [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555),
    ] {
        bits = (bits | bits << shift) & mask;
    }
    bits
}

/// The lowest bit of each pair.
fn every_second(bits: u64) -> u32 {
    let mut bits = bits & 0x5555_5555_5555_5555;
    for (shift, mask) in [
        (1, 0x3333_3333_3333_3333),
        (2, 0x0f0f_0f0f_0f0f_0f0f),
        (4, 0x00ff_00ff_00ff_00ff),
        (8, 0x0000_ffff_0000_ffff),
        (16, 0x0000_0000_ffff_ffff),
    ] {
        bits = (bits | bits >> shift) & mask;
    }
    bits as u32
}

/// What is searched around a position. Lengths are in the unit that was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    Circle { radius: f64 },
    Box { width: f64, height: f64 },
}

/// A search for members near a position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Area {
    pub(crate) center: Position,
    pub(crate) shape: Shape,
    /// How many metres the unit has.
    pub(crate) unit_m: f64,
}

/// A member that was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) member: bytes::Bytes,
    pub(crate) score: f64,
    pub(crate) position: Position,
    pub(crate) distance_m: f64,
}

impl Area {
    /// The distance of a position that is within.
    fn distance_m(&self, other: Position) -> Option<f64> {
        match self.shape {
            Shape::Circle { radius } => {
                let distance = self.center.distance_m(other);
                // Rounding may make the distance to the other side of the earth no number; that is not too far.
                let too_far = distance > radius * self.unit_m;
                (!too_far).then_some(distance)
            }
            Shape::Box { width, height } => {
                if self.center.latitude_distance_m(other) > height * self.unit_m / 2.0 {
                    return None;
                }
                let beside = Position { longitude: self.center.longitude, ..other };
                if other.distance_m(beside) > width * self.unit_m / 2.0 {
                    return None;
                }
                Some(self.center.distance_m(other))
            }
        }
    }

    fn bounds(&self) -> Bounds {
        let Position { longitude, latitude } = self.center;
        let (width, height) = match self.shape {
            Shape::Circle { radius } => (self.unit_m * radius, self.unit_m * radius),
            Shape::Box { width, height } => (self.unit_m * (width / 2.0), self.unit_m * (height / 2.0)),
        };
        let up = degrees(height / EARTH_RADIUS_M);
        let aside = |latitude: f64| degrees(width / EARTH_RADIUS_M / radians(latitude).cos());
        // Meridians are closest together on the side of the pole.
        let aside = if latitude < 0.0 { aside(latitude - up) } else { aside(latitude + up) };
        Bounds { longitudes: (longitude - aside, longitude + aside), latitudes: (latitude - up, latitude + up) }
    }

    fn radius_m(&self) -> f64 {
        let radius = match self.shape {
            Shape::Circle { radius } => radius,
            Shape::Box { width, height } => ((width / 2.0) * (width / 2.0) + (height / 2.0) * (height / 2.0)).sqrt(),
        };
        radius * self.unit_m
    }

    /// How fine the grid may be for a cell and its neighbours to cover the area, as a first guess.
    fn steps(&self) -> u32 {
        let mut radius = self.radius_m();
        if radius == 0.0 {
            return STEPS;
        }
        let mut steps = 1_i32;
        while radius < MERCATOR_MAX_M {
            radius *= 2.0;
            steps += 1;
        }
        steps -= 2;
        let north = self.center.latitude.abs();
        steps -= i32::from(north > 66.0) + i32::from(north > 80.0);
        steps.clamp(1, STEPS as i32) as u32
    }

    /// The cell of the center and the neighbours that are worth looking at, in the order in which they are.
    fn cells(&self) -> Vec<Cell> {
        let wanted = self.bounds();
        let mut steps = self.steps();
        let mut cell = Cell::of(self.center, steps, LATITUDES);
        let too_fine = cell.moved(0, 1).bounds().latitudes.1 < wanted.latitudes.1
            || cell.moved(0, -1).bounds().latitudes.0 > wanted.latitudes.0
            || cell.moved(1, 0).bounds().longitudes.1 < wanted.longitudes.1
            || cell.moved(-1, 0).bounds().longitudes.0 > wanted.longitudes.0;
        if steps > 1 && too_fine {
            steps -= 1;
            cell = Cell::of(self.center, steps, LATITUDES);
        }
        let covered = cell.bounds();
        let needs = |east: i32, north: i32| {
            steps < 2
                || !((north < 0 && covered.latitudes.0 < wanted.latitudes.0)
                    || (north > 0 && covered.latitudes.1 > wanted.latitudes.1)
                    || (east < 0 && covered.longitudes.0 < wanted.longitudes.0)
                    || (east > 0 && covered.longitudes.1 > wanted.longitudes.1))
        };
        let around = [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)];
        let mut cells: Vec<Cell> = Vec::with_capacity(around.len());
        for (east, north) in around.into_iter().filter(|(east, north)| needs(*east, *north)) {
            let next = cell.moved(east, north);
            // In a coarse grid neighbours are the same cell. Redis compares with the last one, unless that is the center.
            if cells.len() < 2 || cells.last() != Some(&next) {
                cells.push(next);
            }
        }
        cells
    }

    /// The members within, cell by cell and in each by score; no more than `limit` unless that is 0.
    pub(crate) fn search(&self, zset: &Zset, limit: usize) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        let enough = |found: &Vec<Found>| limit > 0 && found.len() >= limit;
        for cell in self.cells() {
            let (min, max) = cell.scores();
            let range = Range::Scores { min: (min, false), max: (max, true) };
            let Some(first) = zset.end_of(&range, false) else { continue };
            let places: Walk<'_> = zset.walk(first, false);
            for place in places.take_while(|place| range.is_before_max(place)) {
                if enough(&found) {
                    return found;
                }
                let position = Position::of_score(place.score);
                if let Some(distance_m) = self.distance_m(position) {
                    let member = place.member.clone();
                    found.push(Found { member, score: place.score, position, distance_m });
                }
            }
        }
        found
    }
}

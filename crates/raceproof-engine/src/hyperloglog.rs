//! HyperLogLogs as the strings that Redis keeps them in: a header with the last estimate, and 16,384 registers, either
//! as runs (`hyperloglog/sparse.rs`) or with six bits each (`dense.rs`).
//!
//! The hash is MurmurHash64A (Appleby) with Redis's seed, the estimate Ertl's improved one ("New cardinality estimation
//! algorithms for HyperLogLog sketches", 2017). Both have to agree with Redis to the bit: the strings are data that
//! clients read, copy and restore.

mod dense;
mod sparse;

use bytes::BytesMut;

pub(crate) use sparse::{Run, Runs};

/// How many bits of a hash choose the register.
const INDEX_BITS: u32 = 14;
pub(crate) const REGISTERS: usize = 1 << INDEX_BITS;
/// How many bits of a hash are left to be looked at.
const RANK_BITS: usize = 64 - INDEX_BITS as usize;

/// `HYLL`, the encoding, three bytes that mean nothing, and the estimate with a bit that says that it is out of date.
const HEADER: usize = 16;
const MAGIC: &[u8] = b"HYLL";
const ENCODING_AT: usize = 4;
const DENSE: u8 = 0;
const SPARSE: u8 = 1;
const ESTIMATE: std::ops::Range<usize> = 8..16;
const STALE_AT: usize = 15;
const STALE: u8 = 0x80;

/// The runs of a string do not add up to the registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Corrupted;

/// A string that is a HyperLogLog as far as its header and length say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sketch<'a>(&'a [u8]);

impl<'a> Sketch<'a> {
    pub(crate) fn of(data: &'a [u8]) -> Option<Self> {
        let known = data.len() >= HEADER && data.starts_with(MAGIC);
        let valid = known
            && match data[ENCODING_AT] {
                DENSE => data.len() == HEADER + dense::BYTES,
                encoding => encoding == SPARSE,
            };
        valid.then_some(Self(data))
    }

    pub(crate) const fn is_sparse(self) -> bool {
        self.0[ENCODING_AT] == SPARSE
    }

    fn registers(self) -> &'a [u8] {
        &self.0[HEADER..]
    }

    /// The runs of a sparse one.
    pub(crate) fn runs(self) -> Runs<'a> {
        Runs::of(self.registers())
    }

    /// The estimate that was made since the last change.
    pub(crate) fn known_estimate(self) -> Option<u64> {
        let bytes: [u8; 8] = self.0[ESTIMATE].try_into().ok()?;
        (bytes[7] & STALE == 0).then_some(u64::from_le_bytes(bytes))
    }

    pub(crate) fn estimate(self) -> Result<u64, Corrupted> {
        let mut histogram = [0_u64; 64];
        if self.is_sparse() {
            let mut registers = 0;
            for Run { value, len, .. } in self.runs() {
                histogram[usize::from(value)] += len as u64;
                registers += len;
            }
            if registers != REGISTERS {
                return Err(Corrupted);
            }
        } else {
            (0..REGISTERS).for_each(|index| histogram[usize::from(dense::get(self.registers(), index))] += 1);
        }
        Ok(estimate(&histogram))
    }

    /// The value of a register; `None` if the runs end before it.
    pub(crate) fn register(self, index: usize) -> Option<u8> {
        if !self.is_sparse() {
            return Some(dense::get(self.registers(), index));
        }
        let mut end = 0;
        self.runs().find_map(|run| {
            end += run.len;
            (index < end).then_some(run.value)
        })
    }

    /// Raises registers to those of this one where they are lower.
    pub(crate) fn merge_into(self, highest: &mut [u8; REGISTERS]) -> Result<(), Corrupted> {
        if !self.is_sparse() {
            for (index, most) in highest.iter_mut().enumerate() {
                *most = (*most).max(dense::get(self.registers(), index));
            }
            return Ok(());
        }
        let mut at = 0_usize;
        for run in self.runs() {
            if run.value > 0 {
                let covered = highest.get_mut(at..at + run.len).ok_or(Corrupted)?;
                covered.iter_mut().for_each(|most| *most = (*most).max(run.value));
            }
            at += run.len;
        }
        if at == REGISTERS { Ok(()) } else { Err(Corrupted) }
    }
}

/// The estimate of registers, of which each was 0 to 63.
pub(crate) fn estimate_of(registers: &[u8; REGISTERS]) -> u64 {
    let mut histogram = [0_u64; 64];
    registers.iter().for_each(|value| histogram[usize::from(*value)] += 1);
    estimate(&histogram)
}

/// An empty HyperLogLog.
pub(crate) fn empty() -> BytesMut {
    let mut data = BytesMut::zeroed(HEADER);
    data[..MAGIC.len()].copy_from_slice(MAGIC);
    data[ENCODING_AT] = SPARSE;
    data.extend_from_slice(&sparse::NOTHING);
    data
}

/// The estimate is out of date.
pub(crate) fn invalidate(data: &mut [u8]) {
    data[STALE_AT] |= STALE;
}

/// Keeps an estimate.
pub(crate) fn keep_estimate(data: &mut [u8], estimate: u64) {
    data[ESTIMATE].copy_from_slice(&estimate.to_le_bytes());
}

/// Raises a register and tells whether it was lower. One that becomes larger than `sparse_limit` bytes becomes dense.
pub(crate) fn raise(data: &mut BytesMut, index: usize, value: u8, sparse_limit: usize) -> Result<bool, Corrupted> {
    if data[ENCODING_AT] == SPARSE {
        match sparse::raise(data, index, value, sparse_limit)? {
            sparse::Raised::Lower => {
                invalidate(data);
                return Ok(true);
            }
            sparse::Raised::NotLower => return Ok(false),
            sparse::Raised::TooLarge => {
                make_dense(data)?;
            }
        }
    }
    Ok(dense::raise(&mut data[HEADER..], index, value))
}

/// Gives every register six bits and tells whether that was new.
pub(crate) fn make_dense(data: &mut BytesMut) -> Result<bool, Corrupted> {
    if data[ENCODING_AT] == DENSE {
        return Ok(false);
    }
    let mut registers = [0; REGISTERS];
    Sketch(data).merge_into(&mut registers)?;
    data.resize(HEADER + dense::BYTES, 0);
    data[HEADER..].fill(0);
    data[ENCODING_AT] = DENSE;
    for (index, value) in registers.into_iter().enumerate() {
        dense::raise(&mut data[HEADER..], index, value);
    }
    Ok(true)
}

/// The register of an element, and what it has to be at least: one more than the zeros that its hash goes on with.
pub(crate) fn place_of(element: &[u8]) -> (usize, u8) {
    let hash = murmur(element);
    let rest = (hash >> INDEX_BITS) | 1 << RANK_BITS;
    (hash as usize & (REGISTERS - 1), rest.trailing_zeros() as u8 + 1)
}

/// MurmurHash64A.
fn murmur(data: &[u8]) -> u64 {
    const SEED: u64 = 0xadc8_3b19;
    const FACTOR: u64 = 0xc6a4_a793_5bd1_e995;
    const SHIFT: u32 = 47;
    let mut hash = SEED ^ (data.len() as u64).wrapping_mul(FACTOR);
    let (words, rest) = data.as_chunks::<8>();
    for word in words {
        let mut word = u64::from_le_bytes(*word).wrapping_mul(FACTOR);
        word ^= word >> SHIFT;
        hash = (hash ^ word.wrapping_mul(FACTOR)).wrapping_mul(FACTOR);
    }
    if !rest.is_empty() {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(FACTOR);
    }
    hash = (hash ^ (hash >> SHIFT)).wrapping_mul(FACTOR);
    hash ^ (hash >> SHIFT)
}

/// Ertl's estimate of how many registers have which value.
fn estimate(histogram: &[u64; 64]) -> u64 {
    const ALPHA: f64 = 0.721_347_520_444_481_7;
    let count = REGISTERS as f64;
    let mut sum = count * tau((count - histogram[RANK_BITS + 1] as f64) / count);
    for registers in histogram[1..=RANK_BITS].iter().rev() {
        sum = (sum + *registers as f64) * 0.5;
    }
    sum += count * sigma(histogram[0] as f64 / count);
    let rounded = (ALPHA * count * count / sum).round();
    // What is no number at all is what x86-64 makes of it.
    if rounded.is_finite() { rounded as u64 } else { 1 << 63 }
}

/// What registers contribute whose value is as large as it can be.
fn tau(mut share: f64) -> f64 {
    if share == 0.0 || share == 1.0 {
        return 0.0;
    }
    let (mut factor, mut sum) = (1.0, 1.0 - share);
    loop {
        share = share.sqrt();
        let before = sum;
        factor *= 0.5;
        sum -= (1.0 - share) * (1.0 - share) * factor;
        if before == sum {
            return sum / 3.0;
        }
    }
}

/// What empty registers contribute.
fn sigma(mut share: f64) -> f64 {
    if share == 1.0 {
        return f64::INFINITY;
    }
    let (mut factor, mut sum) = (1.0, share);
    loop {
        share *= share;
        let before = sum;
        sum += share * factor;
        factor += factor;
        if before == sum {
            return sum;
        }
    }
}

//! LZF, the compression of long strings (Lehmann's format): runs of up to 32 literal bytes (`000nnnnn`), and references
//! of 3 to 264 bytes up to 8,192 back (`lllooooo oooooooo`, or `111ooooo llllllll oooooooo` for long ones).
//!
//! What is found depends on which places the compressor remembers: payloads are the server's, byte for byte, only if
//! that is the same here.

const MOST_LITERALS: usize = 1 << 5;
const MOST_BACK: usize = 1 << 13;
const LONGEST: usize = (1 << 8) + (1 << 3);
const SLOT_BITS: u32 = 16;
/// Bytes that a byte of compressed data can stand for, at most.
const MOST_GROWTH: usize = LONGEST / 2;

/// The slot of the three bytes from a place on.
fn slot(input: &[u8], at: usize) -> usize {
    let three = u32::from(input[at]) << 16 | u32::from(input[at + 1]) << 8 | u32::from(input[at + 2]);
    ((three >> (24 - SLOT_BITS)).wrapping_sub(three.wrapping_mul(5)) & ((1 << SLOT_BITS) - 1)) as usize
}

/// The output under way: the last run of literals is open.
struct Writer {
    output: Vec<u8>,
    limit: usize,
    literals: usize,
}

impl Writer {
    /// Closes the run and leaves none behind if it is empty.
    fn close_run(&mut self) {
        let head = self.output.len() - self.literals - 1;
        if self.literals == 0 {
            self.output.truncate(head);
        } else {
            self.output[head] = self.literals as u8 - 1;
        }
        self.literals = 0;
    }

    fn literal(&mut self, byte: u8) {
        self.output.push(byte);
        self.literals += 1;
        if self.literals == MOST_LITERALS {
            self.close_run();
            self.output.push(0);
        }
    }

    fn reference(&mut self, back: usize, len: usize) {
        self.close_run();
        let (back, len) = (back - 1, len - 2);
        let high = (back >> 8) as u8;
        if len < 7 {
            self.output.push(high | (len as u8) << 5);
        } else {
            self.output.extend([high | 7 << 5, (len - 7) as u8]);
        }
        self.output.extend([back as u8, 0]);
    }
}

/// The compressed form if it takes at least four bytes less.
pub(super) fn compress(input: &[u8]) -> Option<Vec<u8>> {
    let limit = input.len().checked_sub(4).filter(|limit| *limit > 0)?;
    // 0 means that nothing is known: the first place is never referred to.
    let mut places = vec![0_u32; 1 << SLOT_BITS];
    let mut writer = Writer { output: vec![0], limit, literals: 0 };
    let (mut at, end) = (0, input.len());
    while at + 2 < end {
        let known = std::mem::replace(&mut places[slot(input, at)], at as u32) as usize;
        let matches = known > 0 && at - known <= MOST_BACK && input[known..known + 3] == input[at..at + 3];
        if !matches {
            if writer.output.len() >= writer.limit {
                return None;
            }
            writer.literal(input[at]);
            at += 1;
            continue;
        }
        if writer.output.len() - usize::from(writer.literals == 0) + 4 >= writer.limit {
            return None;
        }
        let len = match_len(input, known, at);
        writer.reference(at - known, len);
        at += len;
        if at + 2 >= end {
            break;
        }
        // The last two places that were passed over are remembered.
        places[slot(input, at - 2)] = (at - 2) as u32;
        places[slot(input, at - 1)] = (at - 1) as u32;
    }
    if writer.output.len() + 3 > writer.limit {
        return None;
    }
    input[at..].iter().for_each(|byte| writer.literal(*byte));
    writer.close_run();
    Some(writer.output)
}

/// How many bytes are alike from two places on, of which three are known to be. The bound is looked at only after the
/// first sixteen.
fn match_len(input: &[u8], known: usize, at: usize) -> usize {
    let most = (input.len() - at - 2).min(LONGEST);
    let alike = |len: usize| input[known + len] == input[at + len];
    let mut len = 2;
    if most > 16 {
        for _ in 0..16 {
            len += 1;
            if !alike(len) {
                return len;
            }
        }
    }
    loop {
        len += 1;
        if len >= most || !alike(len) {
            return len;
        }
    }
}

/// The data of a known length; `None` if it is not what was compressed.
pub(super) fn decompress(input: &[u8], len: usize) -> Option<Vec<u8>> {
    if len > input.len().saturating_mul(MOST_GROWTH) {
        return None;
    }
    let mut output = Vec::with_capacity(len);
    let mut rest = input.iter().copied();
    while let Some(control) = rest.next() {
        let control = usize::from(control);
        if control < MOST_LITERALS {
            for _ in 0..=control {
                output.push(rest.next()?);
            }
        } else {
            let mut count = control >> 5;
            if count == 7 {
                count += usize::from(rest.next()?);
            }
            let back = ((control & 0x1f) << 8 | usize::from(rest.next()?)) + 1;
            let from = output.len().checked_sub(back)?;
            for index in from..from + count + 2 {
                output.push(output[index]);
            }
        }
        if output.len() > len {
            return None;
        }
    }
    (output.len() == len).then_some(output)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{compress, decompress};

    proptest! {
        #[test]
        fn what_is_compressed_comes_back(parts in prop::collection::vec((prop::collection::vec(0_u8..4, 1..20), 1_usize..40), 0..20)) {
            let data: Vec<u8> = parts.iter().flat_map(|(part, times)| part.repeat(*times)).collect();
            if let Some(packed) = compress(&data) {
                prop_assert!(packed.len() <= data.len() - 4);
                prop_assert_eq!(decompress(&packed, data.len()), Some(data));
            }
        }

        #[test]
        fn noise_is_refused_or_read(data in prop::collection::vec(any::<u8>(), 0..100), len in 0_usize..10_000) {
            let read = decompress(&data, len);
            prop_assert!(read.is_none_or(|read| read.len() == len));
        }
    }
}

//! Registers of six bits, one after the other from the lowest bit of the first byte on.

use super::REGISTERS;

const WIDTH: usize = 6;
const MASK: u16 = 0x3f;
pub(super) const BYTES: usize = REGISTERS * WIDTH / 8;

/// The byte in which a register begins, and at which of its bits.
const fn place(index: usize) -> (usize, usize) {
    (index * WIDTH / 8, index * WIDTH % 8)
}

fn pair(registers: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([registers[at], registers.get(at + 1).copied().unwrap_or_default()])
}

pub(super) fn get(registers: &[u8], index: usize) -> u8 {
    let (at, shift) = place(index);
    (pair(registers, at) >> shift & MASK) as u8
}

/// Raises a register and tells whether it was lower.
pub(super) fn raise(registers: &mut [u8], index: usize, value: u8) -> bool {
    if get(registers, index) >= value {
        return false;
    }
    let (at, shift) = place(index);
    let [low, high] = (pair(registers, at) & !(MASK << shift) | u16::from(value) << shift).to_le_bytes();
    registers[at] = low;
    if let Some(byte) = registers.get_mut(at + 1) {
        *byte = high;
    }
    true
}

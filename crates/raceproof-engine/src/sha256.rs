//! SHA-256 (FIPS 180-4): passwords of users are kept as their digests.

const fn is_prime(number: u32) -> bool {
    let mut divisor = 2;
    while divisor * divisor <= number {
        if number.is_multiple_of(divisor) {
            return false;
        }
        divisor += 1;
    }
    number > 1
}

const fn primes() -> [u32; 64] {
    let (mut primes, mut found, mut number) = ([0; 64], 0, 2);
    while found < 64 {
        if is_prime(number) {
            primes[found] = number;
            found += 1;
        }
        number += 1;
    }
    primes
}

/// The first 32 bits of the fraction of a root: of `number`, the square root, or else the cube root.
const fn root_fraction(number: u32, cube: bool) -> u32 {
    // The largest x whose power is not above number · 2^(32 · degree).
    let (mut low, mut high) = (0_u128, 1_u128 << 40);
    let target = (number as u128) << if cube { 96 } else { 64 };
    while high - low > 1 {
        let middle = u128::midpoint(low, high);
        let power = if cube { middle * middle * middle } else { middle * middle };
        if power <= target {
            low = middle;
        } else {
            high = middle;
        }
    }
    low as u32
}

const fn constants() -> ([u32; 8], [u32; 64]) {
    let primes = primes();
    let (mut start, mut rounds, mut at) = ([0; 8], [0; 64], 0);
    while at < 64 {
        if at < 8 {
            start[at] = root_fraction(primes[at], false);
        }
        rounds[at] = root_fraction(primes[at], true);
        at += 1;
    }
    (start, rounds)
}

const CONSTANTS: ([u32; 8], [u32; 64]) = constants();

fn mix(state: &mut [u32; 8], block: &[u8]) {
    let mut words = [0_u32; 64];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    for at in 16..64 {
        let (early, late) = (words[at - 15], words[at - 2]);
        let one = early.rotate_right(7) ^ early.rotate_right(18) ^ (early >> 3);
        let two = late.rotate_right(17) ^ late.rotate_right(19) ^ (late >> 10);
        words[at] = words[at - 16].wrapping_add(one).wrapping_add(words[at - 7]).wrapping_add(two);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (word, constant) in words.iter().zip(CONSTANTS.1) {
        let sum = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = (e & f) ^ (!e & g);
        let one = h.wrapping_add(sum).wrapping_add(choice).wrapping_add(constant).wrapping_add(*word);
        let sum = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let two = sum.wrapping_add((a & b) ^ (a & c) ^ (b & c));
        (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(one), c, b, a, one.wrapping_add(two));
    }
    for (word, add) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *word = word.wrapping_add(add);
    }
}

/// The digest as 64 lower-case hexadecimal digits.
pub(crate) fn hex(message: &[u8]) -> String {
    let mut state = CONSTANTS.0;
    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize(padded.len().next_multiple_of(64), 0);
    if padded.len() < message.len() + 9 {
        padded.resize(padded.len() + 64, 0);
    }
    let end = padded.len();
    padded[end - 8..].copy_from_slice(&(message.len() as u64 * 8).to_be_bytes());
    padded.chunks_exact(64).for_each(|block| mix(&mut state, block));
    state.iter().map(|word| format!("{word:08x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::hex;

    #[test]
    fn the_examples_of_the_standard() {
        assert_eq!(hex(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let two_blocks = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        assert_eq!(hex(two_blocks), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
        let million = vec![b'a'; 1_000_000];
        assert_eq!(hex(&million), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
}

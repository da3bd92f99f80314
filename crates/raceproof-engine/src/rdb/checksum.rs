//! The checksum of payloads: CRC-64 with Jones' polynomial, reflected, beginning at zero.

const POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;

const TABLE: [u64; 256] = table();

const fn table() -> [u64; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut rest = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            rest = if rest & 1 == 1 { rest >> 1 ^ POLYNOMIAL } else { rest >> 1 };
            bit += 1;
        }
        table[byte] = rest;
        byte += 1;
    }
    table
}

pub(super) fn crc64(data: &[u8]) -> u64 {
    data.iter().fold(0, |rest, byte| TABLE[usize::from(rest as u8 ^ byte)] ^ rest >> 8)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_check_value_is_that_of_redis() {
        assert_eq!(super::crc64(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
    }
}

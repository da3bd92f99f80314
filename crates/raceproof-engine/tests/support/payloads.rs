//! Payloads of `RESTORE`: those of the engine itself, those of older servers, and broken ones.

use std::sync::LazyLock;

use bytes::Bytes;
use raceproof_engine::{Options, Reply};

use super::driver::{self, Driver};

/// Commands that make a value of each kind and form, key by key.
const VALUES: &[&str] = &[
    "SET a hello",
    "SET a 12345",
    "SET a -9223372036854775808",
    "APPEND a 12345678901",
    "SET a aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "SET a abcabcabcabcabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcabcabcabcabcdefghijklmno1",
    "RPUSH a x 1 -1 127 128 4095 -4096 4096 32767 -32769 8388607 -8388609 2147483648 9223372036854775807 1.5 007",
    "RPUSH a exactly-sixty-four-bytes-long-the-most-that-a-listpack-entry-has exactly-sixty-five-bytes-long-one-more-than-a-listpack-entry-has!",
    "HSET a f v g 12 h -1",
    "HSET a f exactly-sixty-five-bytes-long-one-more-than-a-listpack-entry-has!",
    "SADD a 1 2 3 -4",
    "SADD a 1 70000 5000000000",
    "SADD a x y 1",
    "ZADD a 1 x 1 y 2.5 z -inf w inf 7",
    "ZADD a 1 exactly-sixty-five-bytes-long-one-more-than-a-listpack-entry-has! 2 x",
    "XADD a 1-1 f v",
    "XADD a 1-1 f v;XADD a 1-2 f w;XADD a 5-1 g w h 1;XDEL a 1-2",
    "XADD a 1-1 f v;XADD a 2-1 f w;XGROUP CREATE a g1 0;XGROUP CREATE a g2 $;XREADGROUP GROUP g1 c1 STREAMS a >;XGROUP CREATECONSUMER a g1 c2;XADD a 3-1 f v",
    "XADD a 1-1 f v;XDEL a 1-1",
    "PFADD a x y z",
];

/// Bodies of payloads of older servers, and of none.
fn bodies() -> Vec<Vec<u8>> {
    let strings = |kind: u8, count: u8, parts: &[&[u8]]| {
        let mut body = vec![kind, count];
        parts.iter().for_each(|part| string(part, &mut body));
        body
    };
    let blob = |kind: u8, packed: &[u8]| {
        let mut body = vec![kind];
        string(packed, &mut body);
        body
    };
    let mut zset = vec![3, 3, 1, b'a', 3, b'1', b'.', b'5', 1, b'b', 254, 1, b'c', 255];
    let mut nan = vec![3, 1, 1, b'a', 253];
    let mut nodes = vec![14, 2];
    string(&ziplist(&[b"a", b"1"]), &mut nodes);
    string(&ziplist(&[b"b"]), &mut nodes);
    let mut plain = vec![18, 2, 1];
    string(b"plain", &mut plain);
    plain.push(2);
    string(&[10, 0, 0, 0, 1, 0, 0x81, b'x', 2, 0xff], &mut plain);
    let mut bad_container = plain.clone();
    bad_container[2] = 3;
    vec![
        strings(1, 2, &[b"a", b"b"]),
        strings(1, 0, &[]),
        strings(2, 2, &[b"1", b"2"]),
        strings(2, 2, &[b"1", b"x"]),
        strings(2, 2, &[b"x", b"x"]),
        strings(2, 2, &[b"1", b"1"]),
        strings(4, 2, &[b"f", b"v", b"g", b"w"]),
        strings(4, 2, &[b"f", b"v", b"f", b"w"]),
        strings(4, 0xc1, &[b"f", b"v"]),
        std::mem::take(&mut zset),
        std::mem::take(&mut nan),
        blob(9, b"\x02\x03foo\x03\x00bar\x01k\x01\x02vXX\xff"),
        blob(9, b"\x02\x03foo\x03\x00bar\x03foo\x01\x00v\xff"),
        blob(9, b"\x00\xff"),
        blob(10, &ziplist(&[b"a", b"12", b"b"])),
        blob(10, &ziplist(&[])),
        blob(12, &ziplist(&[b"a", b"1", b"b", b"2"])),
        blob(12, &ziplist(&[b"a", b"1", b"b"])),
        blob(12, &ziplist(&[b"a", b"1", b"a", b"2"])),
        blob(13, &ziplist(&[b"f", b"5", b"g", b"w"])),
        blob(13, &ziplist(&[b"f", b"5", b"f", b"w"])),
        nodes,
        plain,
        bad_container,
        blob(11, &[2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 5, 0]),
        blob(11, &[2, 0, 0, 0, 2, 0, 0, 0, 5, 0, 1, 0]),
        blob(11, &[2, 0, 0, 0, 1, 0, 0, 0, 5, 0, 1, 0]),
        blob(11, &[3, 0, 0, 0, 0, 0, 0, 0]),
        blob(16, &[8, 0, 0, 0, 1, 0, 5, 1, 0xff]),
        blob(16, &[7, 0, 0, 0, 0, 0, 0xff]),
        vec![0, 0xc3, 2, 5, 0, b'x'],
        vec![0, 0x82, 0],
        vec![0, 5, b'x'],
        vec![7, 0],
        vec![8, 0],
        vec![20, 0],
        vec![],
        vec![0, 1, b'x', b'y', b'z'],
    ]
}

/// A string of fewer than 16,384 bytes as it stands.
fn string(text: &[u8], body: &mut Vec<u8>) {
    match u8::try_from(text.len()) {
        Ok(len @ 0..64) => body.push(len),
        _ => body.extend([0x40 | (text.len() >> 8) as u8, text.len() as u8]),
    }
    body.extend_from_slice(text);
}

/// A ziplist of short strings and small numbers.
fn ziplist(elements: &[&[u8]]) -> Vec<u8> {
    let (mut entries, mut last, mut previous) = (Vec::new(), 10, 0);
    for element in elements {
        last = 10 + entries.len();
        let number = std::str::from_utf8(element).ok().and_then(|text| text.parse::<u8>().ok());
        entries.push(previous);
        let start = entries.len();
        match number {
            Some(number @ 0..=12) => entries.push(0xf1 + number),
            Some(number) => entries.extend([0xfe, number]),
            None => {
                entries.push(element.len() as u8);
                entries.extend_from_slice(element);
            }
        }
        previous = (entries.len() - start) as u8 + 1;
    }
    let mut list = (11 + entries.len() as u32).to_le_bytes().to_vec();
    list.extend_from_slice(&(last as u32).to_le_bytes());
    list.extend_from_slice(&(elements.len() as u16).to_le_bytes());
    list.extend_from_slice(&entries);
    list.push(0xff);
    list
}

/// A body with version and checksum.
pub(crate) fn sealed(body: &[u8], version: u16) -> Bytes {
    let mut payload = body.to_vec();
    payload.extend_from_slice(&version.to_le_bytes());
    let checksum =
        payload.iter().fold(0_u64, |rest, byte| {
            (0..8).fold(rest ^ u64::from(*byte), |rest, _| {
                if rest & 1 == 1 { rest >> 1 ^ 0x95ac_9329_ac4b_c9b5 } else { rest >> 1 }
            })
        });
    payload.extend_from_slice(&checksum.to_le_bytes());
    payload.into()
}

/// The payload of a key.
pub(crate) fn dumped(driver: &mut Driver, key: &[u8]) -> Option<Bytes> {
    let args = [Bytes::from_static(b"DUMP"), Bytes::copy_from_slice(key)];
    match driver.run(&mut driver::host(), 0, &args, 1_000_000).reply {
        Reply::Bulk(payload) => Some(payload),
        _ => None,
    }
}

/// All payloads.
pub(crate) fn all() -> &'static [Bytes] {
    static ALL: LazyLock<Vec<Bytes>> = LazyLock::new(|| {
        let mut payloads = Vec::new();
        for lines in VALUES {
            let mut driver = Driver::new(Options::default());
            for line in lines.split(';') {
                let args: Vec<Bytes> = line.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
                let reply = driver.run(&mut driver::host(), 0, &args, 1_000_000).reply;
                assert!(!matches!(reply, Reply::Error(_)), "{line}: {reply:?}");
            }
            payloads.push(dumped(&mut driver, b"a").expect("a key of that name"));
        }
        let newest = payloads[0].clone();
        payloads.extend(bodies().iter().map(|body| sealed(body, 9)));
        payloads.push(sealed(&newest[..newest.len() - 10], 11));
        payloads.push(newest.slice(..newest.len() - 1));
        payloads.push(Bytes::from_static(b"short"));
        payloads
    });
    &ALL
}

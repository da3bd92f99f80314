//! Scans as a whole: cursors differ, what is found in the end must not.

use bytes::Bytes;

use crate::resp::Value;
use crate::support::show;

/// More pages than any keyspace of these tests has.
const MAX_PAGES: usize = 10_000;

/// Whether a command is a scan of a collection, and whether its elements come in pairs.
fn of_collection(args: &[Bytes]) -> Option<bool> {
    let scans = [(b"HSCAN", true), (b"ZSCAN", true), (b"SSCAN", false)];
    scans.iter().find(|(name, _)| args[0].eq_ignore_ascii_case(*name)).map(|(_, pairs)| *pairs)
}

/// Whether a command begins a scan, by `SCAN 0` or `HSCAN key 0`.
pub(crate) fn is_whole_scan(args: &[Bytes]) -> bool {
    let cursor = if args[0].eq_ignore_ascii_case(b"SCAN") {
        args.get(1)
    } else if of_collection(args).is_some() {
        args.get(2)
    } else {
        None
    };
    cursor.is_some_and(|cursor| cursor == "0")
}

/// The elements of all pages of a scan, sorted, without repetitions; fields with their values for `HSCAN`.
pub(crate) fn collect(args: &[Bytes], first: Value, mut next: impl FnMut(&Vec<Bytes>) -> Value) -> Vec<Vec<u8>> {
    let (cursor_at, size) = of_collection(args).map_or((1, 1), |pairs| (2, if pairs { 2 } else { 1 }));
    let mut found = Vec::new();
    let mut page = first;
    for _ in 0..MAX_PAGES {
        let Some([cursor, elements]) = page.elements() else { panic!("a page of a scan is no cursor with elements") };
        let cursor = Bytes::copy_from_slice(cursor.bulk().expect("a cursor"));
        let elements: Vec<&[u8]> = elements.elements().unwrap_or_default().iter().filter_map(Value::bulk).collect();
        found.extend(elements.chunks(size).map(|element| element.join(b"\0=\0".as_slice())));
        if cursor == "0" {
            found.sort();
            found.dedup();
            return found;
        }
        let mut args = args.to_vec();
        args[cursor_at] = cursor;
        page = next(&args);
    }
    panic!("the scan {} does not end", show::command(args));
}

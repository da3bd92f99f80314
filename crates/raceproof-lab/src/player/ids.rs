//! The numbers of connections.
//!
//! A server counts its connections, and tells a client the number of its own. In simulation they have other numbers, and
//! a server on which the execution is played again would give others still. So the lab translates where a command names a
//! connection by its number, and where a reply tells one.

use bytes::Bytes;

use crate::Reply;

/// Where a command names connections by their numbers.
fn places(args: &[Bytes]) -> Vec<usize> {
    let is = |at: usize, word: &str| args.get(at).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
    if !is(0, "CLIENT") {
        return Vec::new();
    }
    let after = |word: &'static str| (2..args.len()).filter(move |at| is(*at, word)).map(|at| at + 1);
    if is(1, "TRACKING") {
        after("REDIRECT").collect()
    } else if is(1, "KILL") {
        after("ID").collect()
    } else if is(1, "UNBLOCK") {
        vec![2]
    } else if is(1, "LIST") && is(2, "ID") {
        (3..args.len()).collect()
    } else {
        Vec::new()
    }
}

/// The command as the server understands it.
pub(super) fn to_server(args: &[Bytes], number: impl Fn(i64) -> Option<i64>) -> Vec<Bytes> {
    let mut sent = args.to_vec();
    for at in places(args) {
        let named = args.get(at).and_then(|shown| str::from_utf8(shown).ok()?.parse().ok());
        if let Some(number) = named.and_then(&number) {
            sent[at] = number.to_string().into();
        }
    }
    sent
}

/// The reply as the client understands it.
pub(super) fn to_client(args: &[Bytes], mut reply: Reply, shown: impl Fn(i64) -> Option<i64>) -> Reply {
    let is = |at: usize, word: &str| args.get(at).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
    let told = |value: &mut Reply| {
        if let Reply::Integer(number) = value
            && let Some(shown) = shown(*number)
        {
            *number = shown;
        }
    };
    if is(0, "CLIENT") && (is(1, "ID") || is(1, "GETREDIR")) {
        told(&mut reply);
    } else if is(0, "HELLO") {
        field(&mut reply, b"id").map(told);
    } else if is(0, "CLIENT") && is(1, "TRACKINGINFO") {
        field(&mut reply, b"redirect").map(told);
    }
    reply
}

/// A field of a map, which is a list of keys and values in RESP2.
fn field<'a>(reply: &'a mut Reply, name: &[u8]) -> Option<&'a mut Reply> {
    let named = |key: &Reply| matches!(key, Reply::Bulk(key) if key == name);
    match reply {
        Reply::Map(pairs) => pairs.iter_mut().find(|(key, _)| named(key)).map(|(_, value)| value),
        Reply::Array(items) => items.chunks_exact_mut(2).find(|pair| named(&pair[0])).and_then(|pair| pair.last_mut()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(args: &[&str]) -> Vec<Bytes> {
        args.iter().map(|arg| Bytes::copy_from_slice(arg.as_bytes())).collect()
    }

    #[test]
    fn numbers_are_translated_where_they_name_a_connection() {
        let number = |shown| (shown == 10_100).then_some(7);
        for (given, sent) in [
            (
                &["client", "tracking", "on", "redirect", "10100", "NOLOOP"][..],
                &["client", "tracking", "on", "redirect", "7", "NOLOOP"][..],
            ),
            (&["CLIENT", "KILL", "SKIPME", "no", "ID", "10100"], &["CLIENT", "KILL", "SKIPME", "no", "ID", "7"]),
            (&["CLIENT", "UNBLOCK", "10100"], &["CLIENT", "UNBLOCK", "7"]),
            (&["CLIENT", "LIST", "ID", "1", "10100"], &["CLIENT", "LIST", "ID", "1", "7"]),
            (&["CLIENT", "TRACKING", "ON", "REDIRECT", "8"], &["CLIENT", "TRACKING", "ON", "REDIRECT", "8"]),
            (&["CLIENT", "TRACKING", "ON", "REDIRECT"], &["CLIENT", "TRACKING", "ON", "REDIRECT"]),
            (&["SET", "ID", "10100"], &["SET", "ID", "10100"]),
            (&["CLIENT"], &["CLIENT"]),
        ] {
            assert_eq!(to_server(&bytes(given), number), bytes(sent), "{given:?}");
        }
    }

    #[test]
    fn replies_that_tell_a_number_are_translated() {
        let shown = |number| (number == 7).then_some(10_100);
        let name = |name: &'static str| Reply::Bulk(name.into());
        let told = |args: &[&str], reply| to_client(&bytes(args), reply, shown);
        assert_eq!(told(&["CLIENT", "ID"], Reply::Integer(7)), Reply::Integer(10_100));
        assert_eq!(told(&["CLIENT", "GETREDIR"], Reply::Integer(-1)), Reply::Integer(-1));
        assert_eq!(told(&["INCR", "ID"], Reply::Integer(7)), Reply::Integer(7));
        let list = |id| Reply::Array(vec![name("proto"), Reply::Integer(7), name("id"), Reply::Integer(id)]);
        assert_eq!(told(&["HELLO"], list(7)), list(10_100));
        let map = |id| Reply::Map(vec![(name("redirect"), Reply::Integer(id))]);
        assert_eq!(told(&["CLIENT", "TRACKINGINFO"], map(7)), map(10_100));
    }
}

//! From arguments to what is sent: keys, script arguments, and the checks that need no server.

use std::collections::HashSet;

use super::change::{Change, Edit, Expect, Forget, OpId};
use super::error::{BadInput, Error};
use super::options::Options;
use super::session::Cursor;

/// The longest session id and field name, in bytes.
pub(crate) const LONGEST_NAME: usize = 512;
/// The longest operation id, in bytes.
pub(crate) const LONGEST_OP: usize = 128;
/// Scripts count in doubles: from 2⁵³ on whole numbers are not exact.
const MAX_INTEGER: i64 = (1 << 53) - 1;

/// The two keys of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) hash: String,
    pub(crate) ring: String,
}

impl Keys {
    /// `<prefix>{<session>}:m` and `:ops`, with `%`, `{` and `}` of the session escaped as in a URL: a brace would end
    /// the hash tag early or, as the first character, void it, and the two keys could be on different nodes.
    pub(crate) fn of(session: &str, options: &Options) -> Result<Self, BadInput> {
        name("session id", session, LONGEST_NAME)?;
        let mut base = String::with_capacity(options.key_prefix.len() + session.len() + 6);
        base.push_str(&options.key_prefix);
        base.push('{');
        for character in session.chars() {
            match character {
                '%' => base.push_str("%25"),
                '{' => base.push_str("%7B"),
                '}' => base.push_str("%7D"),
                other => base.push(other),
            }
        }
        base.push('}');
        Ok(Self { hash: format!("{base}:m"), ring: format!("{base}:ops") })
    }
}

/// The arguments of `merge.lua`.
pub(crate) fn merge(session: &str, change: &Change, fresh: &str, options: &Options) -> Result<Vec<Vec<u8>>, Error> {
    check_op(change.op())?;
    check_edits(session, change, options)?;
    let (expect, incarnation, rev) = match change.expect() {
        Expect::Any => ("any", "", 0),
        Expect::New => ("new", "", 0),
        Expect::At(version) => ("at", version.incarnation(), version.rev()),
        Expect::After(version) => ("after", version.incarnation(), version.rev()),
    };
    let mut tail = Arguments::default();
    tail.text(expect).text(incarnation).number(rev);
    let changes_at = tail.0.len();
    for edit in change.edits() {
        tail.edit(edit);
    }
    let fingerprint = fingerprint(&tail.0);
    let changes = tail.0.split_off(changes_at);
    let mut all = Arguments::default();
    all.text(change.op().as_str()).text(&fingerprint).text(fresh);
    all.0.append(&mut tail.0);
    all.number(options.sliding_ttl_ms).number(options.max_age_ms);
    all.number(options.op_window).number(options.max_fields).number(options.max_value_bytes);
    all.0.extend(changes);
    Ok(all.0)
}

/// The arguments of `read.lua` for a whole session.
pub(crate) fn read_all(options: &Options) -> Vec<Vec<u8>> {
    read("all", options).0
}

/// The arguments of `read.lua` for some fields.
pub(crate) fn read_some(session: &str, fields: &[&str], options: &Options) -> Result<Vec<Vec<u8>>, Error> {
    if fields.is_empty() {
        return Err(BadInput::NothingToDo { what: "read", way_out: ", or read the whole session" }.into());
    }
    check_count(session, "the number of fields read", fields.len(), options)?;
    let mut arguments = read("some", options);
    for field in fields {
        check_field(field)?;
        arguments.text(field);
    }
    Ok(arguments.0)
}

/// The arguments of `read.lua` for a page.
pub(crate) fn read_page(from: Option<&Cursor>, count: u32, options: &Options) -> Result<Vec<Vec<u8>>, BadInput> {
    if count == 0 {
        return Err(BadInput::EmptyPage);
    }
    let (incarnation, position) = from.map_or(("", "0"), |cursor| (&*cursor.incarnation, &*cursor.position));
    if position.parse::<u64>().is_err() {
        return Err(BadInput::BadCursor { position: position.to_owned() });
    }
    let mut arguments = read("page", options);
    arguments.text(incarnation).text(position).number(count);
    Ok(arguments.0)
}

fn read(mode: &str, options: &Options) -> Arguments {
    let mut arguments = Arguments::default();
    arguments.number(options.sliding_ttl_ms).number(options.max_age_ms).text(mode);
    arguments
}

/// The arguments of `forget.lua`.
pub(crate) fn forget(forget: &Forget, options: &Options) -> Result<Vec<Vec<u8>>, BadInput> {
    check_op(forget.op())?;
    let mut arguments = Arguments::default();
    arguments.text(forget.op().as_str()).text(forget.only_incarnation()).number(options.tombstone_ms);
    Ok(arguments.0)
}

#[derive(Default)]
struct Arguments(Vec<Vec<u8>>);

impl Arguments {
    fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    fn number(&mut self, number: impl ToString) -> &mut Self {
        self.text(&number.to_string())
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.push(bytes.to_vec());
        self
    }

    fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::Set { field, value } => self.text("set").text(field).bytes(value).text(""),
            Edit::SetIfRev { field, value, rev } => self.text("setif").text(field).bytes(value).number(rev),
            Edit::Incr { field, by } => self.text("incr").text(field).number(by).text(""),
            Edit::Append { field, item, keep } => self.text("append").text(field).bytes(item).number(keep),
            Edit::Delete { field } => self.text("del").text(field).text("").text(""),
        };
    }
}

fn check_edits(session: &str, change: &Change, options: &Options) -> Result<(), Error> {
    if change.edits().is_empty() {
        return Err(BadInput::NothingToDo { what: "change", way_out: ", or read to keep the session alive" }.into());
    }
    check_count(session, "the number of fields changed", change.edits().len(), options)?;
    let mut seen = HashSet::with_capacity(change.edits().len());
    for edit in change.edits() {
        let field = edit.field();
        check_field(field)?;
        if !seen.insert(field) {
            return Err(BadInput::DuplicateField { name: field.to_owned() }.into());
        }
        let bad = |what, value, way_out| {
            let field = field.to_owned();
            Err(Error::BadInput(BadInput::Number { what, field, value, way_out }))
        };
        match edit {
            Edit::Set { value, .. } | Edit::SetIfRev { value, .. } | Edit::Append { item: value, .. } => {
                let (size, limit) = (value.len() as u64, u64::from(options.max_value_bytes));
                if size > limit {
                    let what = format!("the bytes of field {field:?}");
                    let session = session.to_owned();
                    return Err(Error::TooLarge { session, what, size, limit, option: "max_value_bytes" });
                }
                if matches!(edit, Edit::Append { keep: 0, .. }) {
                    return bad("the number of items to keep", 0, "keep at least 1");
                }
            }
            Edit::Incr { by, .. } if by.unsigned_abs() > MAX_INTEGER.unsigned_abs() => {
                return bad("the increment", *by, "counters stay within -9007199254740991 to 9007199254740991");
            }
            Edit::Incr { .. } | Edit::Delete { .. } => {}
        }
    }
    Ok(())
}

fn check_count(session: &str, what: &str, count: usize, options: &Options) -> Result<(), Error> {
    if count <= options.max_changes as usize {
        return Ok(());
    }
    Err(Error::TooLarge {
        session: session.to_owned(),
        what: what.to_owned(),
        size: count as u64,
        limit: u64::from(options.max_changes),
        option: "max_changes",
    })
}

fn check_op(op: &OpId) -> Result<(), BadInput> {
    name("operation id", op.as_str(), LONGEST_OP)
}

fn check_field(field: &str) -> Result<(), BadInput> {
    name("field name", field, LONGEST_NAME)?;
    if field.starts_with('_') {
        return Err(BadInput::ReservedField { name: field.to_owned() });
    }
    Ok(())
}

fn name(what: &'static str, value: &str, limit: usize) -> Result<(), BadInput> {
    if (1..=limit).contains(&value.len()) {
        return Ok(());
    }
    let shown = value.chars().take(40).collect();
    Err(BadInput::NameLength { what, value: shown, length: value.len(), limit })
}

/// FNV-1a (64 bits) over the arguments, each preceded by its length: tells an operation id that is used for two
/// different changes. A guard against mistakes, not against malice.
fn fingerprint(arguments: &[Vec<u8>]) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for argument in arguments {
        add(&(argument.len() as u64).to_le_bytes());
        add(argument);
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::{Keys, fingerprint};
    use crate::memory::Options;

    /// The part of a key that Redis Cluster hashes: between the first `{` and the first `}` after it, unless empty.
    fn hashed(key: &str) -> &str {
        let Some(open) = key.find('{') else { return key };
        match key[open + 1..].find('}') {
            None | Some(0) => key,
            Some(length) => &key[open + 1..open + 1 + length],
        }
    }

    #[test]
    fn both_keys_of_any_session_share_a_hash_tag_and_no_two_sessions_share_a_key() {
        let options = Options { key_prefix: "app:".to_owned(), ..Options::default() };
        let sessions = ["user:1", "}", "{", "{}", "}{", "a}b", "a{b", "a%7Db", "%", "a", "%25", "é\n\0"];
        let keys: Vec<Keys> = sessions.iter().map(|s| Keys::of(s, &options).expect("a valid id")).collect();
        for (session, keys) in sessions.iter().zip(&keys) {
            assert_eq!(hashed(&keys.hash), hashed(&keys.ring), "{session:?}");
            assert_ne!(hashed(&keys.hash), keys.hash, "{session:?} has no hash tag");
        }
        let distinct: std::collections::HashSet<_> = keys.iter().map(|keys| &keys.hash).collect();
        assert_eq!(distinct.len(), sessions.len());
        assert_eq!(keys[0], Keys { hash: "app:{user:1}:m".to_owned(), ring: "app:{user:1}:ops".to_owned() });
    }

    #[test]
    fn the_fingerprint_is_fnv_1a_of_lengths_and_bytes() {
        // The offset basis: FNV-1a of nothing.
        assert_eq!(fingerprint(&[]), "cbf29ce484222325");
        assert_ne!(fingerprint(&[b"ab".to_vec(), b"c".to_vec()]), fingerprint(&[b"a".to_vec(), b"bc".to_vec()]));
    }
}

//! `DEBUG DIGEST`: a fingerprint of the data that a real server computes alike, whatever the order in which it was
//! written.

use sha1_smol::Sha1;

use crate::{
    db::{Databases, Entry, Value},
    lua::number::format_g,
    stream::Id,
};

/// A fingerprint that grows.
#[derive(Clone, Copy, Default)]
pub(crate) struct Digest([u8; 20]);

impl Digest {
    /// Adds something whose place does not matter.
    fn toss(&mut self, bytes: &[u8]) {
        let hash = Sha1::from(bytes).digest().bytes();
        self.0.iter_mut().zip(hash).for_each(|(byte, other)| *byte ^= other);
    }

    /// Adds something that comes after what was added before.
    fn append(&mut self, bytes: &[u8]) {
        self.toss(bytes);
        self.0 = Sha1::from(self.0).digest().bytes();
    }

    pub(crate) fn text(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Adds what a key holds, and whether it has a deadline.
    fn add(&mut self, entry: &Entry) {
        let number: u32 = match &entry.value {
            Value::Text(_) => 0,
            Value::List(_) => 1,
            Value::Set(_) => 2,
            Value::Zset(_) => 3,
            Value::Hash(_) => 4,
            Value::Stream(_) => 6,
        };
        self.append(&number.to_be_bytes());
        match &entry.value {
            Value::Text(text) => self.append(&text.data),
            Value::List(list) => list.iter().for_each(|element| self.append(element)),
            Value::Set(set) => set.iter().for_each(|member| self.toss(&member)),
            Value::Zset(zset) => zset.iter().for_each(|place| {
                self.pair(&place.member, format_g(place.score, 17).as_bytes());
            }),
            Value::Hash(hash) => hash.iter().for_each(|(field, value)| self.pair(field, value)),
            Value::Stream(stream) => {
                for entry in stream.range(Id::MIN, Id::MAX) {
                    self.append(format!("{}.{}", entry.id.ms, entry.id.seq).as_bytes());
                    for (field, value) in entry.pairs.iter() {
                        self.append(field);
                        self.append(value);
                    }
                }
            }
        }
        if entry.deadline().is_some() {
            self.toss(b"!!expire!!");
        }
    }

    fn pair(&mut self, first: &[u8], second: &[u8]) {
        let mut pair = Self::default();
        pair.append(first);
        pair.append(second);
        self.toss(&pair.0);
    }
}

/// The fingerprint of one key's value.
pub(crate) fn of_value(entry: Option<&Entry>) -> Digest {
    let mut digest = Digest::default();
    if let Some(entry) = entry {
        digest.add(entry);
    }
    digest
}

/// The fingerprint of everything.
pub(crate) fn of_data(databases: &Databases) -> Digest {
    let mut whole = Digest::default();
    for (number, database) in databases.iter() {
        whole.append(&(number as u32).to_be_bytes());
        for (name, entry) in database.keys.iter() {
            let mut digest = Digest::default();
            digest.append(name.bytes);
            digest.add(entry);
            whole.toss(&digest.0);
        }
    }
    whole
}

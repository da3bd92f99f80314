//! What comparisons ask about the state: on which side of a command, for which session.

use bytes::Bytes;

use crate::canonical::Facts;
use crate::resp::{Value, parse};
use crate::support::driver::{Driver, NoScripts};

/// The engine before and after a command, for rules that look at the state.
#[derive(Clone, Copy)]
pub(crate) struct States<'a> {
    pub(crate) before: &'a Driver,
    pub(crate) after: &'a Driver,
    pub(crate) session: usize,
    pub(crate) ms: i64,
    /// Whether the command was one of several of a transaction, so that neither state is the one it saw.
    pub(crate) exec: bool,
}

impl States<'_> {
    fn ask(&self, driver: &Driver, words: &[&[u8]]) -> Value {
        self.ask_in(driver, None, words)
    }

    fn ask_in(&self, driver: &Driver, db: Option<&str>, words: &[&[u8]]) -> Value {
        let mut driver = driver.clone();
        let mut host = NoScripts;
        driver.run(&mut host, self.session, &[Bytes::from_static(b"DISCARD")], self.ms);
        if let Some(db) = db {
            let select = [Bytes::from_static(b"SELECT"), Bytes::copy_from_slice(db.as_bytes())];
            driver.run(&mut host, self.session, &select, self.ms);
        }
        let args: Vec<Bytes> = words.iter().map(|word| Bytes::copy_from_slice(word)).collect();
        let reply = driver.run(&mut host, self.session, &args, self.ms).reply;
        parse(&driver.bytes(self.session, &reply)).expect("the engine encodes whole replies").0
    }

    fn list(&self, words: &[&[u8]]) -> Option<Vec<Vec<u8>>> {
        if self.exec {
            return None;
        }
        let value = self.ask(self.before, words);
        Some(value.elements()?.iter().filter_map(Value::bulk).map(<[u8]>::to_vec).collect())
    }
}

impl Facts for States<'_> {
    fn is_table(&self, key: &Bytes) -> bool {
        let words: [&[u8]; 3] = [b"OBJECT", b"ENCODING", key];
        // A transaction may select databases as it goes.
        let databases: &[_] = if self.exec { &[None, Some("0"), Some("1"), Some("2"), Some("15")] } else { &[None] };
        let is_table = |driver, db| matches!(self.ask_in(driver, db, &words).bulk(), Some(b"hashtable" | b"skiplist"));
        databases.iter().any(|db| is_table(self.before, *db) || is_table(self.after, *db))
    }

    fn fields(&self, key: &Bytes) -> Option<Vec<Vec<u8>>> {
        match self.ask(self.before, &[b"TYPE", key]) {
            Value::Line(_, kind) if kind == b"set" => self.list(&[b"SMEMBERS", key]),
            Value::Line(_, kind) if kind == b"zset" => self.list(&[b"ZRANGE", key, b"0", b"-1"]),
            _ => self.list(&[b"HKEYS", key]),
        }
    }

    fn keys(&self) -> Option<Vec<Vec<u8>>> {
        self.list(&[b"KEYS", b"*"])
    }
}

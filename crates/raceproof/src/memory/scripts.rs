//! The scripts, as sent to the server.

/// A Lua script and its SHA1.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) source: String,
    pub(crate) sha1: String,
}

impl Script {
    fn new(source: &str) -> Self {
        Self { source: source.to_owned(), sha1: redis::Script::new(source).get_hash().to_owned() }
    }
}

/// The three scripts of a memory. Public for tests only, which run edited ones to see that the checks catch them.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Scripts {
    pub(crate) merge: Script,
    pub(crate) read: Script,
    pub(crate) forget: Script,
}

impl Scripts {
    /// `merge.lua`
    pub const MERGE: &'static str = include_str!("merge.lua");
    /// `read.lua`
    pub const READ: &'static str = include_str!("read.lua");
    /// `forget.lua`
    pub const FORGET: &'static str = include_str!("forget.lua");

    /// Scripts with these texts.
    #[must_use]
    pub fn new(merge: &str, read: &str, forget: &str) -> Self {
        Self { merge: Script::new(merge), read: Script::new(read), forget: Script::new(forget) }
    }

    /// The texts, e.g. to load them beforehand.
    #[must_use]
    pub fn sources(&self) -> [&str; 3] {
        [&self.merge.source, &self.read.source, &self.forget.source]
    }
}

impl Default for Scripts {
    fn default() -> Self {
        Self::new(Self::MERGE, Self::READ, Self::FORGET)
    }
}

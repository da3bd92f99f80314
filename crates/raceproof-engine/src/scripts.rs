//! The script cache.

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::failure::Failure;
use crate::lua::shebang;

/// The scripts that `EVAL` and `SCRIPT LOAD` have left behind, by SHA1.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScriptCache {
    scripts: FxHashMap<Bytes, CachedScript>,
}

/// A script that was compiled once.
#[derive(Clone, Debug)]
pub(crate) struct CachedScript {
    pub(crate) source: Bytes,
    /// `None` for a script without a first line that declares flags: it may do what its caller may.
    pub(crate) flags: Option<Flags>,
}

/// What `#!lua flags=…` declares, as far as it matters here. (`allow-stale`, `no-cluster` and
/// `allow-cross-slot-keys` speak of situations that a single server is never in.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    pub(crate) no_writes: bool,
    pub(crate) allow_oom: bool,
}

impl ScriptCache {
    /// Looks a script up by its SHA1 in lower case.
    pub(crate) fn get(&self, sha1: &[u8]) -> Option<&CachedScript> {
        self.scripts.get(sha1)
    }

    pub(crate) fn insert(&mut self, sha1: Bytes, script: CachedScript) {
        self.scripts.insert(sha1, script);
    }

    /// The SHA1s of all scripts, in order.
    pub(crate) fn names(&self) -> Vec<&Bytes> {
        let mut names: Vec<&Bytes> = self.scripts.keys().collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.scripts.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.scripts.len()
    }

    pub(crate) fn clear(&mut self) {
        self.scripts.clear();
    }
}

impl Flags {
    /// What the first line of a script declares.
    pub(crate) fn declared(source: &[u8]) -> Result<Option<Self>, Failure> {
        let flags = shebang::parse(source).map_err(Failure::Bytes)?;
        Ok(flags.declared.then_some(Self { no_writes: flags.no_writes, allow_oom: flags.allow_oom }))
    }
}

//! Libraries of functions (`FUNCTION LOAD`). They are data: they outlive a restart, and are propagated.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;

use crate::{LibraryFunction, failure::Failure, lua::shebang};

/// A library as it was loaded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Library {
    /// The source, first line included.
    pub(crate) code: Bytes,
    /// The SHA1 of the code, under which a host keeps what it compiled.
    pub(crate) sha1: String,
    /// By name.
    pub(crate) functions: Vec<LibraryFunction>,
}

/// All libraries by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Libraries {
    list: BTreeMap<Bytes, Arc<Library>>,
    /// The names of functions in lower case, and in which library they are, at which place. Follows from the list.
    index: BTreeMap<Vec<u8>, (Arc<Library>, usize)>,
}

impl PartialEq for Libraries {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}

impl Hash for Libraries {
    fn hash<H: Hasher>(&self, to: &mut H) {
        self.list.hash(to);
    }
}

impl Libraries {
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// How many functions there are in all libraries.
    pub(crate) fn functions(&self) -> usize {
        self.index.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Bytes, &Library)> {
        self.list.iter().map(|(name, library)| (name, &**library))
    }

    pub(crate) fn contains(&self, name: &Bytes) -> bool {
        self.list.contains_key(name)
    }

    /// The function of a name in any case, and its library.
    pub(crate) fn function(&self, name: &[u8]) -> Option<(Arc<Library>, &LibraryFunction)> {
        let (library, at) = self.index.get(&name.to_ascii_lowercase())?;
        Some((Arc::clone(library), &library.functions[*at]))
    }

    /// Puts a library in the place of the one with its name, unless another one has a function of it.
    pub(crate) fn insert(&mut self, name: Bytes, library: Library) -> Result<(), Failure> {
        let old = self.list.get(&name);
        for function in &library.functions {
            let taken = self.index.get(&function.name.to_ascii_lowercase());
            if taken.is_some_and(|(owner, _)| !old.is_some_and(|old| Arc::ptr_eq(owner, old))) {
                return Err(Failure::quoting("ERR Function ", &function.name, " already exists"));
            }
        }
        self.list.insert(name, Arc::new(library));
        self.reindex();
        Ok(())
    }

    pub(crate) fn remove(&mut self, name: &Bytes) -> bool {
        let removed = self.list.remove(name).is_some();
        self.reindex();
        removed
    }

    fn reindex(&mut self) {
        self.index.clear();
        for library in self.list.values() {
            for (at, function) in library.functions.iter().enumerate() {
                // Of two names that differ in case only, which one library may hold, Redis finds one by chance.
                self.index.entry(function.name.to_ascii_lowercase()).or_insert_with(|| (Arc::clone(library), at));
            }
        }
    }
}

/// Whether a library or a function may have this name.
pub(crate) fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

pub(crate) const BAD_NAME: &str = "ERR Library names can only contain letters, numbers, or underscores(_) and must be at \
                                   least one character long";

/// The name of a library, as its first line (`#!lua name=…`) gives it.
pub(crate) fn name_of(code: &[u8]) -> Result<Bytes, Failure> {
    const INVALID: Failure = Failure::Constant("ERR Invalid library metadata");
    if !code.starts_with(b"#!") {
        return Err(Failure::Constant("ERR Missing library metadata"));
    }
    let end = code.iter().position(|&byte| byte == b'\n').ok_or(INVALID)?;
    let words = shebang::split(&code[..end]).ok_or(INVALID)?;
    let (engine, options) = words.split_first().ok_or(INVALID)?;
    let mut name = None;
    for option in options {
        let value = option.split_at_checked(5).filter(|(key, _)| key.eq_ignore_ascii_case(b"name="));
        let Some((_, value)) = value else {
            return Err(Failure::quoting("ERR Invalid metadata value given: ", option, ""));
        };
        if name.replace(value).is_some() {
            return Err(Failure::Constant("ERR Invalid metadata value, name argument was given multiple times"));
        }
    }
    let name = name.ok_or(Failure::Constant("ERR Library name was not given"))?;
    if !is_name(name) {
        return Err(Failure::Constant(BAD_NAME));
    }
    let engine = &engine[2..];
    if !engine.eq_ignore_ascii_case(b"lua") {
        return Err(Failure::quoting("ERR Engine '", engine, "' not found"));
    }
    Ok(Bytes::copy_from_slice(name))
}

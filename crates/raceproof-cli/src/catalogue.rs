//! The scenarios that are built into the binary, so that `raceproof check` works anywhere.

/// A scenario of the catalogue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BuiltIn {
    /// Its path in the repository, with slashes: `scenarios/memory/serialized-value.lua`.
    pub(crate) file: &'static str,
    pub(crate) source: &'static str,
}

// `pub(crate) static CATALOGUE: &[BuiltIn]`, ordered by name; written by build.rs.
include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

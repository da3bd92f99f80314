//! Text that nobody else has.

/// A source of unique tokens: operation ids, incarnations, owners.
pub trait Tokens {
    /// A token that no other call, process or machine gets: 32 lower-case hexadecimal digits, 128 random bits. Under
    /// exploration the tokens are unique within the execution, and the same in each of its re-runs.
    fn token(&self) -> String;
}

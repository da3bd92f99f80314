//! Random search with shrinking, where the test itself counts and decides when to stop.

use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

/// A source of random values, the same for the same seed.
pub(crate) fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { failure_persistence: None, max_shrink_iters: 4000, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// Tries random values until `check` refuses one, or `enough` says so. Gives what `check` said of the shrunk value.
pub(crate) fn find<S: Strategy>(
    runner: &mut TestRunner,
    strategy: &S,
    check: impl Fn(&S::Value) -> Result<(), String>,
    enough: impl Fn() -> bool,
) -> Option<Found<S::Value>> {
    while !enough() {
        let tree = strategy.new_tree(runner).expect("the grammar makes values");
        let first = tree.current();
        let Err(reason) = check(&first) else { continue };
        let again = runner.run_one(tree, |value| check(&value).map_err(TestCaseError::fail));
        return Some(match again {
            Err(TestError::Fail(reason, value)) => Found { reason: reason.message().to_owned(), value },
            _ => Found { reason: format!("refused once, and not when it was tried again: {reason}"), value: first },
        });
    }
    None
}

/// A value that a check refuses.
pub(crate) struct Found<T> {
    /// Why.
    pub(crate) reason: String,
    /// The value, shrunk.
    pub(crate) value: T,
}

/// A number from the environment.
///
/// # Panics
/// If the variable is set to something else.
pub(crate) fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable} is {text:?}, and has to be a number")),
        Err(_) => default,
    }
}

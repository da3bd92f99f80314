//! Why a search could not be carried out. A violation is not an error: it is what a search is for.

use thiserror::Error;

/// Why a search could not be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// There is nothing to interleave.
    #[error("no clients: a check needs at least one client")]
    NoClients,
    /// The token is not one of ours, or not for this code.
    #[error("replay token {token:?}: {reason}")]
    Token {
        /// The token as given.
        token: String,
        /// What is wrong with it, and the way out.
        reason: String,
    },
    /// The same schedule gave another execution.
    #[error(
        "not deterministic: step {step} differs between two runs of one schedule{detail}; a client must take time, \
         randomness and shared state from its context only"
    )]
    NotDeterministic {
        /// The number of the step, from 1.
        step: usize,
        /// What the step was in the two runs, if that is known.
        detail: String,
    },
    /// A client waits for something that is not explored.
    #[error(
        "{client} waits for something that raceproof does not control (after its step {step}): only what its context \
         gives can be awaited here, so replace other runtimes' sleeps, channels and sockets by ctx.sleep, ctx.shared, \
         ctx.redis and ctx.db"
    )]
    Foreign {
        /// The client's name.
        client: String,
        /// The number of its steps so far.
        step: usize,
    },
    /// Two steps that claim to be independent are not.
    #[error(
        "hidden shared state between {first} and {second}: moving step {moved} before step {step} changed {what}; \
         share state through ctx.shared"
    )]
    HiddenState {
        /// The client of the first step.
        first: String,
        /// The client of the second step.
        second: String,
        /// The number of the first step, from 1.
        step: usize,
        /// The number of the second step, which was tried before the first.
        moved: usize,
        /// What differed.
        what: String,
    },
    /// Two executions that came to one state went on differently.
    #[error(
        "hidden state: two executions that come to the same {differs} when they go on alike (after step {step}); what a \
         client that has ended leaves behind must be in Redis, in the database, in ctx.shared or in the history"
    )]
    Forgotten {
        /// The number of steps after which they are the same.
        step: usize,
        /// What differed, with its verb.
        differs: String,
    },
    /// A check or the setup does what it must not do.
    #[error("{who} {what}")]
    Misuse {
        /// The check or the setup.
        who: String,
        /// What it does, and the way out.
        what: String,
    },
    /// Clients, sessions and pieces of shared state of one search are numbered, and the numbers have run out.
    #[error("more than 65535 {0} in one search: let the clients make fewer")]
    TooMany(&'static str),
    /// The embedded database failed.
    #[error("the embedded database failed: {0}")]
    Database(String),
    /// The real server failed while a counterexample was being confirmed.
    #[error("{0}")]
    Backend(String),
    /// The scenario cannot be used.
    #[error("{0}")]
    Scenario(String),
}

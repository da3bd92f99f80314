//! How large the whole search tree is, judged by the part that was seen.
//!
//! What is left below a node is taken to be like what was there: each branch that is still to come counts as much as
//! the mean of those that are done and of the one under way, which is estimated in the same way from below. At the leaf
//! there is nothing to guess, so at the end the estimate is the count. Knuth (1975) does the same with random paths; here
//! the path is the search's own. Branches that nobody has planned yet count for nothing, so early estimates are low.

use super::Optimal;

/// What was executed below the branches of a node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Below {
    /// The executions of the whole search before the branch under way.
    pub(super) since: u64,
    /// The branches that are done, but for those below which nothing was run.
    branches: u32,
    /// The executions below them.
    executions: u64,
}

impl Below {
    pub(super) fn at(executions: u64) -> Self {
        Self { since: executions, ..Self::default() }
    }

    /// The branch under way is done.
    pub(super) fn done(&mut self, executions: u64) {
        let more = executions - self.since;
        self.branches += u32::from(more > 0);
        self.executions += more;
        self.since = executions;
    }
}

impl Optimal {
    /// The estimated number of executions of the whole tree, between two executions.
    pub(crate) fn estimate(&self) -> f64 {
        let mut below: Option<f64> = None;
        for node in self.path.iter().rev() {
            let (branches, executions) = (f64::from(node.below.branches), to_f64(node.below.executions));
            let open = to_f64(node.branches.len() as u64);
            below = Some(match below {
                // The next execution begins here.
                None => executions + open * executions / branches.max(1.0),
                Some(under_way) => {
                    let mean = (executions + under_way) / (branches + 1.0);
                    executions + under_way + (open - 1.0) * mean
                }
            });
        }
        below.unwrap_or_else(|| to_f64(self.executions)).max(to_f64(self.executions))
    }
}

/// Exact below 2^53, which no count of executions reaches.
#[expect(clippy::cast_precision_loss, reason = "counts of executions")]
fn to_f64(count: u64) -> f64 {
    count as f64
}

//! How large the whole search tree is, judged by the part that was seen.
//!
//! What is left below a node is taken to be like what was there: each branch that is still to come counts as much as
//! the mean of those that are done and of the one under way, which is estimated in the same way from below. At the leaf
//! there is nothing to guess, so at the end the estimate is the count. Knuth (1975) does the same with random paths; here
//! the path is the search's own. It errs both ways: branches that nobody has planned yet count for nothing, and of
//! several branches the later ones have less below them, since what the earlier ones have covered sleeps there.

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

#[cfg(test)]
mod tests {
    use redis::AsyncCommands;

    use super::*;
    use crate::execution::{Mode, Worker};
    use crate::search::driver::{Aside, Bench, Body};
    use crate::search::optimal::{Branch, MOST_TRIED, Node};
    use crate::{Bounds, World};

    impl Optimal {
        /// What is kept in memory: nodes, branches, sleepers and steps that were tried out.
        fn held(&self) -> usize {
            fn branches(of: &[Branch]) -> usize {
                of.iter().map(|branch| 1 + branches(&branch.next)).sum()
            }
            let held = |node: &Node| 1 + node.sleep.len() + branches(&node.branches) + node.tried.len();
            self.path.iter().map(held).sum()
        }
    }

    /// Searches, and calls `look` after each execution, until that has seen enough.
    fn search(body: Body<'_>, mut look: impl FnMut(&Optimal, &Worker) -> bool) -> Optimal {
        let (mut worker, bounds) = (Worker::new(), Bounds::default());
        let aside = Aside::Nobody;
        let mut bench = Bench { worker: &mut worker, body, bounds, mode: Mode::default(), aside };
        let mut tree = Optimal::new(bounds);
        loop {
            let run = bench.run(&mut tree).expect("it runs").expect("there is no setup");
            let more = tree.advance(&run, &mut bench).expect("it runs");
            if !look(&tree, bench.worker) || !more {
                return tree;
            }
        }
    }

    fn clients(world: &mut World, count: usize, counters: usize) {
        for client in 0..count {
            world.client(format!("client-{client}"), move |ctx| async move {
                let mut redis = ctx.redis();
                drop(redis.get::<_, Option<String>>("k").await?);
                for _ in 0..counters {
                    redis.incr::<_, _, ()>("k", 1).await?;
                }
                redis.set::<_, _, ()>("k", client).await
            });
        }
    }

    #[test]
    fn the_estimate_comes_near_and_is_exact_at_the_end() {
        for (count, counters, traces) in [(2, 0, 4), (3, 0, 36), (4, 0, 576), (3, 1, 36 * 36)] {
            let mut estimates = Vec::new();
            let tree = search(&|world| clients(world, count, counters), |tree, _| {
                estimates.push(tree.estimate());
                true
            });
            let whole = to_f64(tree.executions);
            assert!(tree.executions >= traces.min(576) || counters == 0, "{}", tree.executions);
            assert_eq!(estimates.last().map(|last| last.to_bits()), Some(whole.to_bits()), "exact at the end");
            assert!(estimates.windows(2).all(|pair| pair[0] > 0.0 && pair[1].is_finite()));
            let near = |part: f64, factor: f64| {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
                let at = (whole * part) as usize;
                let estimate = estimates[at];
                assert!((whole / factor..=whole * factor).contains(&estimate), "{estimate} of {whole} at {part}");
            };
            if whole > 100.0 {
                near(0.25, 4.0);
                near(0.5, 2.5);
                near(0.9, 1.5);
            }
        }
    }

    #[test]
    fn what_is_held_does_not_grow_with_the_search() {
        let (mut early, mut late, mut things, mut at) = (0, 0, 0, 0);
        let tree = search(&|world| clients(world, 4, 2), |tree, worker| {
            at += 1;
            let (held, numbered) = (tree.held(), worker.numbers().lock().things.len());
            match at {
                0..=1_000 => (early, things) = (early.max(held), numbered),
                _ => {
                    late = late.max(held);
                    assert_eq!(numbered, things, "numbers are given once");
                }
            }
            assert!(tree.path.iter().all(|node| node.tried.len() <= MOST_TRIED));
            at < 20_000
        });
        assert_eq!(tree.executions, 20_000);
        // A first node has more behind it later, but no more than so many steps that were tried out.
        assert!(late <= early + 2 * MOST_TRIED, "{early} before, {late} later");
    }
}

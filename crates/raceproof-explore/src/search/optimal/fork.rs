//! A part of the search tree as a search of its own, for another thread to run ahead in.

use rustc_hash::FxHashMap;

use super::{Node, Optimal};
use crate::event::Choice;

/// A branch that is to be explored later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pending {
    /// The number of steps before it.
    pub(crate) depth: usize,
    pub(crate) choice: Choice,
}

impl Optimal {
    /// The number of states on the present path. Between executions the last of them is where the next one leaves it.
    pub(crate) fn depth(&self) -> usize {
        self.path.len()
    }

    /// The choice that leads on from a state on the path.
    pub(crate) fn choice_at(&self, depth: usize) -> Option<Choice> {
        self.path.get(depth)?.branches.first().map(|branch| branch.step.choice)
    }

    /// The branches to be explored later, those that come next first.
    pub(crate) fn pending(&self) -> impl Iterator<Item = Pending> {
        self.path.iter().enumerate().rev().flat_map(|(depth, node)| {
            let later = node.branches.iter().skip(1);
            later.map(move |branch| Pending { depth, choice: branch.step.choice })
        })
    }

    pub(crate) fn is_pending(&self, pending: Pending) -> bool {
        let node = self.path.get(pending.depth);
        node.is_some_and(|node| node.branches.iter().any(|branch| branch.step.choice == pending.choice))
    }

    /// The search that is left below a pending branch when the branches before it are done, as far as it is known now.
    /// What it plans above the branch comes to nothing.
    pub(crate) fn fork(&self, pending: Pending) -> Option<Self> {
        let copy = |node: &Node| Node {
            sleep: node.sleep.clone(),
            branches: node.branches.clone(),
            enabled: node.enabled.clone(),
            tried: FxHashMap::default(),
            ..*node
        };
        let mut path: Vec<Node> = self.path.get(..=pending.depth)?.iter().map(copy).collect();
        let node = path.last_mut()?;
        let at = node.branches.iter().position(|branch| branch.step.choice == pending.choice)?;
        let before = node.branches.drain(..at).map(|branch| branch.step);
        node.sleep.extend(before);
        node.fingerprint = None;
        node.explored = false;
        let Self { pauses, persistence, .. } = *self;
        Some(Self { path, pauses, persistence, fixed: pending.depth + 1, ..Self::default() })
    }
}

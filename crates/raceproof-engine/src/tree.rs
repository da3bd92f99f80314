//! An ordered map that knows ranks, and whose clones share what neither has changed since.
//!
//! A weight-balanced tree (Adams 1993, with the parameters 3 and 2 that Hirai and Yamamoto proved right in 2011): every
//! node knows how many entries are below it, so that the nth entry, the rank of a key and a random entry take O(log n),
//! as in Redis's skip lists and tables. Nodes are shared between clones and copied on the way to a change.

use std::{cmp::Ordering, sync::Arc};

/// How much heavier one side of a node may be than the other.
const DELTA: usize = 3;
/// When the inner part of the heavier side is heavy enough for a double rotation.
const GAMMA: usize = 2;

/// An ordered map.
#[derive(Clone, Debug)]
pub(crate) struct Tree<K, V>(Option<Arc<Node<K, V>>>);

#[derive(Clone, Debug)]
struct Node<K, V> {
    key: K,
    value: V,
    /// Entries in this node and below.
    len: usize,
    left: Tree<K, V>,
    right: Tree<K, V>,
}

impl<K, V> Default for Tree<K, V> {
    fn default() -> Self {
        Self(None)
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for Tree<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl<K: Eq, V: Eq> Eq for Tree<K, V> {}

impl<K: Ord + Clone, V: Clone> FromIterator<(K, V)> for Tree<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut tree = Self::default();
        for (key, value) in entries {
            tree.insert(key, value);
        }
        tree
    }
}

impl<K, V> Tree<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |node| node.len)
    }

    /// The entry of a rank, the first being 0.
    pub(crate) fn nth(&self, mut rank: usize) -> Option<(&K, &V)> {
        let mut node = self.0.as_deref()?;
        loop {
            let before = node.left.len();
            node = match rank.cmp(&before) {
                Ordering::Equal => return Some((&node.key, &node.value)),
                Ordering::Less => node.left.0.as_deref()?,
                Ordering::Greater => {
                    rank -= before + 1;
                    node.right.0.as_deref()?
                }
            };
        }
    }

    /// How many entries there are before the first one whose key is not `before` the place that is meant. Nothing may
    /// be before it that comes after something which is not.
    pub(crate) fn partition_point(&self, mut before: impl FnMut(&K) -> bool) -> usize {
        let (mut next, mut rank) = (self.0.as_deref(), 0);
        while let Some(node) = next {
            if before(&node.key) {
                rank += node.left.len() + 1;
                next = node.right.0.as_deref();
            } else {
                next = node.left.0.as_deref();
            }
        }
        rank
    }

    /// All entries in order.
    pub(crate) fn iter(&self) -> Iter<'_, K, V> {
        self.iter_from(0)
    }

    /// The entries from a rank on, in order.
    pub(crate) fn iter_from(&self, rank: usize) -> Iter<'_, K, V> {
        self.walk(rank, false)
    }

    /// The entries from a rank down to the first.
    pub(crate) fn iter_down_from(&self, rank: usize) -> Iter<'_, K, V> {
        let skipped = self.len().saturating_sub(rank.saturating_add(1));
        self.walk(skipped, true)
    }

    fn walk(&self, mut skipped: usize, down: bool) -> Iter<'_, K, V> {
        let mut iter = Iter { path: Vec::new(), down };
        let mut next = self.0.as_deref();
        while let Some(node) = next {
            let (near, far) = node.sides(down);
            if skipped > near.len() {
                skipped -= near.len() + 1;
                next = far.0.as_deref();
            } else {
                iter.path.push(node);
                next = if skipped < near.len() { near.0.as_deref() } else { None };
            }
        }
        iter
    }
}

impl<K: Ord + Clone, V: Clone> Tree<K, V> {
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        let mut node = self.0.as_deref()?;
        loop {
            node = match key.cmp(&node.key) {
                Ordering::Equal => return Some(&node.value),
                Ordering::Less => node.left.0.as_deref()?,
                Ordering::Greater => node.right.0.as_deref()?,
            };
        }
    }

    /// Sets the value of a key and gives the one that it had.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let Some(node) = &mut self.0 else {
            self.0 = Some(Arc::new(Node { key, value, len: 1, left: Self(None), right: Self(None) }));
            return None;
        };
        let node = Arc::make_mut(node);
        let old = match key.cmp(&node.key) {
            Ordering::Equal => return Some(std::mem::replace(&mut node.value, value)),
            Ordering::Less => node.left.insert(key, value),
            Ordering::Greater => node.right.insert(key, value),
        };
        self.settle();
        old
    }

    /// Removes a key and gives its value.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.get(key)?;
        self.remove_known(key)
    }

    /// [`Self::remove`] of a key that is there: only then is the way to it worth copying.
    fn remove_known(&mut self, key: &K) -> Option<V> {
        let node = Arc::make_mut(self.0.as_mut()?);
        let old = match key.cmp(&node.key) {
            Ordering::Less => node.left.remove_known(key)?,
            Ordering::Greater => node.right.remove_known(key)?,
            Ordering::Equal => {
                let neighbour = if node.left.len() > node.right.len() {
                    node.left.take_end(true)
                } else {
                    node.right.take_end(false)
                };
                let Some((key, value)) = neighbour else { return self.0.take().map(|node| node.value.clone()) };
                node.key = key;
                std::mem::replace(&mut node.value, value)
            }
        };
        self.settle();
        Some(old)
    }

    /// Removes the last entry, or the first.
    fn take_end(&mut self, last: bool) -> Option<(K, V)> {
        let node = Arc::make_mut(self.0.as_mut()?);
        let outer = if last { &mut node.right } else { &mut node.left };
        if let Some(entry) = outer.take_end(last) {
            self.settle();
            return Some(entry);
        }
        let inner = std::mem::take(if last { &mut node.left } else { &mut node.right });
        let entry = (node.key.clone(), node.value.clone());
        *self = inner;
        Some(entry)
    }

    /// Makes the root right again after one of its sides has changed by one entry.
    fn settle(&mut self) {
        let Some(node) = &mut self.0 else { return };
        let node = Arc::make_mut(node);
        let (left, right) = (node.left.len(), node.right.len());
        node.len = left + right + 1;
        if left + right <= 1 {
            return;
        }
        if right > DELTA * left {
            if node.right.side_len(false) >= GAMMA * node.right.side_len(true) {
                node.right.rotate(true);
            }
            self.rotate(false);
        } else if left > DELTA * right {
            if node.left.side_len(true) >= GAMMA * node.left.side_len(false) {
                node.left.rotate(false);
            }
            self.rotate(true);
        }
    }

    fn side_len(&self, right: bool) -> usize {
        self.0.as_ref().map_or(0, |node| node.sides(right).0.len())
    }

    /// Turns the root down to the right, or to the left, and its other side up in its place.
    fn rotate(&mut self, right: bool) {
        let Some(mut root) = self.0.take() else { return };
        let down = Arc::make_mut(&mut root);
        let rising = if right { &mut down.left } else { &mut down.right };
        let Some(mut top) = rising.0.take() else {
            self.0 = Some(root);
            return;
        };
        let up = Arc::make_mut(&mut top);
        let inner = if right { &mut up.right } else { &mut up.left };
        *rising = std::mem::take(inner);
        down.len = down.left.len() + down.right.len() + 1;
        *inner = Self(Some(root));
        up.len = up.left.len() + up.right.len() + 1;
        self.0 = Some(top);
    }
}

impl<K, V> Node<K, V> {
    /// The left and the right side, or the other way round.
    const fn sides(&self, swapped: bool) -> (&Tree<K, V>, &Tree<K, V>) {
        if swapped { (&self.right, &self.left) } else { (&self.left, &self.right) }
    }
}

/// Entries in order, or in the opposite order.
pub(crate) struct Iter<'a, K, V> {
    /// The nodes that are still to come, the nearest last; between two of them comes what is beyond the nearer one.
    path: Vec<&'a Node<K, V>>,
    down: bool,
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        let node = self.path.pop()?;
        let mut next = node.sides(self.down).1.0.as_deref();
        while let Some(beyond) = next {
            self.path.push(beyond);
            next = beyond.sides(self.down).0.0.as_deref();
        }
        Some((&node.key, &node.value))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::rng::Random;

    /// The sizes and the balance of every node; gives the number of entries and the height.
    fn checked(tree: &Tree<u64, u64>) -> (usize, usize) {
        let Some(node) = &tree.0 else { return (0, 0) };
        let ((left, left_height), (right, right_height)) = (checked(&node.left), checked(&node.right));
        assert_eq!(node.len, left + right + 1);
        assert!(left + right <= 1 || (left <= DELTA * right && right <= DELTA * left), "{left} beside {right}");
        (node.len, left_height.max(right_height) + 1)
    }

    #[test]
    fn it_is_a_map_that_knows_ranks_and_whose_clones_are_independent() {
        let mut random = Random::new(1);
        let (mut tree, mut map) = (Tree::default(), BTreeMap::new());
        let mut snapshots = Vec::new();
        for round in 0..4000 {
            let key = random.next() % 500;
            // Phases of growth and of decline.
            if random.next() % 8 < if round / 500 % 2 == 0 { 6 } else { 2 } {
                assert_eq!(tree.insert(key, round), map.insert(key, round));
            } else {
                assert_eq!(tree.remove(&key), map.remove(&key));
            }
            assert_eq!(tree.get(&key), map.get(&key));
            if round % 100 == 0 {
                snapshots.push((tree.clone(), map.clone()));
                checked(&tree);
            }
        }
        assert!(snapshots.iter().any(|(tree, _)| tree.len() > 250));
        for (tree, map) in snapshots {
            let entries: Vec<(&u64, &u64)> = map.iter().collect();
            assert_eq!(checked(&tree).0, map.len());
            assert!(tree.iter().eq(entries.iter().copied()));
            for (rank, entry) in entries.iter().enumerate() {
                assert_eq!(tree.nth(rank), Some(*entry));
                assert_eq!(tree.partition_point(|key| key < entry.0), rank);
                assert!(tree.iter_from(rank).eq(entries[rank..].iter().copied()));
                assert!(tree.iter_down_from(rank).eq(entries[..=rank].iter().rev().copied()));
            }
            assert_eq!(tree.nth(map.len()), None);
            assert_eq!(tree.iter_from(map.len()).count(), 0);
            assert_eq!(tree.iter_down_from(usize::MAX).count(), map.len());
        }
    }

    #[test]
    fn it_stays_low_when_keys_come_in_order() {
        let up: Tree<u64, u64> = (0..10_000).map(|key| (key, key)).collect();
        let down: Tree<u64, u64> = (0..10_000).rev().map(|key| (key, key)).collect();
        assert!(up == down);
        for tree in [&up, &down] {
            let (len, height) = checked(tree);
            assert_eq!(len, 10_000);
            assert!(height <= 25, "{height} levels");
        }
    }
}

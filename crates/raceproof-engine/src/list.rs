//! Lists: elements, and what they take when packed.

use std::{
    collections::VecDeque,
    ops::{Deref, Range},
};

use bytes::Bytes;

use crate::stream::text_size;

/// One list. Reading is that of a [`VecDeque`]; whatever changes it keeps the size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct List {
    elements: VecDeque<Bytes>,
    /// The bytes of the elements in listpacks.
    packed: usize,
}

impl List {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The bytes of the elements in listpacks.
    pub(crate) const fn packed(&self) -> usize {
        self.packed
    }

    pub(crate) fn push_front(&mut self, element: Bytes) {
        self.packed += text_size(&element);
        self.elements.push_front(element);
    }

    pub(crate) fn push_back(&mut self, element: Bytes) {
        self.packed += text_size(&element);
        self.elements.push_back(element);
    }

    pub(crate) fn pop_front(&mut self) -> Option<Bytes> {
        self.elements.pop_front().inspect(|element| self.packed -= text_size(element))
    }

    pub(crate) fn pop_back(&mut self) -> Option<Bytes> {
        self.elements.pop_back().inspect(|element| self.packed -= text_size(element))
    }

    pub(crate) fn insert(&mut self, at: usize, element: Bytes) {
        self.packed += text_size(&element);
        self.elements.insert(at, element);
    }

    /// Replaces an element that is there.
    pub(crate) fn set(&mut self, at: usize, element: Bytes) {
        if let Some(old) = self.elements.get_mut(at) {
            self.packed = self.packed + text_size(&element) - text_size(old);
            *old = element;
        }
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Bytes) -> bool) {
        let packed = &mut self.packed;
        self.elements.retain(|element| {
            let kept = keep(element);
            if !kept {
                *packed -= text_size(element);
            }
            kept
        });
    }

    /// Removes all elements but those of a range. Takes as long as there are elements to remove.
    pub(crate) fn keep(&mut self, kept: Range<usize>) {
        let gone: usize =
            self.elements.range(kept.end..).chain(self.elements.range(..kept.start)).map(|e| text_size(e)).sum();
        self.packed -= gone;
        self.elements.truncate(kept.end);
        self.elements.drain(..kept.start);
    }
}

impl Deref for List {
    type Target = VecDeque<Bytes>;

    fn deref(&self) -> &VecDeque<Bytes> {
        &self.elements
    }
}

impl Extend<Bytes> for List {
    fn extend<I: IntoIterator<Item = Bytes>>(&mut self, elements: I) {
        elements.into_iter().for_each(|element| self.push_back(element));
    }
}

impl FromIterator<Bytes> for List {
    fn from_iter<I: IntoIterator<Item = Bytes>>(elements: I) -> Self {
        let mut list = Self::new();
        list.extend(elements);
        list
    }
}

//! The bytes of a stored string.

use std::{
    hash::{Hash, Hasher},
    ops::{Deref, RangeInclusive},
    sync::Arc,
};

use bytes::{Bytes, BytesMut};

/// The longest string that is kept in one piece with its count of holders.
///
/// [`Bytes`] takes 32 bytes and, once it is shared, an allocation more, which a database of short strings pays for every
/// one. Up to this length copying what is read is cheaper than that.
const PACKED: usize = 1024;

/// The bytes of a stored string, shared with snapshots: 16 bytes, and 16 in front of what they refer to.
#[derive(Clone, Debug)]
pub(crate) struct Blob(Held);

#[derive(Clone, Debug)]
enum Held {
    Packed(Arc<[u8]>),
    /// Replies and effects share long ones.
    Long(Arc<Bytes>),
}

impl Blob {
    /// A short string.
    pub(crate) fn packed(bytes: &[u8]) -> Self {
        debug_assert!(bytes.len() <= PACKED, "longer ones are shared with replies");
        Self(Held::Packed(Arc::from(bytes)))
    }

    /// The bytes as replies hold them.
    pub(crate) fn to_bytes(&self) -> Bytes {
        match &self.0 {
            Held::Packed(bytes) => Bytes::copy_from_slice(bytes),
            Held::Long(bytes) => Bytes::clone(bytes),
        }
    }

    /// A part of the bytes as replies hold it.
    pub(crate) fn slice(&self, range: RangeInclusive<usize>) -> Bytes {
        match &self.0 {
            Held::Packed(bytes) => Bytes::copy_from_slice(&bytes[range]),
            Held::Long(bytes) => bytes.slice(range),
        }
    }

    /// The bytes to be edited. Only what a snapshot or a reply holds as well, or what is short, is copied.
    pub(crate) fn into_mut(self) -> BytesMut {
        match self.0 {
            Held::Packed(bytes) => BytesMut::from(&bytes[..]),
            Held::Long(bytes) => {
                let bytes = Arc::unwrap_or_clone(bytes);
                bytes.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]))
            }
        }
    }
}

impl From<&Bytes> for Blob {
    fn from(bytes: &Bytes) -> Self {
        Self(if bytes.len() <= PACKED {
            Held::Packed(Arc::from(&bytes[..]))
        } else {
            Held::Long(Arc::new(bytes.clone()))
        })
    }
}

impl From<Bytes> for Blob {
    fn from(bytes: Bytes) -> Self {
        if bytes.len() <= PACKED { Self::from(&bytes) } else { Self(Held::Long(Arc::new(bytes))) }
    }
}

impl Default for Blob {
    fn default() -> Self {
        Self(Held::Packed(Arc::default()))
    }
}

impl Deref for Blob {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Held::Packed(bytes) => bytes,
            Held::Long(bytes) => bytes,
        }
    }
}

impl PartialEq for Blob {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Blob {}

impl Hash for Blob {
    fn hash<H: Hasher>(&self, to: &mut H) {
        (**self).hash(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_no_more_than_a_slice_and_gives_back_its_bytes() {
        assert_eq!(size_of::<Blob>(), 16);
        for len in [0, 1, PACKED, PACKED + 1] {
            let bytes = Bytes::from(vec![7; len]);
            let blob = Blob::from(bytes.clone());
            assert_eq!(blob.to_bytes(), bytes);
            assert_eq!(blob, Blob::from(&bytes));
            if len > 0 {
                assert_eq!(blob.slice(0..=len - 1), bytes);
            }
            let snapshot = blob.clone();
            let mut edited = blob.into_mut();
            edited.extend_from_slice(b"more");
            assert_eq!(snapshot.to_bytes(), bytes);
            assert_eq!(edited.len(), len + 4);
        }
    }
}

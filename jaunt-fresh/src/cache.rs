//! The cache itself: what it is about, and what belongs to it.

use jaunt_digest::Digest;
use jaunt_write::{Stamp, Time};

use crate::format::Tables;
use crate::registry::RegistryState;

/// A cache of "every module of one kind is fresh", and of the files it was computed from.
///
/// While every file is what it was, the verdict holds. The bytes are read in place; those that are
/// damaged, cut off or of another version are no cache.
#[derive(Clone, PartialEq, Eq)]
pub struct FreshCache {
    pub(crate) tables: Tables,
}

impl FreshCache {
    /// Takes bytes that [`as_bytes`](Self::as_bytes) returned; `None` if they are anything else.
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        Tables::from_bytes(bytes).map(|tables| Self { tables })
    }

    /// Returns the bytes, to be stored.
    pub fn as_bytes(&self) -> &[u8] {
        self.tables.as_bytes()
    }

    /// Returns the modules that were fresh, in order of name.
    pub fn modules(&self) -> impl ExactSizeIterator<Item = &str> {
        self.tables.modules()
    }

    /// Checks whether the verdict was reached with this key.
    pub fn has_key(&self, key: &Digest) -> bool {
        self.tables.key() == key.as_bytes()
    }

    /// Checks whether the verdict was reached with this registry document.
    pub fn is_about(&self, registry: &RegistryState) -> bool {
        self.tables.registry_digest() == registry.digest.as_bytes()
    }

    /// Checks whether the verdict was reached with the registry document in a file with this stamp,
    /// without reading it.
    pub fn is_about_file(&self, stamp: Stamp) -> bool {
        stamp.matches(self.tables.registry_stamp())
    }

    /// Records the stamp of the file that has the document which the verdict was reached with, so
    /// that [`is_about_file`](Self::is_about_file) knows it; returns whether that changed anything.
    ///
    /// `taken` is a time before the stamp was taken.
    pub fn set_registry_file(&mut self, registry: &RegistryState, taken: Time) -> bool {
        let stamp = registry.stamp.settled_before(taken);
        if stamp == Stamp::NONE || !self.is_about(registry) {
            return false;
        }
        self.tables.set_registry_stamp(stamp);
        true
    }

    /// Binds the text of a [`ProjectIndex`](crate::ProjectIndex) to this cache.
    pub fn bind(&mut self, index: &str) {
        self.tables.set_index_digest(&Digest::of(index));
    }

    /// Checks whether this text of an index was bound to this cache.
    pub fn is_bound_to(&self, index: &str) -> bool {
        self.tables.index_digest() == Digest::of(index).as_bytes()
    }
}

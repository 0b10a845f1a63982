//! Positions of refs, found by their text.

use std::hash::{DefaultHasher, Hasher as _};

use hashbrown::HashTable;

use crate::name::SpecRef;

/// The position of each ref in a list of refs.
///
/// The list is sorted, but a binary search among texts with long common prefixes misses the cache
/// at every step.
#[derive(Default)]
pub(super) struct RefIndex(HashTable<u32>);

impl RefIndex {
    /// Indexes refs, which must be distinct.
    pub(super) fn new(refs: &[SpecRef]) -> Self {
        let hash_at = |idx: &u32| hash(refs[*idx as usize].as_str());
        let mut table = HashTable::with_capacity(refs.len());
        for idx in 0..to_u32(refs.len()) {
            table.insert_unique(hash_at(&idx), idx, hash_at);
        }
        Self(table)
    }

    /// Returns the position of a text among the refs that were indexed.
    pub(super) fn find(&self, text: &str, refs: &[SpecRef]) -> Option<usize> {
        let is_text = |idx: &u32| refs[*idx as usize].as_str() == text;
        self.0.find(hash(text), is_text).map(|idx| *idx as usize)
    }
}

/// Hashes a text, in every process the same.
fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// Converts the index of a spec.
///
/// # Panics
///
/// If it exceeds 32 bits: no memory holds the document of so many specs.
pub(super) fn to_u32(idx: usize) -> u32 {
    u32::try_from(idx).expect("fewer than four billion specs")
}

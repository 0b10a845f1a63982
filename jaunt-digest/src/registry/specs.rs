//! The specs of a registry: what they are, by ref and by index.

use std::fmt::{self, Debug};
use std::hash::{DefaultHasher, Hasher as _};
use std::ops::Index;
use std::sync::Arc;

use super::SpecEntry;
use crate::name::SpecRef;

/// The specs of a registry, in the order of their refs. A clone is cheap.
///
/// # Indices
///
/// Each spec has an index, `0..len()` in that order, for those who keep something for every spec
/// in a vector. Methods that end in `_at` speak of indices; they panic if one is not less than
/// [`len`](Self::len).
#[derive(Clone, Default, PartialEq)]
pub struct Specs(Arc<Inner>);

#[derive(Clone, Default)]
struct Inner {
    /// Sorted, without duplicates.
    refs: Vec<SpecRef>,
    entries: Vec<SpecEntry>,
    /// The indices of each entry's dependencies, in the same order.
    deps: Vec<Box<[Option<u32>]>>,
    places: Places,
}

impl Specs {
    /// Takes refs, sorted and without duplicates, and an entry for each, with its dependencies,
    /// sorted and without duplicates.
    pub(super) fn new(
        refs: Vec<SpecRef>,
        places: Places,
        entries: Vec<SpecEntry>,
        deps: Vec<Box<[Option<u32>]>>,
    ) -> Self {
        Self(Arc::new(Inner { refs, entries, deps, places }))
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.0.refs.len()
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.refs.is_empty()
    }

    /// Returns the entry of a spec, where it is registered.
    pub fn get(&self, spec: &(impl AsRef<str> + ?Sized)) -> Option<&SpecEntry> {
        self.index_of(spec).map(|idx| &self.0.entries[idx])
    }

    /// Returns the index of a spec, where it is registered.
    pub fn index_of(&self, spec: &(impl AsRef<str> + ?Sized)) -> Option<usize> {
        self.0.places.find(spec.as_ref(), &self.0.refs)
    }

    /// Returns the ref at an index.
    pub fn ref_at(&self, idx: usize) -> &SpecRef {
        &self.0.refs[idx]
    }

    /// Returns the entry at an index.
    pub fn entry_at(&self, idx: usize) -> &SpecEntry {
        &self.0.entries[idx]
    }

    /// Returns the indices of the dependencies of the spec at an index, in the order of its
    /// `dependencies`; `None` for what is not registered.
    pub fn deps_at(&self, idx: usize) -> impl ExactSizeIterator<Item = Option<usize>> {
        self.0.deps[idx].iter().map(|dep| dep.map(|dep| dep as usize))
    }

    /// Returns the refs, sorted.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &SpecRef> + DoubleEndedIterator {
        self.0.refs.iter()
    }

    /// Returns the entries, in the order of their refs.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &SpecEntry> + DoubleEndedIterator {
        self.0.entries.iter()
    }

    /// Returns the entries alone, in the order of their refs.
    pub fn into_values(self) -> impl ExactSizeIterator<Item = SpecEntry> {
        Arc::unwrap_or_clone(self.0).entries.into_iter()
    }

    /// Returns every ref with its entry, in order.
    pub fn iter(
        &self,
    ) -> impl ExactSizeIterator<Item = (&SpecRef, &SpecEntry)> + DoubleEndedIterator {
        self.0.refs.iter().zip(&self.0.entries)
    }
}

/// Of two entries with one ref, the later one holds.
impl FromIterator<(SpecRef, SpecEntry)> for Specs {
    fn from_iter<I: IntoIterator<Item = (SpecRef, SpecEntry)>>(specs: I) -> Self {
        let specs: std::collections::BTreeMap<SpecRef, SpecEntry> = specs.into_iter().collect();
        let (refs, entries): (Vec<SpecRef>, Vec<SpecEntry>) = specs.into_iter().unzip();
        let places = Places::of(&refs);
        let number = |dep: &SpecRef| places.find(dep.as_str(), &refs).map(narrow);
        let deps = entries.iter().map(|entry| entry.dependencies.iter().map(number).collect());
        let deps = deps.collect();
        Self::new(refs, places, entries, deps)
    }
}

/// Panics where the spec is not registered.
impl<Q: AsRef<str> + ?Sized> Index<&Q> for Specs {
    type Output = SpecEntry;

    fn index(&self, spec: &Q) -> &SpecEntry {
        self.get(spec).expect("the spec is registered")
    }
}

impl Debug for Specs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

// All else follows from these two.
impl PartialEq for Inner {
    fn eq(&self, other: &Self) -> bool {
        self.refs == other.refs && self.entries == other.entries
    }
}

/// Where each ref is in a list of refs: a table with open addresses.
///
/// A search among sorted texts with long common beginnings misses the cache at every step.
#[derive(Clone, Default)]
pub(super) struct Places {
    /// A part of the hash, and the index plus one; nought where nothing is. Their number is a power
    /// of two.
    slots: Vec<(u32, u32)>,
}

impl Places {
    /// Notes where each of these is, which must be distinct.
    pub(super) fn of(refs: &[SpecRef]) -> Self {
        let mut slots = vec![(0, 0); (refs.len() * 2).next_power_of_two().max(2)];
        for (idx, spec) in refs.iter().enumerate() {
            let hash = hash(spec.as_str());
            let mut at = hash as usize & (slots.len() - 1);
            while slots[at].1 != 0 {
                at = (at + 1) & (slots.len() - 1);
            }
            slots[at] = ((hash >> 32) as u32, narrow(idx) + 1);
        }
        Self { slots }
    }

    /// Finds a text among the refs that this was made of.
    pub(super) fn find(&self, text: &str, refs: &[SpecRef]) -> Option<usize> {
        if refs.is_empty() {
            return None;
        }
        let hash = hash(text);
        let mut at = hash as usize & (self.slots.len() - 1);
        loop {
            let (part, number) = self.slots[at];
            let idx = (number as usize).checked_sub(1)?;
            if part == (hash >> 32) as u32 && refs[idx].as_str() == text {
                return Some(idx);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }
}

fn hash(text: &str) -> u64 {
    // Always the same, unlike that of a `HashMap`.
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// A document with so many specs does not fit into any memory.
pub(super) fn narrow(idx: usize) -> u32 {
    u32::try_from(idx).expect("fewer than four billion specs")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kwargs::Kwargs;
    use crate::name::Kind;

    fn specs(names: &[&str]) -> Specs {
        let entry = |name: &&str| {
            let entry = SpecEntry {
                kind: Kind::Build,
                source_file: Arc::from(camino::Utf8Path::new("m.py")),
                kwargs: Kwargs::of_document(None, Some((*name).into())).unwrap(),
                dependencies: vec!["m:f0".parse().unwrap(), "m:other".parse().unwrap()],
                class_name: None,
            };
            (name.parse().unwrap(), entry)
        };
        names.iter().map(entry).collect()
    }

    #[test]
    fn each_spec_is_found_at_its_place() {
        let names: Vec<String> = (0..1000).map(|idx| format!("m:f{idx}")).collect();
        let names: Vec<&str> = names.iter().rev().map(String::as_str).collect();
        let specs = specs(&names);
        assert_eq!(specs.len(), 1000);
        assert!(specs.keys().is_sorted());
        for name in names {
            let idx = specs.index_of(name).unwrap();
            assert_eq!(specs.ref_at(idx).as_str(), name);
            assert_eq!(specs[name].kwargs.text(), name);
            let deps: Vec<Option<usize>> = specs.deps_at(idx).collect();
            assert_eq!(deps, [specs.index_of("m:f0"), None]);
        }
        assert_eq!(specs.get("m:f1000"), None);
        assert_eq!(Specs::default().get("m:f0"), None);
    }

    #[test]
    fn of_two_entries_the_later_holds() {
        assert_eq!(specs(&["m:f", "m:g", "m:f"]), specs(&["m:g", "m:f"]));
        assert_ne!(specs(&["m:f"]), specs(&["m:g"]));
    }
}

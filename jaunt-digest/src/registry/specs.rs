//! The specs of a registry, by ref and by index.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::ops::Index;
use std::sync::Arc;

use super::entry::SpecEntry;
use super::index::{RefIndex, to_u32};
use crate::name::SpecRef;

/// The specs of a registry, in the order of their refs. A clone is cheap.
///
/// # Indices
///
/// Each spec has an index, `0..len()` in that order, so that a vector can hold something for every
/// spec. Methods that end in `_at` take an index; they panic if it is not less than
/// [`len`](Self::len).
#[derive(Clone, Default, PartialEq)]
pub struct Specs(Arc<Inner>);

/// What all clones share.
#[derive(Default)]
struct Inner {
    /// Sorted, without duplicates.
    refs: Vec<SpecRef>,
    /// In the order of the refs.
    entries: Vec<SpecEntry>,
    /// The indices of each entry's dependencies, in the same order; `None` if not registered.
    dependencies: Vec<Box<[Option<u32>]>>,
    index: RefIndex,
}

impl Specs {
    /// Combines refs, sorted and without duplicates, their index, and for each ref its entry and the
    /// indices of the entry's dependencies.
    pub(super) fn new(
        refs: Vec<SpecRef>,
        index: RefIndex,
        entries: Vec<SpecEntry>,
        dependencies: Vec<Box<[Option<u32>]>>,
    ) -> Self {
        Self(Arc::new(Inner { refs, entries, dependencies, index }))
    }

    /// Returns the number of specs.
    pub fn len(&self) -> usize {
        self.0.refs.len()
    }

    /// Checks whether there are no specs.
    pub fn is_empty(&self) -> bool {
        self.0.refs.is_empty()
    }

    /// Returns the entry of a spec, or `None` if it is not registered.
    pub fn get(&self, spec: &(impl AsRef<str> + ?Sized)) -> Option<&SpecEntry> {
        self.index_of(spec).map(|idx| &self.0.entries[idx])
    }

    /// Returns the index of a spec, or `None` if it is not registered.
    pub fn index_of(&self, spec: &(impl AsRef<str> + ?Sized)) -> Option<usize> {
        self.0.index.find(spec.as_ref(), &self.0.refs)
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
    /// `dependencies`. A dependency that is not registered gives `None`.
    pub fn dependencies_at(&self, idx: usize) -> impl ExactSizeIterator<Item = Option<usize>> {
        self.0.dependencies[idx].iter().map(|it| it.map(|it| it as usize))
    }

    /// Returns the refs, sorted.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &SpecRef> + DoubleEndedIterator {
        self.0.refs.iter()
    }

    /// Returns the entries, in the order of their refs.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &SpecEntry> + DoubleEndedIterator {
        self.0.entries.iter()
    }

    /// Returns every ref with its entry, in order.
    pub fn iter(
        &self,
    ) -> impl ExactSizeIterator<Item = (&SpecRef, &SpecEntry)> + DoubleEndedIterator {
        self.0.refs.iter().zip(&self.0.entries)
    }
}

/// Collects specs. Of two entries with the same ref, the later one holds.
impl FromIterator<(SpecRef, SpecEntry)> for Specs {
    fn from_iter<I: IntoIterator<Item = (SpecRef, SpecEntry)>>(specs: I) -> Self {
        let specs: BTreeMap<SpecRef, SpecEntry> = specs.into_iter().collect();
        let (refs, entries): (Vec<SpecRef>, Vec<SpecEntry>) = specs.into_iter().unzip();
        let index = RefIndex::new(&refs);
        let index_of = |spec: &SpecRef| index.find(spec.as_str(), &refs).map(to_u32);
        let dependencies =
            entries.iter().map(|entry| entry.dependencies.iter().map(index_of).collect()).collect();
        Self::new(refs, index, entries, dependencies)
    }
}

/// Panics if the spec is not registered.
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

// Everything else follows from these two.
impl PartialEq for Inner {
    fn eq(&self, other: &Self) -> bool {
        self.refs == other.refs && self.entries == other.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;
    use crate::kwargs::Kwargs;

    fn specs(names: &[&str]) -> Specs {
        let entry = |name: &&str| {
            let entry = SpecEntry {
                kind: Kind::Build,
                source_file: Arc::from(camino::Utf8Path::new("m.py")),
                kwargs: Kwargs::of_document(None, Some((*name).into())).unwrap(),
                dependencies: vec!["m:f0".parse().unwrap(), "m:other".parse().unwrap()],
            };
            (name.parse().unwrap(), entry)
        };
        names.iter().map(entry).collect()
    }

    #[test]
    fn each_spec_is_found_at_its_index() {
        let names: Vec<String> = (0..1000).map(|idx| format!("m:f{idx}")).collect();
        let names: Vec<&str> = names.iter().rev().map(String::as_str).collect();
        let specs = specs(&names);
        assert_eq!(specs.len(), 1000);
        assert!(specs.keys().is_sorted());
        for name in names {
            let idx = specs.index_of(name).unwrap();
            assert_eq!(specs.ref_at(idx).as_str(), name);
            assert_eq!(specs[name].kwargs.text(), name);
            let dependencies: Vec<Option<usize>> = specs.dependencies_at(idx).collect();
            assert_eq!(dependencies, [specs.index_of("m:f0"), None]);
        }
        assert_eq!(specs.get("m:f1000"), None);
        assert_eq!(Specs::default().get("m:f0"), None);
    }

    #[test]
    fn the_later_of_two_entries_holds() {
        assert_eq!(specs(&["m:f", "m:g", "m:f"]), specs(&["m:g", "m:f"]));
        assert_ne!(specs(&["m:f"]), specs(&["m:g"]));
    }
}

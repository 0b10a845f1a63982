//! Specs that were read in chunks become one sorted list with resolved dependencies.

use super::entry::SpecEntry;
use super::index::{RefIndex, to_u32};
use super::specs::Specs;
use crate::json::Str;
use crate::name::SpecRef;
use crate::parallel::{Parallelism, run_all};

/// The length of a typical spec in a document, in bytes.
const TYPICAL_LEN: usize = 256;

/// Consecutive specs of the document. The three lists have the same length and order.
#[derive(Default)]
pub(super) struct Chunk<'a> {
    pub(super) refs: Vec<SpecRef>,
    pub(super) entries: Vec<SpecEntry>,
    /// The dependencies of each entry, not resolved yet.
    pub(super) dependencies: Vec<Vec<Str<'a>>>,
}

impl Chunk<'_> {
    /// Makes room for more specs.
    pub(super) fn reserve(&mut self, n_more: usize) {
        self.refs.reserve(n_more);
        self.entries.reserve(n_more);
        self.dependencies.reserve(n_more);
    }

    /// Sorts the specs by ref.
    pub(super) fn sorted(self) -> Self {
        if self.refs.is_sorted() {
            return self;
        }
        let order = sorted_order(&self.refs);
        Self {
            refs: permute(self.refs, &order),
            entries: permute(self.entries, &order),
            dependencies: permute(self.dependencies, &order),
        }
    }
}

/// Merges chunks, each of them sorted, and resolves all dependencies.
///
/// Returns `None` if two specs have the same ref, or a dependency is not registered.
pub(super) fn merge(
    chunks: Vec<Chunk<'_>>,
    parallelism: &dyn Parallelism,
    min_job_len: usize,
) -> Option<Specs> {
    let mut all = Chunk::default();
    for chunk in chunks {
        if all.refs.is_empty() {
            all = chunk;
        } else {
            all.refs.extend(chunk.refs);
            all.entries.extend(chunk.entries);
            all.dependencies.extend(chunk.dependencies);
        }
    }
    // Sorting sorted runs is a merge.
    let Chunk { refs, mut entries, dependencies } = all.sorted();
    if refs.array_windows().any(|[left, right]| left == right) {
        return None;
    }
    let index = RefIndex::new(&refs);
    let share =
        refs.len().div_ceil(parallelism.width().get()).max(min_job_len / TYPICAL_LEN).max(1);
    let shares = entries.chunks_mut(share).zip(dependencies.chunks(share));
    let jobs = shares.map(|(entries, texts)| {
        let (refs, index) = (&refs, &index);
        move || -> Option<Vec<Box<[Option<u32>]>>> {
            let both = entries.iter_mut().zip(texts);
            both.map(|(entry, texts)| resolve(entry, texts, refs, index)).collect()
        }
    });
    let resolved: Option<Vec<_>> = run_all(parallelism, jobs.collect()).into_iter().collect();
    let dependencies = resolved?.into_iter().flatten().collect();
    Some(Specs::new(refs, index, entries, dependencies))
}

/// Resolves the dependencies of one spec, and returns their indices.
fn resolve(
    entry: &mut SpecEntry,
    texts: &[Str<'_>],
    refs: &[SpecRef],
    index: &RefIndex,
) -> Option<Box<[Option<u32>]>> {
    let found: Option<Vec<usize>> = texts.iter().map(|Str(text)| index.find(text, refs)).collect();
    let mut found = found?;
    found.sort_unstable();
    found.dedup();
    entry.dependencies = found.iter().map(|idx| refs[*idx].clone()).collect();
    Some(found.into_iter().map(|idx| Some(to_u32(idx))).collect())
}

/// Returns the indices of refs in the order of the refs.
fn sorted_order(refs: &[SpecRef]) -> Vec<usize> {
    // The common prefix decides nothing, and the eight bytes after it nearly everything.
    let first = refs.first().map_or("", SpecRef::as_str).as_bytes();
    let common_with = |spec: &SpecRef| {
        let both = first.iter().zip(spec.as_str().as_bytes());
        both.take_while(|(left, right)| left == right).count()
    };
    let common = refs.iter().map(common_with).min().unwrap_or(0);
    let key = |spec: &SpecRef| {
        let mut bytes = [0; 8];
        let rest = &spec.as_str().as_bytes()[common..];
        let len = rest.len().min(8);
        bytes[..len].copy_from_slice(&rest[..len]);
        u64::from_be_bytes(bytes)
    };
    let mut keyed: Vec<(u64, &str, usize)> =
        refs.iter().enumerate().map(|(idx, spec)| (key(spec), spec.as_str(), idx)).collect();
    keyed.sort();
    keyed.into_iter().map(|(_, _, idx)| idx).collect()
}

/// Returns the items in another order, given by their indices.
fn permute<T>(items: Vec<T>, order: &[usize]) -> Vec<T> {
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    let items = order.iter().map(|idx| items[*idx].take());
    items.map(|item| item.expect("an order has every index once")).collect()
}

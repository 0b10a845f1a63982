//! The way of nearly every document: through it once, on all cores, straight to the types.
//!
//! What is not a plain and faultless document is left to the reader in `read`, which takes its time and
//! knows what to say.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::thread;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::read::{self, dir_of};
use super::specs::{Places, Specs, narrow};
use super::{Registry, SpecEntry};
use crate::json::{self, Str, Walk};
use crate::kwargs::Kwargs;
use crate::name::{Kind, SpecRef};

/// Among how many a document is shared.
#[derive(Clone, Copy)]
pub(super) struct Crew {
    pub(super) threads: usize,
    /// The least share of one thread, in bytes.
    pub(super) share: usize,
}

/// Reads a document; `None` where there is anything to say about it, or anything unusual in it.
pub(super) fn document(text: &str, crew: Crew) -> Option<Registry> {
    let mut walk = Walk { text, at: 0 };
    let mut keys = BTreeSet::new();
    let mut list = None;
    let mut fields = Vec::new();
    walk.take(b'{')?;
    loop {
        let Str(key) = walk.value()?;
        walk.take(b':')?;
        if key == "specs" {
            walk.take(b'[')?;
            list = Some(specs(&mut walk, crew)?);
        } else {
            fields.push((key.clone(), walk.value::<&RawValue>()?));
        }
        if !keys.insert(key) {
            return None;
        }
        if walk.take(b',').is_none() {
            break;
        }
    }
    walk.take(b'}')?;
    walk.skip_blanks();
    if walk.at < text.len() {
        return None;
    }
    let specs = join(list?, crew)?;
    read::with_specs(fields, specs).ok()
}

/// The fields of a spec. The types ask for no more than the other reader does.
#[derive(Deserialize)]
struct SpecFields<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    spec_ref: Cow<'a, str>,
    #[serde(borrow)]
    module: Cow<'a, str>,
    #[serde(borrow)]
    qualname: Cow<'a, str>,
    #[serde(borrow)]
    source_file: Cow<'a, str>,
    #[serde(borrow, default)]
    decorator_kwargs: Option<&'a RawValue>,
    #[serde(borrow, default)]
    decorator_kwargs_json: Option<Str<'a>>,
    #[serde(borrow, default)]
    dependencies: Option<Vec<Str<'a>>>,
    #[serde(borrow, default)]
    class_name: Option<Str<'a>>,
}

/// Specs as they follow one another in a part of the list.
#[derive(Default)]
struct Part<'a> {
    refs: Vec<SpecRef>,
    entries: Vec<SpecEntry>,
    dependencies: Vec<Vec<Str<'a>>>,
}

/// Reads the specs up to the end of the list.
///
/// Where the list goes on behind a place in the middle of the text can only be guessed. Another thread
/// reads on from there, and it counts if those before it arrive at that very place.
fn specs<'a>(walk: &mut Walk<'a>, crew: Crew) -> Option<Vec<Part<'a>>> {
    if walk.peek()? == b']' {
        walk.at += 1;
        return Some(Vec::new());
    }
    let text = walk.text;
    let rest = text.len() - walk.at;
    let shares = crew.threads.min(rest / crew.share).max(1);
    let mut starts: Vec<usize> =
        (1..shares).filter_map(|idx| guess(text, walk.at + rest / shares * idx)).collect();
    starts.dedup();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([usize::MAX]).collect();
    thread::scope(|scope| {
        let workers: Vec<_> = starts
            .iter()
            .zip(ends)
            .map(|(&start, end)| {
                let read = move || part(&mut Walk { text, at: start }, end);
                (start, end, scope.spawn(read))
            })
            .collect();
        let first_end = starts.first().copied().unwrap_or(usize::MAX);
        let (first, mut end) = part(walk, first_end)?;
        let mut parts = vec![first];
        for (start, until, worker) in workers {
            let guessed = joined(worker);
            match end {
                End::OfList(_) => break,
                End::Before(at) => {
                    let (part, its_end) = match guessed.filter(|_| at == start) {
                        Some(guessed) => guessed,
                        None => part(&mut Walk { text, at }, until)?,
                    };
                    parts.push(part);
                    end = its_end;
                }
            }
        }
        match end {
            End::OfList(at) => walk.at = at,
            End::Before(_) => return None,
        }
        Some(parts)
    })
}

/// A place not before `at` where another object of a list may begin.
fn guess(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut walk = Walk { text, at };
    while let Some(found) = bytes.get(walk.at..)?.iter().position(|byte| *byte == b'}') {
        walk.at += found + 1;
        if walk.take(b',').is_some() && walk.peek() == Some(b'{') {
            return Some(walk.at);
        }
    }
    None
}

/// Where reading stopped.
enum End {
    /// Behind the list.
    OfList(usize),
    /// In front of an object of it.
    Before(usize),
}

/// Reads specs up to the end of the list, or to the first that begins at `until` or later.
fn part<'a>(walk: &mut Walk<'a>, until: usize) -> Option<(Part<'a>, End)> {
    let mut part = Part::default();
    loop {
        walk.skip_blanks();
        if walk.at >= until {
            return Some((part.sorted(), End::Before(walk.at)));
        }
        // A list would do for the fields, too.
        if walk.peek()? != b'{' {
            return None;
        }
        let before = walk.at;
        let fields = walk.value::<SpecFields<'a>>()?;
        part.push(fields)?;
        if part.refs.len() == 1 {
            // The others are probably as long.
            let left = until.min(walk.text.len()).saturating_sub(walk.at);
            let n_more = left / (walk.at - before);
            part.reserve(n_more + n_more / 8);
        }
        match walk.peek()? {
            b',' => walk.at += 1,
            b']' => {
                walk.at += 1;
                return Some((part.sorted(), End::OfList(walk.at)));
            }
            _ => return None,
        }
    }
}

impl<'a> Part<'a> {
    /// The same specs in the order of their refs.
    fn sorted(self) -> Self {
        if self.refs.is_sorted() {
            return self;
        }
        let order = order(&self.refs);
        Self {
            refs: arranged(self.refs, &order),
            entries: arranged(self.entries, &order),
            dependencies: arranged(self.dependencies, &order),
        }
    }

    fn reserve(&mut self, n_more: usize) {
        self.refs.reserve(n_more);
        self.entries.reserve(n_more);
        self.dependencies.reserve(n_more);
    }

    fn push(&mut self, fields: SpecFields<'a>) -> Option<()> {
        let last = self.refs.last().map(SpecRef::module);
        let spec = SpecRef::parse_beside(&fields.spec_ref, last)?;
        if fields.module != spec.module().as_str() || fields.qualname != spec.qualname() {
            return None;
        }
        let kind = [Kind::Build, Kind::Test]
            .into_iter()
            .find(|kind| kind.registry_str() == fields.kind)?;
        let source_file = match self.entries.last() {
            Some(last) if *last.source_file == *fields.source_file => last.source_file.clone(),
            _ => dir_of(&fields.source_file).filter(|path| *path != "")?.into(),
        };
        let object = fields.decorator_kwargs;
        let exact_text = fields.decorator_kwargs_json;
        // The arguments may come as the text alone.
        let alone = if object.is_none() { exact_text.as_ref() } else { None };
        if alone.is_some_and(|Str(text)| text != "{}")
            || object.is_some_and(|raw| !raw.get().starts_with('{') || json::is_too_deep(raw))
        {
            return None;
        }
        let kwargs = Kwargs::of_document(object, exact_text.map(|Str(text)| text)).ok()?;
        self.refs.push(spec);
        self.entries.push(SpecEntry {
            kind,
            source_file,
            kwargs,
            dependencies: Vec::new(),
            class_name: fields.class_name.map(|it| it.0.into_owned()),
        });
        self.dependencies.push(fields.dependencies.unwrap_or_default());
        Some(())
    }
}

/// Puts the parts in order, and finds every dependency.
fn join(parts: Vec<Part<'_>>, crew: Crew) -> Option<Specs> {
    let mut all = Part::default();
    for part in parts {
        if all.refs.is_empty() {
            all = part;
        } else {
            all.refs.extend(part.refs);
            all.entries.extend(part.entries);
            all.dependencies.extend(part.dependencies);
        }
    }
    // Each part is in order already, which makes this a merge.
    let Part { refs, mut entries, dependencies } = all.sorted();
    if refs.array_windows().any(|[left, right]| left == right) {
        return None;
    }
    let places = Places::of(&refs);
    // A spec has a few hundred bytes.
    let share = refs.len().div_ceil(crew.threads).max(crew.share / 256).max(1);
    let find_all = |(entries, texts): (&mut [SpecEntry], &[Vec<Str<'_>>])| {
        let both = entries.iter_mut().zip(texts);
        both.map(|(entry, texts)| find(entry, texts, &refs, &places)).collect::<Option<Vec<_>>>()
    };
    let deps = thread::scope(|scope| {
        let mut shares = entries.chunks_mut(share).zip(dependencies.chunks(share));
        let first = shares.next();
        let workers: Vec<_> = shares.map(|share| scope.spawn(move || find_all(share))).collect();
        let mut deps = first.map_or(Some(Vec::new()), find_all)?;
        for worker in workers {
            deps.extend(joined(worker)?);
        }
        Some(deps)
    })?;
    Some(Specs::new(refs, places, entries, deps))
}

fn joined<T>(worker: thread::ScopedJoinHandle<'_, T>) -> T {
    worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Finds the dependencies of one spec, and gives their indices.
fn find(
    entry: &mut SpecEntry,
    texts: &[Str<'_>],
    refs: &[SpecRef],
    places: &Places,
) -> Option<Box<[Option<u32>]>> {
    let found: Option<Vec<usize>> = texts.iter().map(|Str(text)| places.find(text, refs)).collect();
    let mut found = found?;
    found.sort_unstable();
    found.dedup();
    entry.dependencies = found.iter().map(|idx| refs[*idx].clone()).collect();
    Some(found.into_iter().map(|idx| Some(narrow(idx))).collect())
}

/// The indices of refs in the order of the refs.
fn order(refs: &[SpecRef]) -> Vec<usize> {
    // What all begin with decides nothing, and the eight bytes after that nearly everything.
    let first = refs.first().map_or("", SpecRef::as_str).as_bytes();
    let common = |spec: &SpecRef| {
        let both = first.iter().zip(spec.as_str().as_bytes());
        both.take_while(|(left, right)| left == right).count()
    };
    let common = refs.iter().map(common).min().unwrap_or(0);
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

/// Items in another order.
fn arranged<T>(items: Vec<T>, order: &[usize]) -> Vec<T> {
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    let items = order.iter().map(|idx| items[*idx].take());
    items.map(|item| item.expect("an order has every index once")).collect()
}

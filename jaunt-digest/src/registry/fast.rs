//! Fast path: reads a well-formed document in one parallel pass.
//!
//! Anything unusual, and any error, is left to the slow path in `read`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::entry::SpecEntry;
use super::fields::relative_path;
use super::merge::{Chunk, merge};
use super::model::Registry;
use super::read;
use crate::json::{Cursor, Str, is_too_deep};
use crate::kind::Kind;
use crate::kwargs::Kwargs;
use crate::name::SpecRef;
use crate::parallel::{Parallelism, run_all};

/// Reads a document in jobs of at least `min_job_len` bytes.
///
/// Returns `None` if the document has an error, or something that only the slow path understands.
pub(super) fn document(
    text: &str,
    parallelism: &dyn Parallelism,
    min_job_len: usize,
) -> Option<Registry> {
    let mut cursor = Cursor { text, at: 0 };
    let mut keys = BTreeSet::new();
    let mut chunks = None;
    let mut members = Vec::new();
    cursor.take(b'{')?;
    loop {
        let Str(key) = cursor.value()?;
        cursor.take(b':')?;
        if key == "specs" {
            cursor.take(b'[')?;
            chunks = Some(specs(&mut cursor, parallelism, min_job_len)?);
        } else {
            members.push((key.clone(), cursor.value::<&RawValue>()?));
        }
        if !keys.insert(key) {
            return None;
        }
        if cursor.take(b',').is_none() {
            break;
        }
    }
    cursor.take(b'}')?;
    cursor.skip_blanks();
    if cursor.at < text.len() {
        return None;
    }
    let specs = merge(chunks?, parallelism, min_job_len)?;
    read::with_specs(members, specs).ok()
}

/// The fields of a spec. The types accept no more than the slow path does.
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
}

/// Reads the specs up to the end of the list.
///
/// Each job starts where an object of the list seems to begin, which can only be guessed in the
/// middle of a text. Its chunk counts if the chunk before ends at that very position; otherwise
/// that part is read again from there.
fn specs<'a>(
    cursor: &mut Cursor<'a>,
    parallelism: &dyn Parallelism,
    min_job_len: usize,
) -> Option<Vec<Chunk<'a>>> {
    if cursor.peek()? == b']' {
        cursor.at += 1;
        return Some(Vec::new());
    }
    let Cursor { text, at: first } = *cursor;
    let rest = text.len() - first;
    let shares = parallelism.width().get().min(rest / min_job_len).max(1);
    let guesses =
        (1..shares).filter_map(|idx| next_object_boundary(text, first + rest / shares * idx));
    let mut starts: Vec<usize> = [first].into_iter().chain(guesses).collect();
    starts.dedup();
    let ends = starts.iter().skip(1).copied().chain([usize::MAX]);
    let ranges: Vec<(usize, usize)> = starts.iter().copied().zip(ends).collect();
    let jobs = ranges.iter().map(|&(at, until)| move || chunk(Cursor { text, at }, until));
    let guessed = run_all(parallelism, jobs.collect());

    let mut chunks = Vec::with_capacity(ranges.len());
    let mut at = first;
    for ((start, until), guessed) in ranges.into_iter().zip(guessed) {
        let (read, end) = if at == start { guessed? } else { chunk(Cursor { text, at }, until)? };
        chunks.push(read);
        match end {
            End::OfList(after) => {
                cursor.at = after;
                return Some(chunks);
            }
            End::Before(next) => at = next,
        }
    }
    None
}

/// Finds a position, not before `at`, where another object of a list may begin.
fn next_object_boundary(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut cursor = Cursor { text, at };
    while let Some(found) = bytes.get(cursor.at..)?.iter().position(|byte| *byte == b'}') {
        cursor.at += found + 1;
        if cursor.take(b',').is_some() && cursor.peek() == Some(b'{') {
            return Some(cursor.at);
        }
    }
    None
}

/// The position at which a chunk ends.
enum End {
    /// The chunk is the last one; the list ends here.
    OfList(usize),
    /// The next chunk begins here.
    Before(usize),
}

/// Reads specs up to the end of the list, or to the first one that begins at `until` or later.
fn chunk(mut cursor: Cursor<'_>, until: usize) -> Option<(Chunk<'_>, End)> {
    let mut chunk = Chunk::default();
    loop {
        cursor.skip_blanks();
        if cursor.at >= until {
            return Some((chunk.sorted(), End::Before(cursor.at)));
        }
        // Serde would take a list for a struct, too.
        if cursor.peek()? != b'{' {
            return None;
        }
        let before = cursor.at;
        let fields = cursor.value::<SpecFields<'_>>()?;
        push(&mut chunk, fields)?;
        if chunk.refs.len() == 1 {
            // The others are probably as long.
            let left = until.min(cursor.text.len()).saturating_sub(cursor.at);
            let n_more = left / (cursor.at - before);
            chunk.reserve(n_more + n_more / 8);
        }
        match cursor.peek()? {
            b',' => cursor.at += 1,
            b']' => return Some((chunk.sorted(), End::OfList(cursor.at + 1))),
            _ => return None,
        }
    }
}

/// Checks a spec and appends it.
fn push<'a>(chunk: &mut Chunk<'a>, fields: SpecFields<'a>) -> Option<()> {
    let last = chunk.refs.last().map(SpecRef::module);
    let spec = SpecRef::parse_sharing(&fields.spec_ref, last)?;
    if fields.module != spec.module().as_str() || fields.qualname != spec.qualname() {
        return None;
    }
    let kind = Kind::from_registry_str(&fields.kind)?;
    let source_file = match chunk.entries.last() {
        Some(last) if *last.source_file == *fields.source_file => last.source_file.clone(),
        _ => relative_path(&fields.source_file).filter(|path| *path != "")?.into(),
    };
    let object = fields.decorator_kwargs;
    let exact_text = fields.decorator_kwargs_json;
    // If there is only the text, the slow path checks how deep it is nested.
    let only_text = if object.is_none() { exact_text.as_ref() } else { None };
    if only_text.is_some_and(|Str(text)| text != "{}")
        || object.is_some_and(|raw| !raw.get().starts_with('{') || is_too_deep(raw))
    {
        return None;
    }
    let kwargs = Kwargs::of_document(object, exact_text.map(|Str(text)| text)).ok()?;
    chunk.refs.push(spec);
    chunk.entries.push(SpecEntry { kind, source_file, kwargs, dependencies: Vec::new() });
    chunk.dependencies.push(fields.dependencies.unwrap_or_default());
    Some(())
}

//! The source files of specs: which there are, and what is in them.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_digest::{Digest, Kind, Outline, Source, Specs};
use jaunt_write::{Stamp, read_file};

use crate::error::{ProjectError, SourceProblem};
use crate::index::{FileIdx, SpecIdx, Table};

/// A source file as it was when it was read.
#[derive(Debug)]
pub(super) struct SourceFile {
    pub(super) outline: Outline,
    pub(super) stamp: Stamp,
    /// `None` if the text of the outline is the content: few ask for its digest.
    digest: Option<Digest>,
}

impl SourceFile {
    /// Returns the digest of the content.
    pub(super) fn digest(&self) -> Digest {
        self.digest.unwrap_or_else(|| Digest::of(self.outline.text()))
    }
}

/// One source file, and the specs in it, in order.
pub(super) struct SpecFile<'a> {
    path: &'a str,
    specs: Vec<SpecIdx>,
}

/// Returns the source files of all specs of these kinds, in order of path.
pub(super) fn spec_files<'a>(specs: &'a Specs, kinds: &[Kind]) -> Table<FileIdx, SpecFile<'a>> {
    let mut files: Vec<SpecFile<'_>> = Vec::new();
    for (idx, entry) in specs.values().enumerate() {
        if !kinds.contains(&entry.kind) {
            continue;
        }
        let (path, spec) = (entry.source_file.as_str(), SpecIdx(idx));
        match files.last_mut() {
            Some(file) if file.path == path => file.specs.push(spec),
            _ => files.push(SpecFile { path, specs: vec![spec] }),
        }
    }
    files.sort_by_key(|file| file.path);
    // Two modules may be in one file.
    files.dedup_by(|next, file| {
        let is_same = next.path == file.path;
        if is_same {
            file.specs.append(&mut next.specs);
        }
        is_same
    });
    files.into()
}

/// What one thread made of the source files that it read, in vectors that another one goes through
/// at once.
pub(super) struct SourceShare {
    keeps_texts: bool,
    /// Empty if texts are not kept.
    sources: Vec<(FileIdx, SourceFile)>,
    /// The local digests of the specs that have a definition.
    locals: Vec<(SpecIdx, Digest)>,
    problems: Vec<(FileIdx, SourceProblem)>,
}

impl SourceShare {
    pub(super) fn new(keeps_texts: bool) -> Self {
        Self { keeps_texts, sources: Vec::new(), locals: Vec::new(), problems: Vec::new() }
    }

    /// Reads and parses a source file, and digests the specs in it. `bytes` is a buffer.
    pub(super) fn read(
        &mut self,
        root: &Utf8Path,
        specs: &Specs,
        (idx, file): (FileIdx, &SpecFile<'_>),
        bytes: &mut Vec<u8>,
    ) {
        let source = match read_source(root, file.path.into(), bytes) {
            Ok(source) => source,
            Err(message) => {
                let spec = specs.ref_at(file.specs[0].0).clone();
                let problem = SourceProblem { file: file.path.into(), spec, message };
                self.problems.push((idx, problem));
                return;
            }
        };
        for &spec in &file.specs {
            let kwargs = specs.entry_at(spec.0).kwargs.text();
            let definition = source.outline.definition(specs.ref_at(spec.0).qualname());
            self.locals.extend(definition.map(|it| (spec, it.local_digest(kwargs))));
        }
        if self.keeps_texts {
            self.sources.push((idx, source));
        }
    }
}

fn read_source(
    root: &Utf8Path,
    file: &Utf8Path,
    bytes: &mut Vec<u8>,
) -> Result<SourceFile, String> {
    let stamp = read_file(&root.join(file), bytes).map_err(|err| match err.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => format!("cannot read it: {err}"),
    })?;
    let source = Source::decode(bytes).map_err(|err| err.to_string())?;
    let outline = Outline::parse(&source).map_err(|err| err.to_string())?;
    let is_text = source.text().as_bytes() == bytes.as_slice();
    let digest = if is_text { None } else { Some(Digest::of(bytes)) };
    Ok(SourceFile { outline, stamp, digest })
}

/// All source files, read.
pub(super) struct Sources {
    /// The digests of specs by themselves; `None` for specs of other kinds.
    pub(super) locals: Table<SpecIdx, Option<Digest>>,
    pub(super) texts: SourceTexts,
}

/// The source files themselves; empty if texts are not kept.
pub(super) struct SourceTexts {
    pub(super) files: Table<FileIdx, (Utf8PathBuf, SourceFile)>,
    pub(super) file_of: Table<SpecIdx, Option<FileIdx>>,
}

/// Joins what the threads read.
///
/// # Errors
///
/// All source files that have a problem.
pub(super) fn join(
    specs: &Specs,
    files: &Table<FileIdx, SpecFile<'_>>,
    shares: Vec<SourceShare>,
) -> Result<Sources, ProjectError> {
    let mut locals: Table<SpecIdx, Option<Digest>> = vec![None; specs.len()].into();
    let (mut sources, mut problems) = (Vec::new(), Vec::new());
    for share in shares {
        for (spec, digest) in share.locals {
            locals[spec] = Some(digest);
        }
        sources.extend(share.sources);
        problems.extend(share.problems);
    }
    problems.sort_unstable_by_key(|(idx, _)| *idx);
    let mut problems: Vec<_> = problems.into_iter().map(|(_, problem)| problem).collect();
    if problems.is_empty() {
        problems = undefined(specs, files, &locals);
    }
    if !problems.is_empty() {
        return Err(ProjectError::Sources(problems));
    }
    if sources.is_empty() {
        let texts = SourceTexts { files: Vec::new().into(), file_of: Vec::new().into() };
        return Ok(Sources { locals, texts });
    }
    // Every file was read, so their positions are those of the files.
    sources.sort_unstable_by_key(|(idx, _)| *idx);
    let mut file_of: Table<SpecIdx, Option<FileIdx>> = vec![None; specs.len()].into();
    for (idx, file) in files.iter() {
        for &spec in &file.specs {
            file_of[spec] = Some(idx);
        }
    }
    let sources = sources.into_iter().map(|(idx, source)| (files[idx].path.into(), source));
    let files = sources.collect::<Vec<_>>().into();
    Ok(Sources { locals, texts: SourceTexts { files, file_of } })
}

/// Returns the problems of the specs without a definition, in order.
fn undefined(
    specs: &Specs,
    files: &Table<FileIdx, SpecFile<'_>>,
    locals: &Table<SpecIdx, Option<Digest>>,
) -> Vec<SourceProblem> {
    let wanted = files.rows().iter().flat_map(|file| &file.specs).copied();
    let mut undefined: Vec<SpecIdx> = wanted.filter(|spec| locals[*spec].is_none()).collect();
    undefined.sort_unstable();
    let problem = |idx: SpecIdx| SourceProblem {
        file: specs.entry_at(idx.0).source_file.to_path_buf(),
        spec: specs.ref_at(idx.0).clone(),
        message: format!(
            "it has no `def`, `async def` or `class` named `{}` at module level",
            specs.ref_at(idx.0).definition()
        ),
    };
    undefined.into_iter().map(problem).collect()
}

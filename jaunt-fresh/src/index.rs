//! An index of a project, so that a plan can be made of those modules that a change can affect.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_builder::Survey;
use jaunt_digest::{Digest, Kind, Layout, ModuleName, Registry};

use crate::record::Record;

const VERSION: &str = "jaunt-parts 2";

/// Separates source files in a line; no path of a project has it.
const SEPARATOR: char = '\u{1f}';

/// More than one in so many modules is not a part: then loading everything is as fast.
const MIN_FRACTION: usize = 8;

/// So many modules are a part of the smallest project.
const SMALL_PART: usize = 16;

/// The index of a project's product modules: what each is made from, and who depends on it.
///
/// It is [bound](crate::FreshCache::bind) to a cache of "every module is fresh". The first line is
/// the version, the second the name of generated directories. Then one line for each module, in
/// order of name, with fields between tabs: its source files, its generated file, the offset, length
/// and digest of its record in the other text, the numbers of the lines that depend on it, and of
/// those it depends on.
#[derive(Debug)]
pub struct ProjectIndex {
    text: String,
}

/// The texts of an index.
#[derive(Debug)]
pub struct IndexTexts {
    /// For [`ProjectIndex::from_text`].
    pub index: String,
    /// The records that the index points into.
    pub records: Vec<u8>,
}

/// A line of the index.
#[derive(Clone, Copy)]
struct Line<'a> {
    sources: &'a str,
    generated: &'a str,
    offset: usize,
    len: usize,
    digest: &'a str,
    dependents: &'a str,
    dependencies: &'a str,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split('\t');
        let mut next = || fields.next();
        Some(Self {
            sources: next()?,
            generated: next()?,
            offset: next()?.parse().ok()?,
            len: next()?.parse().ok()?,
            digest: next()?,
            dependents: next()?,
            dependencies: next()?,
        })
    }

    /// Returns the text of the line; `None` if it could not be parsed again.
    fn to_text(self) -> Option<String> {
        let Self { sources, generated, offset, len, digest, dependents, dependencies } = self;
        let text = format!(
            "{sources}\t{generated}\t{offset}\t{len}\t{digest}\t{dependents}\t{dependencies}"
        );
        (!text.contains('\n') && text.matches('\t').count() == 6).then_some(text)
    }

    fn numbers(list: &str) -> Option<Vec<usize>> {
        list.split(',').filter(|it| !it.is_empty()).map(|it| it.parse().ok()).collect()
    }

    fn has_file(&self, path: &str) -> bool {
        self.generated == path || self.sources.split(SEPARATOR).any(|source| source == path)
    }
}

impl IndexTexts {
    /// Makes the index of the product modules of a survey.
    ///
    /// Returns `None` if that cannot be done, as where a path has a line break.
    pub fn of(survey: &Survey, registry: &Registry) -> Option<Self> {
        let modules: Vec<_> = survey.of_kind(Kind::Build).collect();
        let generated_dir = modules.first()?.1.destination.tree().file_name()?;
        let layout = Layout::new(generated_dir).ok()?;
        let number: BTreeMap<&ModuleName, usize> =
            modules.iter().enumerate().map(|(nth, (name, _))| (*name, nth)).collect();
        let mut dependents: Vec<Vec<String>> = vec![Vec::new(); modules.len()];
        let mut dependencies = dependents.clone();
        for (nth, (_, module)) in modules.iter().enumerate() {
            for dep in &module.dependencies {
                let dep = *number.get(dep)?;
                dependents[dep].push(nth.to_string());
                dependencies[nth].push(dep.to_string());
            }
        }

        let mut index = format!("{VERSION}\n{generated_dir}");
        let mut records = Vec::new();
        for (nth, (name, module)) in modules.iter().enumerate() {
            let destination = &module.destination;
            let placed = layout.generated_path(Utf8Path::new(""), destination.path());
            if !placed.is_ok_and(|placed| placed == *destination) {
                return None;
            }
            let record = Record::of(survey, registry, name, module)?;
            let sources = record.sources().join(&SEPARATOR.to_string());
            let offset = records.len();
            serde_json::to_writer(&mut records, &record).ok()?;
            let line = Line {
                sources: &sources,
                generated: destination.path().as_str(),
                offset,
                len: records.len() - offset,
                digest: &Digest::of(&records[offset..]).to_string(),
                dependents: &dependents[nth].join(","),
                dependencies: &dependencies[nth].join(","),
            };
            index.push('\n');
            index.push_str(&line.to_text()?);
        }
        Some(Self { index, records })
    }
}

impl ProjectIndex {
    /// Takes the text of an index; `None` if it is of another version.
    pub fn from_text(text: String) -> Option<Self> {
        text.starts_with(VERSION).then_some(Self { text })
    }

    /// Loads the part of the project that a change of these files can affect, with what it depends
    /// on.
    ///
    /// That is: every module with one of the files, all that depends on those, and the direct
    /// dependencies of these, whose own dependencies are left out: their digests are known. A plan
    /// of it is the plan of the project for every module that can be stale. `read` returns a range of
    /// [the records](IndexTexts::records), given offset and length.
    ///
    /// Returns `None` if the index does not match or a full load is cheaper.
    pub fn load_affected(
        &self,
        root: &Utf8Path,
        files: &[Utf8PathBuf],
        mut read: impl FnMut(usize, usize) -> Option<Vec<u8>>,
    ) -> Option<Survey> {
        let mut lines = self.text.split('\n').skip(1);
        let layout = Layout::new(lines.next()?).ok()?;
        let lines: Vec<&str> = lines.collect();
        let affected = affected(&lines, files)?;
        if affected.len() > lines.len() / MIN_FRACTION + SMALL_PART {
            return None;
        }

        let mut record = |line: Line<'_>| {
            let bytes = read(line.offset, line.len)?;
            (Digest::of(&bytes).to_string() == line.digest).then_some(())?;
            serde_json::from_slice::<Record>(&bytes).ok()
        };
        let mut registry = Registry::default();
        let mut specs = Vec::new();
        let mut dependencies = BTreeSet::new();
        for nth in &affected {
            let line = Line::parse(lines[*nth])?;
            dependencies.extend(Line::numbers(line.dependencies)?);
            record(line)?.add_to(&mut registry, &mut specs)?;
        }
        let mut known = BTreeMap::new();
        for nth in dependencies.difference(&affected) {
            let mut record = record(Line::parse(lines.get(*nth)?)?)?;
            record.cut_off(&mut known)?;
            record.add_to(&mut registry, &mut specs)?;
        }
        registry.specs = specs.into_iter().collect();
        Survey::load_part(root, &registry, &layout, &known).ok()
    }
}

/// Returns the numbers of the modules with one of these files, and of all that depend on them;
/// `None` if a file belongs to no module.
fn affected(lines: &[&str], files: &[Utf8PathBuf]) -> Option<BTreeSet<usize>> {
    let mut pending = Vec::new();
    for file in files {
        let n_pending = pending.len();
        for (nth, line) in lines.iter().enumerate() {
            // The paths come first, so this seldom has to look into the line.
            if line.contains(file.as_str()) && Line::parse(line)?.has_file(file.as_str()) {
                pending.push(nth);
            }
        }
        if pending.len() == n_pending {
            return None;
        }
    }
    let mut affected = BTreeSet::new();
    while let Some(nth) = pending.pop() {
        if affected.insert(nth) {
            pending.extend(Line::numbers(Line::parse(lines.get(nth)?)?.dependents)?);
        }
    }
    Some(affected)
}

//! A registry document joined with the sources it names.

use std::borrow::Cow;
use std::ops::Deref;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_digest::{Definition, Digest, ModuleName};
use jaunt_write::Stamp;

use crate::index::{FileIdx, SpecIdx, Table};
use crate::parallel::in_parallel;
use crate::survey::Survey;
use sources::SourceFile;

mod destinations;
mod digests;
mod loading;
mod module_specs;
mod modules;
mod sources;

/// A [`Survey`] with the texts of its sources: all that a build needs.
///
/// A project is a value: once loaded, it does not look at the disk again.
#[derive(Debug)]
pub struct Project {
    survey: Survey,
    sources: Table<FileIdx, (Utf8PathBuf, SourceFile)>,
    /// `None` for a spec that was not loaded.
    file_of: Table<SpecIdx, Option<FileIdx>>,
}

impl Deref for Project {
    type Target = Survey;

    fn deref(&self) -> &Survey {
        &self.survey
    }
}

impl Project {
    /// Returns how much a module asks for: the length of its specs' sources and prompts, in bytes; 0
    /// for a name of no module.
    pub fn size_of(&self, name: &ModuleName) -> usize {
        let specs = self.modules().get(name).map_or(0..0, |module| self.indices_of(module));
        let prompt = |idx| self.specs().entry_at(idx).prompt().map_or(0, |it| it.len());
        specs.map(|idx| self.segment_at(idx).len() + prompt(idx)).sum()
    }

    /// Returns every source file, relative to the root, with its stamp before it was read and the
    /// digest of its content, in order of path.
    pub fn source_files(&self) -> impl Iterator<Item = (&Utf8Path, Stamp, Digest)> {
        let sources = self.sources.rows();
        let digests = in_parallel(sources, |(_, file)| file.digest());
        let files = sources.iter().zip(digests);
        files.map(|((path, file), digest)| (path.as_path(), file.stamp, digest))
    }

    /// Returns the source of a spec's definition, as it is digested.
    pub(crate) fn segment_at(&self, idx: usize) -> Cow<'_, str> {
        self.definition_at(idx).segment()
    }

    /// Returns signature and docstring of a spec.
    pub(crate) fn api_at(&self, idx: usize) -> String {
        self.definition_at(idx).api()
    }

    fn definition_at(&self, idx: usize) -> Definition<'_> {
        let file = self.file_of[SpecIdx(idx)].expect("the spec was loaded");
        let qualname = self.specs().ref_at(idx).qualname();
        let definition = self.sources[file].1.outline.definition(qualname);
        definition.expect("the local digest was made from it")
    }
}

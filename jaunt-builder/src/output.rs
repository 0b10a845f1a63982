//! What is on disk where generated code belongs.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_digest::{Digest, GeneratedPath, Header, MARKER, ModuleName};
use jaunt_write::{Tree, WriteError};

use crate::parallel::in_parallel;
use crate::project::{Project, SpecModule};
use crate::stamp::{self, Folder, Found, Stamp};

/// How many files one directory handle is good for.
const CHUNK: usize = 64;

/// What was found at the place of a module's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Nothing.
    Missing,
    /// Nothing, but the code is where it would be if the module were, or were not, a package.
    Moved {
        /// Where it is, relative to the project root.
        from: Utf8PathBuf,
    },
    /// Something that cannot be read: a link, a directory, no permission.
    Unreadable(String),
    /// A file with our first line that is not UTF-8.
    NotUtf8,
    /// A file that is empty, or cut off inside the header.
    Truncated,
    /// A file that a person wrote.
    Foreign,
    /// A file that jaunt wrote.
    Ours(Box<Facts>),
}

/// What a generated file says of itself, and the digest of its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    header: Box<str>,
    /// Digest of the code as it is.
    pub body: Digest,
    /// The whole file as it was read: its stamp before, where it has one, and its digest. None where
    /// nobody wanted it.
    pub(crate) file: Option<(Stamp, Digest)>,
}

/// Reads the generated file of every module of the project, on all cores.
///
/// No link is followed. What cannot be read is a finding, not an error.
pub fn read_outputs(project: &Project) -> BTreeMap<ModuleName, Output> {
    let modules: Vec<_> = project.modules().iter().collect();
    let places = modules.iter().map(|(_, module)| &module.output);
    let reader = OutputReader::new(project.root(), places, true);
    let chunks: Vec<_> = modules.chunks(CHUNK).collect();
    let outputs = in_parallel(&chunks, |chunk| {
        let mut reader = reader.clone();
        let read = |(_, module): &(_, &SpecModule)| reader.read(&module.output);
        chunk.iter().map(read).collect::<Vec<_>>()
    });
    modules.iter().map(|(name, _)| (*name).clone()).zip(outputs.into_iter().flatten()).collect()
}

/// Reads generated files, one after another.
#[derive(Clone)]
pub(crate) struct OutputReader<'a> {
    root: &'a Utf8Path,
    trees: Arc<BTreeMap<&'a Utf8Path, Result<Option<Tree>, WriteError>>>,
    /// The directory of the last file. Most modules share theirs with others.
    folder: Option<(Utf8PathBuf, Arc<Folder>)>,
    /// The last file.
    bytes: Vec<u8>,
    /// Whether stamps and digests of whole files are wanted.
    wants_evidence: bool,
}

impl<'a> OutputReader<'a> {
    /// Opens the trees that these files are in.
    pub(crate) fn new(
        root: &'a Utf8Path,
        places: impl IntoIterator<Item = &'a GeneratedPath>,
        wants_evidence: bool,
    ) -> Self {
        let mut trees = BTreeMap::new();
        let mut last = None;
        for tree in places.into_iter().map(GeneratedPath::tree) {
            if last != Some(tree) {
                trees.entry(tree).or_insert_with(|| Tree::open(root, tree));
                last = Some(tree);
            }
        }
        Self { root, trees: Arc::new(trees), folder: None, bytes: Vec::new(), wants_evidence }
    }

    /// Reads the file of one module, and looks where it would be if the module were, or were not, a
    /// package.
    pub(crate) fn read(&mut self, place: &GeneratedPath) -> Output {
        let output = self.read_at(place);
        if output == Output::Missing
            && let Some(other) = place.other_shape()
            && matches!(self.read_at(&other), Output::Ours(_))
        {
            return Output::Moved { from: other.path().to_owned() };
        }
        output
    }

    fn read_at(&mut self, place: &GeneratedPath) -> Output {
        match self.trees.get(place.tree()) {
            Some(Ok(Some(tree))) => {
                let tree = tree.clone();
                self.read_in_folder(place).unwrap_or_else(|| {
                    let before = stamp::at(&self.root.join(place.path()));
                    let before = if let Found::File(stamp) = before { stamp } else { Stamp::NONE };
                    read_in_tree(&tree, place.file())
                        .map_or_else(|output| output, |bytes| self.judged(&bytes, before))
                })
            }
            Some(Ok(None)) | None => Output::Missing,
            Some(Err(err)) => Output::Unreadable(chain(err)),
        }
    }

    /// Reads a plain file in a directory that can be opened; all else takes longer.
    fn read_in_folder(&mut self, place: &GeneratedPath) -> Option<Output> {
        let (path, name) = (place.path().parent()?, place.path().file_name()?);
        if self.folder.as_ref().is_none_or(|(last, _)| last.as_str() != path.as_str()) {
            let folder = Folder::open_without_links(self.root, path).ok()?;
            self.folder = Some((path.to_owned(), Arc::new(folder)));
        }
        let (_, folder) = self.folder.as_ref()?;
        let (file, stamp) = match folder.open_file(name) {
            Ok((file, Found::File(stamp))) => (file, stamp),
            Ok(_) => return None,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Some(Output::Missing),
            Err(_) => return None,
        };
        stamp::read(&file, stamp, &mut self.bytes).ok()?;
        Some(self.judged(&self.bytes, stamp))
    }

    fn judged(&self, bytes: &[u8], before: Stamp) -> Output {
        let mut output = judge(bytes);
        if let (Output::Ours(facts), true) = (&mut output, self.wants_evidence) {
            facts.file = Some((before, Digest::of(bytes)));
        }
        output
    }
}

/// Whether a file begins with the first line of a generated one.
pub(crate) fn is_generated(bytes: &[u8]) -> bool {
    bytes
        .strip_prefix(MARKER.as_bytes())
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'\n' | b'\r')))
}

pub(crate) fn read_output(tree: &Tree, file: &Utf8Path) -> Output {
    read_in_tree(tree, file).map_or_else(|output| output, |bytes| judge(&bytes))
}

/// The content of a file; what it comes to where there is none.
fn read_in_tree(tree: &Tree, file: &Utf8Path) -> Result<Vec<u8>, Output> {
    #[cfg(test)]
    stamp::counting::read();
    match tree.read(file) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(Output::Missing),
        Err(err) => Err(Output::Unreadable(chain(&err))),
    }
}

/// What the content of a file makes of it.
pub(crate) fn judge(bytes: &[u8]) -> Output {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return if is_generated(bytes) { Output::NotUtf8 } else { Output::Foreign };
    };
    let (header, body) = jaunt_digest::split_generated(text);
    let Some(header) = header else {
        // Empty, or nothing but the beginning of our first line: cut off before the header ended.
        let is_cut = MARKER.starts_with(text.trim_end());
        return if is_cut { Output::Truncated } else { Output::Foreign };
    };
    // What there is of the header may be sound without being all of it: an empty line ends it, the
    // code follows, and of our own keys the digest of the code is the first.
    let has_own_keys = ["spec_local_digests", "dependency_bodies", "dependency_digests"]
        .iter()
        .any(|key| header.get(key).is_some());
    let front = &text[..text.len() - body.len()];
    let has_end = ["\n\n", "\n\r\n", "\r\r"].iter().any(|end| front.ends_with(end));
    let is_cut = !has_end || body.trim().is_empty();
    if is_cut || (has_own_keys && header.body_digest().is_none()) {
        return Output::Truncated;
    }
    Output::Ours(Box::new(Facts {
        header: front.into(),
        body: Digest::of(body.as_bytes()),
        file: None,
    }))
}

impl Facts {
    /// What the file says of itself.
    pub fn header(&self) -> Header<'_> {
        Header::parse(&self.header).expect("it was parsed before")
    }
}

/// An error and its causes in one line, for places that take no chain.
pub(crate) fn chain(err: &dyn std::error::Error) -> String {
    let mut text = err.to_string();
    let mut source = err.source();
    while let Some(err) = source {
        text.push_str(": ");
        text.push_str(&err.to_string());
        source = err.source();
    }
    text
}

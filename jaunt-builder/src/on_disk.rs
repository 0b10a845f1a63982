//! What is on disk at the destinations of generated code.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_digest::{Digest, GeneratedPath, Header, MARKER};
use jaunt_text::one_line;
use jaunt_write::{Folder, Stamp, Tree, WriteError};

/// What was found at the destination of a module's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnDisk {
    /// Nothing.
    Missing,
    /// Nothing, but the code is where it was before the module became, or ceased to be, a package.
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
    Ours(Box<GeneratedFile>),
}

/// What a generated file says of itself, and the digest of its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedFile {
    header: Box<str>,
    /// Digest of the code as it is.
    pub body: Digest,
    whole: Option<(Stamp, Digest)>,
}

impl GeneratedFile {
    /// Returns what the file says of itself.
    pub fn header(&self) -> Header<'_> {
        Header::parse(&self.header).expect("it was parsed before")
    }

    /// Returns the stamp that the file had before it was read, and the digest of its content;
    /// `None` if it was read for a [`Survey`](crate::Survey) alone, which needs neither.
    pub fn whole(&self) -> Option<(Stamp, Digest)> {
        self.whole
    }
}

/// Reads generated files, one after another.
#[derive(Clone)]
pub(crate) struct OnDiskReader<'a> {
    root: &'a Utf8Path,
    trees: Arc<BTreeMap<&'a Utf8Path, Result<Option<Tree>, WriteError>>>,
    /// The directory of the last file. Most modules share theirs with others.
    folder: Option<(Utf8PathBuf, Arc<Folder>)>,
    /// The last file.
    bytes: Vec<u8>,
    /// Whether stamps and digests of whole files are wanted.
    wants_whole: bool,
}

impl<'a> OnDiskReader<'a> {
    /// Opens the trees that these files are in.
    pub(crate) fn new(
        root: &'a Utf8Path,
        destinations: impl IntoIterator<Item = &'a GeneratedPath>,
        wants_whole: bool,
    ) -> Self {
        let mut trees = BTreeMap::new();
        let mut last = None;
        for tree in destinations.into_iter().map(GeneratedPath::tree) {
            if last != Some(tree) {
                trees.entry(tree).or_insert_with(|| Tree::open(root, tree));
                last = Some(tree);
            }
        }
        Self { root, trees: Arc::new(trees), folder: None, bytes: Vec::new(), wants_whole }
    }

    /// Reads the file of one module. If there is none, looks where it was before the module became, or
    /// ceased to be, a package.
    pub(crate) fn read(&mut self, destination: &GeneratedPath) -> OnDisk {
        let found = self.read_at(destination);
        if found == OnDisk::Missing
            && let Some(other) = destination.other_shape()
            && matches!(self.read_at(&other), OnDisk::Ours(_))
        {
            return OnDisk::Moved { from: other.path().to_owned() };
        }
        found
    }

    fn read_at(&mut self, destination: &GeneratedPath) -> OnDisk {
        match self.trees.get(destination.tree()) {
            Some(Ok(Some(tree))) => {
                let tree = tree.clone();
                self.read_in_folder(destination).unwrap_or_else(|| {
                    read_in_tree(&tree, destination.file())
                        .map_or_else(|found| found, |bytes| self.classified(&bytes, Stamp::NONE))
                })
            }
            Some(Ok(None)) | None => OnDisk::Missing,
            Some(Err(err)) => OnDisk::Unreadable(one_line(err)),
        }
    }

    /// Reads a regular file in a directory that can be opened; returns `None` if anything is in the way,
    /// which the tree explains better.
    fn read_in_folder(&mut self, destination: &GeneratedPath) -> Option<OnDisk> {
        let (path, name) = (destination.path().parent()?, destination.path().file_name()?);
        if self.folder.as_ref().is_none_or(|(last, _)| last.as_str() != path.as_str()) {
            let folder = Folder::open_below(self.root, path).ok()??;
            self.folder = Some((path.to_owned(), Arc::new(folder)));
        }
        let (_, folder) = self.folder.as_ref()?;
        match folder.read(name, &mut self.bytes) {
            Ok(stamp) => Some(self.classified(&self.bytes, stamp)),
            Err(err) if err.kind() == io::ErrorKind::NotFound => Some(OnDisk::Missing),
            Err(_) => None,
        }
    }

    fn classified(&self, bytes: &[u8], before: Stamp) -> OnDisk {
        let mut found = classify(bytes);
        if let (OnDisk::Ours(file), true) = (&mut found, self.wants_whole) {
            file.whole = Some((before, Digest::of(bytes)));
        }
        found
    }
}

/// Checks whether a file begins with the first line of a generated one.
pub(crate) fn is_generated(bytes: &[u8]) -> bool {
    bytes
        .strip_prefix(MARKER.as_bytes())
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'\n' | b'\r')))
}

/// Reads one generated file.
pub(crate) fn read_one(tree: &Tree, file: &Utf8Path) -> OnDisk {
    read_in_tree(tree, file).map_or_else(|found| found, |bytes| classify(&bytes))
}

/// Returns the content of a file, or what it means that there is none.
fn read_in_tree(tree: &Tree, file: &Utf8Path) -> Result<Vec<u8>, OnDisk> {
    match tree.read(file) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(OnDisk::Missing),
        Err(err) => Err(OnDisk::Unreadable(one_line(&err))),
    }
}

/// Says what a file with this content is.
pub(crate) fn classify(bytes: &[u8]) -> OnDisk {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return if is_generated(bytes) { OnDisk::NotUtf8 } else { OnDisk::Foreign };
    };
    let (header, body) = jaunt_digest::split_generated(text);
    let Some(header) = header else {
        // Empty, or nothing but the beginning of our first line: cut off before the header ended.
        let is_cut = MARKER.starts_with(text.trim_end());
        return if is_cut { OnDisk::Truncated } else { OnDisk::Foreign };
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
        return OnDisk::Truncated;
    }
    OnDisk::Ours(Box::new(GeneratedFile {
        header: front.into(),
        body: Digest::of(body.as_bytes()),
        whole: None,
    }))
}

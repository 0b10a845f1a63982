//! Recorded generations: a directory of files that can be read, reviewed, and trusted.

mod error;
mod read;
mod recording;

use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_builder::{ModuleSpecContext, canonical_digest};
use jaunt_digest::Digest;
use jaunt_write::Tree;

pub use crate::store::error::StoreError;
use crate::store::read::{read, read_start};
pub use crate::store::recording::RecordingFault;
use crate::store::recording::parse;
pub(crate) use crate::store::recording::{Recording, RecordingHeader};

/// Where the header ends at the latest, in bytes, for those who read nothing else.
const MAX_HEADER: u64 = 256 * 1024;

/// The most recordings that are looked at to explain why there is none.
const MAX_FILES: usize = 10_000;

/// A directory of recordings.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    /// As the user named it, for messages.
    dir: Utf8PathBuf,
    place: Utf8PathBuf,
    /// `None` if the store was opened to read.
    tree: Option<Tree>,
}

impl Store {
    /// Opens a store to read from. A relative path starts at `root`.
    ///
    /// # Errors
    ///
    /// If there is no such directory.
    pub(crate) fn open(root: &Utf8Path, dir: &Utf8Path) -> Result<Self, StoreError> {
        let (dir, place) = (dir.to_owned(), root.join(dir));
        if place.is_dir() {
            Ok(Self { dir, place, tree: None })
        } else {
            Err(StoreError::NoStore { path: dir })
        }
    }

    /// Opens a store to write to, and makes its directory if it is missing, but none above. A
    /// relative path starts at `root`.
    ///
    /// # Errors
    ///
    /// If there is something else in its place, or the directory cannot be made.
    pub(crate) fn create(root: &Utf8Path, dir: &Utf8Path) -> Result<Self, StoreError> {
        let path = dir.to_owned();
        let place = match resolve(&root.join(dir)) {
            Ok(place) => place,
            Err(source) => return Err(StoreError::Io { action: "make", path, source }),
        };
        let (Some(parent), Some(name)) = (place.parent(), place.file_name()) else {
            let source = io::Error::from(io::ErrorKind::IsADirectory);
            return Err(StoreError::Io { action: "record in", path, source });
        };
        match Tree::create(parent, name.into()) {
            Ok(tree) => Ok(Self { dir: path, place, tree: Some(tree) }),
            Err(source) => Err(StoreError::Write { path, source }),
        }
    }

    /// Returns its directory as the user named it.
    pub(crate) fn dir(&self) -> &Utf8Path {
        &self.dir
    }

    /// Returns the path of the recording for a context, whether there is one or not.
    pub(crate) fn path_of(&self, context: Digest) -> Utf8PathBuf {
        self.dir.join(file_name(context))
    }

    /// Returns the recorded source for a context; `None` if there is no recording.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is not what was recorded.
    pub(crate) fn get(&self, ctx: &ModuleSpecContext) -> Result<Option<String>, StoreError> {
        let context = canonical_digest(ctx);
        let path = self.path_of(context);
        let Some(bytes) = read(&self.place.join(file_name(context)), &path)? else {
            return Ok(None);
        };
        let recording = match String::from_utf8(bytes) {
            Ok(text) => parse(&text),
            Err(_) => Err(RecordingFault::NotUtf8),
        };
        match recording {
            Ok((identity, source))
                if (identity.context, identity.kind, &identity.spec_module)
                    == (context, ctx.kind, &ctx.spec_module) =>
            {
                Ok(Some(source))
            }
            Ok(_) => Err(StoreError::Refused { path, fault: RecordingFault::OtherContext }),
            Err(fault) => Err(StoreError::Refused { path, fault }),
        }
    }

    /// Records a source, in place of an earlier one for the same context. What is recorded already
    /// is not touched.
    ///
    /// # Errors
    ///
    /// If the file cannot be written, or the store was opened to read.
    pub(crate) fn put(&self, ctx: &ModuleSpecContext, source: &str) -> Result<(), StoreError> {
        let recording = Recording::new(ctx, source);
        let name = file_name(recording.header.identity.context);
        let text = recording.to_string();
        let written = match &self.tree {
            None => {
                let source = io::Error::from(io::ErrorKind::ReadOnlyFilesystem);
                return Err(StoreError::Io { action: "record in", path: self.dir.clone(), source });
            }
            Some(tree) => match tree.read(name.as_str().into()) {
                Ok(Some(old)) if old == text.as_bytes() => Ok(()),
                Ok(_) => tree.write(name.as_str().into(), text.as_bytes()),
                Err(err) => Err(err),
            },
        };
        written.map_err(|source| StoreError::Write { path: self.dir.join(name), source })
    }

    /// Returns the headers of all recordings that have one, in the order of their contexts.
    pub(crate) fn headers(&self) -> Vec<RecordingHeader> {
        let Ok(entries) = fs::read_dir(&self.place) else { return Vec::new() };
        let mut paths: Vec<Utf8PathBuf> = entries
            .flatten()
            .filter_map(|entry| Utf8PathBuf::from_path_buf(entry.path()).ok())
            .filter(|path| path.extension() == Some("py"))
            .take(MAX_FILES)
            .collect();
        paths.sort();
        let header = |path: &Utf8PathBuf| {
            let bytes = read_start(path, path, MAX_HEADER).ok()??;
            RecordingHeader::parse(&String::from_utf8_lossy(&bytes)).ok()
        };
        paths.iter().filter_map(header).collect()
    }
}

fn file_name(context: Digest) -> String {
    format!("{context}.py")
}

/// Returns the path with all links resolved. Its last component need not exist.
fn resolve(path: &Utf8Path) -> io::Result<Utf8PathBuf> {
    match (path.canonicalize_utf8(), path.parent(), path.file_name()) {
        (Err(err), Some(parent), Some(name)) if err.kind() == io::ErrorKind::NotFound => {
            Ok(parent.canonicalize_utf8()?.join(name))
        }
        (resolved, _, _) => resolved,
    }
}

#[cfg(test)]
mod tests;

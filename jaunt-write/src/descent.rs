//! The way through all directories below one, by handles: without recursion, with few of them open,
//! and without following a link.

use std::ffi::OsString;
use std::io;
use std::rc::Rc;

use camino::{Utf8Path, Utf8PathBuf};
use cap_std::fs::{Dir, DirEntry};

use crate::dir;
use crate::error::{Attempt, Failure, FileKind, WriteError, step};

/// Every how many levels a directory is kept open while what is below it is visited.
const ANCHOR_EVERY: usize = 32;

/// A directory that is still to be visited.
pub(crate) struct Descent {
    /// A directory above it that is open, and the way from there.
    anchor: Rc<Dir>,
    below: Utf8PathBuf,
    /// The path from where the descent began.
    path: Utf8PathBuf,
    depth: usize,
}

impl Descent {
    /// Begins at an open directory.
    pub(crate) fn from(dir: Dir) -> Self {
        let (below, path) = (Utf8PathBuf::new(), Utf8PathBuf::new());
        Self { anchor: Rc::new(dir), below, path, depth: 0 }
    }

    /// Returns the path from where the descent began.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Opens the directory; returns `None` if it is gone since its name was read.
    pub(crate) fn open(&self, attempt: Attempt<'_>) -> Result<Option<Rc<Dir>>, WriteError> {
        if self.below.as_str().is_empty() {
            return Ok(Some(Rc::clone(&self.anchor)));
        }
        Ok(dir::open(attempt, &self.anchor, &self.below)?.map(Rc::new))
    }

    /// Returns the way to a directory in this one, which was opened as `dir`.
    pub(crate) fn step_into(&self, dir: &Rc<Dir>, name: &str) -> Self {
        let (path, depth) = (self.path.join(name), self.depth + 1);
        if self.depth.is_multiple_of(ANCHOR_EVERY) {
            Self { anchor: Rc::clone(dir), below: name.into(), path, depth }
        } else {
            Self { anchor: Rc::clone(&self.anchor), below: self.below.join(name), path, depth }
        }
    }
}

/// Reads the names in a directory, and what each stands for. What is gone meanwhile is left out.
pub(crate) fn entries(
    dir: &Dir,
) -> Result<impl Iterator<Item = Result<(OsString, FileKind), Failure>>, Failure> {
    let entries = step("list", || dir.entries())?;
    Ok(entries.filter_map(|entry| {
        let entry = match step("list", || entry) {
            Ok(entry) => entry,
            Err(err) => return Some(Err(err)),
        };
        let kind = step("list", || kind_of(&entry)).transpose()?;
        Some(kind.map(|kind| (entry.file_name(), kind)))
    }))
}

/// Returns `None` for what is gone since its name was read.
fn kind_of(entry: &DirEntry) -> io::Result<Option<FileKind>> {
    match entry.file_type().map(FileKind::of) {
        // Some file systems do not say it in the listing.
        Ok(FileKind::Other) => match entry.metadata() {
            Ok(metadata) => Ok(Some(FileKind::of(metadata.file_type()))),
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(err) => Err(err),
        },
        Ok(kind) => Ok(Some(kind)),
        Err(err) => Err(err),
    }
}

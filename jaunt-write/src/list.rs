//! What is below a tree.

use std::collections::BTreeSet;
use std::io;
use std::rc::Rc;

use camino::{Utf8Path, Utf8PathBuf};
use cap_std::fs::{Dir, DirEntry};

use crate::error::{Attempt, Failure, FileKind, WriteError, shown, step};
use crate::{dir, path};

/// Everything below a tree. Paths are relative to the tree, and each list is sorted part by part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listing {
    /// Regular files, each of which the tree can read, write and remove.
    pub files: Vec<Utf8PathBuf>,
    /// Directories, without the tree itself.
    pub directories: Vec<Utf8PathBuf>,
    /// Temporary files of writes that were killed, or that are under way.
    pub leftovers: Vec<Utf8PathBuf>,
    /// What the tree does not touch.
    pub skipped: Vec<Skipped>,
}

/// Something below a tree that is neither a directory nor a file with a plain name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Skipped {
    /// The path for people: what is not UTF-8 or not printable is replaced.
    pub path: String,
    /// The directory that holds it; empty for the tree itself.
    pub directory: Utf8PathBuf,
    /// What it is. A link is not followed, whatever it leads to.
    pub kind: FileKind,
}

/// Every how many levels a directory is kept open while what is below it is listed.
const ANCHOR_EVERY: usize = 32;

/// A directory that is still to be listed.
struct Pending {
    /// A directory above it that is open, and the way from there.
    anchor: Rc<Dir>,
    below: Utf8PathBuf,
    /// The path from the tree.
    path: Utf8PathBuf,
    depth: usize,
}

/// Lists all that is below an open directory.
pub(crate) fn list(attempt: Attempt<'_>, tree: Dir) -> Result<Listing, WriteError> {
    let mut listing = Listing::default();
    let mut pending = Vec::new();
    let tree = Pending {
        anchor: Rc::new(tree),
        below: Utf8PathBuf::new(),
        path: Utf8PathBuf::new(),
        depth: 0,
    };
    let root = tree.anchor.clone();
    scan(attempt, &tree, &root, &mut listing, &mut pending)?;
    while let Some(next) = pending.pop() {
        // Gone since its name was read.
        let Some(dir) = dir::open(attempt, &next.anchor, &next.below)? else { continue };
        scan(attempt, &next, &Rc::new(dir), &mut listing, &mut pending)?;
    }
    listing.files.sort_unstable();
    listing.directories.sort_unstable();
    listing.leftovers.sort_unstable();
    listing.skipped.sort_unstable();
    Ok(listing)
}

fn scan(
    attempt: Attempt<'_>,
    this: &Pending,
    dir: &Rc<Dir>,
    listing: &mut Listing,
    pending: &mut Vec<Pending>,
) -> Result<(), WriteError> {
    let failed = |err: Failure| attempt.failed(&attempt.path.join(&this.path), err);
    for entry in step("list", || dir.entries()).map_err(failed)? {
        let entry = step("list", || entry).map_err(failed)?;
        let Some(kind) = step("list", || kind_of(&entry)).map_err(failed)? else { continue };
        let name = entry.file_name();
        let plain = name.to_str().filter(|name| {
            path::fault(name).is_none() || (kind == FileKind::File && path::is_temporary(name))
        });
        match (kind, plain) {
            (FileKind::File, Some(name)) if path::is_temporary(name) => {
                listing.leftovers.push(this.path.join(name));
            }
            (FileKind::File, Some(name)) => listing.files.push(this.path.join(name)),
            (FileKind::Directory, Some(name)) => {
                let path = this.path.join(name);
                listing.directories.push(path.clone());
                let depth = this.depth + 1;
                pending.push(if this.depth.is_multiple_of(ANCHOR_EVERY) {
                    Pending { anchor: dir.clone(), below: name.into(), path, depth }
                } else {
                    let below = this.below.join(name);
                    Pending { anchor: this.anchor.clone(), below, path, depth }
                });
            }
            _ => {
                let path = this.path.join(name.to_string_lossy().as_ref());
                let path = shown(&path).to_string();
                listing.skipped.push(Skipped { path, directory: this.path.clone(), kind });
            }
        }
    }
    Ok(())
}

/// `None` for what is gone since its name was read.
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

impl Listing {
    /// The directories that hold nothing, deepest first.
    ///
    /// Files in a directory with one of the `disposable` names count as nothing, but the directory
    /// goes only together with the one above it. The empty path stands for the tree.
    pub(crate) fn hollow(&self, disposable: &[&str]) -> Vec<&Utf8Path> {
        let is_disposable =
            |dir: &Utf8Path| dir.file_name().is_some_and(|name| disposable.contains(&name));

        let mut kept = BTreeSet::new();
        let mut keep = |dir: &'_ Utf8Path| {
            for above in dir.ancestors() {
                if !kept.insert(above.to_owned()) {
                    break;
                }
            }
        };
        let files = self.files.iter().filter_map(|file| file.parent());
        files.filter(|dir| !is_disposable(dir)).for_each(&mut keep);
        self.leftovers.iter().filter_map(|file| file.parent()).for_each(&mut keep);
        self.skipped.iter().for_each(|skipped| keep(&skipped.directory));

        let all = self.directories.iter().rev().map(Utf8PathBuf::as_path);
        all.chain([Utf8Path::new("")])
            .filter(|dir| !kept.contains(*dir))
            .filter(|dir| {
                !is_disposable(dir) || dir.parent().is_none_or(|above| !kept.contains(above))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;

//! What is below a tree.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use camino::{Utf8Path, Utf8PathBuf};
use cap_std::fs::Dir;

use crate::descent::{Descent, entries};
use crate::error::{Attempt, Failure, FileKind, WriteError, shown};
use crate::path;

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

/// Something below a tree that is neither a directory nor a regular file, or has no plain name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Skipped {
    /// The path for people: what is not UTF-8 is replaced, what is not
    /// printable is escaped.
    pub path: String,
    /// The directory that holds it; empty for the tree itself.
    pub directory: Utf8PathBuf,
    /// What it is. A link is not followed, whatever it leads to.
    pub kind: FileKind,
}

/// Lists all that is below an open directory.
pub(crate) fn list(attempt: Attempt<'_>, tree: Dir) -> Result<Listing, WriteError> {
    let mut listing = Listing::default();
    let mut pending = vec![Descent::from(tree)];
    while let Some(next) = pending.pop() {
        let Some(dir) = next.open(attempt)? else { continue };
        let failed = |err: Failure| attempt.failed(&attempt.path.join(next.path()), err);
        for entry in entries(&dir).map_err(failed)? {
            let (name, kind) = entry.map_err(failed)?;
            if let Some(name) = listing.add(next.path(), &name, kind) {
                pending.push(next.step_into(&dir, name));
            }
        }
    }
    listing.files.sort_unstable();
    listing.directories.sort_unstable();
    listing.leftovers.sort_unstable();
    listing.skipped.sort_unstable();
    Ok(listing)
}

impl Listing {
    /// Adds what a directory holds under a name; returns the name if it is a directory to be listed.
    fn add<'a>(&mut self, above: &Utf8Path, name: &'a OsStr, kind: FileKind) -> Option<&'a str> {
        let plain = name.to_str().filter(|name| {
            path::fault(name).is_none() || (kind == FileKind::File && path::is_temporary(name))
        });
        match (kind, plain) {
            (FileKind::File, Some(name)) if path::is_temporary(name) => {
                self.leftovers.push(above.join(name));
            }
            (FileKind::File, Some(name)) => self.files.push(above.join(name)),
            (FileKind::Directory, Some(name)) => {
                self.directories.push(above.join(name));
                return Some(name);
            }
            _ => {
                let path = above.join(name.to_string_lossy().as_ref());
                let path = shown(&path).to_string();
                self.skipped.push(Skipped { path, directory: above.to_owned(), kind });
            }
        }
        None
    }

    /// Returns the directories that hold nothing and can go, deepest first.
    ///
    /// Files in a directory with one of the `disposable` names count as nothing, but the directory
    /// goes only together with the one above it. The empty path stands for the tree.
    pub(crate) fn removable_dirs(&self, disposable: &[&str]) -> Vec<&Utf8Path> {
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

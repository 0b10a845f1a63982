//! The permission to write below a directory.

use std::fs::File;
use std::io;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

use crate::dir::{self, Place};
use crate::error::{Attempt, Failure, WriteError, step};
use crate::list::{self, Listing};
use crate::lock::{self, Lock, LockAttempt};
use crate::{path, replace};

/// A directory below a project's root, and the permission to change what is in it.
///
/// Paths of files are relative to the tree, in plain parts separated by `/`: no `.` or `..`, no
/// control characters, no backslash, at most 255 bytes in a part. Others are refused before
/// anything is looked at.
///
/// A tree holds on to the root alone. Every operation walks down from there, so what was put in
/// place of the tree since it was opened counts: a directory is used, a link is refused.
///
/// Clones are cheap and share the root. A tree may be used from many threads at once.
#[derive(Clone, Debug)]
pub struct Tree {
    root: Arc<Dir>,
    path: Utf8PathBuf,
}

impl Tree {
    /// Opens the directory `path` below `root`; returns `None` if it does not exist.
    ///
    /// The root itself may be reached through links: the user chose it.
    ///
    /// # Errors
    ///
    /// Refuses a `path` that is not plain, and one that has a link or anything but directories on
    /// the way. Fails if there is no directory `root`.
    pub fn open(root: &Utf8Path, path: &Utf8Path) -> Result<Option<Self>, WriteError> {
        let tree = Self::at("open", root, path)?;
        let opened = dir::open(Attempt { action: "open", path }, &tree.root, path)?;
        Ok(opened.map(|_| tree))
    }

    /// Opens the directory `path` below `root`, and makes it if it does not exist.
    ///
    /// Only the last part is made, with the permissions that the process's umask leaves; the
    /// directories above it must exist.
    ///
    /// # Errors
    ///
    /// As [`Tree::open`], and if the directory cannot be made.
    pub fn create(root: &Utf8Path, path: &Utf8Path) -> Result<Self, WriteError> {
        let tree = Self::at("create", root, path)?;
        let last = path.as_str().split('/').count() - 1;
        dir::open_or_make(Attempt { action: "create", path }, &tree.root, path, last)?;
        Ok(tree)
    }

    fn at(action: &'static str, root: &Utf8Path, path: &Utf8Path) -> Result<Self, WriteError> {
        path::check(action, root, path)?;
        let dir = step("open", || Dir::open_ambient_dir(root, ambient_authority()))
            .map_err(|err| Attempt { action, path }.failed(root, err))?;
        Ok(Self { root: Arc::new(dir), path: path.to_owned() })
    }

    /// Returns the path of the tree, relative to the root.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Returns the content of a file, or `None` if there is none.
    ///
    /// # Errors
    ///
    /// Refuses links, also on the way, and everything else that is not a regular file.
    pub fn read(&self, file: &Utf8Path) -> Result<Option<Vec<u8>>, WriteError> {
        let path = self.checked("read", file)?;
        let Some(place) = self.place("read", &path)? else { return Ok(None) };
        place.read()
    }

    /// Opens a file for reading; returns `None` if there is none. It is for large files of which
    /// only ranges are wanted.
    ///
    /// # Errors
    ///
    /// As [`Tree::read`].
    pub fn open_file(&self, file: &Utf8Path) -> Result<Option<File>, WriteError> {
        let path = self.checked("open", file)?;
        let Some(place) = self.place("open", &path)? else { return Ok(None) };
        Ok(place.open(OpenOptions::new().read(true))?.map(cap_std::fs::File::into_std))
    }

    /// Replaces a file with one that has this content, or makes it, and the directories above it
    /// that are missing inside the tree.
    ///
    /// When this returns, the file is on the disk. At every instant before, also if the process is
    /// killed or the power fails, it has the old content or the new one, whole. The new file
    /// has the permissions of the old one, else those that the process's umask leaves. Other names
    /// (hard links) of the old file keep the old content.
    ///
    /// # Errors
    ///
    /// Refuses links, also on the way, and to replace anything but a regular file. After an error
    /// the file is the old one, and no temporary file is left.
    pub fn write(&self, file: &Utf8Path, bytes: &[u8]) -> Result<(), WriteError> {
        let path = self.checked("write", file)?;
        replace::write(&self.made_place("write", &path)?, bytes)
    }

    /// Replaces a file as [`Tree::write`] does by what `make` returns for its content, which is `None`
    /// if there is no file.
    ///
    /// If `make` returns an error, it is passed on, and the file is left as it is. The way down is
    /// walked once, so this is cheaper than to read and to write.
    ///
    /// # Errors
    ///
    /// As [`Tree::read`] and [`Tree::write`].
    pub fn update<E: From<WriteError>>(
        &self,
        file: &Utf8Path,
        make: impl FnOnce(Option<Vec<u8>>) -> Result<Vec<u8>, E>,
    ) -> Result<(), E> {
        let path = self.checked("write", file)?;
        let mut place = self.made_place("write", &path)?;
        place.attempt.action = "read";
        let old = place.metadata()?;
        let content = match old {
            Some(_) => place.read()?,
            None => None,
        };
        let bytes = make(content)?;
        place.attempt.action = "write";
        Ok(replace::write_over(&place, old, &bytes)?)
    }

    /// Makes a file as [`Tree::write`] does, unless there is one; returns whether it was made.
    ///
    /// # Errors
    ///
    /// As [`Tree::write`]. Only a regular file counts as being there.
    pub fn create_new(&self, file: &Utf8Path, bytes: &[u8]) -> Result<bool, WriteError> {
        let path = self.checked("create", file)?;
        replace::create_new(&self.made_place("create", &path)?, bytes)
    }

    /// Removes a file; returns `false` if there is none.
    ///
    /// # Errors
    ///
    /// Refuses links, also on the way, and everything else that is not a regular file.
    pub fn remove(&self, file: &Utf8Path) -> Result<bool, WriteError> {
        let path = self.checked("remove", file)?;
        let Some(place) = self.place("remove", &path)? else { return Ok(false) };
        replace::remove(&place)
    }

    /// Returns the regular files below the tree, sorted: [`Listing::files`].
    ///
    /// # Errors
    ///
    /// As [`Tree::list`].
    pub fn files(&self) -> Result<Vec<Utf8PathBuf>, WriteError> {
        Ok(self.list()?.files)
    }

    /// Lists everything below the tree. Links are not followed.
    ///
    /// What appears or goes meanwhile may be in the list or not; a tree that is gone is empty.
    ///
    /// # Errors
    ///
    /// Refuses a tree that is a link by now. Fails if a directory cannot be read.
    pub fn list(&self) -> Result<Listing, WriteError> {
        let attempt = Attempt { action: "list", path: &self.path };
        match dir::open(attempt, &self.root, &self.path)? {
            Some(dir) => list::list(attempt, dir),
            None => Ok(Listing::default()),
        }
    }

    /// Removes the temporary files that killed processes left, and returns their paths, sorted.
    ///
    /// The temporary files of a process that is writing look the same, so callers should hold the
    /// [lock](Tree::lock) that writers hold.
    ///
    /// # Errors
    ///
    /// As [`Tree::list`], and if a file cannot be removed.
    pub fn sweep(&self) -> Result<Vec<Utf8PathBuf>, WriteError> {
        let mut swept = Vec::new();
        for file in self.list()?.leftovers {
            if self.remove_listed(&file)? {
                swept.push(file);
            }
        }
        Ok(swept)
    }

    /// Removes the directories below the tree that hold nothing, and returns their paths, sorted.
    ///
    /// `disposable` are names of directories, like `__pycache__`, whose files do not count. Such a
    /// directory is removed together with the one above it, and stays if that one stays.
    ///
    /// # Errors
    ///
    /// As [`Tree::list`], and if something cannot be removed.
    pub fn prune(&self, disposable: &[&str]) -> Result<Vec<Utf8PathBuf>, WriteError> {
        let listing = self.list()?;
        let mut pruned = Vec::new();
        for dir in listing.removable_dirs(disposable) {
            if !dir.as_str().is_empty() && self.remove_dir_and_files(&listing, dir)? {
                pruned.push(dir.to_owned());
            }
        }
        pruned.sort_unstable();
        Ok(pruned)
    }

    /// Removes the tree itself if it holds nothing, as [`Tree::prune`] says; returns `false` if it
    /// stays.
    ///
    /// If it has to stay, so do the directories in it.
    ///
    /// # Errors
    ///
    /// As [`Tree::prune`].
    pub fn remove_if_empty(self, disposable: &[&str]) -> Result<bool, WriteError> {
        let listing = self.list()?;
        let removable = listing.removable_dirs(disposable);
        // The tree itself comes last.
        if removable.last().is_none_or(|dir| !dir.as_str().is_empty()) {
            return Ok(false);
        }
        let mut removed = false;
        for dir in removable {
            removed = self.remove_dir_and_files(&listing, dir)?;
        }
        Ok(removed)
    }

    /// Opens a file for writing at its end, without following links, and makes it if it does not
    /// exist.
    ///
    /// What is written this way may be cut off by a kill. It is for journals, whose readers ignore an
    /// incomplete last line.
    ///
    /// # Errors
    ///
    /// As [`Tree::write`].
    pub fn append(&self, file: &Utf8Path) -> Result<File, WriteError> {
        let path = self.checked("append to", file)?;
        let place = self.made_place("append to", &path)?;
        match place.open(OpenOptions::new().append(true).create(true))? {
            Some(opened) => Ok(opened.into_std()),
            // The options make the file, so it is the directory that is gone.
            None => {
                Err(place.failed(Failure { step: "open", source: io::ErrorKind::NotFound.into() }))
            }
        }
    }

    /// Takes the lock that a file stands for, and waits while another process has it.
    ///
    /// The file is made if it does not exist, and stays. While the lock is held, it says who holds
    /// it: our process and `holder`, a few words like `jaunt build`. The kernel releases the lock
    /// when the process ends, however it ends; a child that outlives it does not hold on to it.
    /// Waiting cannot be canceled; callers that have to react to anything else meanwhile repeat
    /// [`Tree::try_lock`].
    ///
    /// # Errors
    ///
    /// Refuses links, also on the way, what is not a regular file, and what cannot be a lock file:
    /// one with a second name or with much in it. Fails where the file system has no locks.
    pub fn lock(&self, file: &Utf8Path, holder: &str) -> Result<Lock, WriteError> {
        let path = self.checked("lock", file)?;
        lock::wait(|| self.made_place("lock", &path), holder)
    }

    /// Takes the lock as [`Tree::lock`] does, or returns who holds it, which may be this process.
    ///
    /// # Errors
    ///
    /// As [`Tree::lock`].
    pub fn try_lock(&self, file: &Utf8Path, holder: &str) -> Result<LockAttempt, WriteError> {
        let path = self.checked("lock", file)?;
        lock::attempt(|| self.made_place("lock", &path), holder)
    }

    /// Removes a file that a listing found, unless it is gone or no longer a file.
    fn remove_listed(&self, file: &Utf8Path) -> Result<bool, WriteError> {
        let path = self.path.join(file);
        match self.place("remove", &path)? {
            Some(place) => replace::remove(&place),
            None => Ok(false),
        }
    }

    /// Removes a directory with the files that a listing found in it; returns `false` if something
    /// else is in it by now.
    fn remove_dir_and_files(&self, listing: &Listing, dir: &Utf8Path) -> Result<bool, WriteError> {
        for file in listing.files.iter().filter(|file| file.parent() == Some(dir)) {
            self.remove_listed(file)?;
        }
        // Joining an empty path would add a slash.
        let path = if dir.as_str().is_empty() { self.path.clone() } else { self.path.join(dir) };
        match self.place("remove", &path)? {
            Some(place) => replace::remove_dir(&place),
            None => Ok(false),
        }
    }

    /// Returns the path of a file from the root, if the file can be in the tree.
    fn checked(&self, action: &'static str, file: &Utf8Path) -> Result<Utf8PathBuf, WriteError> {
        path::check(action, &self.path, file)?;
        Ok(self.path.join(file))
    }

    /// Returns the place of a checked path; `None` if a directory on the way is missing.
    fn place<'a>(
        &'a self,
        action: &'static str,
        path: &'a Utf8Path,
    ) -> Result<Option<Place<'a>>, WriteError> {
        let attempt = Attempt { action, path };
        let (above, name) = split(path);
        let dir = dir::open(attempt, &self.root, above)?;
        Ok(dir.map(|dir| Place { dir, name, attempt }))
    }

    /// Returns the place of a checked path, and makes the directories that are missing inside the tree.
    fn made_place<'a>(
        &'a self,
        action: &'static str,
        path: &'a Utf8Path,
    ) -> Result<Place<'a>, WriteError> {
        let attempt = Attempt { action, path };
        let (above, name) = split(path);
        let inside = self.path.as_str().split('/').count();
        let dir = dir::open_or_make(attempt, &self.root, above, inside)?;
        Ok(Place { dir, name, attempt })
    }
}

/// Returns the directory that holds what a checked path names, and its name there.
fn split(path: &Utf8Path) -> (&Utf8Path, &str) {
    let (above, name) = path.as_str().rsplit_once('/').unwrap_or((".", path.as_str()));
    (above.into(), name)
}

#[cfg(test)]
mod tests;

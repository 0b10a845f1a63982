//! Ways down from a directory handle that follow no link.

use std::io::{self, Read};

use camino::{Utf8Path, Utf8PathBuf};
use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::fs::{Dir, File, Metadata, OpenOptions};

use crate::error::{Attempt, Failure, FileKind, WriteError, step};
use crate::sys;

/// Opens `path` below `root`; returns `None` if it does not exist.
pub(crate) fn open(
    attempt: Attempt<'_>,
    root: &Dir,
    path: &Utf8Path,
) -> Result<Option<Dir>, WriteError> {
    match step("open", || sys::open_below(root, path)) {
        Ok(dir) => return Ok(Some(dir)),
        // Whatever is before the part that is missing is a directory, or this would be another error.
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(_) => {}
    }
    match walk(attempt, root, path, usize::MAX) {
        Ok(dir) => Ok(Some(dir)),
        Err(WriteError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(err) => Err(err),
    }
}

/// Opens `path` below `root`, and makes the parts that are missing from the one with index
/// `make_from` on.
pub(crate) fn open_or_make(
    attempt: Attempt<'_>,
    root: &Dir,
    path: &Utf8Path,
    make_from: usize,
) -> Result<Dir, WriteError> {
    match step("open", || sys::open_below(root, path)) {
        Ok(dir) => Ok(dir),
        Err(_) => walk(attempt, root, path, make_from),
    }
}

/// Opens one part after the other.
fn walk(
    attempt: Attempt<'_>,
    root: &Dir,
    path: &Utf8Path,
    make_from: usize,
) -> Result<Dir, WriteError> {
    let mut at = Utf8PathBuf::with_capacity(path.as_str().len());
    let mut reached: Option<Dir> = None;
    for (idx, part) in path.as_str().split('/').enumerate() {
        let dir = reached.as_ref().unwrap_or(root);
        at.push(part);
        let mut next = step("open", || dir.open_dir_nofollow(part));
        if idx >= make_from && next.as_ref().is_err_and(|err| err.kind() == io::ErrorKind::NotFound)
        {
            make(attempt, dir, part, &at)?;
            next = step("open", || dir.open_dir_nofollow(part));
        }
        reached =
            Some(next.map_err(|err| explain(attempt, dir, part, &at, FileKind::Directory, err))?);
    }
    step("open", || sys::readable(reached.as_ref().unwrap_or(root)))
        .map_err(|err| attempt.failed(&at, err))
}

/// Makes a directory that survives a power cut. It may exist by now.
fn make(attempt: Attempt<'_>, dir: &Dir, name: &str, at: &Utf8Path) -> Result<(), WriteError> {
    match step("create", || dir.create_dir(name)) {
        Ok(()) => step("sync the directory that holds", || sys::sync_dir(&sys::readable(dir)?))
            .map_err(|err| attempt.failed(at, err)),
        Err(err) if err.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(err) => Err(attempt.failed(at, err)),
    }
}

/// A file that is being worked on: its name in the directory that holds it.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) dir: Dir,
    pub(crate) name: &'a str,
    pub(crate) attempt: Attempt<'a>,
}

impl Place<'_> {
    /// Looks at the regular file in this place; returns `None` if there is none, and refuses anything
    /// else.
    pub(crate) fn metadata(&self) -> Result<Option<Metadata>, WriteError> {
        match step("look at", || self.dir.symlink_metadata(self.name)) {
            Ok(metadata) => match FileKind::of(metadata.file_type()) {
                FileKind::File => Ok(Some(metadata)),
                found => Err(self.refuse(found)),
            },
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(err) => Err(self.failed(err)),
        }
    }

    /// Opens the file in this place; returns `None` if there is no file and the options make none.
    ///
    /// Nothing but a regular file is opened: a pipe could block for ever, a device could act.
    pub(crate) fn open(&self, options: &mut OpenOptions) -> Result<Option<File>, WriteError> {
        self.metadata()?;
        // Between the two calls another process may have put a pipe here.
        options.follow(FollowSymlinks::No).nonblock(true);
        let file = match step("open", || self.dir.open_with(self.name, options)) {
            Ok(file) => file,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(err) => return Err(self.explain(err)),
        };
        let metadata = step("look at", || file.metadata()).map_err(|err| self.failed(err))?;
        match FileKind::of(metadata.file_type()) {
            FileKind::File => Ok(Some(file)),
            found => Err(self.refuse(found)),
        }
    }

    /// Returns the content of the file in this place; `None` if there is no file.
    pub(crate) fn read(&self) -> Result<Option<Vec<u8>>, WriteError> {
        let Some(mut file) = self.open(OpenOptions::new().read(true))? else { return Ok(None) };
        let mut bytes = Vec::new();
        step("read", || file.read_to_end(&mut bytes)).map_err(|err| self.failed(err))?;
        Ok(Some(bytes))
    }

    /// Returns the error for a failure at this place.
    pub(crate) fn failed(&self, err: Failure) -> WriteError {
        self.attempt.failed(self.attempt.path, err)
    }

    /// Returns the same, unless what is here now explains the failure better.
    pub(crate) fn explain(&self, err: Failure) -> WriteError {
        let Self { dir, name, attempt, .. } = self;
        explain(*attempt, dir, name, attempt.path, FileKind::File, err)
    }

    fn refuse(&self, found: FileKind) -> WriteError {
        self.attempt.refuse(self.attempt.path, found, FileKind::File)
    }
}

/// Returns the error for a failure, after a second look: the codes for "that is a link" and "that is
/// no directory" differ between systems and calls.
fn explain(
    attempt: Attempt<'_>,
    dir: &Dir,
    name: &str,
    at: &Utf8Path,
    wanted: FileKind,
    err: Failure,
) -> WriteError {
    match dir.symlink_metadata(name).map(|metadata| FileKind::of(metadata.file_type())) {
        Ok(found) if found != wanted => attempt.refuse(at, found, wanted),
        _ => attempt.failed(at, err),
    }
}

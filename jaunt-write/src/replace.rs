//! Files that appear whole.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt};
use cap_std::fs::{Dir, File, Metadata, OpenOptions};

use crate::dir::Place;
use crate::error::{Failure, WriteError, step};
use crate::{path, sys};

const RENAME: &str = "put a new file in place of";
const SYNC_DIR: &str = "sync the directory that holds";

/// Replaces the file, or makes it.
pub(crate) fn write(place: &Place<'_>, bytes: &[u8]) -> Result<(), WriteError> {
    write_over(place, place.metadata()?, bytes)
}

/// Replaces the file that was just looked at, or makes it.
pub(crate) fn write_over(
    place: &Place<'_>,
    old: Option<Metadata>,
    bytes: &[u8],
) -> Result<(), WriteError> {
    let new = Temporary::filled(place, bytes, old.as_ref())?;
    // Where files can have only one name, a failed sync leaves the new file instead of the old.
    let backup = old.as_ref().and_then(|_| Temporary::link(&place.dir, place.name).ok());
    step(RENAME, || new.rename(place.name)).map_err(|err| place.explain(err))?;
    step(SYNC_DIR, || sys::sync_dir(&place.dir)).map_err(|err| {
        match (old, backup) {
            (Some(_), Some(backup)) => backup.rename(place.name).ok(),
            (Some(_), None) => None,
            (None, _) => place.dir.remove_file(place.name).ok(),
        };
        place.failed(err)
    })
}

/// Makes the file, unless there is one; returns whether it was made.
pub(crate) fn create_new(place: &Place<'_>, bytes: &[u8]) -> Result<bool, WriteError> {
    if place.metadata()?.is_some() {
        return Ok(false);
    }
    let new = Temporary::filled(place, bytes, None)?;
    match step(RENAME, || new.rename_new(place.name)) {
        Ok(()) => {}
        Err(err) if err.kind() == io::ErrorKind::AlreadyExists => {
            // Another process was faster. What it made may not be a file.
            return place.metadata().map(|_| false);
        }
        Err(err) => return Err(place.failed(err)),
    }
    step(SYNC_DIR, || sys::sync_dir(&place.dir)).map_err(|err| {
        place.dir.remove_file(place.name).ok();
        place.failed(err)
    })?;
    Ok(true)
}

/// Removes the file; returns `false` if there is none.
pub(crate) fn remove(place: &Place<'_>) -> Result<bool, WriteError> {
    if place.metadata()?.is_none() {
        return Ok(false);
    }
    match step("remove", || place.dir.remove_file(place.name)) {
        Ok(()) => {}
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(err) => return Err(place.explain(err)),
    }
    step(SYNC_DIR, || sys::sync_dir(&place.dir)).map_err(|err| place.failed(err))?;
    Ok(true)
}

/// Removes the directory in this place; returns `false` if there is none, or something is in it.
pub(crate) fn remove_dir(place: &Place<'_>) -> Result<bool, WriteError> {
    match step("remove", || place.dir.remove_dir(place.name)) {
        Ok(()) => Ok(true),
        Err(err) => match err.kind() {
            io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::DirectoryNotEmpty => Ok(false),
            _ => Err(place.failed(err)),
        },
    }
}

/// A file beside the target, removed when dropped.
#[derive(Debug)]
struct Temporary<'a> {
    dir: &'a Dir,
    name: String,
    renamed: bool,
}

impl<'a> Temporary<'a> {
    /// Makes a file with this content, and syncs it.
    fn filled(
        place: &'a Place<'_>,
        bytes: &[u8],
        old: Option<&Metadata>,
    ) -> Result<Self, WriteError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).follow(FollowSymlinks::No);
        sys::create_like(&mut options, old);
        let (temporary, mut file): (Self, File) = Self::make(&place.dir, |name| {
            step("create a temporary file beside", || place.dir.open_with(name, &options))
        })
        .map_err(|err| place.failed(err))?;
        if let Some(old) = old {
            step("give a new file the permissions of", || sys::make_like(&file, old))
                .map_err(|err| place.failed(err))?;
        }
        step("write", || file.write_all(bytes)).map_err(|err| place.failed(err))?;
        step("sync", || file.sync_data()).map_err(|err| place.failed(err))?;
        Ok(temporary)
    }

    /// Gives a file a second name.
    fn link(dir: &'a Dir, file: &str) -> Result<Self, Failure> {
        Self::make(dir, |name| step("keep", || dir.hard_link(file, dir, name)))
            .map(|(temporary, ())| temporary)
    }

    /// Finds a name that is not taken.
    fn make<T>(
        dir: &'a Dir,
        mut make: impl FnMut(&str) -> Result<T, Failure>,
    ) -> Result<(Self, T), Failure> {
        static NEXT: AtomicU64 = AtomicU64::new(0);

        // Names are taken by what a killed process with our number left, or by somebody who
        // plants them. Neither goes on for long.
        let mut tries = 0..1000;
        loop {
            let name = path::temporary(std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            match make(&name) {
                Ok(made) => return Ok((Self { dir, name, renamed: false }, made)),
                Err(err)
                    if err.kind() == io::ErrorKind::AlreadyExists && tries.next().is_some() => {}
                Err(err) => return Err(err),
            }
        }
    }

    fn rename(mut self, to: &str) -> io::Result<()> {
        self.dir.rename(&self.name, self.dir, to)?;
        self.renamed = true;
        Ok(())
    }

    fn rename_new(mut self, to: &str) -> io::Result<()> {
        sys::rename_new(self.dir, &self.name, to)?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.renamed {
            // The next sweep finds what stays.
            self.dir.remove_file(&self.name).ok();
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;

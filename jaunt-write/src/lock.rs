//! Inter-process locks, held by the kernel.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};

use cap_fs_ext::MetadataExt;
use cap_std::fs::{Metadata, OpenOptions};

use crate::dir::Place;
use crate::error::{Failure, WriteError, step};

/// More than a holder writes. A larger file is not a lock file.
const MAX_LEN: u64 = 256;

/// A lock that this process holds until it drops it or dies.
///
/// The file stays where it is when the lock is released.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct Lock {
    file: File,
}

/// The result of an attempt to take a lock without waiting.
#[derive(Debug)]
pub enum LockAttempt {
    /// The lock is ours.
    Acquired(Lock),
    /// Another process has it.
    Held {
        /// Who has it, for people: `process 4711 (jaunt build)`, or `another process`. This is text of
        /// the file, short and printable, but anybody may have written it.
        by: String,
    },
}

/// Takes the lock on the file in a place as soon as nobody has it.
///
/// The way to the place is walked anew whenever it may have changed.
pub(crate) fn wait<'a>(
    at: impl Fn() -> Result<Place<'a>, WriteError>,
    holder: &str,
) -> Result<Lock, WriteError> {
    loop {
        let place = at()?;
        let file = open(&place)?;
        match step("lock", || file.lock()) {
            Ok(()) => {}
            Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
            Err(err) => return Err(place.failed(err)),
        }
        if let Some(lock) = Lock::confirmed(&at, file, holder)? {
            return Ok(lock);
        }
    }
}

/// Takes the lock on the file in a place, or returns who has it.
pub(crate) fn attempt<'a>(
    at: impl Fn() -> Result<Place<'a>, WriteError>,
    holder: &str,
) -> Result<LockAttempt, WriteError> {
    loop {
        let place = at()?;
        let file = open(&place)?;
        let taken = step("lock", || match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(err)) => Err(err),
        });
        if !taken.map_err(|err| place.failed(err))? {
            return Ok(LockAttempt::Held { by: holder_of(&file) });
        }
        if let Some(lock) = Lock::confirmed(&at, file, holder)? {
            return Ok(LockAttempt::Acquired(lock));
        }
    }
}

/// Opens the file, and makes it if it does not exist.
fn open(place: &Place<'_>) -> Result<File, WriteError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    let Some(file) = place.open(&mut options)? else {
        // The options make the file, so it is the directory that is gone.
        let source = io::ErrorKind::NotFound.into();
        return Err(place.failed(Failure { step: "open", source }));
    };
    let metadata = step("look at", || file.metadata()).map_err(|err| place.failed(err))?;
    // The file is changed in place, and so would be whatever else it is.
    let reason = if metadata.nlink() > 1 {
        "it has a second name (a hard link)"
    } else if metadata.len() > MAX_LEN {
        "it is too large"
    } else {
        return Ok(file.into_std());
    };
    let (action, path) = (place.attempt.action, place.attempt.path.to_owned());
    Err(WriteError::NotALockFile { action, path, reason })
}

fn holder_of(file: &File) -> String {
    let mut text = Vec::new();
    // Some systems do not let a locked file be read.
    file.take(MAX_LEN).read_to_end(&mut text).ok();
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line: String = line
        .iter()
        .map(|byte| if (b' '..=b'~').contains(byte) { char::from(*byte) } else { '?' })
        .collect();
    match line.trim() {
        "" => "another process".to_owned(),
        line => line.to_owned(),
    }
}

impl Lock {
    /// Returns the lock on a file that was locked; `None` if another file is in its place by now, so
    /// that nobody else would see the lock.
    fn confirmed<'a>(
        at: impl Fn() -> Result<Place<'a>, WriteError>,
        file: File,
        holder: &str,
    ) -> Result<Option<Self>, WriteError> {
        let ours = step("look at", || Metadata::from_file(&file));
        let place = at()?;
        let ours = ours.map_err(|err| place.failed(err))?;
        let now = place.metadata()?;
        if now.is_none_or(|now| (now.dev(), now.ino()) != (ours.dev(), ours.ino())) {
            return Ok(None);
        }
        let lock = Self { file };
        // A full disk is no reason to do without the lock.
        lock.sign(holder).ok();
        Ok(Some(lock))
    }

    /// Writes into the file who holds the lock.
    fn sign(&self, holder: &str) -> io::Result<()> {
        let mut line = format!("process {} ({holder}", std::process::id());
        line.truncate(line.floor_char_boundary(200));
        line.push_str(")\n");
        let mut file = &self.file;
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(line.as_bytes())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The next holder has not signed yet when a third one asks. The kernel unlocks on close.
        self.file.set_len(0).ok();
    }
}

#[cfg(test)]
pub(crate) mod tests;

//! One process at a time, by the kernel's word.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};

use cap_fs_ext::MetadataExt;
use cap_std::fs::OpenOptions;

use crate::dir::{Place, step};
use crate::error::WriteError;

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

/// What came of an attempt to take a lock without waiting.
#[derive(Debug)]
pub enum LockAttempt {
    /// The lock is ours.
    Acquired(Lock),
    /// Another process has it.
    Held {
        /// Who has it, for people: `process 4711 (jaunt build)`, or `another process`. Text of
        /// the file's, made harmless and short, but not to be believed.
        by: String,
    },
}

/// Whether to wait for a lock that somebody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    Wait,
    NoWait,
}

/// Takes the lock on a file, which is made if it does not exist.
pub(crate) fn acquire(
    place: &Place<'_>,
    holder: &str,
    patience: Patience,
) -> Result<LockAttempt, WriteError> {
    loop {
        let file = open(place)?;
        if !take(&file, patience).map_err(|err| place.io("lock", err))? {
            return Ok(LockAttempt::Held { by: holder_of(&file) });
        }
        // Whoever waits for a file that is replaced meanwhile gets a lock that nobody else sees.
        if is_still_in(place, &file)? {
            let lock = Lock { file };
            // A full disk is no reason to do without the lock.
            lock.sign(holder).ok();
            return Ok(LockAttempt::Acquired(lock));
        }
    }
}

fn open(place: &Place<'_>) -> Result<File, WriteError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    let Some(file) = place.open(&mut options)? else {
        // The options make the file, so it is the directory that is gone.
        return Err(place.io("open", io::ErrorKind::NotFound.into()));
    };
    let metadata = file.metadata().map_err(|err| place.io("look at", err))?;
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

fn take(file: &File, patience: Patience) -> io::Result<bool> {
    loop {
        let taken = match patience {
            Patience::Wait => step(|| file.lock()).map(|()| true),
            Patience::NoWait => step(|| match file.try_lock() {
                Ok(()) => Ok(true),
                Err(TryLockError::WouldBlock) => Ok(false),
                Err(TryLockError::Error(err)) => Err(err),
            }),
        };
        match taken {
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            taken => return taken,
        }
    }
}

fn is_still_in(place: &Place<'_>, file: &File) -> Result<bool, WriteError> {
    let ours =
        step(|| cap_std::fs::Metadata::from_file(file)).map_err(|err| place.io("look at", err))?;
    Ok(place.metadata()?.is_some_and(|it| (it.dev(), it.ino()) == (ours.dev(), ours.ino())))
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
    /// Says in the file who holds the lock.
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

//! What can go wrong, and the words for it.

use std::{fmt, io};

use camino::{Utf8Path, Utf8PathBuf};
use cap_fs_ext::FileTypeExt;
use jaunt_text::escaped;

/// Why an operation on a [`Tree`](crate::Tree) was not done.
///
/// Paths are relative to the root that the tree was opened with.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
#[non_exhaustive]
pub enum WriteError {
    /// The path does not name anything below the tree, whatever is on the disk.
    #[error("refusing to {action} `{}` below `{}`: {reason}", shown(.path), shown(.below))]
    InvalidPath {
        action: &'static str,
        path: Utf8PathBuf,
        below: Utf8PathBuf,
        reason: &'static str,
    },

    /// The file, or a directory on the way to it, is a symbolic link, which could lead out of the
    /// tree.
    #[error(
        "refusing to {action} `{}`: `{}` is a symbolic link; remove it, or put a real {wanted} in its place",
        shown(.path), shown(.link), wanted = .wanted.noun()
    )]
    Link { action: &'static str, path: Utf8PathBuf, link: Utf8PathBuf, wanted: FileKind },

    /// Something else is where a regular file or a directory should be.
    #[error(
        "refusing to {action} `{}`: `{}` is {found}, not {wanted}; move it away",
        shown(.path), shown(.at)
    )]
    WrongKind {
        action: &'static str,
        path: Utf8PathBuf,
        at: Utf8PathBuf,
        found: FileKind,
        wanted: FileKind,
    },

    /// The file is not a lock file: it would be damaged if it were used as one.
    #[error("refusing to {action} `{}`, which cannot be a lock file: {reason}; move it away", shown(.path))]
    NotALockFile { action: &'static str, path: Utf8PathBuf, reason: &'static str },

    /// A system call failed.
    #[error("cannot {action} `{}`{}", shown(.path), Step(.action, .path, .step, .at))]
    Io {
        action: &'static str,
        path: Utf8PathBuf,
        step: &'static str,
        at: Utf8PathBuf,
        source: io::Error,
    },
}

impl WriteError {
    /// Checks whether the path, or what is in its place, was refused.
    ///
    /// Then nothing was tried and a person has to act. Otherwise a system call failed: the disk is
    /// full, a permission is missing.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::InvalidPath { .. }
            | Self::Link { .. }
            | Self::WrongKind { .. }
            | Self::NotALockFile { .. } => true,
            Self::Io { .. } => false,
        }
    }
}

/// What a name in a directory stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names explain themselves")]
#[non_exhaustive]
pub enum FileKind {
    File,
    Directory,
    Link,
    Fifo,
    Socket,
    BlockDevice,
    CharDevice,
    Other,
}

impl FileKind {
    pub(crate) fn of(file_type: cap_std::fs::FileType) -> Self {
        if file_type.is_file() {
            Self::File
        } else if file_type.is_dir() {
            Self::Directory
        } else if file_type.is_symlink() {
            Self::Link
        } else if file_type.is_fifo() {
            Self::Fifo
        } else if file_type.is_socket() {
            Self::Socket
        } else if file_type.is_block_device() {
            Self::BlockDevice
        } else if file_type.is_char_device() {
            Self::CharDevice
        } else {
            Self::Other
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Link => "symbolic link",
            Self::Fifo => "named pipe",
            Self::Socket => "socket",
            Self::BlockDevice => "block device",
            Self::CharDevice => "character device",
            Self::Other => "special file",
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {}", self.noun())
    }
}

/// What is being done, for the messages of its errors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) action: &'static str,
    pub(crate) path: &'a Utf8Path,
}

impl Attempt<'_> {
    /// Returns the error for a step that failed.
    pub(crate) fn failed(&self, at: &Utf8Path, Failure { step, source }: Failure) -> WriteError {
        let (path, at) = (self.path.to_owned(), at.to_owned());
        WriteError::Io { action: self.action, path, step, at, source }
    }

    /// Returns the error for what was found in the place of a file or a directory.
    pub(crate) fn refuse(&self, at: &Utf8Path, found: FileKind, wanted: FileKind) -> WriteError {
        let (action, path, at) = (self.action, self.path.to_owned(), at.to_owned());
        match found {
            FileKind::Link => WriteError::Link { action, path, link: at, wanted },
            _ => WriteError::WrongKind { action, path, at, found, wanted },
        }
    }
}

/// A system call that failed, and the words for it, which fit before a path.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) step: &'static str,
    pub(crate) source: io::Error,
}

impl Failure {
    pub(crate) fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

/// Makes a system call. Tests can let it fail, or do something before it.
pub(crate) fn step<T>(
    step: &'static str,
    call: impl FnOnce() -> io::Result<T>,
) -> Result<T, Failure> {
    #[cfg(test)]
    let call = || crate::testing::record_step(step).and_then(|()| call());
    call().map_err(|source| Failure { step, source })
}

/// The step that failed, unless it is the action itself: a verb, and what it was about.
struct Step<'a>(&'a str, &'a Utf8Path, &'a str, &'a Utf8Path);

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(action, path, step, at) = *self;
        match (path == at, step == action) {
            (true, true) => Ok(()),
            (true, false) => write!(f, ": cannot {step} it"),
            (false, _) => write!(f, ": cannot {step} `{}`", shown(at)),
        }
    }
}

/// Shows a path on one line, without characters that move the cursor.
pub(crate) fn shown(path: &Utf8Path) -> impl fmt::Display + '_ {
    escaped(path.as_str())
}

//! Why a store gives or takes nothing.

use std::io;

use camino::Utf8PathBuf;
use jaunt_write::WriteError;

use crate::store::recording::RecordingFault;

/// Why a store gives or takes nothing.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
pub enum StoreError {
    /// The directory does not exist.
    #[error("there is no directory `{path}` with recordings")]
    NoStore { path: Utf8PathBuf },
    /// A system call failed.
    #[error("cannot {action} `{path}`")]
    Io { action: &'static str, path: Utf8PathBuf, source: io::Error },
    /// A recording, or the directory, could not be written.
    #[error("cannot record in `{path}`")]
    Write { path: Utf8PathBuf, source: WriteError },
    /// A file in the store is not what was recorded.
    #[error("refusing the recording `{path}`: {fault}")]
    Refused { path: Utf8PathBuf, fault: RecordingFault },
}

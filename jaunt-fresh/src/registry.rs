//! The registry document of a verdict.

use jaunt_digest::Digest;
use jaunt_write::Stamp;

/// The registry document that a verdict was reached with.
#[derive(Clone, Copy, Debug)]
pub struct RegistryState {
    pub(crate) stamp: Stamp,
    pub(crate) digest: Digest,
}

impl RegistryState {
    /// Describes a document that is not in a file of its own.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::of_file(Stamp::NONE, bytes)
    }

    /// Describes a document in a file, which had the stamp `before` when `bytes` were not yet read from it.
    pub fn of_file(before: Stamp, bytes: &[u8]) -> Self {
        Self { stamp: before, digest: Digest::of(bytes) }
    }
}

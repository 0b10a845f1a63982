//! How a plan is run.

use std::num::NonZeroUsize;

use crate::attempts::Attempts;

/// How a plan is run.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// How many modules are generated at once.
    pub jobs: NonZeroUsize,
    /// How many attempts a module gets.
    pub attempts: Attempts,
    /// Start nothing more after the first failure.
    pub fail_fast: bool,
    /// Overwrite files that jaunt did not write.
    pub adopt: bool,
    /// The version that goes into the header.
    pub tool_version: String,
}

//! What is generated, and how.

use std::num::NonZeroUsize;

use crate::generator_options::GeneratorOptions;

/// What is generated, and how.
#[derive(Clone, Debug, Default)]
pub struct GenerateOptions {
    /// `MODULE[:QUALNAME]` each: only these modules and what they depend on. Everything if it is empty.
    pub targets: Vec<String>,
    /// Generates the targets although they are fresh; without targets, everything.
    pub force: bool,
    /// Plans, and generates nothing.
    pub dry_run: bool,
    /// How many modules are generated at once; `None` means as configured.
    pub jobs: Option<NonZeroUsize>,
    /// How many attempts a module gets; `None` means as configured.
    pub max_attempts: Option<u32>,
    /// Starts nothing more after the first failure.
    pub fail_fast: bool,
    /// Overwrites files that jaunt did not write.
    pub adopt: bool,
    /// Accepts a registry without specs, or without tests.
    pub allow_empty: bool,
    /// Fails if another process is writing to the project, instead of waiting for it.
    pub no_wait: bool,
    /// Who generates.
    pub generator: GeneratorOptions,
}

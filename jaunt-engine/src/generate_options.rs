//! What is generated, and how.

use std::num::NonZeroUsize;
use std::time::Duration;

use camino::Utf8PathBuf;
use jaunt_backends::BackendName;

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

/// What a run wants of its generator. What it leaves open is as `jaunt-engine.toml` says, and then as `jaunt.toml` does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GeneratorOptions {
    /// The backend. `None` means the one that the other options imply, else the configured one.
    pub backend: Option<BackendName>,
    /// A program with its arguments, for the backend `command`.
    pub command: Option<Vec<String>>,
    /// A folder of recorded generations, absolute or relative to the root, for the backend `replay`.
    pub store: Option<Utf8PathBuf>,
    /// A folder to record generations in, absolute or relative to the root.
    pub record: Option<Utf8PathBuf>,
    /// Time limit for each call.
    pub timeout: Option<Duration>,
    /// Bytes that a call may print.
    pub max_output: Option<usize>,
    /// More instructions for the generator.
    pub instructions: Vec<String>,
}

//! What a run wants of its generator.

use std::time::Duration;

use camino::Utf8PathBuf;
use jaunt_backends::BackendName;

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

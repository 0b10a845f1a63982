//! What a caller may name as the registry of a project.

use camino::Utf8PathBuf;

/// Where the registry document of a project comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistrySource {
    /// The first that applies: `[registry]` in `jaunt-engine.toml`, `jaunt.registry.json`, the exporter.
    Configured,
    /// A file that a person named, absolute or relative to the root. It may be a pipe.
    File(Utf8PathBuf),
    /// This document.
    Text {
        /// What messages call it, such as `standard input`.
        origin: String,
        /// JSON, in UTF-8.
        bytes: Vec<u8>,
    },
}

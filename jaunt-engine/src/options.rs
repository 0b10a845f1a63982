//! What a project is opened with.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8PathBuf;
use jaunt_process::{Stop, StopLevel};
use tokio::sync::watch;

use crate::notice::Notice;

/// What a project is opened with, beside its root.
#[derive(Clone)]
pub struct OpenOptions {
    /// A configuration file in place of `jaunt.toml`, absolute or relative to the root.
    pub config: Option<Utf8PathBuf>,
    /// Where the registry document comes from.
    pub registry: RegistrySource,
    /// The interpreter of the project: a name on the PATH, or an absolute path. `None` means that `$VIRTUAL_ENV`,
    /// `.venv/` or `python3` is taken.
    pub python: Option<Utf8PathBuf>,
    /// Whether the exporter may infer dependencies that specs do not declare.
    pub infer_deps: bool,
    /// The environment in which programs are looked for: `PATH` and `VIRTUAL_ENV` are read.
    pub environment: BTreeMap<String, String>,
    /// Where the engine hears that it is to stop.
    pub stop: Stop,
    /// Who is told what a person may want to know.
    pub on_notice: Arc<dyn Fn(Notice<'_>) + Send + Sync>,
}

impl Default for OpenOptions {
    /// Takes the project as it is configured, an empty environment, and nobody who listens or stops it.
    fn default() -> Self {
        Self {
            config: None,
            registry: RegistrySource::Configured,
            python: None,
            infer_deps: true,
            environment: BTreeMap::new(),
            stop: watch::channel(StopLevel::Run).1,
            on_notice: Arc::new(|_| {}),
        }
    }
}

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

//! The files that one start of pytest needs and writes.
#![expect(clippy::disallowed_methods, reason = "a temporary directory is no user's tree")]

use std::path::{Path, PathBuf};

use camino::Utf8PathBuf;
use tempfile::TempDir;

use crate::error::PytestError;

const PLUGIN: &str = include_str!("../plugin/events.py");
const LAUNCHER: &str = include_str!("../plugin/launch.py");

/// A private directory for one start of pytest. Dropping it removes it.
pub(super) struct ScratchDir {
    dir: TempDir,
    token: String,
}

impl ScratchDir {
    /// Makes the directory, with the plugin in it.
    pub(super) fn new() -> Result<Self, PytestError> {
        const PREFIX: &str = "jaunt-pytest-";
        let dir =
            tempfile::Builder::new().prefix(PREFIX).rand_bytes(16).tempdir().map_err(|source| {
                PytestError::Channel {
                    action: "make a directory in",
                    path: std::env::temp_dir(),
                    source,
                }
            })?;
        let name = dir.path().file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let token = name.trim_start_matches(PREFIX).to_owned();
        let scratch = Self { dir, token };
        let reporter = format!("jaunt_reporter_{}", scratch.token);
        scratch.write(&format!("{reporter}.py"), PLUGIN)?;
        let import = format!("from {reporter} import pytest_configure  # noqa: F401\n");
        scratch.write(&format!("{}.py", scratch.plugin()), &import)?;
        Ok(scratch)
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Returns the token that marks the records of this start.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Returns the name of the plugin's module.
    pub(super) fn plugin(&self) -> String {
        format!("jaunt_events_{}", self.token)
    }

    /// Returns the file that the plugin writes its records to.
    pub(super) fn events(&self) -> PathBuf {
        self.path().join("events.jsonl")
    }

    /// Returns the file for pytest's JUnit XML.
    pub(super) fn junit(&self) -> PathBuf {
        self.path().join("junit.xml")
    }

    /// Returns whether the launcher or the plugin found no pytest.
    pub(super) fn lacks_pytest(&self) -> bool {
        self.path().join("no-pytest").exists()
    }

    /// Adds the launcher with its arguments, and returns its path.
    pub(super) fn add_launcher(
        &self,
        arguments: &[String],
        python_path: &[Utf8PathBuf],
    ) -> Result<PathBuf, PytestError> {
        let launch = serde_json::json!({ "arguments": arguments, "path": python_path });
        self.write("launch.json", &launch.to_string())?;
        self.write("launch.py", LAUNCHER)
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf, PytestError> {
        let path = self.path().join(name);
        match std::fs::write(&path, text) {
            Ok(()) => Ok(path),
            Err(source) => Err(PytestError::Channel { action: "write", path, source }),
        }
    }
}

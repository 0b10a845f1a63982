//! What can be wrong with a configuration.

use std::fmt;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_digest::LayoutError;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
#[non_exhaustive]
pub enum ConfigError {
    /// The file that was named is not there.
    #[error("`{path}` does not exist")]
    Missing { path: Utf8PathBuf },

    /// The file is a directory, a device, a pipe.
    #[error("cannot read `{path}`")]
    NotAFile { path: Utf8PathBuf, source: io::Error },

    /// The file is not text.
    #[error("`{path}` is not UTF-8")]
    NotUtf8 { path: Utf8PathBuf },

    /// The file is not TOML, or a key has a value of the wrong type.
    #[error("cannot read `{file}`")]
    Malformed { file: Utf8PathBuf, source: TomlError },

    /// `jaunt.toml` is of a version that is not known.
    #[error("`{file}` has `version = {version}`")]
    Version { file: Utf8PathBuf, version: i64 },

    /// A key has a value that makes no sense.
    #[error("`{key}` in `{file}` {fault}")]
    Key { key: String, file: Utf8PathBuf, fault: String },

    /// `generated_dir` is not the name of a folder.
    #[error(transparent)]
    GeneratedDir { source: LayoutError },

    /// A root leads out of the project.
    #[error("the root `{root}` is not inside the project")]
    RootOutside { root: String },

    /// `[agent] engine` of `jaunt.toml` names no backend that ships.
    #[error("`{file}` has the unknown `[agent] engine` {engine:?}")]
    UnknownEngine { file: Utf8PathBuf, engine: String },
}

impl ConfigError {
    pub(crate) fn malformed(file: &Utf8Path, err: &toml::de::Error) -> Self {
        let source = TomlError(err.to_string().trim_end().to_owned());
        Self::Malformed { file: file.to_owned(), source }
    }
}

/// What is wrong with a TOML file, and where, in several lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TomlError(String);

impl fmt::Display for TomlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TomlError {}

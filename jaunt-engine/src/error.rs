//! Why the engine could not do what it was asked for.

use std::io;
use std::process::ExitStatus;

use camino::Utf8PathBuf;
use jaunt_backends::{BackendConfigError, TemplateError};
use jaunt_builder::ProjectError;
use jaunt_digest::{Kind, ModuleName, RegistryError};
use jaunt_process::ProcessError;
use jaunt_pytest::PytestError;
use jaunt_write::WriteError;
use serde::Deserialize;

use crate::config::ConfigError;

/// Why a project could not be opened, planned or run. Code that failed the checks is no error but an outcome.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
#[non_exhaustive]
pub enum EngineError {
    /// No directory upwards is a project.
    #[error("there is no `jaunt.toml` in `{start}` or in any folder above it")]
    NoRoot { start: Utf8PathBuf },

    /// The root that was named is no directory.
    #[error("`{root}` is not a folder")]
    RootNotADirectory { root: Utf8PathBuf },

    /// `jaunt.toml`, `jaunt-engine.toml`, or both together.
    #[error(transparent)]
    Config(#[from] ConfigError),

    /// The registry document cannot be read from its file.
    #[error("cannot read `{path}`")]
    RegistryFile { path: Utf8PathBuf, source: io::Error },

    /// The registry document does not say what one has to say.
    #[error("the registry ({origin}) cannot be used")]
    Registry { origin: String, source: RegistryError },

    /// What the exporter printed cannot be read as a registry document.
    #[error(transparent)]
    ExportedRegistry { source: RegistryError },

    /// The command that prints the registry document could not be run to its end.
    #[error("the registry command `{command}` failed")]
    RegistryCommand { command: String, source: ProcessError },

    /// The command that prints the registry document reported a failure.
    #[error("the registry command `{command}` failed")]
    RegistryCommandFailed {
        command: String,
        status: ExitStatus,
        /// The last lines of its standard error.
        last_lines: Vec<String>,
    },

    /// The installed Python package gave no registry document.
    #[error(transparent)]
    Export(#[from] ExportError),

    /// The registry and the sources contradict each other.
    #[error(transparent)]
    Project(#[from] ProjectError),

    /// A target that names nothing, or nothing of the right kind.
    #[error(transparent)]
    Target(#[from] TargetError),

    /// There is nothing to do where something was expected.
    #[error("{0}")]
    Empty(MissingSpecs),

    /// Another process is writing to the project, and nobody wants to wait for it.
    #[error("{holder} is writing to this project")]
    Locked { holder: String },

    /// The run was told to stop while it waited for another process.
    #[error("stopped while waiting for another jaunt")]
    StoppedWaiting,

    /// The run was told to stop before there was a result.
    #[error("stopped")]
    Stopped,

    /// There is no backend that could generate.
    #[error(transparent)]
    Generator(#[from] GeneratorError),

    /// The interpreter cannot import pytest.
    #[error("`{python}` cannot import pytest")]
    NoPytest {
        python: Utf8PathBuf,
        /// The last lines of its standard error.
        last_lines: Vec<String>,
    },

    /// The interpreter cannot be asked whether it can import pytest.
    #[error(transparent)]
    Interpreter(ProcessError),

    /// pytest cannot be started.
    #[error(transparent)]
    Pytest(#[from] PytestError),

    /// A file of the project or of the engine's own cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),

    /// A system call failed.
    #[error("cannot {action} `{path}`")]
    Io { action: &'static str, path: String, source: io::Error },
}

/// What the registry has none of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MissingSpecs {
    /// It has no specs at all.
    #[error("the registry has no specs")]
    Any,
    /// It has no specs of one kind.
    #[error("the registry has no {} specs", match .0 { Kind::Build => "magic", Kind::Test => "test" })]
    OfKind(Kind),
    /// No test module belongs to what was asked for.
    #[error("no test module belongs to these targets")]
    OfTargets,
}

/// Why the installed Python package gave no registry document.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
#[non_exhaustive]
pub enum ExportError {
    /// The script could not be put into a file.
    #[error("cannot write `the exporter`")]
    Script { source: io::Error },

    /// The interpreter could not be run to its end.
    #[error("cannot export the registry: {}", .source)]
    Interpreter { python: Utf8PathBuf, source: ProcessError },

    /// The interpreter ended without saying anything that can be read.
    #[error("the exporter ended without a result ({status})")]
    NoResult {
        status: ExitStatus,
        /// The last lines of its standard error.
        last_lines: Vec<String>,
    },

    /// The exporter says what is wrong.
    #[error("{0}")]
    Refused(Box<ExportRefusal>),
}

/// What the exporter says is wrong; `exporter/export.py` lists the kinds.
#[derive(Debug, Deserialize)]
pub struct ExportRefusal {
    /// One of the words at the top of `export.py`.
    pub kind: String,
    /// What is wrong, for a person.
    pub message: String,
    /// The spec module that could not be imported.
    pub module: Option<String>,
    /// Where, relative to the root.
    pub file: Option<String>,
    /// The line in that file, counted from 1.
    pub line: Option<u64>,
    /// Python's own words.
    pub traceback: Option<String>,
    /// What can be done, in the words of the exporter.
    pub hint: Option<String>,
    /// The interpreter.
    pub python: Option<String>,
}

impl std::fmt::Display for ExportRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.module {
            Some(module) => write!(f, "cannot import `{module}`")?,
            None => f.write_str(&self.message)?,
        }
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, " (`{file}`, line {line})"),
            (Some(file), None) => write!(f, " (`{file}`)"),
            (None, _) => Ok(()),
        }
    }
}

/// Why a target cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
#[non_exhaustive]
pub enum TargetError {
    /// No spec has this name, or no module with specs.
    #[error("there is no {} `{target}`", if target.contains(':') { "spec" } else { "module with specs" })]
    Unknown {
        target: String,
        /// Names that are like it, the most alike first.
        near: Vec<String>,
    },

    /// A module of tests where product code is built.
    #[error("`{module}` holds test specs, which `jaunt build` does not generate")]
    HoldsTests { module: ModuleName },
}

/// Why there is no generator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GeneratorError {
    /// A setting, a program or a store is missing.
    #[error(transparent)]
    Backend(#[from] BackendConfigError),
    /// A prompt template cannot be used.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

//! What a command can fail with, and what that means for the exit code.

use std::error::Error;
use std::fmt;

use jaunt_builder::ProjectError;
use jaunt_digest::RegistryError;
use jaunt_pytest::PytestError;
use jaunt_write::WriteError;

/// Who must act, and so the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// Wrong flags.
    Usage,
    /// `jaunt.toml`, `jaunt-engine.toml`, the backend's settings, the interpreter.
    Config,
    /// The registry document, or the sources it names.
    Registry,
    /// Specs that depend on each other.
    Cycle,
    /// A target that does not exist.
    Target,
    /// Nothing to do where something was expected.
    Empty,
    /// Another build holds the project.
    Locked,
    /// Stopped by the signal of this number.
    Interrupted(u8),
    /// The machine: files and processes.
    Io,
    /// A bug.
    Internal,
}

impl ErrorKind {
    /// The word that stands in JSON documents.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Config => "config",
            Self::Registry => "registry",
            Self::Cycle => "cycle",
            Self::Target => "target",
            Self::Empty => "empty",
            Self::Locked => "locked",
            Self::Interrupted(_) => "interrupted",
            Self::Io => "io",
            Self::Internal => "internal",
        }
    }

    /// The exit code, as the README documents it.
    pub(crate) fn exit(self) -> Exit {
        match self {
            Self::Usage
            | Self::Config
            | Self::Registry
            | Self::Cycle
            | Self::Target
            | Self::Empty
            | Self::Locked => Exit::Usage,
            Self::Interrupted(number) => Exit::Signal(number),
            Self::Io | Self::Internal => Exit::Machine,
        }
    }
}

/// How the program ends. The numbers are a promise to users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Success,
    /// A bug, or the machine.
    Machine,
    /// Configuration, registry, cycle, unknown target, wrong flags.
    Usage,
    /// Generation or validation failed.
    Generation,
    /// pytest failed, or `check` found something stale.
    Tests,
    /// A time limit ended the run.
    TimeLimit,
    /// Stopped by a signal, of this number.
    Signal(u8),
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Machine => 1,
            Self::Usage => 2,
            Self::Generation => 3,
            Self::Tests => 4,
            Self::TimeLimit => 5,
            Self::Signal(number) => 128 + number,
        }
    }
}

/// An error as it is shown: once, with its causes and what to do.
#[derive(Debug)]
pub(crate) struct CommandError {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    pub(crate) causes: Vec<String>,
    pub(crate) hints: Vec<String>,
}

pub(crate) type CommandResult<T> = Result<T, CommandError>;

impl CommandError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), hints: Vec::new() }
    }

    /// The error with its chain of sources as causes.
    pub(crate) fn of(kind: ErrorKind, err: &dyn Error) -> Self {
        let mut causes = Vec::new();
        let mut source = err.source();
        while let Some(err) = source {
            causes.push(err.to_string());
            source = err.source();
        }
        Self { kind, message: err.to_string(), causes, hints: Vec::new() }
    }

    /// `cannot VERB PATH`, caused by what the operating system said.
    pub(crate) fn io(verb: &str, path: impl fmt::Display, err: &dyn Error) -> Self {
        Self::new(ErrorKind::Io, format!("cannot {verb} `{path}`")).because(err)
    }

    /// Adds a cause.
    pub(crate) fn because(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// Adds something that the user can do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl From<RegistryError> for CommandError {
    fn from(err: RegistryError) -> Self {
        Self::of(ErrorKind::Registry, &err)
    }
}

impl From<ProjectError> for CommandError {
    fn from(err: ProjectError) -> Self {
        match &err {
            ProjectError::Cycle(_) => Self::of(ErrorKind::Cycle, &err).hint(
                "remove one of these `deps=[…]` entries, or move what both need into a third spec",
            ),
            ProjectError::Sources(problems) => {
                let mut error = Self::of(ErrorKind::Registry, &err);
                error.causes = problems.iter().map(ToString::to_string).collect();
                error.hint("if the registry document is older than the sources, make it again (`jaunt registry export`)")
            }
            ProjectError::Layout { .. } => Self::of(ErrorKind::Registry, &err).hint(
                "give `output_base` and `generated_relpath` for it under `modules` in the registry",
            ),
            ProjectError::MixedKinds { .. }
            | ProjectError::Collision { .. }
            | ProjectError::DependsOnTest { .. } => Self::of(ErrorKind::Registry, &err),
            _ => Self::of(ErrorKind::Registry, &err),
        }
    }
}

impl From<WriteError> for CommandError {
    fn from(err: WriteError) -> Self {
        Self::of(ErrorKind::Io, &err)
    }
}

impl From<PytestError> for CommandError {
    fn from(err: PytestError) -> Self {
        Self::of(ErrorKind::Config, &err)
            .hint("`--python PATH` names the interpreter of the project")
            .hint("`python -m pip install pytest` installs pytest for it")
    }
}

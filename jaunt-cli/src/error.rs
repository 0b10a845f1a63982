//! What a command can fail with, and what that means for the exit code.

use std::error::Error;
use std::fmt;

use crate::exit::Exit;
use jaunt_backends::BackendConfigError;
use jaunt_builder::ProjectError;
use jaunt_digest::Kind;
use jaunt_engine::{
    ConfigError, EngineError, ExportError, ExportRefusal, GeneratorError, MissingSpecs, TargetError,
};
use jaunt_report::{ErrorBody, ErrorDocument, render};
use jaunt_text::error_chain;

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
    /// Returns the word that stands in JSON documents.
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

    /// Returns the exit code, as the README documents it.
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

/// An error as it is shown: once, with its causes and what to do.
#[derive(Debug)]
pub(crate) struct CommandError {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    pub(crate) causes: Vec<String>,
    /// What was used or assumed. In documents it stands among the causes.
    pub(crate) notes: Vec<String>,
    pub(crate) hints: Vec<String>,
}

pub(crate) type CommandResult<T> = Result<T, CommandError>;

impl CommandError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            causes: Vec::new(),
            notes: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// Makes an error with its chain of sources as causes.
    pub(crate) fn of(kind: ErrorKind, err: &dyn Error) -> Self {
        let mut chain = error_chain(err);
        let causes = chain.split_off(1);
        Self { causes, ..Self::new(kind, chain.remove(0)) }
    }

    /// Makes the error `cannot VERB PATH`, caused by a failed system call.
    pub(crate) fn io(verb: &str, path: impl fmt::Display, err: &dyn Error) -> Self {
        Self::new(ErrorKind::Io, format!("cannot {verb} `{path}`")).because(err)
    }

    /// Adds a cause.
    pub(crate) fn because(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// Adds what was used or assumed.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Returns the error as a document.
    pub(crate) fn to_document(&self) -> String {
        let causes: Vec<String> = self.causes.iter().chain(&self.notes).cloned().collect();
        let body = ErrorBody {
            kind: self.kind.as_str(),
            message: &self.message,
            causes: &causes,
            hints: &self.hints,
        };
        render(&ErrorDocument::new(body, self.kind.exit().code()))
    }

    /// Adds something that the user can do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// Where a project gets an interpreter other than the one that was taken.
const OTHER_PYTHON: &str = "choose another interpreter with `--python PATH`";

/// What needs no interpreter at all.
const NO_PYTHON: &str = "`--registry FILE` names a registry document that needs no Python";

impl From<EngineError> for CommandError {
    fn from(err: EngineError) -> Self {
        match err {
            EngineError::NoRoot { .. } => Self::of(ErrorKind::Config, &err)
                .hint("go to the project, or name it with `--root DIR`"),
            EngineError::RootNotADirectory { root } => {
                Self::new(ErrorKind::Usage, format!("`--root {root}` is not a folder"))
            }
            EngineError::Config(err) => err.into(),
            EngineError::RegistryFile { .. }
            | EngineError::Registry { .. }
            | EngineError::ExportedRegistry { .. }
            | EngineError::RegistryCommand { .. } => Self::of(ErrorKind::Registry, &err),
            EngineError::RegistryCommandFailed { status, ref last_lines, .. } => {
                let mut error = Self::of(ErrorKind::Registry, &err).because(status);
                error.causes.extend(last_lines.iter().cloned());
                error
            }
            EngineError::Export(err) => err.into(),
            EngineError::Project(err) => err.into(),
            EngineError::Target(err) => err.into(),
            EngineError::Empty(missing) => missing.into(),
            EngineError::Locked { .. } => Self::of(ErrorKind::Locked, &err)
                .hint("without `--no-wait`, jaunt waits until it is done"),
            // The number of the signal is known to the session alone.
            EngineError::StoppedWaiting | EngineError::Stopped => {
                Self::of(ErrorKind::Interrupted(0), &err)
            }
            EngineError::Generator(err) => err.into(),
            EngineError::NoPytest { ref python, ref last_lines } => {
                let mut error = Self::of(ErrorKind::Config, &err);
                error.causes.clone_from(last_lines);
                error
                    .hint(format!("install it with `{python} -m pip install pytest`"))
                    .hint(format!("{OTHER_PYTHON}, or generate without it with `--no-run`"))
            }
            EngineError::Interpreter(_) => Self::of(ErrorKind::Config, &err)
                .hint(format!("{OTHER_PYTHON}, or generate without it with `--no-run`")),
            EngineError::Pytest(_) => Self::of(ErrorKind::Config, &err)
                .hint(OTHER_PYTHON)
                .hint("install pytest for it with `python -m pip install pytest`"),
            EngineError::Write(_) | EngineError::Io { .. } => Self::of(ErrorKind::Io, &err),
            _ => Self::of(ErrorKind::Internal, &err),
        }
    }
}

impl From<ConfigError> for CommandError {
    fn from(err: ConfigError) -> Self {
        let error = Self::of(ErrorKind::Config, &err);
        match err {
            ConfigError::Missing { path } => {
                Self::new(ErrorKind::Config, format!("`--config {path}` does not exist"))
            }
            ConfigError::Version { .. } => error.hint("versions 1 and 2 are known"),
            ConfigError::GeneratedDir { .. } => {
                error.hint("`generated_dir` is the name of one folder, such as `__generated__`")
            }
            ConfigError::RootOutside { .. } => {
                error.hint("`source_roots` and `test_roots` are relative to the project root")
            }
            ConfigError::UnknownEngine { .. } => error.hint(
                "name a backend with `--backend`, or under `[backend]` in `jaunt-engine.toml`",
            ),
            _ => error,
        }
    }
}

impl From<ExportError> for CommandError {
    fn from(err: ExportError) -> Self {
        match err {
            ExportError::Refused(refusal) => (*refusal).into(),
            ExportError::Script { source } => Self::io("write", "the exporter", &source),
            ExportError::Interpreter { ref source, .. } => {
                let mut error = Self::of(ErrorKind::Config, source);
                error.message = err.to_string();
                error.hint(OTHER_PYTHON).hint(NO_PYTHON)
            }
            ExportError::NoResult { ref last_lines, .. } => {
                let printed = last_lines.join("\n");
                Self::of(ErrorKind::Registry, &err).because(printed)
            }
            _ => Self::of(ErrorKind::Registry, &err),
        }
    }
}

impl From<ExportRefusal> for CommandError {
    fn from(refusal: ExportRefusal) -> Self {
        let kind = match refusal.kind.as_str() {
            "python_too_old"
            | "missing_package"
            | "unsupported_package"
            | "broken_package"
            | "config"
            | "usage" => ErrorKind::Config,
            "internal" => ErrorKind::Internal,
            _ => ErrorKind::Registry,
        };
        let mut error = Self::new(kind, refusal.to_string());
        if refusal.module.is_some() {
            error = error.because(&refusal.message);
        }
        if let Some(traceback) = refusal.traceback.filter(|text| !text.trim().is_empty()) {
            error = error.because(traceback.trim_end());
        }
        if let Some(hint) = refusal.hint {
            error = error.hint(hint);
        }
        if kind == ErrorKind::Config {
            if let Some(python) = refusal.python {
                error = error.note(format!("using interpreter `{python}`"));
            }
            error = error.hint(NO_PYTHON);
        }
        error
    }
}

impl From<TargetError> for CommandError {
    fn from(err: TargetError) -> Self {
        let error = Self::of(ErrorKind::Target, &err);
        match err {
            TargetError::Unknown { near, .. } if near.is_empty() => {
                error.hint("`jaunt status` lists the modules")
            }
            TargetError::Unknown { near, .. } => {
                let near: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
                error.hint(format!("did you mean {}?", near.join(" or ")))
            }
            TargetError::HoldsTests { .. } => error.hint("use `jaunt test`"),
            _ => error,
        }
    }
}

impl From<MissingSpecs> for CommandError {
    fn from(missing: MissingSpecs) -> Self {
        let error = Self::of(ErrorKind::Empty, &missing);
        match missing {
            MissingSpecs::Any | MissingSpecs::OfKind(Kind::Build) => error
                .hint("decorate a function or class with `@jaunt.magic`")
                .hint("`--allow-empty` accepts a registry without them"),
            MissingSpecs::OfKind(Kind::Test) => error
                .hint("decorate a function or class with `@jaunt.test`")
                .hint("`--allow-empty` accepts a registry without them"),
            MissingSpecs::OfTargets => error
                .hint("name a test module, or a product module that a test names in its `targets`")
                .hint("`--allow-empty` accepts a run without tests"),
        }
    }
}

impl From<GeneratorError> for CommandError {
    fn from(err: GeneratorError) -> Self {
        let mut error = Self::of(ErrorKind::Config, &err);
        if let GeneratorError::Backend(err) = &err {
            error.hints = hints_for_backend(err);
        }
        error
    }
}

/// Returns what can be done about a backend that cannot be used, as orders.
fn hints_for_backend(err: &BackendConfigError) -> Vec<String> {
    let hints: &[&str] = match err {
        BackendConfigError::NoCommand => {
            &["give it with `--backend-command 'CMD ARG…'`, or as `command` under `[backend]` in \
             `jaunt-engine.toml`"]
        }
        BackendConfigError::NoModel => &["set `model` under `[backend]` in `jaunt-engine.toml`"],
        BackendConfigError::NoStore => &["set `store` under `[backend]` in `jaunt-engine.toml`"],
        BackendConfigError::NoProgram { install: Some(install), .. } => &[
            install,
            "or choose another backend with `--backend`: command, replay, codex, claude, llm, \
             ollama",
            "or name a program of your own with `--backend-command 'CMD ARG…'`",
        ],
        BackendConfigError::NoProgram { install: None, .. } => {
            &["install it, or check the spelling of the command"]
        }
        BackendConfigError::Store { .. } => &["record into it first, with `--record DIR`"],
        BackendConfigError::Record { .. } => {
            &["name a directory whose parent exists with `--record DIR`"]
        }
    };
    hints.iter().map(|hint| (*hint).to_owned()).collect()
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

#[cfg(test)]
mod tests {
    use jaunt_backends::BackendName;

    use super::*;

    #[test]
    fn a_backend_that_cannot_be_used_comes_with_what_can_be_done() {
        let missing = |install| BackendConfigError::NoProgram {
            backend: BackendName::Claude,
            program: "claude".to_owned(),
            install,
        };
        let hints = [
            missing(Some("install it with `npm install -g @anthropic-ai/claude-code`")),
            missing(None),
            BackendConfigError::NoCommand,
            BackendConfigError::NoModel,
            BackendConfigError::NoStore,
        ]
        .map(|err| hints_for_backend(&err).join("\n"));
        assert_eq!(
            hints.join("\n\n"),
            "install it with `npm install -g @anthropic-ai/claude-code`\n\
             or choose another backend with `--backend`: command, replay, codex, claude, llm, ollama\n\
             or name a program of your own with `--backend-command 'CMD ARG…'`\n\
             \n\
             install it, or check the spelling of the command\n\
             \n\
             give it with `--backend-command 'CMD ARG…'`, or as `command` under `[backend]` in \
             `jaunt-engine.toml`\n\
             \n\
             set `model` under `[backend]` in `jaunt-engine.toml`\n\
             \n\
             set `store` under `[backend]` in `jaunt-engine.toml`"
        );
    }
}

//! Where code comes from: programs, and recordings of what programs once answered.
//!
//! [`select`] makes an [`AnyBackend`] of settings, and finds out before anything is started whether
//! it can work at all.

mod command;
mod fence;
#[cfg(fuzzing)]
pub mod fuzzing;
mod preset;
mod prompt;
mod record;
mod replay;
mod report;
mod store;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_builder::{Generator, GeneratorBackend, Lookup};
use jaunt_digest::ModuleName;
use serde::Deserialize;

use crate::command::{Arg, CommandBackend, CommandConfig};
pub use crate::command::{Input, Output};
use crate::preset::preset;
pub use crate::prompt::{AsyncRunner, TemplateError, TemplateName, Templates};
use crate::record::Recording;
use crate::replay::ReplayBackend;
use crate::store::Store;
pub use crate::store::StoreError;
use jaunt_process::Stop;

/// The backends that ship.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendName {
    /// A program of the user's.
    Command,
    /// Recorded generations.
    Replay,
    /// `codex exec`.
    #[default]
    Codex,
    /// `claude --print`.
    Claude,
    /// `llm prompt`.
    Llm,
    /// `ollama run`.
    Ollama,
}

impl BackendName {
    /// Every backend, in the order in which they are listed.
    pub const ALL: [Self; 6] =
        [Self::Command, Self::Replay, Self::Codex, Self::Claude, Self::Llm, Self::Ollama];

    /// What it is, in a few words for a list of them.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Command => "Any program that speaks `jaunt.generate/1`, or takes a prompt",
            Self::Replay => "Recorded generations",
            Self::Codex => "OpenAI's `codex exec`",
            Self::Claude => "Anthropic's `claude --print`",
            Self::Llm => "Simon Willison's `llm`",
            Self::Ollama => "`ollama run`, with a model on this machine",
        }
    }

    /// The name by which settings and flags know it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Replay => "replay",
            Self::Codex => "codex",
            Self::Claude => "claude",
            Self::Llm => "llm",
            Self::Ollama => "ollama",
        }
    }
}

impl Display for BackendName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What is known of the wanted backend from flags and files.
#[derive(Clone, Debug)]
pub struct BackendSettings {
    pub name: BackendName,
    /// The root of the project: programs run there, and relative paths start there.
    pub root: Utf8PathBuf,
    /// The program of `command`, with its arguments.
    pub command: Vec<String>,
    /// How to talk to `command`.
    pub input: Input,
    pub output: Output,
    /// For the known programs; without, each has its own default.
    pub model: Option<String>,
    pub reasoning_effort: Option<String>,
    /// Further arguments for the known programs.
    pub args: Vec<String>,
    /// What is added to the environment of a program.
    pub env: BTreeMap<String, String>,
    /// The recordings of `replay`.
    pub store: Option<Utf8PathBuf>,
    /// Where to record what is generated.
    pub record: Option<Utf8PathBuf>,
    /// For one attempt.
    pub timeout: Duration,
    /// Between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// Bytes of standard output of a program.
    pub max_output: usize,
}

impl BackendSettings {
    /// What holds for a backend about which nothing has been said.
    pub fn new(name: BackendName, root: Utf8PathBuf) -> Self {
        Self {
            name,
            root,
            command: Vec::new(),
            input: Input::default(),
            output: Output::default(),
            model: None,
            reasoning_effort: None,
            args: Vec::new(),
            env: BTreeMap::new(),
            store: None,
            record: None,
            timeout: Duration::from_secs(600),
            grace: Duration::from_secs(3),
            max_output: 8 * 1024 * 1024,
        }
    }
}

/// Why there is no backend.
#[derive(Debug, thiserror::Error)]
pub enum BackendConfigError {
    #[error("the backend `command` has no command")]
    NoCommand,
    #[error("the backend `ollama` has no model")]
    NoModel,
    #[error("the backend `replay` has no store")]
    NoStore,
    #[error(
        "the backend `{backend}` needs the program `{program}`, which is {}",
        if program.contains('/') { "no executable file" } else { "not in `PATH`" }
    )]
    NoProgram { backend: BackendName, program: String, install: Option<&'static str> },
    #[error("the backend `replay` cannot be used")]
    Store { source: StoreError },
    #[error("generations cannot be recorded")]
    Record { source: StoreError },
}

impl BackendConfigError {
    /// What can be done about it, as orders.
    pub fn hints(&self) -> Vec<String> {
        let hints: &[&str] = match self {
            Self::NoCommand => {
                &["give it with `--backend-command 'CMD ARG…'`, or as `command` under `[backend]` \
                 in `jaunt-engine.toml`"]
            }
            Self::NoModel => &["set `model` under `[backend]` in `jaunt-engine.toml`"],
            Self::NoStore => &["set `store` under `[backend]` in `jaunt-engine.toml`"],
            Self::NoProgram { install: Some(install), .. } => &[
                install,
                "or choose another backend with `--backend`: command, replay, codex, claude, \
                 llm, ollama",
                "or name a program of your own with `--backend-command 'CMD ARG…'`",
            ],
            Self::NoProgram { install: None, .. } => {
                &["install it, or check the spelling of the command"]
            }
            Self::Store { .. } => &["record into it first, with `--record DIR`"],
            Self::Record { .. } => &["name a directory whose parent exists with `--record DIR`"],
        };
        hints.iter().map(|it| (*it).to_owned()).collect()
    }
}

/// One of the backends that ship.
pub struct AnyBackend {
    name: BackendName,
    generator: Generator,
    recording: Option<Arc<Recording>>,
}

/// Makes the backend that the settings ask for.
///
/// `search_path` is the `PATH` of our own environment.
///
/// # Errors
///
/// When something is missing: a setting, a program, a store. Nothing has been started or paid for
/// then.
pub fn select(
    settings: &BackendSettings,
    templates: Templates,
    stop: Stop,
    search_path: &OsStr,
) -> Result<AnyBackend, BackendConfigError> {
    let generator = match settings.name {
        BackendName::Replay => {
            let store = settings.store.as_ref().ok_or(BackendConfigError::NoStore)?;
            let store = Store::open(&settings.root, store)
                .map_err(|source| BackendConfigError::Store { source })?;
            let replay = ReplayBackend::new(store);
            let lookup: Arc<dyn Lookup> = Arc::new(replay.clone());
            Generator { backend: Arc::new(replay), lookup: Some(lookup) }
        }
        _ => {
            let config = command(settings)?;
            let path = config.env.get("PATH").map_or(search_path, OsStr::new);
            if !is_program(&config.program, &config.cwd, path) {
                return Err(BackendConfigError::NoProgram {
                    backend: settings.name,
                    program: config.program,
                    install: config.install,
                });
            }
            Generator::new(Arc::new(CommandBackend::new(config, templates, stop)))
        }
    };
    let Some(dir) = &settings.record else {
        return Ok(AnyBackend { name: settings.name, generator, recording: None });
    };
    let store = Store::create(&settings.root, dir)
        .map_err(|source| BackendConfigError::Record { source })?;
    // Without a lookup, because every answer has to be recorded.
    let recording = Arc::new(Recording::new(generator.backend, store));
    let backend: Arc<dyn GeneratorBackend> = recording.clone();
    let generator = Generator::new(backend);
    Ok(AnyBackend { name: settings.name, generator, recording: Some(recording) })
}

impl AnyBackend {
    /// The name by which it was asked for.
    pub fn name(&self) -> &'static str {
        self.name.as_str()
    }

    /// Where a build gets code from.
    pub fn generator(&self) -> &Generator {
        &self.generator
    }

    /// Takes what was generated and could not be recorded: the modules are fine, the store is not.
    pub fn take_record_failures(&self) -> Vec<(ModuleName, StoreError)> {
        self.recording.as_ref().map_or_else(Vec::new, |recording| recording.take_failures())
    }
}

/// The command of the settings: the user's own, or that of a program we know.
fn command(settings: &BackendSettings) -> Result<CommandConfig, BackendConfigError> {
    let mut config = CommandConfig {
        program: String::new(),
        args: Vec::new(),
        cwd: settings.root.clone(),
        env: settings.env.clone(),
        input: settings.input,
        output: settings.output,
        timeout: settings.timeout,
        grace: settings.grace,
        max_output: settings.max_output,
        install: None,
    };
    if let Some(preset) = preset(settings)? {
        config.program = preset.program.to_owned();
        config.args = preset.args;
        config.input = Input::Prompt;
        config.output = Output::Python;
        config.install = Some(preset.install);
        for (name, value) in preset.env {
            config.env.entry(name).or_insert(value);
        }
    } else {
        let command = settings.command.split_first().filter(|(program, _)| !program.is_empty());
        let (program, args) = command.ok_or(BackendConfigError::NoCommand)?;
        config.program.clone_from(program);
        config.args = args.iter().cloned().map(Arg::Text).collect();
    }
    Ok(config)
}

/// Whether there is an executable file of this name, where `exec` would look.
fn is_program(program: &str, cwd: &Utf8Path, search_path: &OsStr) -> bool {
    let is_executable = |path: &std::path::Path| {
        path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
    };
    if program.contains('/') {
        return is_executable(cwd.join(program).as_std_path());
    }
    env::split_paths(search_path)
        .any(|dir| is_executable(&cwd.as_std_path().join(dir).join(program)))
}

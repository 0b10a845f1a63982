//! The backend that settings ask for.

use std::ffi::OsStr;

use jaunt_builder::{
    AtHand, Attempt, BackendError, Generation, GeneratorBackend, ModuleSpecContext, Problem,
};
use jaunt_digest::ModuleName;
use jaunt_process::{Stop, is_program};

use crate::attempt::uncounted;
use crate::command::{AnswerFormat, Arg, CommandBackend, CommandConfig, RequestFormat};
use crate::error::BackendConfigError;
use crate::name::BackendName;
use crate::preset::preset;
use crate::prompt::Templates;
use crate::record::RecordingBackend;
use crate::replay::ReplayBackend;
use crate::settings::BackendSettings;
use crate::store::{Store, StoreError};

/// One of the backends that ship.
#[derive(Debug)]
pub struct AnyBackend {
    name: BackendName,
    answers: Answers,
}

#[derive(Debug)]
enum Answers {
    Plain(Source),
    Recorded(RecordingBackend<Source>),
}

#[derive(Debug)]
enum Source {
    Command(Box<CommandBackend>),
    Replay(ReplayBackend),
}

/// Makes the backend that the settings ask for.
///
/// `search_path` is the `PATH` of our own environment. Nothing is started.
///
/// # Errors
///
/// If something is missing: a setting, a program, a store.
pub fn select(
    settings: &BackendSettings,
    templates: Templates,
    stop: Stop,
    search_path: &OsStr,
) -> Result<AnyBackend, BackendConfigError> {
    let source = match settings.name {
        BackendName::Replay => {
            let store = settings.store.as_ref().ok_or(BackendConfigError::NoStore)?;
            let store = Store::open(&settings.root, store)
                .map_err(|source| BackendConfigError::Store { source })?;
            Source::Replay(ReplayBackend::new(store))
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
            Source::Command(Box::new(CommandBackend::new(config, templates, stop)))
        }
    };
    let answers = match &settings.record {
        None => Answers::Plain(source),
        Some(dir) => {
            let store = Store::create(&settings.root, dir)
                .map_err(|source| BackendConfigError::Record { source })?;
            Answers::Recorded(RecordingBackend::new(source, store))
        }
    };
    Ok(AnyBackend { name: settings.name, answers })
}

impl AnyBackend {
    /// Returns the name by which it was asked for.
    pub fn name(&self) -> &'static str {
        self.name.as_str()
    }

    /// Takes what was generated and could not be recorded. The modules themselves have not failed.
    pub fn take_record_failures(&self) -> Vec<(ModuleName, StoreError)> {
        match &self.answers {
            Answers::Plain(_) => Vec::new(),
            Answers::Recorded(recording) => recording.take_failures(),
        }
    }
}

impl GeneratorBackend for AnyBackend {
    async fn generate_module(
        &self,
        ctx: &ModuleSpecContext,
        error_context: &[String],
    ) -> Result<Generation, BackendError> {
        self.generate_attempt(ctx, uncounted(error_context)).await
    }

    async fn generate_attempt(
        &self,
        ctx: &ModuleSpecContext,
        attempt: Attempt<'_>,
    ) -> Result<Generation, BackendError> {
        match &self.answers {
            Answers::Plain(source) => source.generate_attempt(ctx, attempt).await,
            Answers::Recorded(recording) => recording.generate_attempt(ctx, attempt).await,
        }
    }

    fn at_hand(&self) -> Option<&dyn AtHand> {
        match &self.answers {
            Answers::Plain(source) => source.at_hand(),
            // It has to be recorded as well.
            Answers::Recorded(_) => None,
        }
    }

    fn refuse(&self, ctx: &ModuleSpecContext, problems: &[Problem]) -> Option<BackendError> {
        match &self.answers {
            Answers::Plain(source) => source.refuse(ctx, problems),
            Answers::Recorded(recording) => recording.refuse(ctx, problems),
        }
    }
}

impl GeneratorBackend for Source {
    async fn generate_module(
        &self,
        ctx: &ModuleSpecContext,
        error_context: &[String],
    ) -> Result<Generation, BackendError> {
        self.generate_attempt(ctx, uncounted(error_context)).await
    }

    async fn generate_attempt(
        &self,
        ctx: &ModuleSpecContext,
        attempt: Attempt<'_>,
    ) -> Result<Generation, BackendError> {
        match self {
            Self::Command(backend) => backend.generate_attempt(ctx, attempt).await,
            Self::Replay(backend) => backend.generate_attempt(ctx, attempt).await,
        }
    }

    fn at_hand(&self) -> Option<&dyn AtHand> {
        match self {
            Self::Command(backend) => backend.at_hand(),
            Self::Replay(backend) => backend.at_hand(),
        }
    }

    fn refuse(&self, ctx: &ModuleSpecContext, problems: &[Problem]) -> Option<BackendError> {
        match self {
            Self::Command(backend) => backend.refuse(ctx, problems),
            Self::Replay(backend) => backend.refuse(ctx, problems),
        }
    }
}

/// Returns the command of the settings: the user's own, or that of a program we know.
pub(crate) fn command(settings: &BackendSettings) -> Result<CommandConfig, BackendConfigError> {
    let mut config = CommandConfig {
        program: String::new(),
        args: Vec::new(),
        cwd: settings.root.clone(),
        env: settings.env.clone(),
        request_format: settings.request_format,
        answer_format: settings.answer_format,
        timeout: settings.timeout,
        grace: settings.grace,
        max_output: settings.max_output,
        install: None,
    };
    if let Some(preset) = preset(settings)? {
        config.program = preset.program.to_owned();
        config.args = preset.args;
        config.request_format = RequestFormat::Prompt;
        config.answer_format = AnswerFormat::Python;
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

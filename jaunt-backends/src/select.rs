//! The backend that settings ask for.

use std::ffi::OsStr;
use std::sync::Arc;

use jaunt_builder::{Generator, GeneratorBackend, Lookup};
use jaunt_digest::ModuleName;
use jaunt_process::{Stop, is_program};

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
pub struct AnyBackend {
    name: BackendName,
    generator: Generator,
    recording: Option<Arc<RecordingBackend>>,
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
    let generator = match settings.name {
        BackendName::Replay => replay(settings)?,
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
    let recording = Arc::new(RecordingBackend::new(generator.backend, store));
    let backend: Arc<dyn GeneratorBackend> = recording.clone();
    let generator = Generator::new(backend);
    Ok(AnyBackend { name: settings.name, generator, recording: Some(recording) })
}

fn replay(settings: &BackendSettings) -> Result<Generator, BackendConfigError> {
    let store = settings.store.as_ref().ok_or(BackendConfigError::NoStore)?;
    let store = Store::open(&settings.root, store)
        .map_err(|source| BackendConfigError::Store { source })?;
    let replay = ReplayBackend::new(store);
    let lookup: Arc<dyn Lookup> = Arc::new(replay.clone());
    Ok(Generator { backend: Arc::new(replay), lookup: Some(lookup) })
}

impl AnyBackend {
    /// Returns the name by which it was asked for.
    pub fn name(&self) -> &'static str {
        self.name.as_str()
    }

    /// Returns where a build gets code from.
    pub fn generator(&self) -> &Generator {
        &self.generator
    }

    /// Takes what was generated and could not be recorded. The modules themselves have not failed.
    pub fn take_record_failures(&self) -> Vec<(ModuleName, StoreError)> {
        self.recording.as_ref().map_or_else(Vec::new, |recording| recording.take_failures())
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

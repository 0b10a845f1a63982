//! Which generator a run uses.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::time::Duration;

use camino::Utf8PathBuf;
use jaunt_backends::{
    AnyBackend, AsyncRunner, BackendName, BackendSettings, TemplateError, TemplateName, Templates,
};

use crate::config::ConfigError;
use crate::engine::Engine;
use crate::error::{EngineError, GeneratorError};
use crate::generate_options::GeneratorOptions;

impl Engine {
    /// Makes the backend that the options and the configuration ask for.
    pub(crate) fn generator(&self, options: &GeneratorOptions) -> Result<AnyBackend, EngineError> {
        let config = &self.settings.backend;
        let name = self.backend_name(options)?;
        let mut settings = BackendSettings::new(name, self.root().to_owned());
        settings.command =
            options.command.as_ref().or(config.command.as_ref()).cloned().unwrap_or_default();
        settings.request_format = config.input.unwrap_or_default();
        settings.answer_format = config.output.unwrap_or_default();
        settings.model.clone_from(&config.model);
        settings.args.clone_from(&config.args);
        settings.env.clone_from(&config.env);
        if name == BackendName::Codex {
            settings.model = settings.model.or_else(|| self.config.codex_model.clone());
            settings.reasoning_effort.clone_from(&self.config.codex_reasoning_effort);
        }
        settings.store = options.store.clone().or_else(|| config.store.clone());
        settings.record.clone_from(&options.record);
        if let Some(limit) = options.timeout.or(config.timeout.map(Duration::from_secs_f64)) {
            settings.timeout = limit;
        }
        if let Some(bytes) = options.max_output.or(config.max_output) {
            settings.max_output = bytes;
        }
        let templates = self.templates(&options.instructions).map_err(GeneratorError::from)?;
        let path = self.options.environment.get("PATH").map_or("", String::as_str);
        let stop = self.options.stop.clone();
        let backend = jaunt_backends::select(&settings, templates, stop, OsStr::new(path));
        Ok(backend.map_err(GeneratorError::from)?)
    }

    /// Decides which backend is meant: the options come before `jaunt-engine.toml`, and that before `[agent] engine`
    /// of `jaunt.toml`.
    fn backend_name(&self, options: &GeneratorOptions) -> Result<BackendName, ConfigError> {
        let config = &self.settings.backend;
        let of_options = || {
            let command = options.command.as_ref().map(|_| BackendName::Command);
            command.or(options.store.as_ref().map(|_| BackendName::Replay))
        };
        let of_config = || config.name.or(config.command.as_ref().map(|_| BackendName::Command));
        if let Some(name) = options.backend.or_else(of_options).or_else(of_config) {
            return Ok(name);
        }
        match self.config.agent_engine.as_deref() {
            None | Some("codex") => Ok(BackendName::Codex),
            Some(engine) => Err(ConfigError::UnknownEngine {
                file: self.config_file.clone(),
                engine: engine.to_owned(),
            }),
        }
    }

    /// Reads the prompt templates: those of `jaunt-engine.toml` come before those of `jaunt.toml`, and those before
    /// ours.
    fn templates(&self, instructions: &[String]) -> Result<Templates, TemplateError> {
        let own: BTreeMap<&str, &Utf8PathBuf> = self
            .config
            .prompts
            .iter()
            .chain(&self.settings.prompts)
            .map(|(name, path)| (name.as_str(), path))
            .collect();
        let overrides = TemplateName::ALL
            .into_iter()
            .filter_map(|name| Some((name, (*own.get(name.as_str())?).clone())))
            .collect();
        let instructions = self.config.instructions.iter().chain(instructions);
        let runner = match self.config.async_runner.as_deref() {
            Some("anyio") => AsyncRunner::Anyio,
            _ => AsyncRunner::Asyncio,
        };
        let templates = Templates::load(self.root(), &overrides)?.with_async_runner(runner);
        Ok(templates.with_instructions(instructions.cloned().collect()))
    }
}

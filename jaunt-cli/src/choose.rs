//! Which backend flags and configuration ask for.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::time::Duration;

use camino::Utf8PathBuf;

use crate::args::GenerateArgs;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::project::{Session, Workspace};
use jaunt_backends::{
    AnyBackend, AsyncRunner, BackendConfigError, BackendName, BackendSettings, TemplateError,
    TemplateName, Templates,
};

/// The backend of a run. Flags come before `jaunt-engine.toml`, and that before `[agent] engine` of
/// `jaunt.toml`.
pub(crate) fn backend(
    session: &Session,
    workspace: &Workspace,
    args: &GenerateArgs,
) -> CommandResult<AnyBackend> {
    let config = &workspace.engine.backend;
    let mut settings = BackendSettings::new(name(workspace, args)?, workspace.root.clone());
    settings.command = match &args.backend_command {
        Some(line) => shell_words::split(line).map_err(|err| {
            CommandError::new(ErrorKind::Usage, format!("`--backend-command {line}`: {err}"))
        })?,
        None => config.command.clone().unwrap_or_default(),
    };
    settings.input = config.input.unwrap_or_default();
    settings.output = config.output.unwrap_or_default();
    settings.model.clone_from(&config.model);
    settings.args.clone_from(&config.args);
    settings.env.clone_from(&config.env);
    if settings.name == BackendName::Codex {
        let jaunt = &workspace.config;
        settings.model = settings.model.or_else(|| jaunt.codex_model.clone());
        settings.reasoning_effort.clone_from(&jaunt.codex_reasoning_effort);
    }
    settings.store = match &args.store {
        Some(store) => Some(session.path(store)),
        None => config.store.clone(),
    };
    settings.record = args.record.as_deref().map(|dir| session.path(dir));
    if let Some(seconds) = args.timeout.or(config.timeout) {
        settings.timeout = Duration::from_secs_f64(seconds);
    }
    if let Some(bytes) = args.max_output.or(config.max_output) {
        settings.max_output = bytes;
    }

    let templates = templates(workspace, args)?;
    let path = session.env.vars.get("PATH").map_or("", String::as_str);
    jaunt_backends::select(&settings, templates, session.stop.level(), OsStr::new(path))
        .map_err(CommandError::from)
}

fn name(workspace: &Workspace, args: &GenerateArgs) -> CommandResult<BackendName> {
    if let Some(name) = args.backend {
        return Ok(name);
    }
    if args.backend_command.is_some() {
        return Ok(BackendName::Command);
    }
    if args.store.is_some() {
        return Ok(BackendName::Replay);
    }
    let config = &workspace.engine.backend;
    if let Some(name) = config.name {
        return Ok(name);
    }
    if config.command.is_some() {
        return Ok(BackendName::Command);
    }
    match workspace.config.agent_engine.as_deref() {
        None | Some("codex") => Ok(BackendName::Codex),
        Some(engine) => Err(CommandError::new(
            ErrorKind::Config,
            format!("`{}` has the unknown `[agent] engine` {engine:?}", workspace.config_file),
        )
        .hint("name a backend with `--backend`, or under `[backend]` in `jaunt-engine.toml`")),
    }
}

/// The prompt templates: those of `jaunt-engine.toml` before those of `jaunt.toml` before ours.
fn templates(workspace: &Workspace, args: &GenerateArgs) -> CommandResult<Templates> {
    let own: BTreeMap<&str, &Utf8PathBuf> = workspace
        .config
        .prompts
        .iter()
        .chain(&workspace.engine.prompts)
        .map(|(name, path)| (name.as_str(), path))
        .collect();
    let mut overrides = BTreeMap::new();
    for name in TemplateName::ALL {
        if let Some(path) = own.get(name.as_str()) {
            overrides.insert(name, (*path).clone());
        }
    }
    let instructions = workspace.config.instructions.iter().chain(&args.instructions);
    let runner = match workspace.config.async_runner.as_deref() {
        Some("anyio") => AsyncRunner::Anyio,
        _ => AsyncRunner::Asyncio,
    };
    let templates = Templates::load(&workspace.root, &overrides)?.with_async_runner(runner);
    Ok(templates.with_instructions(instructions.cloned().collect()))
}

impl From<BackendConfigError> for CommandError {
    fn from(err: BackendConfigError) -> Self {
        let mut error = Self::of(ErrorKind::Config, &err);
        error.hints = err.hints();
        error
    }
}

impl From<TemplateError> for CommandError {
    fn from(err: TemplateError) -> Self {
        Self::of(ErrorKind::Config, &err)
    }
}

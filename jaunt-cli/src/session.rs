//! What every command needs: the terminal, the flags that all have, the environment, the signals.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_engine::{Engine, EngineError, Notice, OpenOptions, RegistrySource, find_root};

use crate::args::CommonArgs;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::signals::Stop;
use crate::ui::{Tone, Ui};

/// What the process was started with, read once.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    pub(crate) cwd: Utf8PathBuf,
    pub(crate) vars: BTreeMap<String, String>,
}

/// Everything that every command needs.
pub(crate) struct Session {
    pub(crate) ui: Ui,
    pub(crate) common: CommonArgs,
    pub(crate) env: Environment,
    pub(crate) stop: Stop,
}

impl Session {
    /// Makes a path of the command line absolute: it is relative to where the user is.
    pub(crate) fn path(&self, path: &Utf8Path) -> Utf8PathBuf {
        self.env.cwd.join(path)
    }

    /// Opens the project that the flags name, or that the user is in.
    pub(crate) fn engine(&self) -> CommandResult<Engine> {
        let common = &self.common;
        let root = match &common.root {
            Some(root) => self.path(root),
            None => find_root(&self.env.cwd).map_err(|err| self.explain(err))?,
        };
        let registry = match &common.registry {
            None => RegistrySource::Configured,
            Some(file) if file == "-" => RegistrySource::Text {
                origin: "standard input".to_owned(),
                bytes: standard_input()?,
            },
            Some(file) => RegistrySource::File(self.path(file)),
        };
        let ui = self.ui.clone();
        let options = OpenOptions {
            config: common.config.as_ref().map(|file| self.path(file)),
            registry,
            python: common.python.as_ref().map(|path| self.program(path)),
            infer_deps: !common.no_infer_deps,
            environment: self.env.vars.clone(),
            stop: self.stop.level(),
            on_notice: Arc::new(move |notice| show(&ui, &notice)),
        };
        Engine::open_with(&root, options).map_err(|err| self.explain(err))
    }

    /// Gives an error of the engine its kind and its hints.
    pub(crate) fn explain(&self, err: EngineError) -> CommandError {
        let mut error = CommandError::from(err);
        if error.kind == ErrorKind::Interrupted(0) {
            error.kind = ErrorKind::Interrupted(self.stop.signal().unwrap_or(2));
        }
        error
    }

    /// Finds a program of the command line: a bare name is looked for in the PATH.
    fn program(&self, path: &Utf8Path) -> Utf8PathBuf {
        let is_bare = path.components().count() == 1 && !path.as_str().contains('/');
        if is_bare { path.to_owned() } else { self.path(path) }
    }
}

fn standard_input() -> CommandResult<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(|err| CommandError::io("read", "standard input", &err))?;
    Ok(bytes)
}

fn show(ui: &Ui, notice: &Notice<'_>) {
    match notice {
        Notice::WaitingForLock { holder } => {
            ui.labelled(Tone::Note, "waiting", format!("for {holder} to finish"));
        }
        Notice::RegistryCached => ui.detail("Registry unchanged; using the cached export."),
        Notice::RegistryExporting { python } => {
            ui.detail(format!("Exporting the registry with `{python}`."));
        }
        Notice::ExporterOutput { text } => ui.detail(text),
        Notice::RegistryWarning { text } => ui.labelled(Tone::Note, "warning:", text),
        Notice::NotRecorded { module, error } => {
            ui.labelled(Tone::Bad, "not recorded", format!("{module}: {error}"));
        }
        Notice::FailedTestsNotSaved { error } => {
            ui.detail(format!("The failed tests are not saved for --rerun-failed: {error}"));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_is_looked_for_in_the_path_and_a_path_starts_where_the_user_is() {
        let cli = <crate::args::Cli as clap::Parser>::parse_from(["jaunt", "status"]);
        let (_signals, stop) = crate::signals::Signals::new();
        let env = Environment { cwd: "/here".into(), vars: BTreeMap::new() };
        let ui = Ui::new(&cli.common, true);
        let session = Session { ui, common: cli.common, env, stop };
        let program = |path: &str| session.program(Utf8Path::new(path));
        assert_eq!(program("python3.13"), "python3.13");
        assert_eq!(program("./env/bin/python"), "/here/./env/bin/python");
        assert_eq!(program("/usr/bin/python3"), "/usr/bin/python3");
    }
}

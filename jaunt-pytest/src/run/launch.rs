//! How pytest is started.
#![expect(clippy::disallowed_methods, reason = "`PYTHONPATH` is inherited")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use camino::Utf8PathBuf;
use jaunt_process::{Invocation, Ladder, Leftovers, Limits, Redirect};

use crate::command::{OutputMode, PytestCommand};
use crate::error::PytestError;
use crate::run::scratch::ScratchDir;

/// The most bytes of arguments on a command line. Linux has room for about 2 MB and macOS for half
/// of it, but the environment needs some, and pytest passes its arguments on to others.
const COMMAND_LINE: usize = 1 << 16;

/// How pytest is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LaunchMode {
    /// `python -m pytest`.
    Module,
    /// Our launcher: for long lists of files, and for interpreters that ignore `PYTHONPATH`.
    Launcher,
    /// Our launcher without our plugin, if the plugin could not be loaded even so.
    Junit,
}

impl LaunchMode {
    /// Returns the mode to try first.
    pub(super) fn first(command: &PytestCommand) -> Self {
        let n_bytes = command.args.iter().map(String::len).sum::<usize>()
            + command.files.iter().map(|file| file.as_str().len() + 1).sum::<usize>();
        if n_bytes > COMMAND_LINE { Self::Launcher } else { Self::Module }
    }
}

/// Returns what to start. `time` is what is left of the time limit.
pub(super) fn invocation(
    command: &PytestCommand,
    mode: LaunchMode,
    scratch: &ScratchDir,
    time: Option<Duration>,
) -> Result<Invocation, PytestError> {
    let first = match mode {
        LaunchMode::Module | LaunchMode::Launcher => vec!["-p".to_owned(), scratch.plugin()],
        LaunchMode::Junit => vec![
            format!("--junitxml={}", scratch.junit().display()),
            "-o".to_owned(),
            // The family that names the files.
            "junit_family=xunit1".to_owned(),
        ],
    };
    let arguments = arguments(command, first);
    let args = match mode {
        LaunchMode::Module => {
            let module = ["-m", "pytest"].into_iter().map(OsString::from);
            module.chain(arguments.into_iter().map(OsString::from)).collect()
        }
        LaunchMode::Launcher | LaunchMode::Junit => {
            vec![scratch.add_launcher(&arguments, &python_path(command))?.into()]
        }
    };
    let (stdout, stderr) = match command.output {
        OutputMode::Stream => (Redirect::Inherit, Redirect::Inherit),
        OutputMode::StreamToStderr => (Redirect::ToStderr, Redirect::Inherit),
        OutputMode::Capture { .. } => (Redirect::Stream, Redirect::Stream),
    };
    Ok(Invocation {
        program: python(command),
        args,
        cwd: command.root.clone(),
        env: env(command, scratch.path())?,
        stdin: Vec::new(),
        stdout,
        stderr,
        limits: Limits { time, grace: command.grace, ladder: Ladder::Interrupt },
        leftovers: Leftovers::Leave,
    })
}

/// Returns the interpreter, independent of the current directory.
fn python(command: &PytestCommand) -> String {
    let python = &command.python;
    if python.components().count() > 1 {
        command.root.join(python).into_string()
    } else {
        python.to_string()
    }
}

fn python_path(command: &PytestCommand) -> Vec<Utf8PathBuf> {
    command.python_path.iter().map(|dir| command.root.join(dir)).collect()
}

fn env(
    command: &PytestCommand,
    scratch: &Path,
) -> Result<BTreeMap<OsString, OsString>, PytestError> {
    const PYTHONPATH: &str = "PYTHONPATH";
    let mut env: BTreeMap<OsString, OsString> =
        command.env.iter().map(|(key, value)| (key.into(), value.into())).collect();
    let inherited = env.remove(OsStr::new(PYTHONPATH)).or_else(|| std::env::var_os(PYTHONPATH));
    let inherited = inherited.filter(|value| !value.is_empty());
    let path = python_path(command)
        .into_iter()
        .map(PathBuf::from)
        .chain(inherited.iter().flat_map(std::env::split_paths))
        // Ours is the last: its modules have names that nobody else uses.
        .chain([scratch.to_owned()]);
    let path = std::env::join_paths(path).map_err(|source| PytestError::PythonPath { source })?;
    env.insert(PYTHONPATH.into(), path);
    Ok(env)
}

/// Returns the arguments for pytest. Ours come first, so that the project's override them.
fn arguments(command: &PytestCommand, first: Vec<String>) -> Vec<String> {
    let files = command.files.iter().map(|file| {
        // pytest would take these for options, and for a file with arguments in it.
        if file.as_str().starts_with(['-', '@']) { format!("./{file}") } else { file.to_string() }
    });
    first.into_iter().chain(command.args.iter().cloned()).chain(files).collect()
}

//! A run, from the command to the result.
#![expect(clippy::disallowed_methods, reason = "the edge where pytest is started")]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::channel::{Ledger, Tail};
use crate::command::{OutputMode, PytestCommand};
use crate::error::PytestError;
use crate::event::{OutputStream, TestEvent};
use crate::excerpt::Excerpt;
use crate::exit::PytestExit;
use crate::junit::parse_junit;
use crate::process::{Happening, Launch, Limits, spawn};
use crate::result::{PytestResult, RunState};

const PLUGIN: &str = include_str!("plugin/events.py");
const LAUNCHER: &str = include_str!("plugin/launch.py");

/// How many bytes of arguments go onto a command line. Linux has room for about 2 MB and macOS for
/// half of it, but the environment needs some, and pytest hands its arguments on to others.
const COMMAND_LINE: usize = 1 << 16;

/// Runs pytest and tells what came of it.
///
/// The results come from a plugin of our own that is written to a private temporary directory and
/// loaded with `-p`; the terminal output is for people only. `on_event` is told what happens as it
/// happens. When `stop` resolves, or the time limit is over, the process group gets SIGINT, then
/// SIGTERM and SIGKILL; what had run until then is in the result.
///
/// Standard input is empty. Processes that tests leave behind are not waited for. Dropping the
/// future kills the process group.
///
/// # Errors
///
/// Only if pytest could not be run at all; see [`PytestError`].
pub async fn run(
    command: &PytestCommand,
    mut on_event: impl FnMut(&TestEvent),
    stop: impl Future<Output = ()>,
) -> Result<PytestResult, PytestError> {
    let mut stop = pin!(stop);
    let begin = Instant::now();
    let run = Run {
        command,
        root: std::fs::canonicalize(&command.root)
            .ok()
            .and_then(|root| Utf8PathBuf::from_path_buf(root).ok())
            .unwrap_or_else(|| command.root.clone()),
        limits: Limits {
            deadline: command.timeout.map(|limit| (begin + limit, limit)),
            grace: command.grace,
        },
        begin,
    };
    let long = command.args.iter().map(String::len).sum::<usize>()
        + command.files.iter().map(|file| file.as_str().len() + 1).sum::<usize>()
        > COMMAND_LINE;
    let first = if long { How::Launcher } else { How::Module };
    let mut result = run.once(first, &mut on_event, stop.as_mut()).await?;
    for how in [How::Launcher, How::Junit] {
        if how != first && may_try_again(&result) {
            result = run.once(how, &mut on_event, stop.as_mut()).await?;
        }
    }
    Ok(result)
}

/// Returns whether no test can have run, for no better reason than that our plugin is missing.
fn may_try_again(result: &PytestResult) -> bool {
    // pytest 9 ends with 4 when it cannot import a plugin, and older ones with 1.
    matches!(result.state, RunState::NotLoaded { .. })
        && matches!(result.exit, Some(PytestExit::TestsFailed | PytestExit::UsageError))
}

/// How pytest is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// `python -m pytest`.
    Module,
    /// By our launcher, for long lists of files and for interpreters that ignore `PYTHONPATH`.
    Launcher,
    /// By our launcher, without our plugin: where that cannot be loaded even so.
    Junit,
}

struct Run<'a> {
    command: &'a PytestCommand,
    /// The root as Python sees it: without symlinks.
    root: Utf8PathBuf,
    limits: Limits,
    begin: Instant,
}

impl Run<'_> {
    async fn once(
        &self,
        how: How,
        on_event: &mut impl FnMut(&TestEvent),
        stop: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<PytestResult, PytestError> {
        let private = Private::new()?;
        let env = self.env(private.path())?;
        let junit = private.path().join("junit.xml");
        let first = match how {
            How::Module | How::Launcher => ["-p".to_owned(), private.plugin()].to_vec(),
            // The family that names the files.
            How::Junit => [
                format!("--junitxml={}", junit.display()),
                "-o".to_owned(),
                "junit_family=xunit1".to_owned(),
            ]
            .to_vec(),
        };
        let arguments = self.arguments(first);
        let args = match how {
            How::Module => ["-m", "pytest"]
                .into_iter()
                .map(OsString::from)
                .chain(arguments.iter().map(OsString::from))
                .collect(),
            How::Launcher | How::Junit => {
                vec![private.add_launcher(&arguments, &self.python_path())?.into()]
            }
        };
        let python = self.python();
        let launch = Launch {
            program: python.as_os_str(),
            args: &args,
            root: self.command.root.as_std_path(),
            env: &env,
            output: self.command.output,
        };
        let process = spawn(&launch).map_err(|source| PytestError::Start {
            python: self.command.python.clone(),
            root: self.command.root.clone(),
            source,
        })?;

        let limit = match self.command.output {
            OutputMode::Capture { limit } => limit,
            OutputMode::Stream | OutputMode::StreamToStderr => 0,
        };
        let mut stdout = Excerpt::new(limit);
        let mut stderr = Excerpt::new(limit);
        let mut tail = Tail::new(private.path().join("events.jsonl"));
        let mut ledger = Ledger::new(private.token());
        let mut failed_to_read = None;
        let (exit, ending) = process
            .wait(self.limits, stop, |happening| match happening {
                Happening::Tick => {
                    let read = tail.read(|line| ledger.enter(line, &mut *on_event));
                    failed_to_read = read.err();
                }
                Happening::Output(stream, bytes) => {
                    match stream {
                        OutputStream::Stdout => stdout.push(bytes),
                        OutputStream::Stderr => stderr.push(bytes),
                    }
                    on_event(&TestEvent::Output { stream, bytes: bytes.to_vec() });
                }
                Happening::Signal(signal) => {
                    on_event(&TestEvent::Stopping { signal, grace: self.command.grace });
                }
            })
            .await
            .map_err(|source| PytestError::Wait { python: self.command.python.clone(), source })?;
        if let Some(err) = failed_to_read {
            return Err(err);
        }
        if private.path().join("no-pytest").exists() {
            return Err(PytestError::NoPytest { python: self.command.python.clone() });
        }

        let unaccounted = self.unaccounted(&ledger);
        let is_loaded = ledger.is_loaded();
        let mut result = ledger.close(exit, ending, self.begin.elapsed());
        if limit > 0 {
            result.stdout = stdout.into_text();
            result.stderr = stderr.into_text();
        }
        if !is_loaded && matches!(result.state, RunState::NotStarted { .. }) {
            result.complete = false;
            if how == How::Junit {
                self.take_junit(&junit, &mut result);
            }
            result.state = RunState::NotLoaded {
                message: format!("pytest ended with {exit} without loading our plugin"),
            };
        }
        if let RunState::NotStarted { message } = &mut result.state {
            *message = last_words(&result.stderr, exit);
        }
        if matches!(result.state, RunState::Finished | RunState::NoTests) {
            result.doubts.extend(unaccounted);
        }
        for failure in &mut result.failures {
            failure.file = failure.file.take().map(|file| self.relative(&file));
        }
        for file in &mut result.files {
            *file = self.relative(file);
        }
        Ok(result)
    }

    /// Takes the results from the JUnit XML, if pytest has written it.
    fn take_junit(&self, path: &Path, result: &mut PytestResult) {
        let Ok(file) = File::open(path) else { return };
        match parse_junit(BufReader::new(file)) {
            Ok(report) => {
                let junit = report.into_result(&self.command.files);
                result.counts = junit.counts;
                result.failures = junit.failures;
                result.doubts.extend(junit.doubts);
                result.complete = junit.complete;
                result.source = junit.source;
            }
            Err(err) => result.doubts.push(err.to_string()),
        }
    }

    /// The interpreter; the directory we are in has no say in where it is.
    fn python(&self) -> PathBuf {
        let python = &self.command.python;
        if python.components().count() > 1 {
            self.command.root.join(python).into()
        } else {
            python.clone().into()
        }
    }

    fn python_path(&self) -> Vec<Utf8PathBuf> {
        self.command.python_path.iter().map(|dir| self.command.root.join(dir)).collect()
    }

    fn env(&self, private: &Path) -> Result<BTreeMap<OsString, OsString>, PytestError> {
        const PYTHONPATH: &str = "PYTHONPATH";
        let mut env: BTreeMap<OsString, OsString> =
            self.command.env.iter().map(|(key, value)| (key.into(), value.into())).collect();
        let inherited = env.remove(OsStr::new(PYTHONPATH)).or_else(|| std::env::var_os(PYTHONPATH));
        let inherited = inherited.filter(|value| !value.is_empty());
        let path = self
            .python_path()
            .into_iter()
            .map(PathBuf::from)
            .chain(inherited.iter().flat_map(std::env::split_paths))
            // Ours is the last: its one module has a name that nobody else uses.
            .chain([private.to_owned()]);
        let path =
            std::env::join_paths(path).map_err(|source| PytestError::PythonPath { source })?;
        env.insert(PYTHONPATH.into(), path);
        Ok(env)
    }

    /// The arguments for pytest. Ours come first, so that the project's have the last word.
    fn arguments(&self, first: Vec<String>) -> Vec<String> {
        let files = self.command.files.iter().map(|file| {
            // pytest would take these for options, and for a file with arguments in it.
            if file.as_str().starts_with(['-', '@']) {
                format!("./{file}")
            } else {
                file.to_string()
            }
        });
        first.into_iter().chain(self.command.args.iter().cloned()).chain(files).collect()
    }

    /// Names the requested files that pytest had nothing to say about.
    fn unaccounted(&self, ledger: &Ledger) -> Vec<String> {
        let seen: BTreeSet<&Utf8Path> = ledger.seen_files().collect();
        let is_seen = |path: &Utf8Path| {
            seen.contains(path)
                || seen.range(path..).next().is_some_and(|below| below.starts_with(path))
        };
        self.command
            .files
            .iter()
            .filter(|file| {
                let file = Utf8Path::new(match file.as_str().split_once("::") {
                    Some((path, _)) => path,
                    None => file.as_str(),
                });
                let candidates =
                    [normalized(&self.root.join(file)), normalized(&self.command.root.join(file))];
                !candidates.iter().any(|path| is_seen(path))
                    && !std::fs::canonicalize(&candidates[0])
                        .ok()
                        .and_then(|path| Utf8PathBuf::from_path_buf(path).ok())
                        .is_some_and(|path| is_seen(&path))
            })
            .map(|file| format!("no test was collected from `{file}`"))
            .collect()
    }

    fn relative(&self, file: &Utf8Path) -> Utf8PathBuf {
        let root = normalized(&self.command.root);
        file.strip_prefix(&self.root)
            .or_else(|_| file.strip_prefix(root))
            .unwrap_or(file)
            .to_owned()
    }
}

/// The private directory of one start of pytest. It is gone when this is dropped.
struct Private {
    dir: TempDir,
    token: String,
}

impl Private {
    fn new() -> Result<Self, PytestError> {
        const PREFIX: &str = "jaunt-pytest-";
        let dir =
            tempfile::Builder::new().prefix(PREFIX).rand_bytes(16).tempdir().map_err(|source| {
                PytestError::Channel {
                    action: "make a directory in",
                    path: std::env::temp_dir(),
                    source,
                }
            })?;
        let name = dir.path().file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let token = name.trim_start_matches(PREFIX).to_owned();
        let private = Self { dir, token };
        let reporter = format!("jaunt_reporter_{}", private.token);
        private.write(&format!("{reporter}.py"), PLUGIN)?;
        let import = format!("from {reporter} import pytest_configure  # noqa: F401\n");
        private.write(&format!("{}.py", private.plugin()), &import)?;
        Ok(private)
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn token(&self) -> &str {
        &self.token
    }

    /// The name of the plugin's module.
    fn plugin(&self) -> String {
        format!("jaunt_events_{}", self.token)
    }

    fn add_launcher(
        &self,
        arguments: &[String],
        python_path: &[Utf8PathBuf],
    ) -> Result<PathBuf, PytestError> {
        let launch = serde_json::json!({ "arguments": arguments, "path": python_path });
        self.write("launch.json", &launch.to_string())?;
        self.write("launch.py", LAUNCHER)
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf, PytestError> {
        let path = self.path().join(name);
        match std::fs::write(&path, text) {
            Ok(()) => Ok(path),
            Err(source) => Err(PytestError::Channel { action: "write", path, source }),
        }
    }
}

/// The path without `.` and `..`, as Python's `normpath` makes it.
fn normalized(path: &Utf8Path) -> Utf8PathBuf {
    let mut normalized = Utf8PathBuf::new();
    for component in path.components() {
        match component.as_str() {
            "." => {}
            ".." => {
                normalized.pop();
            }
            part => normalized.push(part),
        }
    }
    normalized
}

/// What a pytest that refused to run said last.
fn last_words(stderr: &str, exit: PytestExit) -> String {
    const LIMIT: usize = 4 << 10;
    let said = stderr.trim();
    let start = (said.len().saturating_sub(LIMIT)..said.len())
        .find(|&at| said.is_char_boundary(at))
        .unwrap_or_default();
    if said.is_empty() {
        format!("pytest ended with {exit} without running tests")
    } else {
        said[start..].to_owned()
    }
}

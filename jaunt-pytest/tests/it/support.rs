//! Python environments with pytest, projects to run, and an observer of the runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_pytest::{Counts, OutputMode, Phase, PytestCommand, PytestResult};
use serde::Deserialize;
use tempfile::TempDir;

use crate::{files, venv};

/// A virtual environment with one version of pytest and of its plugins.
#[derive(Clone, Debug)]
pub(crate) struct Venv {
    pub(crate) python: Utf8PathBuf,
    pub(crate) pytest: &'static str,
}

/// The plugins for each pytest: for old ones, the last versions that support it.
const PINS: &[(&str, &[&str])] = &[
    (
        "7.4.4",
        &[
            "pytest-xdist==3.6.1",
            "pytest-rerunfailures==14.0",
            "pytest-subtests==0.13.1",
            "pytest-randomly==3.15.0",
            "pytest-timeout==2.3.1",
        ],
    ),
    (
        "8.3.5",
        &[
            "pytest-xdist==3.6.1",
            "pytest-rerunfailures==15.0",
            "pytest-subtests==0.14.1",
            "pytest-randomly==3.16.0",
            "pytest-timeout==2.3.1",
        ],
    ),
    (
        // Sub-tests are built in.
        "9.2.0",
        &[
            "pytest-xdist==3.8.0",
            "pytest-rerunfailures==16.7",
            "pytest-randomly==5.1.0",
            "pytest-timeout==2.4.0",
        ],
    ),
];

impl Venv {
    /// Returns the environment with this version of pytest, made on first use and kept in `target/`.
    ///
    /// `None` if there is no such Python on this machine; it then says that the test is skipped.
    pub(crate) fn get(python: &str, pytest: &'static str) -> Option<Self> {
        let Some(base) = find_python(python) else {
            eprintln!("skipped: there is no Python {python} on this machine");
            return None;
        };
        let (_, plugins) = PINS.iter().find(|(version, _)| *version == pytest).unwrap();
        let this = format!("pytest=={pytest}");
        let packages = [&[this.as_str()], *plugins].concat();
        let name = format!("pytest-{pytest}-py{python}");
        Some(Self::make(&base, &name, &packages, pytest))
    }

    /// Returns an environment for tests that depend on no version; `None` without a Python.
    pub(crate) fn any() -> Option<Self> {
        let Some(base) = venv::interpreter(9) else {
            eprintln!("skipped: there is no Python 3.9 or newer on this machine");
            return None;
        };
        Some(Self::make(&base, "pytest", venv::PYTEST, "8.4.2"))
    }

    fn make(base: &Path, name: &str, packages: &[&str], pytest: &'static str) -> Self {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let python = venv::environment(target, base, name, packages).unwrap();
        Self { python: Utf8PathBuf::from_path_buf(python).unwrap(), pytest }
    }
}

/// Finds an interpreter of exactly this version, such as `3.11`.
fn find_python(version: &str) -> Option<PathBuf> {
    let name = format!("python{version}");
    let installed = std::env::home_dir()
        .and_then(|home| fs::read_dir(home.join(".pyenv/versions")).ok())
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin").join(&name)));
    let mut installed: Vec<PathBuf> = installed.filter(|path| path.exists()).collect();
    installed.sort();
    [PathBuf::from(&name)].into_iter().chain(installed).find(|program| {
        // A shim of pyenv exists even if its version is not chosen.
        let status = Command::new(program)
            .args(["-c", "import venv, ensurepip"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    })
}

/// A directory with test files, removed on drop.
pub(crate) struct Project {
    dir: TempDir,
}

impl Project {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let project = Self { dir: TempDir::with_prefix("project-").unwrap() };
        for (path, text) in files {
            files::write(project.dir.path(), path, text);
        }
        project
    }

    /// Copies one of the projects in `tests/data/projects`.
    pub(crate) fn copy(name: &str) -> Self {
        let project = Self::new(&[]);
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/projects").join(name);
        files::copy(&source, project.dir.path());
        project
    }

    /// Returns the directory as Python sees it: without symbolic links.
    pub(crate) fn root(&self) -> Utf8PathBuf {
        let root = fs::canonicalize(self.dir.path()).unwrap();
        Utf8PathBuf::from_path_buf(root).unwrap()
    }

    /// Returns the test files, sorted.
    pub(crate) fn test_files(&self) -> Vec<Utf8PathBuf> {
        let root = self.root();
        let mut found = Vec::new();
        let mut dirs = vec![root.clone()];
        while let Some(dir) = dirs.pop() {
            for entry in dir.read_dir_utf8().unwrap() {
                let path = entry.unwrap().into_path();
                if path.is_dir() {
                    dirs.push(path);
                } else if path.file_name().unwrap().starts_with("test") {
                    found.push(path.strip_prefix(&root).unwrap().to_owned());
                }
            }
        }
        found.sort();
        found
    }

    /// Returns a run of all test files, without plugins.
    pub(crate) fn command(&self, venv: &Venv) -> PytestCommand {
        let mut command = PytestCommand::new(&venv.python, self.root(), self.test_files());
        command.output = OutputMode::Capture { limit: 1 << 20 };
        command.timeout = Some(Duration::from_secs(120));
        for (key, value) in [
            ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1"),
            ("PYTHONDONTWRITEBYTECODE", "1"),
            ("PYTHONHASHSEED", "0"),
            ("PYTEST_ADDOPTS", ""),
        ] {
            command.env.insert(key.to_owned(), value.to_owned());
        }
        command
    }
}

/// Runs pytest to its end.
pub(crate) async fn run(command: &PytestCommand) -> PytestResult {
    jaunt_pytest::run(command, |_| {}, std::future::pending()).await.unwrap()
}

/// What an observer saw of a run, or what a result says of it.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    pub(crate) counts: Counts,
    /// The messages of failures, by test and phase; empty if the observer knows none.
    pub(crate) failures: BTreeMap<(String, Phase), Vec<String>>,
    pub(crate) finished: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Note {
    id: String,
    when: String,
    outcome: String,
    message: String,
    expected: bool,
    subtest: bool,
    warning: bool,
    finished: bool,
}

impl Observed {
    /// Runs the command with the observer watching.
    pub(crate) async fn run(command: &PytestCommand) -> (PytestResult, Self) {
        let dir = TempDir::with_prefix("observed-").unwrap();
        let target = dir.path().join("notes.jsonl");
        let observer = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/observer");
        let mut command = command.clone();
        command.python_path.push(observer);
        command.env.insert("PYTEST_PLUGINS".to_owned(), "observer".to_owned());
        command.env.insert("OBSERVED".to_owned(), target.to_str().unwrap().to_owned());
        let result = run(&command).await;
        let notes = fs::read_to_string(target).unwrap_or_default();
        (result, Self::from_notes(&notes))
    }

    fn from_notes(notes: &str) -> Self {
        let mut observed = Self::default();
        let counts = &mut observed.counts;
        for note in notes.lines() {
            let note: Note = serde_json::from_str(note).unwrap();
            counts.warnings += u64::from(note.warning);
            observed.finished |= note.finished;
            let slot = match (note.outcome.as_str(), note.when.as_str(), note.expected) {
                ("passed", "call", _) | ("skipped", ..) if note.subtest => continue,
                ("passed", "call", false) => &mut counts.passed,
                ("passed", "call", true) => &mut counts.xpassed,
                ("skipped", _, false) => &mut counts.skipped,
                ("skipped", _, true) => &mut counts.xfailed,
                ("failed", "call", _) => &mut counts.failed,
                ("failed", ..) => &mut counts.errors,
                ("rerun", ..) => &mut counts.reruns,
                _ => continue,
            };
            *slot += 1;
            if note.outcome == "failed" {
                let phase = match note.when.as_str() {
                    "collect" => Phase::Collect,
                    "setup" => Phase::Setup,
                    "call" => Phase::Call,
                    _ => Phase::Teardown,
                };
                observed.failures.entry((note.id, phase)).or_default().push(note.message);
            }
        }
        observed
    }

    /// Returns the same from a result.
    pub(crate) fn of(result: &PytestResult) -> Self {
        let mut failures: BTreeMap<_, Vec<String>> = BTreeMap::new();
        for failure in &result.failures {
            let key = (failure.node_id.clone(), failure.phase);
            failures.entry(key).or_default().push(failure.message.clone());
        }
        // The observer does not look at these.
        let counts = Counts { deselected: 0, ..result.counts };
        Self { counts, failures, finished: result.complete }
    }

    /// Checks that `other` has everything that this has, and nothing else.
    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        let is_reported = |(key, messages): (_, &Vec<String>)| {
            other.failures.get(key).is_some_and(|reported| {
                reported.len() == messages.len()
                    && messages
                        .iter()
                        .all(|message| message.is_empty() || reported.contains(message))
            })
        };
        self.counts == other.counts
            && self.finished == other.finished
            && self.failures.len() == other.failures.len()
            && self.failures.iter().all(is_reported)
    }
}

//! A project in a temporary directory, and the program that runs in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{fmt, fs};

use serde_json::Value;
use tempfile::TempDir;

use crate::{files, venv};

/// A project on disk.
///
/// It is written in one notation: `//- path` begins a file, and what follows is its text.
pub(crate) struct Project {
    dir: TempDir,
}

impl Project {
    pub(crate) fn new(files: &str) -> Self {
        let project = Self { dir: tempfile::tempdir().unwrap() };
        project.write_all(files);
        project
    }

    /// Copies a folder of the repository.
    pub(crate) fn copy_of(path: &str) -> Self {
        let project = Self::new("");
        files::copy(&repository().join(path), project.root());
        project
    }

    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }

    /// Writes files that are given in the notation.
    pub(crate) fn write_all(&self, files: &str) {
        let indent = files.lines().find(|line| line.trim_start().starts_with("//- "));
        let indent = indent.map_or(0, |line| line.len() - line.trim_start().len());
        let mut file: Option<(String, String)> = None;
        for line in files.lines() {
            let line = line.get(indent..).unwrap_or("");
            if let Some(path) = line.strip_prefix("//- ") {
                if let Some((path, text)) = file.replace((path.trim().to_owned(), String::new())) {
                    self.write(&path, &text);
                }
            } else if let Some((_, text)) = &mut file {
                text.push_str(line);
                text.push('\n');
            }
        }
        if let Some((path, text)) = file {
            self.write(&path, &text);
        }
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        files::write(self.root(), path, text);
    }

    pub(crate) fn read(&self, path: &str) -> String {
        files::read(self.root(), path)
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.root().join(path).symlink_metadata().is_ok()
    }

    /// Replaces text in a file that has it.
    #[track_caller]
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        files::edit(self.root(), path, from, to);
    }

    /// Returns the paths of all files, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut pending = vec![self.root().to_owned()];
        while let Some(dir) = pending.pop() {
            for entry in fs::read_dir(&dir).unwrap() {
                let path = entry.unwrap().path();
                if path.symlink_metadata().unwrap().is_dir() {
                    pending.push(path);
                } else {
                    let path = path.strip_prefix(self.root()).unwrap();
                    found.push(path.to_str().unwrap().to_owned());
                }
            }
        }
        found.sort();
        found
    }

    /// Returns the paths of the generated files, sorted.
    pub(crate) fn generated(&self) -> Vec<String> {
        let mut files = self.files();
        files.retain(|path| path.contains("__generated__") && path.ends_with(".py"));
        files
    }

    /// Returns a command that runs the program here, in an environment of its own.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jaunt-under-test"));
        command.current_dir(self.root()).stdin(Stdio::null()).env_clear();
        for name in ["PATH", "HOME"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.envs([
            ("COLUMNS", "100"),
            ("LANG", "C.UTF-8"),
            ("NO_COLOR", "1"),
            ("PYTHONDONTWRITEBYTECODE", "1"),
            ("PYTHONHASHSEED", "0"),
        ]);
        command
    }

    /// Runs the program with arguments that are separated by spaces.
    pub(crate) fn jaunt(&self, args: &str) -> Ran {
        self.jaunt_with(&args.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs the program with these arguments.
    pub(crate) fn jaunt_with(&self, args: &[&str]) -> Ran {
        let output = self.command().args(args).output().unwrap();
        Ran { output, root: self.root().canonicalize().unwrap() }
    }
}

/// What a run printed, and how it ended.
#[must_use = "either snapshot the output or assert the exit code"]
pub(crate) struct Ran {
    output: Output,
    root: PathBuf,
}

impl Ran {
    pub(crate) fn code(&self) -> i32 {
        self.output.status.code().unwrap()
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8(self.output.stdout.clone()).unwrap()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8(self.output.stderr.clone()).unwrap()
    }

    /// Asserts that the run ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "{self}");
        self
    }

    /// Parses the one JSON document on standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout()).unwrap_or_else(|err| panic!("{err}: {self}"))
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = self.root.to_str().unwrap();
        write!(f, "{}", self.stdout().replace(root, "[ROOT]"))?;
        if !self.output.stderr.is_empty() {
            write!(f, "------- stderr -------\n{}", self.stderr().replace(root, "[ROOT]"))?;
        }
        write!(f, "[exit status: {}]", self.code())
    }
}

/// Replaces what differs from run to run.
pub(crate) fn filters() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter("[0-9a-f]{64}", "[digest]");
    settings.add_filter(r#""duration_ms": \d+"#, r#""duration_ms": [ms]"#);
    settings.add_filter(r" in \d+\.\d+ ?s", " in [time]");
    settings.bind_to_scope()
}

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Returns an interpreter with pytest.
pub(crate) fn pytest() -> String {
    let base = venv::interpreter(11).expect("a Python 3.11 or newer is on the PATH");
    environment(&base, "pytest", venv::PYTEST)
}

/// Returns an interpreter with the real `jaunt` package and pytest; `None` if there is no Python for it.
///
/// It then says that the test is skipped, and the test has to return.
pub(crate) fn jaunt_package() -> Option<String> {
    let Some(base) = venv::interpreter(12) else {
        skipped("the `jaunt` package needs Python 3.12 or newer, and there is none");
        return None;
    };
    Some(environment(&base, "jaunt", venv::JAUNT))
}

#[expect(clippy::print_stderr, reason = "a test says why it is skipped")]
fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

fn environment(base: &Path, name: &str, packages: &[&str]) -> String {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let python = venv::environment(target, base, name, packages).unwrap();
    python.to_str().unwrap().to_owned()
}

/// Returns the command line of a backend without a model: every name becomes a function that returns its
/// own name.
pub(crate) fn echo_backend() -> String {
    let script = repository().join("tests/support/echo_backend.py");
    format!("python3 {}", script.display())
}

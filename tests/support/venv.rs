//! Python interpreters, and virtual environments below `target/`.
//!
//! Shared by the tests that run a real pytest, or the real `jaunt` package, and by `cargo xtask demo`.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// pytest alone, which any Python from 3.9 on can have.
pub(crate) const PYTEST: &[&str] = &["pytest==8.4.2"];

/// The Python package `jaunt`, which needs Python 3.12, with pytest.
pub(crate) const JAUNT: &[&str] = &["jaunt==1.7.14", "pytest==8.4.2"];

/// Finds an interpreter of Python 3 that is at least of this minor version: `python3`, or one with its
/// version in its name on the PATH or among those that pyenv has made.
pub(crate) fn interpreter(oldest: u32) -> Option<PathBuf> {
    let named = (oldest..=14).rev().map(|minor| PathBuf::from(format!("python3.{minor}")));
    let pyenv = env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv/versions"));
    let versions = pyenv.and_then(|dir| fs::read_dir(dir).ok()).into_iter().flatten();
    let mut versions: Vec<PathBuf> =
        versions.filter_map(Result::ok).map(|entry| entry.path().join("bin/python")).collect();
    versions.sort();
    let candidates =
        [PathBuf::from("python3")].into_iter().chain(named).chain(versions.into_iter().rev());
    let check = format!("import sys; sys.exit(sys.version_info < (3, {oldest}))");
    let mut candidates = candidates.filter(|python| {
        let mut command = Command::new(python);
        command.args(["-c", &check]).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    });
    candidates.next()
}

/// Makes a virtual environment with these packages, or finds the one made before, and returns its
/// interpreter. `target` is the `target/` folder; processes that want the same one wait for each other.
pub(crate) fn environment(
    target: &Path,
    base: &Path,
    name: &str,
    packages: &[&str],
) -> Result<PathBuf, String> {
    let venvs = target.join("venvs");
    fs::create_dir_all(&venvs).map_err(|err| format!("cannot make {}: {err}", venvs.display()))?;
    let lock = File::create(venvs.join(format!("{name}.lock"))).map_err(|err| err.to_string())?;
    lock.lock().map_err(|err| err.to_string())?;

    let dir = venvs.join(name);
    let python = dir.join("bin/python");
    let stamp = dir.join("packages.txt");
    let wanted = packages.join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    if dir.exists() {
        fs::remove_dir_all(&dir).map_err(|err| err.to_string())?;
    }
    run(Command::new(base).args(["-m", "venv"]).arg(&dir))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    run(Command::new(&python).args(pip).args(packages))?;
    fs::write(&stamp, wanted).map_err(|err| err.to_string())?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|err| format!("cannot run {command:?}: {err}"))?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8_lossy(&output.stdout);
    Err(format!("{command:?} failed ({}):\n{stdout}{stderr}", output.status))
}

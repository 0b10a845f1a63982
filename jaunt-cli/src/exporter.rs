//! The exporter: asks the installed `jaunt` package of the project for its registry.
//!
//! The work is done by `exporter/export.py`, which is embedded here, run with the project's
//! interpreter, and says at its top what goes in and what comes out.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_digest::Digest;
use jaunt_write::Tree;
use serde::Deserialize;
use serde_json::json;

use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::project::{Session, Workspace};
use crate::state;
use jaunt_process::{Invocation, Limits, ProcessError};

const SCRIPT: &str = include_str!("exporter/export.py");

/// The registry of the last export, below the engine's folder.
const CACHE: &str = "registry.json";

/// What that registry was made from.
const CACHE_KEY: &str = "registry.key";

const LIMITS: Limits = Limits {
    // Importing a large project takes a while; one that never ends is ended some time.
    time: Duration::from_secs(30 * 60),
    grace: Duration::from_secs(2),
    stdout: 1 << 30,
    stderr: 1 << 16,
};

/// The failure that the script reports.
#[derive(Debug, Deserialize)]
struct Failure {
    error: FailureBody,
}

#[derive(Debug, Deserialize)]
struct FailureBody {
    kind: String,
    message: String,
    module: Option<String>,
    file: Option<String>,
    line: Option<u64>,
    traceback: Option<String>,
    hint: Option<String>,
    python: Option<String>,
}

/// The registry of the last export, while nothing that it depends on has changed; else a new one.
pub(crate) async fn cached(session: &Session, workspace: &Workspace) -> CommandResult<String> {
    let key = fingerprint(session, workspace);
    if let Some(text) = read_cache(&workspace.root, &key) {
        session.ui.detail("The registry of the last export still holds.");
        return Ok(text);
    }
    session.ui.detail(format!("Exporting the registry with `{}`.", workspace.python));
    let text = export(session, workspace).await?;
    // Without a cache the next run exports again, which is no reason to fail this one.
    write_cache(&workspace.root, &key, &text).ok();
    Ok(text)
}

/// Runs the exporter.
pub(crate) async fn export(session: &Session, workspace: &Workspace) -> CommandResult<String> {
    let script = script_file().map_err(|err| CommandError::io("write", "the exporter", &err))?;
    let config = &workspace.config;
    let infer = |own: Option<bool>| if session.common.no_infer_deps { Some(false) } else { own };
    let settings = json!({
        "root": workspace.root,
        "config": workspace.root.join(&workspace.config_file),
        "source_roots": config.source_roots,
        "test_roots": config.test_roots,
        "generated_dir": config.generated_dir,
        "infer_deps": infer(config.infer_deps),
        "test_infer_deps": infer(config.test_infer_deps),
    });
    let invocation = Invocation {
        program: workspace.python.to_string(),
        args: vec![script.path().to_string_lossy().into_owned()],
        cwd: workspace.root.clone(),
        env: BTreeMap::new(),
        stdin: settings.to_string().into_bytes(),
        limits: LIMITS,
    };
    let done = jaunt_process::run(&invocation, &session.stop.level())
        .await
        .map_err(|err| cannot_run(session, workspace, &err))?;
    let printed = String::from_utf8_lossy(&done.stderr);
    if !printed.trim().is_empty() {
        session.ui.detail(printed.trim_end());
    }
    let text = String::from_utf8_lossy(&done.stdout);
    let document = text.trim_end().rsplit('\n').next().unwrap_or_default();
    if done.status.success() && !document.is_empty() {
        return Ok(format!("{document}\n"));
    }
    match serde_json::from_str::<Failure>(document) {
        Ok(failure) => Err(explain(failure.error)),
        Err(_) => Err(CommandError::new(
            ErrorKind::Registry,
            format!("the exporter ended without a result ({})", done.status),
        )
        .because(jaunt_text::last_lines(&printed, 5, 200).join("\n"))),
    }
}

fn script_file() -> std::io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("jaunt-export-").suffix(".py").tempfile()?;
    file.write_all(SCRIPT.as_bytes())?;
    Ok(file)
}

fn cannot_run(session: &Session, workspace: &Workspace, err: &ProcessError) -> CommandError {
    if matches!(err, ProcessError::Stopped) {
        let number = session.stop.signal().unwrap_or(2);
        return CommandError::new(ErrorKind::Interrupted(number), "stopped");
    }
    let mut error = CommandError::of(ErrorKind::Config, err);
    error.message = format!("cannot export the registry: {}", error.message);
    error
        .hint(format!("`--python PATH` names another interpreter than `{}`", workspace.python))
        .hint("`--registry FILE` names a registry document that needs no Python")
}

fn explain(failure: FailureBody) -> CommandError {
    let kind = match failure.kind.as_str() {
        "python_too_old"
        | "missing_package"
        | "unsupported_package"
        | "broken_package"
        | "config"
        | "usage" => ErrorKind::Config,
        "internal" => ErrorKind::Internal,
        _ => ErrorKind::Registry,
    };
    let place = match (&failure.file, failure.line) {
        (Some(file), Some(line)) => format!(" (`{file}`, line {line})"),
        (Some(file), None) => format!(" (`{file}`)"),
        (None, _) => String::new(),
    };
    let mut error = match &failure.module {
        Some(module) => CommandError::new(kind, format!("cannot import `{module}`{place}"))
            .because(&failure.message),
        None => CommandError::new(kind, format!("{}{place}", failure.message)),
    };
    if let Some(traceback) = failure.traceback.filter(|text| !text.trim().is_empty()) {
        error = error.because(traceback.trim_end());
    }
    if let Some(hint) = failure.hint {
        error = error.hint(hint);
    }
    if kind == ErrorKind::Config {
        if let Some(python) = failure.python {
            error = error.because(format!("the interpreter is `{python}`"));
        }
        error = error.hint("`--registry FILE` names a registry document that needs no Python");
    }
    error
}

/// What a registry depends on: a digest of names, sizes and times, and the time of the latest.
struct Fingerprint {
    digest: Digest,
    /// Nanoseconds since 1970.
    latest: u128,
    /// When it was taken, in the same unit.
    taken: u128,
}

/// Looks at every file that the exporter may read, without reading one.
fn fingerprint(session: &Session, workspace: &Workspace) -> Fingerprint {
    let taken = now();
    let config = &workspace.config;
    let default = |roots: &Option<Vec<String>>, names: &[&str]| {
        roots.clone().unwrap_or_else(|| names.iter().map(|&name| name.to_owned()).collect())
    };
    let generated_dir = config.generated_dir.as_deref().unwrap_or("__generated__");
    let mut lines = vec![
        format!("engine {} {}", env!("CARGO_PKG_VERSION"), Digest::of(SCRIPT.as_bytes())),
        format!("python {} {}", workspace.python, session.common.no_infer_deps),
    ];
    let mut latest = 0;
    let mut look = |path: &Utf8Path| {
        if let Ok(metadata) = fs::metadata(workspace.root.join(path)) {
            let time = metadata.modified().ok().and_then(|it| it.duration_since(UNIX_EPOCH).ok());
            let time = time.unwrap_or_default().as_nanos();
            latest = latest.max(time);
            lines.push(format!("{path} {} {time}", metadata.len()));
        }
    };
    look(&workspace.config_file);
    look(Utf8Path::new("jaunt-engine.toml"));
    look(Utf8Path::new(".env"));
    look(Utf8Path::new("pyproject.toml"));
    look(&workspace.python);
    for packages in site_packages(&workspace.python) {
        look(&packages);
    }
    let roots = default(&config.source_roots, &["src", "."]);
    for root in roots.iter().chain(&default(&config.test_roots, &["tests"])) {
        for file in python_files(&workspace.root, Utf8Path::new(root), generated_dir) {
            look(&file);
        }
    }
    Fingerprint { digest: Digest::of(lines.join("\n").as_bytes()), latest, taken }
}

/// The folders of installed packages of a virtual environment; they change when one is installed.
fn site_packages(python: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Some(prefix) = python.parent().and_then(Utf8Path::parent) else { return Vec::new() };
    let Ok(versions) = prefix.join("lib").read_dir_utf8() else { return Vec::new() };
    let versions = versions.filter_map(Result::ok).map(|entry| entry.into_path());
    let mut found: Vec<_> = versions.map(|version| version.join("site-packages")).collect();
    found.sort();
    found
}

/// All `*.py` files below a root, relative to the project, sorted; not generated ones.
fn python_files(project: &Utf8Path, root: &Utf8Path, generated_dir: &str) -> Vec<Utf8PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![root.to_owned()];
    while let Some(dir) = pending.pop() {
        let Ok(entries) = project.join(&dir).read_dir_utf8() else { continue };
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name();
            let path = dir.join(name);
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_dir {
                let is_other = name.starts_with('.')
                    || [generated_dir, "__pycache__", "node_modules"].contains(&name)
                    || entry.path().join("pyvenv.cfg").exists();
                if !is_other {
                    pending.push(path);
                }
            } else if path.extension() == Some("py") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read_cache(root: &Utf8Path, key: &Fingerprint) -> Option<String> {
    let tree = state::existing_engine_dir(root)?;
    let read = |name: &str| String::from_utf8(tree.read(Utf8Path::new(name)).ok()??).ok();
    let stored = read(CACHE_KEY)?;
    let mut lines = stored.lines();
    let (digest, body, since) = (lines.next()?, lines.next()?, lines.next()?);
    // A file that changed in the very moment of the export may have changed after it was read.
    let is_old_enough = since.parse::<u128>().is_ok_and(|since| key.latest < since);
    if digest != key.digest.to_string() || !is_old_enough {
        return None;
    }
    let text = read(CACHE)?;
    (Digest::of(text.as_bytes()).to_string() == body).then_some(text)
}

fn write_cache(root: &Utf8Path, key: &Fingerprint, text: &str) -> CommandResult<()> {
    let tree: Tree = state::engine_dir(root)?;
    let body = Digest::of(text.as_bytes());
    tree.write(Utf8Path::new(CACHE), text.as_bytes())?;
    let key = format!("{}\n{body}\n{}\n", key.digest, key.taken);
    tree.write(Utf8Path::new(CACHE_KEY), key.as_bytes())?;
    Ok(())
}

/// Nanoseconds since 1970, less what file systems may round.
#[expect(clippy::disallowed_methods, reason = "compared with the times of files")]
fn now() -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_nanos().saturating_sub(20_000_000)
}

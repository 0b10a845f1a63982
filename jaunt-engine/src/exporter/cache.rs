//! The registry of the last export, and whether it can be used again.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_digest::Digest;
use jaunt_write::WriteError;

use crate::engine::{ENGINE_TOML, Engine};
use crate::state::{self, EXPORT, EXPORT_KEY};

/// The exporter. A registry depends on it, too.
pub(super) const SCRIPT: &str = include_str!("export.py");

/// What a registry depends on: a digest of names, sizes and times, and the time of the latest.
pub(super) struct Fingerprint {
    digest: Digest,
    /// Nanoseconds since 1970.
    latest: u128,
    /// When it was taken, in the same unit.
    taken: u128,
}

/// Looks at every file that the exporter may read, without reading one.
pub(super) fn fingerprint(engine: &Engine) -> Fingerprint {
    let taken = now();
    let (config, root) = (&engine.config, engine.root());
    let mut lines = vec![
        format!("engine {} {}", env!("CARGO_PKG_VERSION"), Digest::of(SCRIPT.as_bytes())),
        format!("python {} {}", engine.python(), !engine.options.infer_deps),
    ];
    let mut latest = 0;
    let mut look = |path: &Utf8Path| {
        if let Ok(metadata) = fs::metadata(root.join(path)) {
            let time = metadata.modified().ok().and_then(|it| it.duration_since(UNIX_EPOCH).ok());
            let time = time.unwrap_or_default().as_nanos();
            latest = latest.max(time);
            lines.push(format!("{path} {} {time}", metadata.len()));
        }
    };
    look(&engine.config_file);
    look(Utf8Path::new(ENGINE_TOML));
    look(Utf8Path::new(".env"));
    look(Utf8Path::new("pyproject.toml"));
    look(engine.python());
    for packages in site_packages(engine.python()) {
        look(&packages);
    }
    for top in config.source_roots().iter().chain(&config.test_roots()) {
        for file in python_files(root, Utf8Path::new(top), config.generated_dir()) {
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

/// Returns the registry of the last export if it was made from what there is now.
pub(super) fn read(root: &Utf8Path, key: &Fingerprint) -> Option<String> {
    let tree = state::existing_engine_dir(root)?;
    let read = |name: &str| String::from_utf8(tree.read(Utf8Path::new(name)).ok()??).ok();
    let stored = read(EXPORT_KEY)?;
    let mut lines = stored.lines();
    let (digest, body, since) = (lines.next()?, lines.next()?, lines.next()?);
    // A file that changed in the very moment of the export may have changed after it was read.
    let is_old_enough = since.parse::<u128>().is_ok_and(|since| key.latest < since);
    if digest != key.digest.to_string() || !is_old_enough {
        return None;
    }
    let text = read(EXPORT)?;
    (Digest::of(text.as_bytes()).to_string() == body).then_some(text)
}

/// Keeps a registry, and what it was made from.
pub(super) fn write(root: &Utf8Path, key: &Fingerprint, text: &str) -> Result<(), WriteError> {
    let tree = state::engine_dir(root)?;
    let body = Digest::of(text.as_bytes());
    tree.write(Utf8Path::new(EXPORT), text.as_bytes())?;
    let key = format!("{}\n{body}\n{}\n", key.digest, key.taken);
    tree.write(Utf8Path::new(EXPORT_KEY), key.as_bytes())?;
    Ok(())
}

/// Nanoseconds since 1970, less what file systems may round.
#[expect(clippy::disallowed_methods, reason = "compared with the times of files")]
fn now() -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_nanos().saturating_sub(20_000_000)
}

//! The registry of the last export, and whether it can be used again.

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_digest::Digest;
use jaunt_write::{Folder, Stamp, Time, WriteError, stamp_of, time_before_changes, walk};

use crate::engine::{ENGINE_TOML, Engine};
use crate::exporter::script::SCRIPT;
use crate::state::{self, EXPORT, EXPORT_KEY};

/// What a registry depends on: a digest of names, sizes and times.
pub(super) struct Fingerprint {
    digest: Digest,
    /// The time of the latest change.
    latest: Time,
    /// A time before anything was looked at.
    taken: Time,
}

/// Looks at every file that the exporter may read, without reading one.
pub(super) fn fingerprint(engine: &Engine) -> Fingerprint {
    let taken = time_before_changes(None);
    let (config, root) = (&engine.config, engine.root());
    let mut lines = vec![
        format!("engine {} {}", env!("CARGO_PKG_VERSION"), Digest::of(SCRIPT.as_bytes())),
        format!("python {} {}", engine.python(), !engine.options.infer_deps),
    ];
    let mut latest = 0;
    let mut add = |path: &Utf8Path, stamp: Stamp| {
        if stamp != Stamp::NONE {
            latest = latest.max(stamp.modified());
            lines.push(format!("{path} {} {}", stamp.size(), stamp.modified()));
        }
    };
    let settings = [".env", ENGINE_TOML, "pyproject.toml"].map(Utf8Path::new);
    for file in settings.into_iter().chain([engine.config_file.as_path(), engine.python()]) {
        add(file, stamp_of(&root.join(file)));
    }
    for packages in site_packages(engine.python()) {
        let stamp = Folder::open(&packages).ok().and_then(|folder| folder.stamp());
        add(&packages, stamp.unwrap_or(Stamp::NONE));
    }
    for top in config.source_roots().iter().chain(&config.test_roots()) {
        for file in python_files(root, Utf8Path::new(top), config.generated_dir()) {
            add(&file, stamp_of(&root.join(&file)));
        }
    }
    Fingerprint { digest: Digest::of(lines.join("\n").as_bytes()), latest, taken }
}

/// Returns the folders of installed packages of a virtual environment; they change when one is installed.
fn site_packages(python: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Some(prefix) = python.parent().and_then(Utf8Path::parent) else { return Vec::new() };
    let Ok(versions) = prefix.join("lib").read_dir_utf8() else { return Vec::new() };
    let versions = versions.filter_map(Result::ok).map(|entry| entry.into_path());
    let mut found: Vec<_> = versions.map(|version| version.join("site-packages")).collect();
    found.sort();
    found
}

/// Returns all `*.py` files below a root, relative to the project, sorted; not generated ones.
fn python_files(project: &Utf8Path, root: &Utf8Path, generated_dir: &str) -> Vec<Utf8PathBuf> {
    let is_source = |dir: &Utf8Path| dir.file_name() != Some(generated_dir);
    let mut found = Vec::new();
    for visited in walk(project, root, is_source).flatten() {
        let files = visited.files.iter().map(|name| visited.path.join(name));
        found.extend(files.filter(|path| path.extension() == Some("py")));
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
    let is_old_enough = since.parse::<Time>().is_ok_and(|since| key.latest < since);
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

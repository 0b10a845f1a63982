//! The test files of a run: which were asked for, which were seen, and how they are named.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use crate::channel::Tally;
use crate::command::PytestCommand;
use crate::doubt::Doubt;
use crate::result::PytestResult;

/// The directory of a run under its two names.
pub(super) struct Root<'a> {
    command: &'a PytestCommand,
    /// As Python sees it: without symlinks.
    resolved: Utf8PathBuf,
}

impl<'a> Root<'a> {
    pub(super) fn new(command: &'a PytestCommand) -> Self {
        let resolved = resolve(&command.root).unwrap_or_else(|| command.root.clone());
        Self { command, resolved }
    }

    /// Returns a doubt for each requested file that pytest reported nothing about.
    pub(super) fn unseen(&self, tally: &Tally) -> Vec<Doubt> {
        let seen: BTreeSet<&Utf8Path> = tally.seen_files().collect();
        let is_seen = |path: &Utf8Path| {
            seen.contains(path)
                || seen.range(path..).next().is_some_and(|below| below.starts_with(path))
        };
        let unseen = self.command.files.iter().filter(|file| {
            let file = Utf8Path::new(match file.as_str().split_once("::") {
                Some((path, _)) => path,
                None => file.as_str(),
            });
            let candidates =
                [normalize(&self.resolved.join(file)), normalize(&self.command.root.join(file))];
            !candidates.iter().any(|path| is_seen(path))
                && !resolve(&candidates[0]).is_some_and(|path| is_seen(&path))
        });
        unseen.map(|file| Doubt::NotCollected { file: file.clone() }).collect()
    }

    /// Makes the paths in a result relative to the directory of the run.
    pub(super) fn relativize(&self, result: &mut PytestResult) {
        for failure in &mut result.failures {
            failure.file = failure.file.take().map(|file| self.relative(&file));
        }
        for file in &mut result.files {
            *file = self.relative(file);
        }
    }

    fn relative(&self, file: &Utf8Path) -> Utf8PathBuf {
        let root = normalize(&self.command.root);
        file.strip_prefix(&self.resolved)
            .or_else(|_| file.strip_prefix(root))
            .unwrap_or(file)
            .to_owned()
    }
}

/// Returns the path without symlinks. `None` if it does not exist or is not UTF-8.
fn resolve(path: &Utf8Path) -> Option<Utf8PathBuf> {
    Utf8PathBuf::from_path_buf(std::fs::canonicalize(path).ok()?).ok()
}

/// Returns the path without `.` and `..`, as Python's `normpath` makes it.
fn normalize(path: &Utf8Path) -> Utf8PathBuf {
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

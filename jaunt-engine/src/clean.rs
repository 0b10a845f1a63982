//! Removes generated files whose specs are gone, and leftovers of killed runs.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_builder::GeneratedTree;
use jaunt_digest::Kind;
use jaunt_write::{Tree, WriteError};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::load::generated_files;
use crate::state::lock::ProjectLock;

/// The folder of Python's bytecode. That of modules that are gone does not keep a directory.
const BYTECODE: &str = "__pycache__";

/// What is removed.
#[derive(Clone, Debug, Default)]
pub struct CleanOptions {
    /// Removes every generated file.
    pub all: bool,
    /// Finds out what would be removed, and removes nothing.
    pub dry_run: bool,
    /// Accepts a registry without specs: then every generated file is an orphan.
    pub allow_empty: bool,
    /// Fails if another process is writing to the project, instead of waiting for it.
    pub no_wait: bool,
}

impl Engine {
    /// Removes orphans and leftovers, and returns their paths, relative to the root, in order. Files that jaunt did
    /// not generate are never removed.
    ///
    /// # Errors
    ///
    /// If the project cannot be loaded, there are no specs, a file cannot be removed, or the lock cannot be had.
    pub async fn clean(&self, options: &CleanOptions) -> Result<Vec<Utf8PathBuf>, EngineError> {
        let lock = match options.dry_run {
            true => ProjectLock::NotNeeded,
            false => self.lock("jaunt clean", !options.no_wait).await?.ensure()?,
        };
        let loaded = self.load(&[Kind::Build, Kind::Test]).await?;
        loaded.expect_any_specs(options.allow_empty || options.all)?;
        let (project, registry) = (&loaded.project, &loaded.registry);
        let generated = generated_files(project, registry, &loaded.settings, None)?;

        let mut paths: Vec<Utf8PathBuf> = Vec::new();
        for (path, found) in &generated.trees {
            let doomed = doomed(found, options.all);
            paths.extend(doomed.iter().map(|file| path.join(file)));
            if !options.dry_run {
                remove(self.root(), path, &doomed)?;
            }
        }
        drop(lock);
        paths.sort();
        Ok(paths)
    }
}

/// Lists what is to be removed from one generated directory.
fn doomed(found: &GeneratedTree, all: bool) -> Vec<&Utf8Path> {
    let mut doomed: BTreeSet<&Utf8Path> =
        found.orphans.iter().chain(&found.leftovers).map(Utf8PathBuf::as_path).collect();
    if all {
        doomed.extend(found.current.iter().map(Utf8PathBuf::as_path));
    }
    // An `__init__.py` goes with the last file that needed it.
    let files = found.orphans.iter().chain(&found.current).chain(&found.others);
    let kept = files.filter(|file| !doomed.contains(file.as_path()));
    // Every folder that has something left in it, or below it.
    let needed: BTreeSet<&Utf8Path> = kept.flat_map(|file| file.ancestors().skip(1)).collect();
    let is_needed = |init: &&Utf8Path| init.parent().is_some_and(|dir| needed.contains(dir));
    if !doomed.is_empty() {
        let inits = found.inits.iter().map(Utf8PathBuf::as_path);
        doomed.extend(inits.filter(|init| !is_needed(init)));
    }
    doomed.into_iter().collect()
}

fn remove(root: &Utf8Path, path: &Utf8Path, doomed: &[&Utf8Path]) -> Result<(), WriteError> {
    if doomed.is_empty() {
        return Ok(());
    }
    let Some(tree) = Tree::open(root, path)? else { return Ok(()) };
    tree.sweep()?;
    for file in doomed {
        tree.remove(file).map(drop).or_else(|err| match tree.read(file) {
            // A leftover that the sweep has removed.
            Ok(None) => Ok(()),
            _ => Err(err),
        })?;
    }
    tree.prune(&[BYTECODE])?;
    tree.remove_if_empty(&[BYTECODE])?;
    Ok(())
}

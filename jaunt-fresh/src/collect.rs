//! Collects what a plan with nothing to do was made from.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_builder::{OnDisk, Plan, Project};
use jaunt_digest::{Digest, ModuleName};
use jaunt_write::{Folder, Stamp, Time, Tree};

use crate::cache::FreshCache;
use crate::encode::Encoder;
use crate::registry::RegistryState;

/// The files of each folder. The flag says whether it is below a generated directory.
type Folders<'a> = BTreeMap<(Utf8PathBuf, bool), Vec<(&'a str, Stamp, Digest)>>;

impl FreshCache {
    /// Collects what a plan of all modules of its kind, none of them stale, was made from.
    ///
    /// `key` stands for all that is not in files: versions, settings. `taken` is a time before
    /// anything was read. Returns `None` if the plan is no such plan, or the system has no stamps.
    pub fn of(
        project: &Project,
        plan: &Plan,
        on_disk: &BTreeMap<ModuleName, OnDisk>,
        registry: &RegistryState,
        key: &Digest,
        taken: Time,
    ) -> Option<Self> {
        let is_whole = project.of_kind(plan.kind()).count() == plan.modules().len();
        if !is_whole || plan.modules().is_empty() || plan.stale().next().is_some() {
            return None;
        }
        let mut folders = Folders::new();
        add_sources(project, &mut folders)?;
        add_generated(project, plan, on_disk, &mut folders)?;
        add_trees(project, plan, &mut folders)?;

        let mut encoder = Encoder::default();
        for ((path, is_generated), files) in &folders {
            let stamp = match is_generated {
                true => folder_stamp(project.root(), path)?.settled_before(taken),
                false => Stamp::NONE,
            };
            encoder.folder(path, *is_generated, stamp, files.len());
            for (name, stamp, digest) in files {
                encoder.file(name, stamp.settled_before(taken), digest);
            }
        }
        for name in plan.modules().keys() {
            encoder.module(name);
        }
        let stamp = registry.stamp.settled_before(taken);
        let tables = encoder.finish(key, &RegistryState { stamp, ..*registry });
        Some(Self { tables })
    }
}

fn add_sources<'a>(project: &'a Project, folders: &mut Folders<'a>) -> Option<()> {
    for (path, stamp, digest) in project.source_files() {
        let folder = (path.parent()?.to_owned(), false);
        folders.entry(folder).or_default().push((path.file_name()?, stamp, digest));
    }
    Some(())
}

fn add_generated<'a>(
    project: &'a Project,
    plan: &Plan,
    on_disk: &BTreeMap<ModuleName, OnDisk>,
    folders: &mut Folders<'a>,
) -> Option<()> {
    for (name, module) in project.of_kind(plan.kind()) {
        let OnDisk::Ours(generated) = on_disk.get(name)? else { return None };
        let path = module.destination.path();
        let (stamp, digest) = generated.whole()?;
        let folder = (path.parent()?.to_owned(), true);
        folders.entry(folder).or_default().push((path.file_name()?, stamp, digest));
    }
    Some(())
}

/// Adds all generated folders: what appears or goes in one of them is to be noticed.
fn add_trees(project: &Project, plan: &Plan, folders: &mut Folders<'_>) -> Option<()> {
    let trees: BTreeSet<&Utf8Path> =
        project.of_kind(plan.kind()).map(|(_, module)| module.destination.tree()).collect();
    for path in trees {
        let tree = Tree::open(project.root(), path).ok()??;
        folders.entry((path.to_owned(), true)).or_default();
        for below in tree.list().ok()?.directories {
            folders.entry((path.join(below), true)).or_default();
        }
    }
    Some(())
}

fn folder_stamp(root: &Utf8Path, path: &Utf8Path) -> Option<Stamp> {
    Folder::open_below(root, path).ok()??.stamp()
}

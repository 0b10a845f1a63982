//! Builds with nothing to do: what the last one found out, while it holds.
//!
//! The evidence is in `.jaunt/engine/fresh` and can be thrown away at any time. It is read by whoever
//! builds and written by whoever holds the project's lock and found nothing stale.

use std::collections::BTreeSet;
use std::io::{Read as _, Seek as _, SeekFrom};

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_builder::{Plan, PlanOptions, Project};
use jaunt_digest::{Digest, Kind, ModuleName, Registry};
use jaunt_fresh::{FreshCache, IndexTexts, ProjectIndex};
use jaunt_write::{Time, WriteError, time_before_changes};

use crate::journal::Journal;
use crate::project::Workspace;
use crate::registry::Document;
use crate::state;

const FILE: &str = "fresh";

/// The same project in parts: an index, and what it points into.
const INDEX: &str = "parts.index";
const PARTS: &str = "parts";

/// What is left of the verdict of an earlier run.
pub(crate) enum Memory {
    /// Nothing, or nothing that is known of.
    None,
    /// Everything is fresh.
    Fresh(Recalled),
    /// Everything was fresh before these files changed.
    Changed(FreshCache, Vec<Utf8PathBuf>),
}

/// A verdict of an earlier run that still holds: every module is fresh.
pub(crate) struct Recalled {
    evidence: FreshCache,
    pub(crate) n_modules: usize,
    /// Generated directories in which something appeared or went since.
    pub(crate) stirred: Vec<Utf8PathBuf>,
    is_worth_keeping: bool,
}

/// Whether the verdict of an earlier run holds.
pub(crate) fn recall(
    workspace: &Workspace,
    document: &mut Document,
    kind: Kind,
    taken: Time,
) -> Memory {
    let Some((mut evidence, is_renewed)) = evidence(workspace, document, kind, taken) else {
        return Memory::None;
    };
    match evidence.verify(&workspace.root, taken) {
        Ok(found) => Memory::Fresh(Recalled {
            evidence,
            n_modules: found.n_modules,
            stirred: found.touched_dirs,
            is_worth_keeping: is_renewed || found.is_worth_keeping,
        }),
        Err(changed) => Memory::Changed(evidence, changed),
    }
}

/// The evidence of an earlier run with the same registry and settings, and whether there is something
/// to add to it.
fn evidence(
    workspace: &Workspace,
    document: &mut Document,
    kind: Kind,
    taken: Time,
) -> Option<(FreshCache, bool)> {
    let tree = state::existing_engine_dir(&workspace.root)?;
    // A run that did not finish knows of stale modules whose files cannot tell.
    if Journal::is_there(&tree) {
        return None;
    }
    let bytes = tree.read(Utf8Path::new(FILE)).ok()??;
    let mut evidence = FreshCache::from_bytes(bytes)?;
    if !evidence.has_key(&key(workspace, kind)) {
        return None;
    }
    if document.file_state().is_some_and(|state| evidence.is_about_file(state)) {
        return Some((evidence, false));
    }
    let registry = document.state().ok()?;
    if !evidence.is_about(&registry) {
        return None;
    }
    let is_renewed = evidence.set_registry_file(&registry, taken);
    Some((evidence, is_renewed))
}

/// The plan of what changed files can reach, and all other modules: they are fresh.
///
/// None where there is more to load than it is worth, or anything at all is odd.
pub(crate) fn plan_of_changes(
    workspace: &Workspace,
    evidence: &FreshCache,
    changed: &[Utf8PathBuf],
    options: &PlanOptions,
) -> Option<(Plan, Vec<ModuleName>)> {
    if changed.is_empty() {
        return None;
    }
    let tree = state::existing_engine_dir(&workspace.root)?;
    let index = String::from_utf8(tree.read(Utf8Path::new(INDEX)).ok()??).ok()?;
    if !evidence.is_bound_to(&index) {
        return None;
    }
    let mut parts = tree.open_file(Utf8Path::new(PARTS)).ok()??;
    let read = |at: usize, len: usize| {
        let mut bytes = Vec::new();
        parts.seek(SeekFrom::Start(at as u64)).ok()?;
        (&mut parts).take(len as u64).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    };
    let survey = ProjectIndex::from_text(index)?.load_affected(&workspace.root, changed, read)?;
    let plan = Plan::new(&survey, Kind::Build, &survey.read_on_disk(), options);
    let stale: BTreeSet<&str> = plan.stale().map(|(name, _)| name.as_str()).collect();
    let fresh = evidence.modules().filter(|name| !stale.contains(name));
    let fresh = fresh.map(|name| name.parse().expect("it was a name")).collect();
    Some((plan, fresh))
}

impl Recalled {
    /// The modules that are fresh, in order of name.
    pub(crate) fn modules(&self) -> impl Iterator<Item = &str> {
        self.evidence.modules()
    }

    /// Keeps what was found out by reading files again.
    pub(crate) fn renew(&self, workspace: &Workspace) {
        if self.is_worth_keeping {
            keep(workspace, &self.evidence);
        }
    }
}

/// Writes the evidence down. Without it the next run takes longer, which is no reason to fail.
pub(crate) fn keep(workspace: &Workspace, evidence: &FreshCache) {
    write(workspace, FILE, evidence.as_bytes()).ok();
}

/// Writes the evidence down, and the project in parts.
pub(crate) fn keep_with_parts(
    workspace: &Workspace,
    mut evidence: FreshCache,
    project: &Project,
    registry: &Registry,
) {
    // The evidence comes last: it tells whether it belongs to the parts that are there.
    if let Some(texts) = IndexTexts::of(project, registry) {
        let is_written = write(workspace, PARTS, &texts.records)
            .and_then(|()| write(workspace, INDEX, texts.index.as_bytes()));
        if is_written.is_ok() {
            evidence.bind(&texts.index);
        }
    }
    keep(workspace, &evidence);
}

fn write(workspace: &Workspace, file: &str, bytes: &[u8]) -> Result<(), WriteError> {
    state::engine_dir(&workspace.root)?.write(Utf8Path::new(file), bytes)
}

/// Stands for all that decides a verdict and is not in a source, an output or the registry.
pub(crate) fn key(workspace: &Workspace, kind: Kind) -> Digest {
    let Workspace { config, engine, .. } = workspace;
    Digest::of(format!("{} {kind} {config:?} {engine:?}", env!("CARGO_PKG_VERSION")))
}

/// Now, less what file systems may round.
///
/// Where the clock of the file system is behind ours, its own time counts: that of the lock, which
/// was written to just now by whoever has it.
pub(crate) fn now(root: &Utf8Path) -> Time {
    time_before_changes(Some(&root.join(state::ENGINE_DIR).join(state::LOCK)))
}

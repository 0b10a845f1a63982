//! Builds with nothing to do: what the last one found out, while it holds.
//!
//! The evidence is in `.jaunt/engine/fresh` and can be thrown away at any time. It is read by whoever
//! builds and written by whoever holds the project's lock and found nothing stale.

use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use camino::Utf8Path;
use camino::Utf8PathBuf;
use jaunt_builder::Evidence;
use jaunt_builder::Time;
use jaunt_digest::Digest;
use jaunt_digest::Kind;
use jaunt_write::Tree;

use crate::journal::Journal;
use crate::project::Workspace;
use crate::registry::Document;
use crate::state;

const FILE: &str = "fresh";

/// A verdict of an earlier run that still holds: every module is fresh.
pub(crate) struct Recalled {
    evidence: Evidence,
    pub(crate) n_modules: usize,
    /// Generated directories in which something appeared or went since.
    pub(crate) stirred: Vec<Utf8PathBuf>,
    is_worth_keeping: bool,
}

/// The verdict of an earlier run, if nothing that it rests on has changed.
pub(crate) fn recall(
    workspace: &Workspace,
    document: &mut Document,
    kind: Kind,
    taken: Time,
) -> Option<Recalled> {
    let tree = state::existing_engine_dir(&workspace.root)?;
    // A run that did not finish knows of stale modules whose files cannot tell.
    if Journal::is_there(&tree) {
        return None;
    }
    let bytes = tree.read(Utf8Path::new(FILE)).ok()??;
    let mut evidence = Evidence::from_bytes(bytes)?;
    if !evidence.has_key(&key(workspace, kind)) {
        return None;
    }
    let mut is_worth_keeping = false;
    if !document.file_state().is_some_and(|state| evidence.is_about_file(state)) {
        let registry = document.state().ok()?;
        if !evidence.is_about(&registry) {
            return None;
        }
        is_worth_keeping = evidence.note(&registry, taken);
    }
    let found = evidence.verify(&workspace.root, taken)?;
    Some(Recalled {
        evidence,
        n_modules: found.n_modules,
        stirred: found.stirred,
        is_worth_keeping: is_worth_keeping || found.is_worth_keeping,
    })
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
pub(crate) fn keep(workspace: &Workspace, evidence: &Evidence) {
    let write = |tree: Tree| tree.write(Utf8Path::new(FILE), evidence.as_bytes());
    state::engine_dir(&workspace.root).and_then(write).ok();
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
#[expect(clippy::disallowed_methods, reason = "compared with the times of files")]
pub(crate) fn now(root: &Utf8Path) -> Time {
    let nanos = |time: SystemTime| {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Time::try_from(since.as_nanos()).unwrap_or(0)
    };
    let ours = nanos(SystemTime::now());
    let lock = root.join(state::ENGINE_DIR).join(state::LOCK).metadata();
    let theirs = lock.ok().and_then(|it| it.modified().ok()).map_or(ours, nanos);
    ours.min(theirs).saturating_sub(20_000_000)
}

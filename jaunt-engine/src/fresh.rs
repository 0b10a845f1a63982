//! Builds with nothing to do: what the last one found out, while it holds.
//!
//! The evidence is in `.jaunt/engine/fresh` and can be thrown away at any time. It is read by whoever
//! builds and written by whoever holds the project's lock and found nothing stale.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::time::{SystemTime, UNIX_EPOCH};

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_builder::{Evidence, PartTexts, Parts, Plan, PlanOptions, Project, Time, read_outputs};
use jaunt_digest::{Digest, Kind, ModuleName, Registry};
use jaunt_write::WriteError;

use crate::engine::Engine;
use crate::registry::Document;
use crate::state::journal::Journal;
use crate::state::{self, FRESH, PARTS, PARTS_INDEX};

/// What is left of the verdict of an earlier run.
pub(crate) enum Cached {
    /// Nothing, or nothing that is known of.
    None,
    /// Everything is fresh.
    Fresh(Recalled),
    /// Everything was fresh before these files changed.
    Changed(Evidence, Vec<Utf8PathBuf>),
}

/// A verdict of an earlier run that still holds: every module is fresh.
pub(crate) struct Recalled {
    evidence: Evidence,
    n_modules: usize,
    stirred: Vec<Utf8PathBuf>,
    is_worth_keeping: bool,
}

/// Whether the verdict of an earlier run holds.
pub(crate) fn recall(engine: &Engine, document: &mut Document, kind: Kind, taken: Time) -> Cached {
    let Some((mut evidence, is_renewed)) = evidence(engine, document, kind, taken) else {
        return Cached::None;
    };
    match evidence.verify(engine.root(), taken) {
        Ok(found) => Cached::Fresh(Recalled {
            evidence,
            n_modules: found.n_modules,
            stirred: found.stirred,
            is_worth_keeping: is_renewed || found.is_worth_keeping,
        }),
        Err(changed) => Cached::Changed(evidence, changed),
    }
}

/// The evidence of an earlier run with the same registry and settings, and whether there is something
/// to add to it.
fn evidence(
    engine: &Engine,
    document: &mut Document,
    kind: Kind,
    taken: Time,
) -> Option<(Evidence, bool)> {
    let tree = state::existing_engine_dir(engine.root())?;
    // A run that did not finish knows of stale modules whose files cannot tell.
    if Journal::is_there(&tree) {
        return None;
    }
    let bytes = tree.read(Utf8Path::new(FRESH)).ok()??;
    let mut evidence = Evidence::from_bytes(bytes)?;
    if !evidence.has_key(&key(engine, kind)) {
        return None;
    }
    if document.file_state().is_some_and(|state| evidence.is_about_file(state)) {
        return Some((evidence, false));
    }
    let registry = document.state().ok()?;
    if !evidence.is_about(&registry) {
        return None;
    }
    let is_renewed = evidence.note(&registry, taken);
    Some((evidence, is_renewed))
}

/// The plan of what changed files can reach, and all other modules: they are fresh.
///
/// None where there is more to load than it is worth, or anything at all is odd.
pub(crate) fn plan_of_changes(
    engine: &Engine,
    evidence: &Evidence,
    changed: &[Utf8PathBuf],
    options: &PlanOptions,
) -> Option<(Plan, Vec<ModuleName>)> {
    if changed.is_empty() {
        return None;
    }
    let tree = state::existing_engine_dir(engine.root())?;
    let index = String::from_utf8(tree.read(Utf8Path::new(PARTS_INDEX)).ok()??).ok()?;
    if !evidence.is_bound_to(&index) {
        return None;
    }
    let mut parts = File::open(engine.root().join(state::ENGINE_DIR).join(PARTS)).ok()?;
    let read = |at: usize, len: usize| {
        let mut bytes = Vec::new();
        parts.seek(SeekFrom::Start(at as u64)).ok()?;
        (&mut parts).take(len as u64).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    };
    let project = Parts::from_text(index)?.reached(engine.root(), changed, read)?;
    let plan = Plan::new(&project, Kind::Build, &read_outputs(&project), options);
    let stale: BTreeSet<&str> = plan.stale().map(|(name, _)| name.as_str()).collect();
    let fresh = evidence.modules().filter(|name| !stale.contains(name));
    let fresh = fresh.map(|name| name.parse().expect("it was a name")).collect();
    Some((plan, fresh))
}

impl fmt::Debug for Recalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recalled").field("n_modules", &self.n_modules).finish_non_exhaustive()
    }
}

impl Recalled {
    /// The modules that are fresh, in order of name.
    pub(crate) fn modules(&self) -> impl Iterator<Item = ModuleName> {
        self.evidence.modules().map(|name| name.parse().expect("it was a name"))
    }

    /// How many there are.
    pub(crate) fn n_modules(&self) -> usize {
        self.n_modules
    }

    /// Generated directories in which something appeared or went since.
    pub(crate) fn touched_dirs(&self) -> &[Utf8PathBuf] {
        &self.stirred
    }

    /// Keeps what was found out by reading files again.
    pub(crate) fn renew(&self, engine: &Engine) {
        if self.is_worth_keeping {
            keep(engine, &self.evidence);
        }
    }
}

/// Writes the evidence down. Without it the next run takes longer, which is no reason to fail.
pub(crate) fn keep(engine: &Engine, evidence: &Evidence) {
    write(engine, FRESH, evidence.as_bytes()).ok();
}

/// Writes the evidence down, and the project in parts.
pub(crate) fn keep_with_parts(
    engine: &Engine,
    mut evidence: Evidence,
    project: &Project,
    registry: &Registry,
) {
    // The evidence comes last: it tells whether it belongs to the parts that are there.
    if let Some(texts) = PartTexts::of(project, registry) {
        let is_written = write(engine, PARTS, &texts.parts)
            .and_then(|()| write(engine, PARTS_INDEX, texts.index.as_bytes()));
        if is_written.is_ok() {
            evidence.bind(&texts.index);
        }
    }
    keep(engine, &evidence);
}

fn write(engine: &Engine, file: &str, bytes: &[u8]) -> Result<(), WriteError> {
    state::write(engine.root(), file, bytes)
}

/// Stands for all that decides a verdict and is not in a source, an output or the registry.
pub(crate) fn key(engine: &Engine, kind: Kind) -> Digest {
    let Engine { config, settings, .. } = engine;
    Digest::of(format!("{} {kind} {config:?} {settings:?}", env!("CARGO_PKG_VERSION")))
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

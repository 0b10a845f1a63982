//! Builds with nothing to do: what the last one found out, as long as it holds.
//!
//! The verdict "everything is fresh" is kept in `.jaunt/engine/fresh` with the files that it was computed from
//! ([`FreshCache`]), and the project beside it as an index ([`ProjectIndex`]), so that a dry run loads only what a
//! change affects. Whoever builds reads them; whoever holds the project's lock and found nothing stale writes them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{Read as _, Seek as _, SeekFrom};

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_builder::{OnDisk, Plan, PlanOptions};
use jaunt_digest::{Digest, Kind, ModuleName};
use jaunt_fresh::{FreshCache, IndexTexts, ProjectIndex};
use jaunt_write::{Time, WriteError, time_before_changes};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::load::Loaded;
use crate::registry::Document;
use crate::state::journal::Journal;
use crate::state::{self, ENGINE_DIR, FRESH, INDEX, LOCK, RECORDS};

/// What is left of the verdict of an earlier run.
pub(crate) enum Cached {
    /// Nothing, or nothing that can be used.
    None,
    /// Everything is still fresh.
    Fresh(CachedFresh),
    /// Everything was fresh before these files changed.
    Changed(FreshCache, Vec<Utf8PathBuf>),
}

/// A verdict of an earlier run that still holds: every module is fresh.
pub(crate) struct CachedFresh {
    cache: FreshCache,
    n_modules: usize,
    touched_dirs: Vec<Utf8PathBuf>,
    is_worth_keeping: bool,
}

impl fmt::Debug for CachedFresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedFresh").field("n_modules", &self.n_modules).finish_non_exhaustive()
    }
}

impl CachedFresh {
    /// Returns the modules that are fresh, in order of name.
    pub(crate) fn modules(&self) -> impl Iterator<Item = ModuleName> {
        names(&self.cache)
    }

    /// Returns how many modules are fresh.
    pub(crate) fn n_modules(&self) -> usize {
        self.n_modules
    }

    /// Returns generated directories in which something appeared or went since.
    pub(crate) fn touched_dirs(&self) -> &[Utf8PathBuf] {
        &self.touched_dirs
    }

    /// Keeps what was found out by reading files again.
    pub(crate) fn renew(&self, engine: &Engine) {
        if self.is_worth_keeping {
            keep(engine, &self.cache);
        }
    }
}

/// Checks whether the verdict of an earlier run holds. `taken` is a time before anything was read.
pub(crate) fn look_up(engine: &Engine, document: &mut Document, kind: Kind, taken: Time) -> Cached {
    let Some((mut cache, is_renewed)) = read(engine, document, kind, taken) else {
        return Cached::None;
    };
    match cache.verify(engine.root(), taken) {
        Ok(verified) => Cached::Fresh(CachedFresh {
            cache,
            n_modules: verified.n_modules,
            touched_dirs: verified.touched_dirs,
            is_worth_keeping: is_renewed || verified.is_worth_keeping,
        }),
        Err(changed) => Cached::Changed(cache, changed),
    }
}

/// Reads the cache of an earlier run with the same registry and settings, and says whether there is something to add
/// to it.
fn read(
    engine: &Engine,
    document: &mut Document,
    kind: Kind,
    taken: Time,
) -> Option<(FreshCache, bool)> {
    let tree = state::existing_engine_dir(engine.root())?;
    // A run that did not finish knows of stale modules whose files cannot tell.
    if Journal::is_there(&tree) {
        return None;
    }
    let bytes = tree.read(Utf8Path::new(FRESH)).ok()??;
    let mut cache = FreshCache::from_bytes(bytes)?;
    if !cache.has_key(&key(engine, kind)) {
        return None;
    }
    if document.file_stamp().is_some_and(|stamp| cache.is_about_file(stamp)) {
        return Some((cache, false));
    }
    let registry = document.state().ok()?;
    if !cache.is_about(&registry) {
        return None;
    }
    let is_renewed = cache.set_registry_file(&registry, taken);
    Some((cache, is_renewed))
}

/// Plans what changed files can affect, and lists all other modules: they are fresh.
///
/// Returns `None` if the index does not match, or a full load is cheaper.
pub(crate) fn plan_affected(
    engine: &Engine,
    cache: &FreshCache,
    changed: &[Utf8PathBuf],
    options: &PlanOptions,
) -> Option<(Plan, Vec<ModuleName>)> {
    if changed.is_empty() {
        return None;
    }
    let tree = state::existing_engine_dir(engine.root())?;
    let index = String::from_utf8(tree.read(Utf8Path::new(INDEX)).ok()??).ok()?;
    if !cache.is_bound_to(&index) {
        return None;
    }
    let mut records = tree.open_file(Utf8Path::new(RECORDS)).ok()??;
    let read = |at: usize, len: usize| {
        let mut bytes = Vec::new();
        records.seek(SeekFrom::Start(at as u64)).ok()?;
        (&mut records).take(len as u64).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    };
    let survey = ProjectIndex::from_text(index)?.load_affected(engine.root(), changed, read)?;
    let plan = Plan::new(&survey, Kind::Build, &survey.read_on_disk(), options);
    let stale: BTreeSet<&ModuleName> = plan.stale().map(|(name, _)| name).collect();
    let fresh = names(cache).filter(|name| !stale.contains(name)).collect();
    Some((plan, fresh))
}

fn names(cache: &FreshCache) -> impl Iterator<Item = ModuleName> {
    cache.modules().map(|name| name.parse().expect("it was a name when it was written"))
}

/// Keeps the verdict of a plan with nothing to do, and an index of the project.
pub(crate) fn keep_verdict(
    engine: &Engine,
    loaded: &Loaded,
    plan: &Plan,
    on_disk: &BTreeMap<ModuleName, OnDisk>,
    document: &mut Document,
    taken: Time,
) -> Result<(), EngineError> {
    let (key, registry) = (key(engine, plan.kind()), document.state()?);
    let cache = FreshCache::of(&loaded.project, plan, on_disk, &registry, &key, taken);
    let Some(mut cache) = cache else { return Ok(()) };
    // The cache comes last: it tells whether it belongs to the index that is there.
    if let Some(texts) = IndexTexts::of(&loaded.project, &loaded.registry) {
        let is_written = write(engine, RECORDS, &texts.records)
            .and_then(|()| write(engine, INDEX, texts.index.as_bytes()));
        if is_written.is_ok() {
            cache.bind(&texts.index);
        }
    }
    keep(engine, &cache);
    Ok(())
}

/// Writes the cache. Without it the next run takes longer, which is no reason to fail.
fn keep(engine: &Engine, cache: &FreshCache) {
    write(engine, FRESH, cache.as_bytes()).ok();
}

fn write(engine: &Engine, file: &str, bytes: &[u8]) -> Result<(), WriteError> {
    state::write(engine.root(), file, bytes)
}

/// Digests all that decides a verdict and is not in a source, a generated file or the registry.
fn key(engine: &Engine, kind: Kind) -> Digest {
    let Engine { config, settings, .. } = engine;
    Digest::of(format!("{} {kind} {config:?} {settings:?}", env!("CARGO_PKG_VERSION")))
}

/// Returns a time before every change from now on. If the file system's clock is behind ours, its time counts: that of
/// the lock, which was written to just now by whoever has it.
pub(crate) fn now(root: &Utf8Path) -> Time {
    time_before_changes(Some(&root.join(ENGINE_DIR).join(LOCK)))
}

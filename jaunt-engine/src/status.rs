//! What is fresh, what is stale, and what is orphaned.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use camino::Utf8PathBuf;
use jaunt_builder::{Force, GeneratedFiles, OnDisk, Orphan, Plan, PlanOptions, Survey};
use jaunt_digest::{Kind, ModuleName, Registry};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::load::{expect_any_specs, generated_files};
use crate::registry::Document;
use crate::state::journal::Journal;
use crate::targets::Targets;

/// What is looked at.
#[derive(Clone, Debug, Default)]
pub struct StatusOptions {
    /// `MODULE[:QUALNAME]` each: only these modules and what they depend on. Everything if it is empty.
    pub targets: Vec<String>,
    /// Looks at product code only.
    pub no_tests: bool,
    /// Takes everything for stale.
    pub force: bool,
    /// Accepts a registry without specs.
    pub allow_empty: bool,
}

/// What was found.
#[derive(Debug)]
pub struct Status {
    /// The modules and their digests.
    pub project: Survey,
    /// A plan for each kind that was looked at.
    pub plans: Vec<Plan>,
    /// Generated files whose specs are gone, relative to the root, in order. Empty if only some modules were asked for.
    pub orphans: Vec<Utf8PathBuf>,
    /// What the plans were made from. It takes a while to free, so the caller decides when.
    _made_from: (Document, Registry, BTreeMap<ModuleName, OnDisk>, GeneratedFiles),
}

impl Status {
    /// Returns whether nothing is stale and nothing orphaned.
    pub fn is_clean(&self) -> bool {
        self.plans.iter().all(|plan| plan.stale().next().is_none()) && self.orphans.is_empty()
    }
}

impl Engine {
    /// Looks at every module that is selected. Nothing is written, and no backend is started.
    ///
    /// # Errors
    ///
    /// If the project cannot be loaded, a target does not exist, or there are no specs.
    pub async fn status(&self, options: &StatusOptions) -> Result<Status, EngineError> {
        let kinds: &[Kind] =
            if options.no_tests { &[Kind::Build] } else { &[Kind::Build, Kind::Test] };
        let mut document = self.find_registry().await?;
        let (registry, settings) = self.read_registry(&mut document)?;
        let (project, on_disk) =
            Survey::load_with_on_disk(self.root(), &registry, &settings.layout, kinds)?;
        expect_any_specs(&registry, options.allow_empty)?;
        let targets = Targets::resolve(&registry, &options.targets)?;
        let is_narrow = !options.targets.is_empty();

        let unfinished = Journal::unfinished(&project);
        let plan = |kind| {
            let wanted = match kind {
                Kind::Build => &targets.build,
                Kind::Test => &targets.test,
            };
            let options = PlanOptions {
                targets: is_narrow.then(|| BTreeSet::from_iter(wanted.iter().cloned())),
                force: if options.force { Force::Everything } else { Force::Nothing },
                adopt: false,
                unfinished: unfinished.clone(),
            };
            Plan::new(&project, kind, &on_disk, &options)
        };
        // Neither asks anything of the other.
        let (plans, generated) = thread::scope(|scope| {
            let generated =
                scope.spawn(|| generated_files(&project, &registry, &settings, Some(&on_disk)));
            let plans: Vec<Plan> = kinds.iter().copied().map(plan).collect();
            (plans, generated.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        let generated = generated?;
        // Whoever asks for some modules, or for one kind, does not ask for what belongs to none.
        let is_asked = |orphan: &Orphan| !is_narrow && kinds.contains(&orphan.kind);
        let orphans = generated.orphans().filter(is_asked).map(|it| it.path).collect();
        Ok(Status { project, plans, orphans, _made_from: (document, registry, on_disk, generated) })
    }
}

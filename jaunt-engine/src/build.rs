//! A build: planned, looked at, run.

use std::collections::{BTreeMap, BTreeSet};

use jaunt_builder::{Force, OnDisk, Plan, PlanOptions};
use jaunt_digest::{Kind, ModuleName, Registry};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::event::EngineEvent;
use crate::fresh::{self, Cached, CachedFresh};
use crate::generate_options::GenerateOptions;
use crate::kind_run::KindRun;
use crate::load::Loaded;
use crate::state::journal::Journal;
use crate::state::lock::ProjectLock;
use crate::targets::{TargetError, Targets};

/// A build that was planned and not yet run. It holds the project's lock, unless it is a dry run.
pub struct PlannedBuild<'a> {
    engine: &'a Engine,
    options: &'a GenerateOptions,
    lock: ProjectLock,
    basis: Basis,
}

/// What a build was planned from.
enum Basis {
    /// The whole project.
    Loaded(Box<Loaded>, Plan),
    /// For a dry run: the part of the project that changed files can reach, and the other modules, which are fresh.
    ///
    /// This is the one plan that no run follows. It comes from the same [`Plan::new`], and a property test holds it
    /// equal to the plan of the whole project.
    Affected(Plan, Vec<ModuleName>),
    /// An earlier verdict that still holds.
    Cached(CachedFresh),
}

impl PlannedBuild<'_> {
    /// Returns what will be done; `None` if everything is known to be fresh without a plan.
    pub fn plan(&self) -> Option<&Plan> {
        match &self.basis {
            Basis::Loaded(_, plan) | Basis::Affected(plan, _) => Some(plan),
            Basis::Cached(_) => None,
        }
    }

    /// Generates what the plan names. A dry run ends here.
    ///
    /// # Errors
    ///
    /// If there is no generator, or the engine's own files cannot be written. Modules that fail are outcomes in the
    /// result.
    pub async fn run(
        self,
        on_event: &mut dyn FnMut(EngineEvent<'_>),
    ) -> Result<KindRun, EngineError> {
        let Self { engine, options, lock, basis } = self;
        let (loaded, plan) = match basis {
            Basis::Cached(cached) => {
                let touched = cached.touched_dirs().iter().map(AsRef::as_ref).collect();
                lock.sweep_trees(engine.root(), touched)?;
                if lock.is_held() {
                    cached.renew(engine);
                }
                return Ok(KindRun::cached(cached, options.dry_run));
            }
            Basis::Affected(plan, fresh) => {
                on_event(EngineEvent::Planned(&plan));
                return Ok(KindRun::planned_beside(plan, fresh));
            }
            Basis::Loaded(loaded, plan) => (loaded, plan),
        };
        let lock = if plan.is_empty() { lock } else { lock.ensure()? };
        let run = engine.generate(&loaded, plan, options, on_event).await?;
        drop(lock);
        Ok(run.keeping(loaded))
    }
}

impl Engine {
    /// Finds out what has to be generated, and generates it.
    ///
    /// # Errors
    ///
    /// As [`plan_build`](Self::plan_build) and [`PlannedBuild::run`].
    pub async fn build(
        &self,
        options: &GenerateOptions,
        on_event: &mut dyn FnMut(EngineEvent<'_>),
    ) -> Result<KindRun, EngineError> {
        self.plan_build(options).await?.run(on_event).await
    }

    /// Finds out what has to be generated: whatever is stale among the targets.
    ///
    /// # Errors
    ///
    /// If the project cannot be loaded, a target does not exist, there are no specs, or the lock cannot be had.
    pub async fn plan_build<'a>(
        &'a self,
        options: &'a GenerateOptions,
    ) -> Result<PlannedBuild<'a>, EngineError> {
        let lock = match options.dry_run {
            true => ProjectLock::NotNeeded,
            false => self.lock("jaunt build", !options.no_wait).await?,
        };
        let taken = fresh::now(self.root());
        let mut document = self.find_registry().await?;
        if options.targets.is_empty() && !options.force {
            let cached = fresh::look_up(self, &mut document, Kind::Build, taken);
            if let Some(basis) = self.shortcut(cached, options) {
                return Ok(PlannedBuild { engine: self, options, lock, basis });
            }
        }
        let (loaded, on_disk) = self.load_with_on_disk(&mut document, &[Kind::Build])?;
        loaded.expect_specs(Kind::Build, options.allow_empty)?;
        let targets = Targets::resolve(&loaded.registry, &options.targets)?;
        if let Some(module) = targets.test.first() {
            return Err(TargetError::HoldsTests { module: module.clone() }.into());
        }
        let targets = (!options.targets.is_empty()).then(|| BTreeSet::from_iter(targets.build));
        let plan = loaded.plan_from(&on_disk, Kind::Build, options, targets);
        lock.sweep(&loaded.project)?;
        // Warnings of the registry have to be said every time.
        if lock.is_held() && plan.is_empty() && loaded.registry.warnings.is_empty() {
            fresh::keep_verdict(self, &loaded, &plan, &on_disk, &mut document, taken)?;
        }
        let basis = Basis::Loaded(Box::new(loaded), plan);
        Ok(PlannedBuild { engine: self, options, lock, basis })
    }

    /// Returns what an earlier verdict says, if that is enough.
    fn shortcut(&self, cached: Cached, options: &GenerateOptions) -> Option<Basis> {
        match cached {
            Cached::Fresh(cached) => Some(Basis::Cached(cached)),
            Cached::Changed(cache, changed) if options.dry_run => {
                let options = PlanOptions { adopt: options.adopt, ..PlanOptions::default() };
                let (plan, fresh) = fresh::plan_affected(self, &cache, &changed, &options)?;
                Some(Basis::Affected(plan, fresh))
            }
            Cached::Changed(..) | Cached::None => None,
        }
    }
}

impl Loaded {
    /// Plans one kind. `targets` is `None` for everything.
    pub(crate) fn plan(
        &self,
        kind: Kind,
        options: &GenerateOptions,
        targets: Option<BTreeSet<ModuleName>>,
    ) -> Plan {
        self.plan_from(&self.project.read_on_disk(), kind, options, targets)
    }

    /// Plans one kind from what was found on disk.
    fn plan_from(
        &self,
        on_disk: &BTreeMap<ModuleName, OnDisk>,
        kind: Kind,
        options: &GenerateOptions,
        targets: Option<BTreeSet<ModuleName>>,
    ) -> Plan {
        let force = match (options.force, &targets) {
            (false, _) => Force::Nothing,
            (true, None) => Force::Everything,
            // Targets may have brought others along, which nobody named.
            (true, Some(_)) => Force::These(named(&self.registry, &options.targets)),
        };
        let unfinished = Journal::unfinished(&self.project);
        let options = PlanOptions { targets, force, adopt: options.adopt, unfinished };
        Plan::new(&self.project, kind, on_disk, &options)
    }
}

/// Returns the modules that targets name. They were found before.
fn named(registry: &Registry, targets: &[String]) -> BTreeSet<ModuleName> {
    Targets::resolve(registry, targets).unwrap_or_default().into_modules().collect()
}

//! A build: planned, looked at, run.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use jaunt_builder::{BuildOptions, BuildReport, Force, OnDisk, Plan, PlanOptions};
use jaunt_digest::{Kind, ModuleName, Registry};

use crate::engine::Engine;
use crate::error::{EngineError, TargetError};
use crate::event::EngineEvent;
use crate::fresh::{self, Cached, CachedFresh};
use crate::generator::GeneratorOptions;
use crate::kind_run::KindRun;
use crate::load::Loaded;
use crate::notice::Notice;
use crate::state::durations::{Durations, Stopwatch};
use crate::state::journal::Journal;
use crate::state::lock::ProjectLock;
use crate::targets::Targets;

/// The backend that looks its answers up.
const REPLAY: &str = "replay";

/// How often a module is asked for unless somebody says otherwise.
const MAX_ATTEMPTS: u32 = 2;

/// What is generated, and how.
#[derive(Clone, Debug, Default)]
pub struct GenerateOptions {
    /// `MODULE[:QUALNAME]` each: only these modules and what they depend on. Everything if it is empty.
    pub targets: Vec<String>,
    /// Generates the targets although they are fresh; without targets, everything.
    pub force: bool,
    /// Plans, and generates nothing.
    pub dry_run: bool,
    /// How many modules are generated at once; `None` means as configured.
    pub jobs: Option<NonZeroUsize>,
    /// How many attempts a module gets; `None` means as configured.
    pub max_attempts: Option<u32>,
    /// Starts nothing more after the first failure.
    pub fail_fast: bool,
    /// Overwrites files that jaunt did not write.
    pub adopt: bool,
    /// Accepts a registry without specs, or without tests.
    pub allow_empty: bool,
    /// Fails if another process is writing to the project, instead of waiting for it.
    pub no_wait: bool,
    /// Who generates.
    pub generator: GeneratorOptions,
}

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
    /// What will be done; `None` if everything is known to be fresh without a plan.
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
                return Ok(KindRun::affected(plan, fresh));
            }
            Basis::Loaded(loaded, plan) => (loaded, plan),
        };
        let lock = if plan.is_empty() { lock } else { lock.ensure()? };
        let run = engine.generate(&loaded, plan, options, on_event).await;
        drop(lock);
        // To free a large project one by one takes a while, and whoever builds ends soon.
        std::mem::forget(loaded);
        run
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

    /// What an earlier verdict says, if that is enough.
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

    /// Runs a plan, unless it is a dry run.
    pub(crate) async fn generate(
        &self,
        loaded: &Loaded,
        plan: Plan,
        options: &GenerateOptions,
        on_event: &mut dyn FnMut(EngineEvent<'_>),
    ) -> Result<KindRun, EngineError> {
        on_event(EngineEvent::Planned(&plan));
        if options.dry_run {
            return Ok(KindRun::planned(plan));
        }
        let (report, backend) = if plan.is_empty() {
            let fresh =
                plan.fresh().map(|name| (name.clone(), jaunt_builder::ModuleOutcome::Fresh));
            (BuildReport { outcomes: fresh.collect(), backend_calls: 0 }, None)
        } else {
            let (report, backend) = self.run_plan(loaded, &plan, options, on_event).await?;
            (report, Some(backend))
        };
        let mut run = KindRun::planned(plan);
        run.report = Some(report);
        run.backend = backend;
        Ok(run)
    }

    async fn run_plan(
        &self,
        loaded: &Loaded,
        plan: &Plan,
        options: &GenerateOptions,
        on_event: &mut dyn FnMut(EngineEvent<'_>),
    ) -> Result<(BuildReport, &'static str), EngineError> {
        let backend = Arc::new(self.generator(&options.generator)?);
        let mut durations = Durations::load(self.root());
        let mut stopwatch = Stopwatch::default();
        let mut journal = Journal::begin(&loaded.project, &loaded.registry, plan)?;
        let build_options = BuildOptions {
            jobs: options.jobs.unwrap_or(match plan.kind() {
                Kind::Build => loaded.settings.build_jobs,
                Kind::Test => loaded.settings.test_jobs,
            }),
            max_attempts: options
                .max_attempts
                .or(self.settings.backend.max_attempts)
                .unwrap_or(MAX_ATTEMPTS),
            fail_fast: options.fail_fast,
            adopt: options.adopt,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let report = jaunt_builder::build(
            &loaded.project,
            plan,
            &backend,
            &build_options,
            |module| durations.expected(&loaded.project, module),
            |events| {
                journal.events(events);
                events.iter().for_each(|event| stopwatch.event(event));
                on_event(EngineEvent::Build(events));
            },
            self.stopped(),
        )
        .await;
        journal.end()?;
        // How long it takes to look something up says nothing of how long it takes to make it.
        if backend.name() != REPLAY && stopwatch.teach(&mut durations, &loaded.project) {
            durations.save(self.root());
        }
        for (module, error) in backend.take_record_failures() {
            self.notice(Notice::NotRecorded { module: &module, error: &error });
        }
        Ok((report, backend.name()))
    }
}

impl Loaded {
    /// The plan for one kind. `targets` is `None` for everything.
    pub(crate) fn plan(
        &self,
        kind: Kind,
        options: &GenerateOptions,
        targets: Option<BTreeSet<ModuleName>>,
    ) -> Plan {
        self.plan_from(&self.project.read_on_disk(), kind, options, targets)
    }

    /// The plan for one kind and what was found on disk.
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

/// The modules that targets name. They were found before.
fn named(registry: &Registry, targets: &[String]) -> BTreeSet<ModuleName> {
    Targets::resolve(registry, targets).unwrap_or_default().into_modules().collect()
}

//! A build: planned, looked at, run.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use jaunt_builder::{
    Attempts, BuildOptions, BuildReport, Evidence, Force, Output, Plan, PlanOptions, read_outputs,
};
use jaunt_digest::{Kind, ModuleName, Registry};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::event::{EngineEvent, Notice};
use crate::fresh::{self, Cached, Recalled};
use crate::generator::GeneratorOptions;
use crate::load::Loaded;
use crate::state::durations::{Durations, Stopwatch};
use crate::state::journal::Journal;
use crate::state::lock::ProjectLock;
use crate::targets::{TargetError, Targets};

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

/// What became of the modules of one kind.
#[derive(Debug)]
pub struct KindRun {
    kind: Kind,
    plan: Option<Plan>,
    fresh: FreshModules,
    /// What was done; `None` for a dry run.
    pub report: Option<BuildReport>,
    /// The name of the backend; `None` if none was needed.
    pub backend: Option<&'static str>,
}

/// Which modules are fresh.
#[derive(Debug)]
enum FreshModules {
    /// Those that the plan calls fresh.
    Planned,
    /// These; the plan is of the others only.
    Listed(Vec<ModuleName>),
    /// All: an earlier verdict still holds, and there is no plan.
    Cached(Recalled),
}

impl KindRun {
    /// The kind of its modules.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What was planned; `None` if everything is known to be fresh without a plan.
    pub fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    /// The modules for which nothing had to be done, in order of name.
    pub fn fresh(&self) -> Vec<ModuleName> {
        match &self.fresh {
            FreshModules::Planned => self.plan.iter().flat_map(Plan::fresh).cloned().collect(),
            FreshModules::Listed(names) => names.clone(),
            FreshModules::Cached(recalled) => recalled.modules().collect(),
        }
    }

    /// How many modules nothing had to be done for.
    pub fn n_fresh(&self) -> usize {
        match &self.fresh {
            FreshModules::Planned => self.plan.iter().flat_map(Plan::fresh).count(),
            FreshModules::Listed(names) => names.len(),
            FreshModules::Cached(recalled) => recalled.n_modules(),
        }
    }

    /// Whether code was generated for some module, or, for a dry run, would be.
    pub(crate) fn has_generated(&self) -> bool {
        match (&self.report, &self.plan) {
            (Some(report), _) => report.generated().next().is_some(),
            (None, plan) => plan.as_ref().is_some_and(|plan| !plan.is_empty()),
        }
    }

    /// Whether every module is fresh now, or, for a dry run, whether none would be refused.
    pub fn is_ok(&self) -> bool {
        match (&self.report, &self.plan) {
            (Some(report), _) => report.is_ok(),
            (None, Some(plan)) => plan.stale().all(|(_, planned)| planned.refusal.is_none()),
            (None, None) => true,
        }
    }
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
    Cached(Recalled),
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
            Basis::Cached(recalled) => {
                let touched = recalled.touched_dirs().iter().map(AsRef::as_ref).collect();
                lock.sweep_trees(engine.root(), touched)?;
                if lock.is_held() {
                    recalled.renew(engine);
                }
                return Ok(KindRun::cached(recalled, options.dry_run));
            }
            Basis::Affected(plan, fresh) => {
                on_event(EngineEvent::Planned(&plan));
                let run = KindRun { fresh: FreshModules::Listed(fresh), ..KindRun::planned(plan) };
                return Ok(run);
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

impl KindRun {
    /// A plan that is not run.
    fn planned(plan: Plan) -> Self {
        let (kind, fresh) = (plan.kind(), FreshModules::Planned);
        Self { kind, plan: Some(plan), fresh, report: None, backend: None }
    }

    fn cached(recalled: Recalled, is_dry_run: bool) -> Self {
        Self {
            kind: Kind::Build,
            plan: None,
            fresh: FreshModules::Cached(recalled),
            report: (!is_dry_run).then(BuildReport::default),
            backend: None,
        }
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
            let cached = fresh::recall(self, &mut document, Kind::Build, taken);
            if let Some(basis) = self.shortcut(cached, options) {
                return Ok(PlannedBuild { engine: self, options, lock, basis });
            }
        }
        let (loaded, outputs) = self.load_with_outputs(&mut document, &[Kind::Build])?;
        loaded.expect_specs(Kind::Build, options.allow_empty)?;
        let targets = Targets::resolve(&loaded.registry, &options.targets)?;
        if let Some(module) = targets.test.first() {
            return Err(TargetError::HoldsTests { module: module.clone() }.into());
        }
        let targets = (!options.targets.is_empty()).then(|| BTreeSet::from_iter(targets.build));
        let plan = loaded.plan_from(&outputs, Kind::Build, options, targets);
        lock.sweep(&loaded.project)?;
        // Warnings of the registry have to be said every time.
        if lock.is_held() && plan.is_empty() && loaded.registry.warnings.is_empty() {
            let key = fresh::key(self, Kind::Build);
            let registry = document.state()?;
            let evidence = Evidence::of(&loaded.project, &plan, &outputs, &registry, &key, taken);
            if let Some(evidence) = evidence {
                fresh::keep_with_parts(self, evidence, &loaded.project, &loaded.registry);
            }
        }
        let basis = Basis::Loaded(Box::new(loaded), plan);
        Ok(PlannedBuild { engine: self, options, lock, basis })
    }

    /// What an earlier verdict says, if that is enough.
    fn shortcut(&self, cached: Cached, options: &GenerateOptions) -> Option<Basis> {
        match cached {
            Cached::Fresh(recalled) => Some(Basis::Cached(recalled)),
            Cached::Changed(evidence, changed) if options.dry_run => {
                let options = PlanOptions { adopt: options.adopt, ..PlanOptions::default() };
                let (plan, fresh) = fresh::plan_of_changes(self, &evidence, &changed, &options)?;
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
        Ok(KindRun { report: Some(report), backend, ..KindRun::planned(plan) })
    }

    async fn run_plan(
        &self,
        loaded: &Loaded,
        plan: &Plan,
        options: &GenerateOptions,
        on_event: &mut dyn FnMut(EngineEvent<'_>),
    ) -> Result<(BuildReport, &'static str), EngineError> {
        let backend = self.generator(&options.generator)?;
        let mut durations = Durations::load(self.root());
        let mut stopwatch = Stopwatch::default();
        let mut journal = Journal::begin(&loaded.project, &loaded.registry, plan)?;
        let build_options = BuildOptions {
            jobs: options.jobs.unwrap_or(match plan.kind() {
                Kind::Build => loaded.settings.build_jobs,
                Kind::Test => loaded.settings.test_jobs,
            }),
            attempts: Attempts::at_most(
                options.max_attempts.or(self.settings.backend.max_attempts).unwrap_or(MAX_ATTEMPTS),
            ),
            fail_fast: options.fail_fast,
            adopt: options.adopt,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let report = jaunt_builder::build(
            &loaded.project,
            plan,
            backend.generator(),
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
        self.plan_from(&read_outputs(&self.project), kind, options, targets)
    }

    /// The plan for one kind and what was found on disk.
    fn plan_from(
        &self,
        outputs: &BTreeMap<ModuleName, Output>,
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
        Plan::new(&self.project, kind, outputs, &options)
    }
}

/// The modules that targets name. They were found before.
fn named(registry: &Registry, targets: &[String]) -> BTreeSet<ModuleName> {
    Targets::resolve(registry, targets).unwrap_or_default().into_modules().collect()
}

//! What became of the modules of one kind.

use jaunt_builder::{BuildReport, ModuleOutcome, Plan};
use jaunt_digest::{Kind, ModuleName};

use crate::fresh::CachedFresh;
use crate::load::Loaded;

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
    /// The project. It takes a while to free, so the caller decides when.
    _loaded: Option<Box<Loaded>>,
}

/// Which modules are fresh.
#[derive(Debug)]
enum FreshModules {
    /// Those that the plan calls fresh.
    Planned,
    /// These; the plan is of the others only.
    Listed(Vec<ModuleName>),
    /// All: an earlier verdict still holds, and there is no plan.
    Cached(CachedFresh),
}

impl KindRun {
    /// Ends a dry run with its plan.
    pub(crate) fn planned(plan: Plan) -> Self {
        let (kind, fresh) = (plan.kind(), FreshModules::Planned);
        Self { kind, plan: Some(plan), fresh, report: None, backend: None, _loaded: None }
    }

    /// Ends a dry run with a plan of some modules, beside which these are fresh.
    pub(crate) fn planned_beside(plan: Plan, fresh: Vec<ModuleName>) -> Self {
        Self { fresh: FreshModules::Listed(fresh), ..Self::planned(plan) }
    }

    /// Ends a run without a plan: an earlier verdict still holds.
    pub(crate) fn cached(cached: CachedFresh, is_dry_run: bool) -> Self {
        Self {
            kind: Kind::Build,
            plan: None,
            fresh: FreshModules::Cached(cached),
            report: (!is_dry_run).then(BuildReport::default),
            backend: None,
            _loaded: None,
        }
    }

    /// Ends a run of a plan with nothing to do.
    pub(crate) fn nothing_to_do(plan: Plan) -> Self {
        let fresh = plan.fresh().map(|name| (name.clone(), ModuleOutcome::Fresh));
        let report = BuildReport { outcomes: fresh.collect(), backend_calls: 0 };
        Self { report: Some(report), ..Self::planned(plan) }
    }

    /// Ends a run of a plan by a backend.
    pub(crate) fn done(plan: Plan, report: BuildReport, backend: &'static str) -> Self {
        Self { report: Some(report), backend: Some(backend), ..Self::planned(plan) }
    }

    /// Keeps the project until this is dropped.
    pub(crate) fn keeping(self, loaded: Box<Loaded>) -> Self {
        Self { _loaded: Some(loaded), ..self }
    }

    /// Returns the kind of its modules.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns what was planned; `None` if everything is known to be fresh without a plan.
    pub fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    /// Returns the modules for which nothing had to be done, in order of name.
    pub fn fresh(&self) -> Vec<ModuleName> {
        match &self.fresh {
            FreshModules::Planned => self.plan.iter().flat_map(Plan::fresh).cloned().collect(),
            FreshModules::Listed(names) => names.clone(),
            FreshModules::Cached(cached) => cached.modules().collect(),
        }
    }

    /// Returns how many modules nothing had to be done for.
    pub fn n_fresh(&self) -> usize {
        match &self.fresh {
            FreshModules::Planned => self.plan.iter().flat_map(Plan::fresh).count(),
            FreshModules::Listed(names) => names.len(),
            FreshModules::Cached(cached) => cached.n_modules(),
        }
    }

    /// Returns whether every module is fresh now, or, for a dry run, whether none would be refused.
    pub fn is_ok(&self) -> bool {
        match (&self.report, &self.plan) {
            (Some(report), _) => report.is_ok(),
            (None, Some(plan)) => plan.stale().all(|(_, planned)| planned.refusal.is_none()),
            (None, None) => true,
        }
    }

    /// Returns whether code was generated for some module, or, for a dry run, would be.
    pub(crate) fn has_generated(&self) -> bool {
        match (&self.report, &self.plan) {
            (Some(report), _) => report.generated().next().is_some(),
            (None, plan) => plan.as_ref().is_some_and(|plan| !plan.is_empty()),
        }
    }
}

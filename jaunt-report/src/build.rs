//! `jaunt.build/1`

use std::collections::BTreeMap;

use jaunt_builder::{BuildReport, Plan};
use jaunt_digest::ModuleName;
use serde::Serialize;

use crate::reason::Reason;
use crate::schema;

/// `jaunt.build/1`: what became of the modules of one kind.
#[derive(Debug, Serialize)]
pub struct BuildDocument {
    schema: &'static str,
    /// The command that was run: that of Python's tool.
    pub command: &'static str,
    /// Whether every module is fresh now.
    pub ok: bool,
    /// The exit code that belongs to this result.
    pub exit_code: u8,
    /// Whether nothing was done, and what would be done is told.
    pub dry_run: bool,
    /// Modules that were generated, in order of name.
    pub generated: Vec<ModuleName>,
    /// Modules that were fresh.
    pub skipped: Vec<ModuleName>,
    /// What is wrong with each module that failed.
    pub failed: BTreeMap<ModuleName, Vec<String>>,
    /// Modules that were not started because of another one.
    pub blocked: BTreeMap<ModuleName, Blocked>,
    /// Modules that were not started because the run was stopped.
    pub cancelled: Vec<ModuleName>,
    /// Why each module was, or would be, generated.
    pub reasons: BTreeMap<ModuleName, Vec<Reason>>,
    /// Who generated.
    pub backend: Backend,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// Why a module was not started.
#[derive(Debug, Serialize)]
pub struct Blocked {
    /// The module that failed.
    pub cause: ModuleName,
}

/// Who generated.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Backend {
    /// `None` if no backend was needed.
    pub name: Option<String>,
    /// Attempts asked of it.
    pub calls: u64,
}

impl BuildDocument {
    /// Describes modules of which all are fresh.
    pub fn fresh(modules: Vec<ModuleName>, dry_run: bool) -> Self {
        Self {
            schema: schema::BUILD,
            command: "build",
            ok: true,
            exit_code: 0,
            dry_run,
            generated: Vec::new(),
            skipped: modules,
            failed: BTreeMap::new(),
            blocked: BTreeMap::new(),
            cancelled: Vec::new(),
            reasons: BTreeMap::new(),
            backend: Backend::default(),
            duration_ms: 0,
        }
    }

    /// Describes what a plan would do, where `fresh` are the modules that it leaves alone. Modules that would be
    /// refused are failed already.
    pub fn planned(plan: &Plan, fresh: Vec<ModuleName>, exit_code: u8) -> Self {
        let (refused, generated): (Vec<_>, Vec<_>) =
            plan.stale().partition(|(_, planned)| planned.refusal.is_some());
        let names = generated.into_iter().map(|(name, _)| name.clone());
        let refusals = refused
            .into_iter()
            .map(|(name, planned)| (name.clone(), planned.refusal.iter().cloned().collect()));
        Self {
            ok: exit_code == 0,
            exit_code,
            generated: names.filter(|name| !plan.blocked().contains_key(name)).collect(),
            blocked: plan.blocked().iter().map(blocked).collect(),
            failed: refusals.collect(),
            reasons: reasons(plan),
            ..Self::fresh(fresh, true)
        }
    }

    /// Describes what a run of a plan did.
    pub fn done(plan: &Plan, report: &BuildReport, backend: Backend, exit_code: u8) -> Self {
        let failed = report.failed().map(|(name, problems)| {
            (name.clone(), problems.iter().map(ToString::to_string).collect())
        });
        Self {
            ok: exit_code == 0,
            exit_code,
            generated: report.generated().cloned().collect(),
            failed: failed.collect(),
            blocked: report.blocked().map(blocked).collect(),
            cancelled: report.cancelled().cloned().collect(),
            reasons: reasons(plan),
            backend,
            ..Self::fresh(report.skipped().cloned().collect(), false)
        }
    }
}

fn blocked((name, cause): (&ModuleName, &ModuleName)) -> (ModuleName, Blocked) {
    (name.clone(), Blocked { cause: cause.clone() })
}

fn reasons(plan: &Plan) -> BTreeMap<ModuleName, Vec<Reason>> {
    let stale = plan.stale();
    stale.map(|(name, it)| (name.clone(), it.reasons.iter().map(Reason::from).collect())).collect()
}

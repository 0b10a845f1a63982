//! `jaunt.status/1` and `jaunt.check/1`

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use jaunt_builder::{Plan, Survey};
use jaunt_digest::{ModuleName, SpecRef};
use serde::Serialize;

use crate::reason::Reason;
use crate::schema;

/// `jaunt.status/1` and `jaunt.check/1`: what is fresh, what is stale and why, what is orphaned.
#[derive(Debug, Serialize)]
pub struct StatusDocument {
    schema: &'static str,
    command: &'static str,
    ok: bool,
    exit_code: u8,
    modules: Vec<ModuleStatus>,
    fresh: Vec<ModuleName>,
    stale: Vec<ModuleName>,
    digests: BTreeMap<ModuleName, String>,
    orphans: Vec<String>,
    summary: Summary,
}

/// One module.
#[derive(Debug, Serialize)]
pub struct ModuleStatus {
    module: ModuleName,
    kind: &'static str,
    path: String,
    module_digest: String,
    state: &'static str,
    reasons: Vec<Reason>,
    specs: Vec<SpecRef>,
    depends_on: Vec<ModuleName>,
}

/// How many there are of each.
#[derive(Debug, Serialize)]
pub struct Summary {
    fresh: usize,
    stale: usize,
    orphans: usize,
}

impl StatusDocument {
    /// Describes the modules of these plans, in order of name. With `is_gate` it is `jaunt.check/1`.
    pub fn new(
        project: &Survey,
        plans: &[Plan],
        orphans: &[Utf8PathBuf],
        is_gate: bool,
        exit_code: u8,
    ) -> Self {
        let mut modules = states(project, plans);
        modules.sort_by(|left, right| left.module.cmp(&right.module));
        let names = |state: &str| {
            let modules = modules.iter().filter(|it| it.state == state);
            modules.map(|it| it.module.clone()).collect::<Vec<_>>()
        };
        let digests = modules.iter().map(|it| (it.module.clone(), it.module_digest.clone()));
        let (fresh, stale, digests) = (names("fresh"), names("stale"), digests.collect());
        Self {
            schema: if is_gate { schema::CHECK } else { schema::STATUS },
            command: if is_gate { "check" } else { "status" },
            ok: exit_code == 0,
            exit_code,
            summary: Summary { fresh: fresh.len(), stale: stale.len(), orphans: orphans.len() },
            fresh,
            stale,
            digests,
            modules,
            orphans: orphans.iter().map(ToString::to_string).collect(),
        }
    }
}

fn states(project: &Survey, plans: &[Plan]) -> Vec<ModuleStatus> {
    let planned = plans.iter().flat_map(Plan::modules);
    let states = planned.map(|(name, planned)| {
        let module = project.module(name);
        ModuleStatus {
            module: name.clone(),
            kind: module.kind.as_str(),
            path: module.destination.path().to_string(),
            module_digest: format!("sha256:{}", module.digest),
            state: if planned.is_stale() { "stale" } else { "fresh" },
            reasons: planned.reasons.iter().map(Reason::from).collect(),
            specs: module.specs.clone(),
            depends_on: module.dependencies.iter().chain(&module.tested).cloned().collect(),
        }
    });
    states.collect()
}

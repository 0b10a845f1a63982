//! What will be done, and why, before anything is done.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8Path;
use jaunt_dag::Dag;
use jaunt_digest::{Header, Kind, ModuleName};

use crate::on_disk::{GeneratedFile, OnDisk};
use crate::parallel::in_parallel;
use crate::spec_module::SpecModule;
use crate::staleness::Staleness;
use crate::survey::Survey;

/// What the user asked for.
#[derive(Clone, Debug, Default)]
pub struct PlanOptions {
    /// Only these modules and what they depend on; `None` for all.
    pub targets: Option<BTreeSet<ModuleName>>,
    /// What is generated again although it is fresh.
    pub force: Force,
    /// Overwrite files that jaunt did not write.
    pub adopt: bool,
    /// Modules that an interrupted run had to generate and did not get to. Their files cannot tell if
    /// their dependencies were generated again to the identical code.
    pub unfinished: BTreeSet<ModuleName>,
}

/// What is generated again although it is fresh.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Force {
    /// Nothing.
    #[default]
    Nothing,
    /// Every module that is selected.
    Everything,
    /// These, as far as they are selected.
    These(BTreeSet<ModuleName>),
}

/// What is done with a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Nothing: its code matches its specs.
    Fresh,
    /// Its code is generated.
    Generate,
}

/// One module that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedModule {
    /// What is done with it.
    pub action: Action,
    /// Why it has to be generated; empty when it is fresh.
    pub reasons: Vec<Staleness>,
    /// Why its file must not be overwritten, although it has to be generated.
    pub refusal: Option<String>,
}

impl PlannedModule {
    /// Decides what is done with a module that is stale for these reasons.
    fn decide(
        module: &SpecModule,
        output: &OnDisk,
        reasons: Vec<Staleness>,
        options: &PlanOptions,
    ) -> Self {
        if reasons.is_empty() {
            return Self { action: Action::Fresh, reasons, refusal: None };
        }
        let refusal = refusal(module, output, options);
        Self { action: Action::Generate, reasons, refusal }
    }

    /// Checks whether something has to be done for the module.
    pub fn is_stale(&self) -> bool {
        self.action != Action::Fresh
    }

    /// Checks whether there was no code for the module, neither as a module nor as a package.
    pub fn is_missing(&self) -> bool {
        matches!(self.reasons[..], [Staleness::Missing, ..])
    }
}

/// The stale modules of one kind with the reasons, and the graph of what is to be done.
#[derive(Debug)]
pub struct Plan {
    kind: Kind,
    modules: BTreeMap<ModuleName, PlannedModule>,
    units: Arc<Dag<ModuleName>>,
    blocked: BTreeMap<ModuleName, ModuleName>,
}

impl Plan {
    /// Decides for every selected module of one kind whether it is stale.
    ///
    /// The plan is a function of its arguments: the disk is not looked at again.
    pub fn new(
        project: &Survey,
        kind: Kind,
        outputs: &BTreeMap<ModuleName, OnDisk>,
        options: &PlanOptions,
    ) -> Self {
        let mut reasons = direct_reasons(project, kind, outputs, options);
        attribute_to_dependencies(project, &mut reasons);
        propagate(project, kind, &mut reasons);

        let targets = options.targets.as_ref();
        let selected = targets.map(|targets| project.with_dependencies(kind, targets));
        reasons.retain(|name, _| selected.as_ref().is_none_or(|set| set.contains(name)));
        let decide = |(name, reasons): (ModuleName, Vec<Staleness>)| {
            let planned =
                PlannedModule::decide(project.module(&name), &outputs[&name], reasons, options);
            (name, planned)
        };
        let modules: BTreeMap<_, _> = reasons.into_iter().map(decide).collect();
        let units = project.units(kind);
        // The members of a unit are stale together, so its first one speaks for all.
        let units =
            units.units().induced(|unit| modules.get(unit).is_some_and(PlannedModule::is_stale));
        let blocked = blocked(project, kind, &units, &modules);
        Self { kind, modules, units: Arc::new(units), blocked }
    }

    /// Returns the kind of all its modules.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns every module that was selected, fresh and stale.
    pub fn modules(&self) -> &BTreeMap<ModuleName, PlannedModule> {
        &self.modules
    }

    /// Returns the modules that will be generated, in order of name.
    pub fn stale(&self) -> impl Iterator<Item = (&ModuleName, &PlannedModule)> {
        self.modules.iter().filter(|(_, planned)| planned.is_stale())
    }

    /// Returns the modules for which nothing has to be done, in order of name.
    pub fn fresh(&self) -> impl Iterator<Item = &ModuleName> {
        self.modules.iter().filter(|(_, planned)| !planned.is_stale()).map(|(name, _)| name)
    }

    /// Returns the stale modules that cannot be generated, each with the module it depends on that is
    /// refused.
    pub fn blocked(&self) -> &BTreeMap<ModuleName, ModuleName> {
        &self.blocked
    }

    /// Checks whether nothing has to be done.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// Returns the graph of stale units, each under the name of its first module.
    pub(crate) fn units(&self) -> &Arc<Dag<ModuleName>> {
        &self.units
    }
}

/// Why each module is stale; no reasons if it is fresh.
type Reasons = BTreeMap<ModuleName, Vec<Staleness>>;

/// Returns the reasons that each module has by itself.
fn direct_reasons(
    project: &Survey,
    kind: Kind,
    outputs: &BTreeMap<ModuleName, OnDisk>,
    options: &PlanOptions,
) -> Reasons {
    let forced = |name: &ModuleName| match &options.force {
        Force::Nothing => false,
        Force::Everything => true,
        Force::These(names) => names.contains(name),
    };
    let modules: Vec<(&ModuleName, &SpecModule)> = project.of_kind(kind).collect();
    let planned = in_parallel(&modules, |&(name, module)| {
        let mut reasons = match &outputs[name] {
            OnDisk::Missing => vec![Staleness::Missing],
            OnDisk::Moved { from } => vec![Staleness::Moved { from: from.clone() }],
            OnDisk::Unreadable(message) => {
                vec![Staleness::Unreadable { message: message.clone() }]
            }
            OnDisk::NotUtf8 => vec![Staleness::NotUtf8],
            OnDisk::Truncated => vec![Staleness::Truncated],
            OnDisk::Foreign => vec![Staleness::Foreign],
            OnDisk::Ours(facts) => compare(project, outputs, name, module, facts),
        };
        if options.unfinished.contains(name) && reasons.is_empty() {
            reasons.push(Staleness::Unfinished);
        }
        if forced(name) && reasons.is_empty() {
            reasons.push(Staleness::Forced);
        }
        (name.clone(), reasons)
    });
    planned.into_iter().collect()
}

/// Compares what a generated file says of itself with what is.
fn compare(
    project: &Survey,
    outputs: &BTreeMap<ModuleName, OnDisk>,
    name: &ModuleName,
    module: &SpecModule,
    facts: &GeneratedFile,
) -> Vec<Staleness> {
    let header = facts.header();
    let (kind, source_module) = (header.get("kind"), header.source_module());
    if kind != Some(module.kind.as_str()) {
        return vec![Staleness::WrongKind { was: kind.map(str::to_owned), now: module.kind }];
    }
    if source_module != Some(name.as_str()) {
        let was = source_module.map(str::to_owned);
        return vec![Staleness::WrongModule { was, now: name.clone() }];
    }
    let mut reasons = Vec::new();
    reasons.extend(compare_digest(project, module, &header));
    if let Some(was) = header.body_digest().filter(|was| *was != facts.body) {
        reasons.push(Staleness::BodyEdited { was, now: facts.body });
    }
    reasons.extend(compare_dependencies(project, outputs, name, module, &header));
    reasons
}

/// Returns whether a file was written by this program, and not by Python's jaunt: then what it does not
/// record was not there.
fn is_complete(header: &Header<'_>) -> bool {
    header.body_digest().is_some()
}

fn compare_digest(project: &Survey, module: &SpecModule, header: &Header<'_>) -> Option<Staleness> {
    let now = match header.digest_scheme().unwrap_or(1) {
        1 => module.digest,
        scheme if module.other_digests.get(&1).is_some_and(|it| *it != module.digest) => {
            return Some(Staleness::OutdatedScheme { scheme });
        }
        scheme => match module.other_digests.get(&scheme) {
            Some(digest) => *digest,
            None => return Some(Staleness::UnknownScheme { scheme }),
        },
    };
    let was = header.module_digest();
    if was == Some(now.to_string().as_str()) {
        return None;
    }
    let mut changed = Vec::new();
    let mut added = Vec::new();
    let mut removed = Vec::new();
    if is_complete(header) {
        let recorded = header.spec_local_digests();
        for (spec, idx) in module.specs.iter().zip(project.indices_of(module)) {
            match recorded.get(spec.as_str()) {
                Some(was) if was == project.local_at(idx) => {}
                Some(_) => changed.push(spec.clone()),
                None => added.push(spec.clone()),
            }
        }
        let is_known = |was: &str| module.specs.iter().any(|spec| spec.as_str() == was);
        removed.extend(recorded.into_keys().filter(|was| !is_known(was)).map(Cow::into_owned));
    }
    let was = was.map(|digest| format!("sha256:{digest}"));
    Some(Staleness::SpecsChanged { was, now, changed, added, removed, via: Vec::new() })
}

fn compare_dependencies(
    project: &Survey,
    outputs: &BTreeMap<ModuleName, OnDisk>,
    name: &ModuleName,
    module: &SpecModule,
    header: &Header<'_>,
) -> Vec<Staleness> {
    let mut reasons = Vec::new();
    // Code that is gone or unreadable makes its own module stale, and that propagates.
    let body_of = |dep: &str| match outputs.get(dep) {
        Some(OnDisk::Ours(facts)) => Some(facts.body),
        _ => None,
    };
    let bodies = match module.dependencies.is_empty() {
        true => BTreeMap::new(),
        false => header.dependency_bodies(),
    };
    for dep in &module.dependencies {
        let was = bodies.get(dep.as_str()).copied();
        let now = body_of(dep.as_str());
        if was.is_some() && now.is_some() && was != now {
            let module = dep.clone();
            reasons.push(Staleness::DependencyRegenerated { module, was, now });
        }
    }
    let units = project.units(module.kind);
    let peers = units.members(units.unit_of(name)).iter().filter(|peer| *peer != name);
    let mut others = module.tested.iter().chain(peers).peekable();
    let digests = match others.peek() {
        None => BTreeMap::new(),
        Some(_) => header.dependency_digests(),
    };
    for other in others {
        let was = digests.get(other.as_str()).copied();
        let now = project.module(other).digest;
        if was != Some(now) && (was.is_some() || is_complete(header)) {
            let module = other.clone();
            reasons.push(Staleness::DependencySpecsChanged { module, was, now });
        }
    }
    reasons
}

/// Names the dependencies through which a digest changed, if no spec of the module itself did.
fn attribute_to_dependencies(project: &Survey, modules: &mut Reasons) {
    let changed: BTreeSet<ModuleName> = modules
        .iter()
        .filter(|(_, reasons)| {
            reasons.iter().any(|it| matches!(it, Staleness::SpecsChanged { .. }))
        })
        .map(|(name, _)| name.clone())
        .collect();
    for name in &changed {
        for reason in modules.get_mut(name).into_iter().flatten() {
            if let Staleness::SpecsChanged { changed: specs, added, removed, via, .. } = reason
                && specs.is_empty()
                && added.is_empty()
                && removed.is_empty()
            {
                let deps = &project.module(name).dependencies;
                via.extend(deps.iter().filter(|dep| changed.contains(*dep)).cloned());
            }
        }
    }
}

/// Makes every dependent of a stale module stale, and the modules of a unit together.
fn propagate(project: &Survey, kind: Kind, modules: &mut Reasons) {
    let units = project.units(kind);
    let stale: BTreeSet<&ModuleName> = modules
        .iter()
        .filter(|(_, reasons)| !reasons.is_empty())
        .map(|(name, _)| units.unit_of(name))
        .collect();
    let affected: BTreeSet<&ModuleName> = units
        .units()
        .with_dependents(stale)
        .into_iter()
        .flat_map(|unit| units.members(unit))
        .collect();
    for &name in &affected {
        let module = project.module(name);
        let Some(reasons) = modules.get_mut(name) else { continue };
        let named: BTreeSet<ModuleName> =
            reasons.iter().flat_map(named_dependencies).cloned().collect();
        let stale = module.dependencies.iter().filter(|dep| affected.contains(*dep));
        let unnamed = stale.filter(|dep| !named.contains(*dep));
        reasons.extend(unnamed.map(|dep| Staleness::Upstream { via: dep.clone() }));
    }
}

/// Returns the dependencies that a reason names already.
fn named_dependencies(reason: &Staleness) -> &[ModuleName] {
    match reason {
        Staleness::SpecsChanged { via, .. } => via,
        Staleness::DependencyRegenerated { module, .. } => std::slice::from_ref(module),
        _ => &[],
    }
}

/// Returns the dependents of modules that are refused.
fn blocked(
    project: &Survey,
    kind: Kind,
    stale: &Dag<ModuleName>,
    modules: &BTreeMap<ModuleName, PlannedModule>,
) -> BTreeMap<ModuleName, ModuleName> {
    let units = project.units(kind);
    let mut blocked = BTreeMap::new();
    for (name, _) in modules.iter().filter(|(_, planned)| planned.refusal.is_some()) {
        for unit in stale.with_dependents([units.unit_of(name)]) {
            for member in units.members(unit) {
                if modules.get(member).is_some_and(|planned| planned.refusal.is_none()) {
                    blocked.entry(member.clone()).or_insert_with(|| name.clone());
                }
            }
        }
    }
    blocked
}

/// Returns the reason why a file must not be overwritten.
fn refusal(module: &SpecModule, output: &OnDisk, options: &PlanOptions) -> Option<String> {
    let path = module.destination.path();
    match output {
        OnDisk::Foreign if options.adopt => None,
        OnDisk::Foreign => Some(not_overwritten(path)),
        OnDisk::Unreadable(message) => Some(format!("not overwritten: `{path}`: {message}")),
        _ => None,
    }
}

/// Returns the message for a file that is not jaunt's to overwrite.
pub(crate) fn not_overwritten(path: &Utf8Path) -> String {
    format!("not overwritten: `{path}` was not written by jaunt; `--adopt` replaces it")
}

//! `jaunt status` and `jaunt check`

use std::collections::{BTreeMap, BTreeSet};
use std::mem::forget;
use std::sync::Arc;
use std::thread;

use jaunt_builder::{
    FindOptions, Force, GeneratedFiles, OnDisk, Orphan, Plan, PlanOptions, Staleness, Survey,
    find_generated,
};
use jaunt_digest::{Kind, ModuleName};

use crate::args::StatusArgs;
use crate::commands::generate::{Loaded, read};
use crate::document::{self, ModuleStatus, StatusDocument, Summary};
use crate::error::{CommandResult, Exit};
use crate::journal::Journal;
use crate::project::{Session, Targets, Workspace};
use crate::registry;
use crate::ui::count;

pub(crate) async fn run(
    session: &Session,
    args: &StatusArgs,
    is_gate: bool,
) -> CommandResult<Exit> {
    let workspace = Workspace::open(session)?;
    let kinds: &[Kind] = if args.magic_only { &[Kind::Build] } else { &[Kind::Build, Kind::Test] };
    let (loaded, outputs) = survey(session, &workspace, kinds).await?;
    loaded.expect_any_specs(args.allow_empty)?;
    let targets = Targets::resolve(&loaded.registry, &args.targets)?;
    let is_narrow = !args.targets.is_empty();

    let unfinished = Journal::unfinished(&loaded.project);
    let plan = |kind| {
        let wanted = match kind {
            Kind::Build => &targets.build,
            Kind::Test => &targets.test,
        };
        let options = PlanOptions {
            targets: is_narrow.then(|| BTreeSet::from_iter(wanted.iter().cloned())),
            force: if args.force { Force::Everything } else { Force::Nothing },
            adopt: false,
            unfinished: unfinished.clone(),
        };
        Plan::new(&loaded.project, kind, &outputs, &options)
    };
    // Neither asks anything of the other.
    let (plans, generated) = thread::scope(|scope| {
        let generated = scope.spawn(|| generated_files(&loaded, &loaded.project, Some(&outputs)));
        let plans: Vec<Plan> = kinds.iter().copied().map(plan).collect();
        (plans, generated.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let generated = generated?;
    // Who asks for some modules, or for one kind, does not ask for what belongs to none.
    let is_asked = |orphan: &Orphan| !is_narrow && kinds.contains(&orphan.kind);
    let orphans: Vec<String> =
        generated.orphans().filter(is_asked).map(|it| it.path.to_string()).collect();

    let is_clean = plans.iter().all(|plan| plan.stale().next().is_none()) && orphans.is_empty();
    let exit = if is_gate && !is_clean { Exit::Tests } else { Exit::Success };
    if session.ui.is_json() {
        let modules = states(&loaded, &plans);
        let document = summarize(modules, orphans, exit, is_gate);
        session.ui.result(&document::render(&document));
    } else {
        session.ui.summary(text(&loaded, &plans, &orphans));
    }
    // The process ends here. To free a hundred thousand small values one by one takes longer than to
    // look at them.
    forget((loaded, outputs, plans, generated));
    Ok(exit)
}

/// Reads what there is to know of the specs of these kinds, and of the files generated for them.
async fn survey(
    session: &Session,
    workspace: &Workspace,
    kinds: &[Kind],
) -> CommandResult<(Loaded<Survey>, BTreeMap<ModuleName, OnDisk>)> {
    let mut document = registry::find(session, workspace).await?;
    let (registry, settings) = read(session, workspace, &mut document)?;
    // It is as long as what was made of it, and freeing it takes its time. The command ends soon.
    forget(document);
    let (project, outputs) =
        Survey::load_with_on_disk(&workspace.root, &registry, &settings.layout, kinds)?;
    Ok((Loaded { registry, settings, project: Arc::new(project) }, outputs))
}

/// What is below the generated directories of the project's roots. Outputs that are known are not
/// read again.
pub(crate) fn generated_files<P>(
    loaded: &Loaded<P>,
    survey: &Survey,
    known: Option<&BTreeMap<ModuleName, OnDisk>>,
) -> CommandResult<GeneratedFiles> {
    let settings = &loaded.settings;
    let roots: Vec<String> =
        settings.source_roots.iter().chain(&settings.test_roots).cloned().collect();
    let options = FindOptions {
        roots: &roots,
        generated_dir: &settings.generated_dir,
        also_expected: &loaded.registry.auto_tests,
        known,
    };
    Ok(find_generated(survey, &options)?)
}

/// What there is to say of each module, in order of name.
fn states(loaded: &Loaded<Survey>, plans: &[Plan]) -> Vec<ModuleStatus> {
    let project = &loaded.project;
    let states = plans.iter().flat_map(Plan::modules).map(|(name, planned)| {
        let module = project.module(name);
        ModuleStatus {
            module: name.clone(),
            kind: module.kind.as_str(),
            path: module.destination.path().to_string(),
            module_digest: format!("sha256:{}", module.digest),
            state: if planned.is_stale() { "stale" } else { "fresh" },
            reasons: planned.reasons.clone(),
            specs: module.specs.clone(),
            depends_on: module.dependencies.iter().chain(&module.tested).cloned().collect(),
        }
    });
    let mut states: Vec<_> = states.collect();
    states.sort_by(|left, right| left.module.cmp(&right.module));
    states
}

fn summarize(
    modules: Vec<ModuleStatus>,
    orphans: Vec<String>,
    exit: Exit,
    is_gate: bool,
) -> StatusDocument {
    let names = |state: &str| {
        let modules = modules.iter().filter(|it| it.state == state);
        modules.map(|it| it.module.clone()).collect::<Vec<_>>()
    };
    let (fresh, stale) = (names("fresh"), names("stale"));
    StatusDocument {
        schema: if is_gate { "jaunt.check/1" } else { "jaunt.status/1" },
        command: if is_gate { "check" } else { "status" },
        ok: exit == Exit::Success,
        exit_code: exit.code(),
        summary: Summary { fresh: fresh.len(), stale: stale.len(), orphans: orphans.len() },
        fresh,
        stale,
        digests: modules.iter().map(|it| (it.module.clone(), it.module_digest.clone())).collect(),
        modules,
        orphans,
    }
}

fn text(loaded: &Loaded<Survey>, plans: &[Plan], orphans: &[String]) -> String {
    let mut stale: Vec<_> = plans.iter().flat_map(Plan::stale).collect();
    stale.sort_by_key(|(name, _)| *name);
    let mut lines = Vec::new();
    for (name, planned) in &stale {
        lines.push(format!("stale  {name}  ({})", loaded.project.module(name).destination.path()));
        lines.extend(
            Staleness::telling(&planned.reasons).map(|reason| format!("         {reason}")),
        );
    }
    lines.extend(orphans.iter().map(|path| format!("orphan {path}")));
    let n_modules = plans.iter().map(|plan| plan.modules().len()).sum();
    let orphans = match orphans.len() {
        0 => String::new(),
        orphans => format!("; {}", count(orphans, "orphan")),
    };
    let (total, n_stale) = (count(n_modules, "module"), stale.len());
    lines.push(format!("{total}: {} fresh, {n_stale} stale{orphans}.", n_modules - n_stale));
    lines.join("\n")
}

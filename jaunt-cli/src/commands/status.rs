//! `jaunt status` and `jaunt check`

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jaunt_builder::Force;
use jaunt_builder::GeneratedFiles;
use jaunt_builder::Orphan;
use jaunt_builder::Output;
use jaunt_builder::Plan;
use jaunt_builder::PlanOptions;
use jaunt_builder::Staleness;
use jaunt_builder::find_generated_beside;
use jaunt_builder::read_outputs;
use jaunt_digest::Kind;
use jaunt_digest::ModuleName;

use crate::args::StatusArgs;
use crate::commands::generate::Loaded;
use crate::commands::generate::load;
use crate::document;
use crate::document::ModuleStatus;
use crate::document::StatusDocument;
use crate::document::Summary;
use crate::error::CommandResult;
use crate::error::Exit;
use crate::journal::Journal;
use crate::project::Session;
use crate::project::Targets;
use crate::project::Workspace;
use crate::ui::count;

pub(crate) async fn run(
    session: &Session,
    args: &StatusArgs,
    is_gate: bool,
) -> CommandResult<Exit> {
    let workspace = Workspace::open(session)?;
    let kinds: &[Kind] = if args.magic_only { &[Kind::Build] } else { &[Kind::Build, Kind::Test] };
    let loaded = load(session, &workspace, kinds).await?;
    loaded.expect_any_specs(args.allow_empty)?;
    let targets = Targets::resolve(&loaded.registry, &args.targets)?;
    let is_narrow = !args.targets.is_empty();
    let outputs = read_outputs(&loaded.project);

    let mut modules = Vec::new();
    for &kind in kinds {
        let wanted = match kind {
            Kind::Build => &targets.build,
            Kind::Test => &targets.test,
        };
        let options = PlanOptions {
            targets: is_narrow.then(|| BTreeSet::from_iter(wanted.iter().cloned())),
            force: if args.force { Force::Everything } else { Force::Nothing },
            adopt: false,
            unfinished: Journal::unfinished(&loaded.project),
        };
        let plan = Plan::new(&loaded.project, kind, &outputs, &options);
        modules.extend(states(&loaded, &plan));
    }
    modules.sort_by(|left, right| left.module.cmp(&right.module));
    let generated = generated_files(&loaded, &outputs)?;
    // Who asks for some modules, or for one kind, does not ask for what belongs to none.
    let is_asked = |orphan: &Orphan| !is_narrow && kinds.contains(&orphan.kind);
    let orphans: Vec<String> =
        generated.orphans().filter(is_asked).map(|it| it.path.to_string()).collect();

    let is_clean = modules.iter().all(|it| it.state == "fresh") && orphans.is_empty();
    let exit = if is_gate && !is_clean { Exit::Tests } else { Exit::Success };
    let document = summarize(modules, orphans, exit, is_gate);
    if session.ui.is_json() {
        session.ui.result(&document::render(&document));
    } else {
        session.ui.summary(text(&document));
    }
    Ok(exit)
}

/// What is below the generated directories of the project's roots. Outputs that are known are not
/// read again.
pub(crate) fn generated_files(
    loaded: &Loaded,
    outputs: &BTreeMap<ModuleName, Output>,
) -> CommandResult<GeneratedFiles> {
    let settings = &loaded.settings;
    let roots: Vec<String> =
        settings.source_roots.iter().chain(&settings.test_roots).cloned().collect();
    let made_up = &loaded.registry.auto_tests;
    let dir = &settings.generated_dir;
    Ok(find_generated_beside(&loaded.project, outputs, &roots, dir, made_up)?)
}

fn states(loaded: &Loaded, plan: &Plan) -> Vec<ModuleStatus> {
    let project = &loaded.project;
    let states = plan.modules().iter().map(|(name, planned)| {
        let module = project.module(name);
        ModuleStatus {
            module: name.clone(),
            kind: module.kind.as_str(),
            path: module.output.path().to_string(),
            module_digest: format!("sha256:{}", module.digest),
            state: if planned.is_stale() { "stale" } else { "fresh" },
            reasons: planned.reasons.clone(),
            specs: module.specs.clone(),
            depends_on: module.dependencies.iter().chain(&module.tested).cloned().collect(),
        }
    });
    states.collect()
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

fn text(document: &StatusDocument) -> String {
    let mut lines = Vec::new();
    for module in document.modules.iter().filter(|it| it.state == "stale") {
        lines.push(format!("stale  {}  ({})", module.module, module.path));
        lines
            .extend(Staleness::telling(&module.reasons).map(|reason| format!("         {reason}")));
    }
    lines.extend(document.orphans.iter().map(|path| format!("orphan {path}")));
    let summary = &document.summary;
    let total = count(document.modules.len(), "module");
    let orphans = match summary.orphans {
        0 => String::new(),
        orphans => format!("; {}", count(orphans, "orphan")),
    };
    lines.push(format!("{total}: {} fresh, {} stale{orphans}.", summary.fresh, summary.stale));
    lines.join("\n")
}

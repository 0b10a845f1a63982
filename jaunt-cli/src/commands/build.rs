//! `jaunt build`

use std::collections::BTreeSet;

use jaunt_builder::PlanOptions;
use jaunt_digest::Kind;
use jaunt_fresh::FreshCache;

use crate::args::BuildArgs;
use crate::commands::generate::{
    Loaded, Phase, dry_run, generate, load_with_outputs, nothing_to_generate, would_generate,
};
use crate::document::{self, BuildDocument};
use crate::error::{CommandError, CommandResult, ErrorKind, Exit};
use crate::project::{Session, Targets, Workspace};
use crate::recall::{self, Memory, Recalled};
use crate::registry;
use crate::state::{self, ProjectLock};

pub(crate) async fn run(session: &Session, args: &BuildArgs) -> CommandResult<Exit> {
    let args = &args.generate;
    let workspace = Workspace::open(session)?;
    let lock = if args.dry_run {
        ProjectLock::NotNeeded
    } else {
        state::lock(session, &workspace.root, "jaunt build", args.no_wait).await?
    };
    let taken = recall::now(&workspace.root);
    let mut document = registry::find(session, &workspace).await?;
    if args.targets.is_empty() && !args.force {
        match recall::recall(&workspace, &mut document, Kind::Build, taken) {
            Memory::Fresh(recalled) => {
                return nothing_to_do(session, &workspace, &lock, &recalled, args.dry_run);
            }
            Memory::Changed(evidence, changed) if args.dry_run => {
                let options = PlanOptions { adopt: args.adopt, ..PlanOptions::default() };
                let plan = recall::plan_of_changes(&workspace, &evidence, &changed, &options);
                if let Some((plan, fresh)) = plan {
                    let mut phase = dry_run(session, plan, args);
                    phase.document.skipped = fresh;
                    return Ok(finish(session, &phase));
                }
            }
            Memory::Changed(..) | Memory::None => {}
        }
    }
    let (loaded, outputs) = load_with_outputs(session, &workspace, &mut document, &[Kind::Build])?;
    loaded.expect_specs(Kind::Build, args.allow_empty)?;
    let targets = Targets::resolve(&loaded.registry, &args.targets)?;
    if let Some(test) = targets.test.first() {
        return Err(CommandError::new(
            ErrorKind::Target,
            format!("`{test}` holds test specs, which `jaunt build` does not generate"),
        )
        .hint("use `jaunt test`"));
    }
    let targets = (!args.targets.is_empty()).then(|| BTreeSet::from_iter(targets.build));

    let plan = loaded.plan_from(&outputs, Kind::Build, args, targets);
    lock.sweep(&loaded.project)?;
    // Warnings of the registry have to be said every time.
    if lock.is_held() && plan.is_empty() && loaded.registry.warnings.is_empty() {
        let key = recall::key(&workspace, Kind::Build);
        let registry = document.state()?;
        let evidence = FreshCache::of(&loaded.project, &plan, &outputs, &registry, &key, taken);
        if let Some(evidence) = evidence {
            let Loaded { project, registry, .. } = &loaded;
            recall::keep_with_parts(&workspace, evidence, project, registry);
        }
    }
    drop(outputs);
    let lock = if plan.is_empty() { lock } else { lock.require()? };
    let phase = generate(session, &workspace, &loaded, plan, args).await?;
    drop(lock);

    let exit = finish(session, &phase);
    // The process ends here. To free a large project one by one would take a while.
    std::mem::forget((loaded, phase));
    Ok(exit)
}

fn finish(session: &Session, phase: &Phase) -> Exit {
    if session.ui.is_json() {
        session.ui.result(&document::render(&phase.document));
    } else {
        session.ui.summary(phase.summary());
        phase.complain(session);
    }
    phase.exit
}

/// The result where an earlier run found everything fresh, and nothing has changed since.
fn nothing_to_do(
    session: &Session,
    workspace: &Workspace,
    lock: &ProjectLock,
    recalled: &Recalled,
    is_dry_run: bool,
) -> CommandResult<Exit> {
    lock.sweep_trees(&workspace.root, recalled.stirred.iter().map(AsRef::as_ref).collect())?;
    if lock.is_held() {
        recalled.renew(workspace);
    }
    if session.ui.is_json() {
        let modules = recalled.modules().map(|name| name.parse().expect("it was a name"));
        let document = BuildDocument::fresh(modules.collect(), is_dry_run);
        session.ui.result(&document::render(&document));
    } else {
        session.ui.summary(match is_dry_run {
            true => would_generate(0, "module", recalled.n_modules),
            false => nothing_to_generate(recalled.n_modules, "module"),
        });
    }
    Ok(Exit::Success)
}

//! `jaunt build`

use std::collections::BTreeSet;

use jaunt_digest::Kind;

use crate::args::BuildArgs;
use crate::commands::generate::generate;
use crate::commands::generate::load;
use crate::document;
use crate::error::CommandError;
use crate::error::CommandResult;
use crate::error::ErrorKind;
use crate::error::Exit;
use crate::project::Session;
use crate::project::Targets;
use crate::project::Workspace;
use crate::state;
use crate::state::ProjectLock;

pub(crate) async fn run(session: &Session, args: &BuildArgs) -> CommandResult<Exit> {
    let args = &args.generate;
    let workspace = Workspace::open(session)?;
    let lock = if args.dry_run {
        ProjectLock::NotNeeded
    } else {
        state::lock(session, &workspace.root, "jaunt build", args.no_wait).await?
    };
    let loaded = load(session, &workspace, &[Kind::Build]).await?;
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

    let plan = loaded.plan(Kind::Build, args, targets);
    lock.sweep(&loaded.project)?;
    let lock = if plan.is_empty() { lock } else { lock.require()? };
    let phase = generate(session, &workspace, &loaded, plan, args).await?;
    drop(lock);

    if session.ui.is_json() {
        session.ui.result(&document::render(&phase.document));
    } else {
        session.ui.summary(phase.summary());
        phase.complain(session);
    }
    Ok(phase.exit)
}

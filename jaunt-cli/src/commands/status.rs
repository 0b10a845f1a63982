//! `jaunt status` and `jaunt check`

use jaunt_builder::{Plan, Staleness};
use jaunt_engine::{Status, StatusOptions};
use jaunt_report::{StatusDocument, render};
use jaunt_text::count;

use crate::args::StatusArgs;
use crate::error::CommandResult;
use crate::exit::Exit;
use crate::session::Session;

pub(crate) async fn run(
    session: &Session,
    args: &StatusArgs,
    is_gate: bool,
) -> CommandResult<Exit> {
    let options = StatusOptions {
        targets: args.targets.clone(),
        no_tests: args.magic_only,
        force: args.force,
        allow_empty: args.allow_empty,
    };
    let status = session.engine()?.status(&options).await.map_err(|err| session.explain(err))?;
    let exit = if is_gate && !status.is_clean() { Exit::Tests } else { Exit::Success };
    if session.ui.is_json() {
        let Status { project, plans, orphans, .. } = &status;
        let document = StatusDocument::new(project, plans, orphans, is_gate, exit.code());
        session.ui.result(&render(&document));
    } else {
        session.ui.summary(text(&status));
    }
    // The process ends here. To free a hundred thousand small values one by one takes longer than to
    // look at them.
    std::mem::forget(status);
    Ok(exit)
}

fn text(status: &Status) -> String {
    let Status { project, plans, orphans, .. } = status;
    let mut stale: Vec<_> = plans.iter().flat_map(Plan::stale).collect();
    stale.sort_by_key(|(name, _)| *name);
    let mut lines = Vec::new();
    for (name, planned) in &stale {
        lines.push(format!("stale  {name}  ({})", project.module(name).destination.path()));
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

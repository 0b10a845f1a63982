//! `jaunt build`

use jaunt_report::render;

use crate::args::BuildArgs;
use crate::commands::generation::{Watcher, nothing_to_do, noun, options};
use crate::error::CommandResult;
use crate::exit::Exit;
use crate::session::Session;

pub(crate) async fn run(session: &Session, args: &BuildArgs) -> CommandResult<Exit> {
    let args = &args.generate;
    let engine = session.engine()?;
    let options = options(session, args)?;
    let mut watcher = Watcher::new(session, args);
    let run = engine.build(&options, &mut |event| watcher.event(&event)).await;
    let run = run.map_err(|err| session.explain(err))?;
    if run.plan().is_none() && !session.ui.is_json() {
        // The names of ten thousand modules are not needed to count them.
        session.ui.summary(nothing_to_do(run.n_fresh(), noun(run.kind())));
        return Ok(Exit::Success);
    }
    let generation = watcher.result(&run);
    if session.ui.is_json() {
        session.ui.result(&render(&generation.document));
    } else {
        drop(watcher);
        generation.show(session);
    }
    let exit = generation.exit;
    // The process ends here. To free a large plan value by value would take a while.
    std::mem::forget((run, generation));
    Ok(exit)
}

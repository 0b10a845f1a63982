//! `jaunt clean`

use jaunt_engine::CleanOptions;
use jaunt_report::{CleanDocument, render};
use jaunt_text::count;

use crate::args::CleanArgs;
use crate::error::CommandResult;
use crate::exit::Exit;
use crate::session::Session;

pub(crate) async fn run(session: &Session, args: &CleanArgs) -> CommandResult<Exit> {
    let options = CleanOptions {
        all: args.all,
        dry_run: args.dry_run,
        allow_empty: args.allow_empty,
        no_wait: args.no_wait,
    };
    let paths = session.engine()?.clean(&options).await.map_err(|err| session.explain(err))?;
    if session.ui.is_json() {
        session.ui.result(&render(&CleanDocument::new(&paths, args.dry_run)));
        return Ok(Exit::Success);
    }
    let verb = if args.dry_run { "Would remove" } else { "Removed" };
    let mut text = format!("{verb} {}.", count(paths.len(), "file"));
    for path in &paths {
        text.push_str("\n  ");
        text.push_str(path.as_str());
    }
    session.ui.summary(text);
    Ok(Exit::Success)
}

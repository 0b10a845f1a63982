//! `jaunt registry export`

use camino::Utf8Path;

use crate::error::{CommandError, CommandResult};
use crate::exit::Exit;
use crate::session::Session;

pub(crate) async fn export(session: &Session, output: Option<&Utf8Path>) -> CommandResult<Exit> {
    let document = session.engine()?.export_registry().await.map_err(|err| session.explain(err))?;
    match output {
        None => session.ui.result(&document),
        Some(file) => {
            let path = session.path(file);
            write(&path, &document)?;
            session.ui.note(format!("Wrote the registry to `{file}`."));
        }
    }
    Ok(Exit::Success)
}

#[expect(clippy::disallowed_methods, reason = "a file that the user named, outside any tree")]
fn write(path: &Utf8Path, text: &str) -> CommandResult<()> {
    std::fs::write(path, text).map_err(|err| CommandError::io("write", path, &err))
}

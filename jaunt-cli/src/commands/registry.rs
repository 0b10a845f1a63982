//! `jaunt registry export`

use camino::Utf8Path;

use crate::error::{CommandError, CommandResult, Exit};
use crate::exporter;
use crate::project::{Session, Workspace};

pub(crate) async fn export(session: &Session, output: Option<&Utf8Path>) -> CommandResult<Exit> {
    let workspace = Workspace::open(session)?;
    let document = exporter::export(session, &workspace).await?;
    // What is printed here must be readable here.
    jaunt_digest::Registry::from_json(document.as_bytes())?;
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

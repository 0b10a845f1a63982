//! Where the registry document comes from.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::time::Duration;

use camino::Utf8Path;
use jaunt_digest::Registry;

use crate::error::CommandError;
use crate::error::CommandResult;
use crate::error::ErrorKind;
use crate::exporter;
use crate::process;
use crate::process::Invocation;
use crate::process::Limits;
use crate::project::Session;
use crate::project::Workspace;
use crate::project::relative;
use crate::sanitize::last_lines;

const LIMITS: Limits = Limits {
    time: Duration::from_secs(30 * 60),
    grace: Duration::from_secs(2),
    // 100,000 modules of five specs are a third of it.
    stdout: 1 << 30,
    stderr: 1 << 16,
};

/// Reads the registry from the first source that applies: the flag, `jaunt-engine.toml`,
/// `jaunt.registry.json`, the exporter.
pub(crate) async fn load(session: &Session, workspace: &Workspace) -> CommandResult<Registry> {
    let root = &workspace.root;
    let engine = &workspace.engine.registry;
    let default_file = root.join("jaunt.registry.json");
    let (origin, bytes) = match (&session.common.registry, &engine.file, &engine.command) {
        (Some(file), _, _) if file == "-" => ("standard input".to_owned(), standard_input()?),
        (Some(file), _, _) => from_file(&session.path(file), root)?,
        (None, Some(file), _) => from_file(&root.join(file), root)?,
        (None, None, Some(command)) => {
            let origin = format!("the output of `{}`", shell_words::join(command));
            (origin, from_command(session, root, command).await?)
        }
        (None, None, None) if default_file.exists() => from_file(&default_file, root)?,
        (None, None, None) => {
            let text = exporter::cached(session, workspace).await?;
            ("the exporter".to_owned(), text.into_bytes())
        }
    };
    Registry::from_json(&bytes).map_err(|err| {
        let causes = CommandError::from(err);
        let mut error = CommandError::new(
            ErrorKind::Registry,
            format!("the registry ({origin}) cannot be used"),
        );
        error.causes.push(causes.message);
        error.causes.extend(causes.causes);
        error
    })
}

fn standard_input() -> CommandResult<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(|err| CommandError::io("read", "standard input", &err))?;
    Ok(bytes)
}

fn from_file(path: &Utf8Path, root: &Utf8Path) -> CommandResult<(String, Vec<u8>)> {
    let shown = relative(root, path);
    let bytes = fs::read(path).map_err(|err| {
        let mut error = CommandError::io("read", shown, &err);
        error.kind = ErrorKind::Registry;
        error
    })?;
    Ok((format!("`{shown}`"), bytes))
}

async fn from_command(
    session: &Session,
    root: &Utf8Path,
    command: &[String],
) -> CommandResult<Vec<u8>> {
    let shown = shell_words::join(command);
    let failed = |why: String| {
        CommandError::new(ErrorKind::Registry, format!("the registry command `{shown}` failed"))
            .because(why)
    };
    let (program, args) = command.split_first().expect("the configuration refuses an empty one");
    let invocation = Invocation {
        program: program.clone(),
        args: args.to_vec(),
        cwd: root.to_owned(),
        env: BTreeMap::new(),
        stdin: Vec::new(),
        limits: LIMITS,
    };
    let done = process::run(&invocation, &session.stop.level())
        .await
        .map_err(|err| failed(err.to_string()))?;
    if done.status.success() {
        return Ok(done.stdout);
    }
    let printed = String::from_utf8_lossy(&done.stderr);
    let mut error = failed(done.status.to_string());
    error.causes.extend(last_lines(&printed, 5, 200));
    Err(error)
}

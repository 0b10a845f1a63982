//! Where the registry document comes from.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_digest::Registry;
use jaunt_fresh::RegistryState;
use jaunt_write::{Stamp, stamp_of};

use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exporter;
use crate::project::{Session, Workspace, regular, relative};
use jaunt_process::{Invocation, Limits};
use jaunt_text::last_lines;

const LIMITS: Limits = Limits {
    time: Duration::from_secs(30 * 60),
    grace: Duration::from_secs(2),
    // 100,000 modules of five specs are a third of it.
    stdout: 1 << 30,
    stderr: 1 << 16,
};

/// A registry document, which is read when it is needed.
pub(crate) struct Document {
    /// What messages call it.
    origin: String,
    content: Content,
}

enum Content {
    File {
        path: Utf8PathBuf,
        shown: Utf8PathBuf,
        state: Stamp,
    },
    /// The file that it was read from, as it was before, and what was made of that.
    Bytes {
        bytes: Vec<u8>,
        file: Option<Stamp>,
        state: Option<RegistryState>,
    },
}

/// Finds the registry in the first source that applies: the flag, `jaunt-engine.toml`,
/// `jaunt.registry.json`, the exporter.
pub(crate) async fn find(session: &Session, workspace: &Workspace) -> CommandResult<Document> {
    let root = &workspace.root;
    let engine = &workspace.engine.registry;
    let default_file = root.join("jaunt.registry.json");
    match (&session.common.registry, &engine.file, &engine.command) {
        (Some(file), _, _) if file == "-" => {
            Ok(Document::of_bytes("standard input", standard_input()?))
        }
        // What a person names may be a pipe; what a repository names may not.
        (Some(file), _, _) => Ok(Document::of_file(session.path(file), root)),
        (None, Some(file), _) => regular_document(root.join(file), root),
        (None, None, Some(command)) => {
            let origin = format!("the output of `{}`", shell_words::join(command));
            Ok(Document::of_bytes(origin, from_command(session, root, command).await?))
        }
        (None, None, None) if default_file.exists() => regular_document(default_file, root),
        (None, None, None) => {
            let text = exporter::cached(session, workspace).await?;
            Ok(Document::of_bytes("the exporter", text.into_bytes()))
        }
    }
}

/// The document in a file, which has to be one: a link to a device would be read for ever.
fn regular_document(path: Utf8PathBuf, root: &Utf8Path) -> CommandResult<Document> {
    match fs::metadata(&path).and_then(|meta| regular(&meta)) {
        Err(err) if err.kind() == io::ErrorKind::InvalidInput => {
            let mut error = CommandError::io("read", relative(root, &path), &err);
            error.kind = ErrorKind::Registry;
            Err(error)
        }
        // What else is wrong with it comes up when it is read.
        _ => Ok(Document::of_file(path, root)),
    }
}

impl Document {
    fn of_bytes(origin: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { origin: origin.into(), content: Content::Bytes { bytes, file: None, state: None } }
    }

    fn of_file(path: Utf8PathBuf, root: &Utf8Path) -> Self {
        let shown = relative(root, &path).to_owned();
        let state = stamp_of(&path);
        Self { origin: format!("`{shown}`"), content: Content::File { path, shown, state } }
    }

    /// What can be told of it without reading it: something only where it is in a file.
    pub(crate) fn file_state(&self) -> Option<Stamp> {
        match &self.content {
            Content::File { state, .. } => Some(*state),
            Content::Bytes { .. } => None,
        }
    }

    /// Its digest, and the file as it was before it was read.
    pub(crate) fn state(&mut self) -> CommandResult<RegistryState> {
        self.read()?;
        let Content::Bytes { bytes, file, state } = &mut self.content else {
            unreachable!("it was read just now")
        };
        Ok(*state.get_or_insert_with(|| match file {
            Some(file) => RegistryState::of_file(*file, bytes),
            None => RegistryState::of_bytes(bytes),
        }))
    }

    /// Reads it and makes sense of it.
    pub(crate) fn registry(&mut self) -> CommandResult<Registry> {
        let origin = self.origin.clone();
        Registry::from_json(self.read()?).map_err(|err| {
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

    fn read(&mut self) -> CommandResult<&[u8]> {
        if let Content::File { path, shown, state } = &self.content {
            let bytes = fs::read(path).map_err(|err| {
                let mut error = CommandError::io("read", shown, &err);
                error.kind = ErrorKind::Registry;
                error
            })?;
            self.content = Content::Bytes { bytes, file: Some(*state), state: None };
        }
        match &self.content {
            Content::Bytes { bytes, .. } => Ok(bytes),
            Content::File { .. } => unreachable!("it was read just now"),
        }
    }
}

fn standard_input() -> CommandResult<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(|err| CommandError::io("read", "standard input", &err))?;
    Ok(bytes)
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
    let done = jaunt_process::run(&invocation, &session.stop.level())
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

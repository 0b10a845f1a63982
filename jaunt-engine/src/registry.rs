//! Where the registry document comes from.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_builder::Threads;
use jaunt_digest::Registry;
use jaunt_fresh::RegistryState;
use jaunt_process::{Invocation, Ladder, Limits, Redirect};
use jaunt_text::last_lines;
use jaunt_write::{Stamp, stamp_of};

use crate::engine::{Engine, expect_regular_file, relative};
use crate::error::EngineError;
use crate::options::RegistrySource;

/// The document that a project has at its root if it is committed.
const DEFAULT_FILE: &str = "jaunt.registry.json";

const LIMITS: Limits = Limits {
    time: Some(Duration::from_secs(30 * 60)),
    grace: Duration::from_secs(2),
    ladder: Ladder::Terminate,
};

/// A registry document, which is read when it is needed.
#[derive(Debug)]
pub(crate) struct Document {
    /// What messages call it.
    origin: String,
    content: Content,
}

#[derive(Debug)]
enum Content {
    File {
        path: Utf8PathBuf,
        shown: Utf8PathBuf,
        stamp: Stamp,
    },
    /// The file that it was read from, as it was before, and what was made of that.
    Bytes {
        bytes: Vec<u8>,
        file: Option<Stamp>,
        state: Option<RegistryState>,
    },
}

impl Engine {
    /// Finds the registry document in the first source that applies.
    pub(crate) async fn find_registry(&self) -> Result<Document, EngineError> {
        let (root, configured) = (self.root(), &self.settings.registry);
        let default_file = root.join(DEFAULT_FILE);
        match (&self.options.registry, &configured.file, &configured.command) {
            (RegistrySource::Text { origin, bytes }, _, _) => {
                Ok(Document::of_bytes(origin.clone(), bytes.clone()))
            }
            // What a person names may be a pipe; what a repository names may not.
            (RegistrySource::File(file), _, _) => Ok(Document::of_file(root.join(file), root)),
            (RegistrySource::Configured, Some(file), _) => {
                Document::of_regular_file(root.join(file), root)
            }
            (RegistrySource::Configured, None, Some(command)) => {
                let origin = format!("the output of `{}`", shell_words::join(command));
                Ok(Document::of_bytes(origin, self.registry_from_command(command).await?))
            }
            (RegistrySource::Configured, None, None) if default_file.exists() => {
                Document::of_regular_file(default_file, root)
            }
            (RegistrySource::Configured, None, None) => {
                let text = self.cached_export().await?;
                Ok(Document::of_bytes("the exporter".to_owned(), text.into_bytes()))
            }
        }
    }

    async fn registry_from_command(&self, words: &[String]) -> Result<Vec<u8>, EngineError> {
        let command = shell_words::join(words);
        let (program, args) = words.split_first().expect("the configuration refuses an empty one");
        let invocation = Invocation {
            args: args.iter().map(OsString::from).collect(),
            // 100,000 modules of five specs are a third of it.
            stdout: Redirect::CaptureAll { limit: 1 << 30 },
            limits: LIMITS,
            ..Invocation::new(program.as_str(), self.root())
        };
        let done = match jaunt_process::run(&invocation, &self.options.stop).await {
            Ok(done) => done,
            Err(source) => return Err(EngineError::RegistryCommand { command, source }),
        };
        if done.status.success() {
            return Ok(done.stdout);
        }
        let last_lines = last_lines(&String::from_utf8_lossy(&done.stderr), 5, 200);
        Err(EngineError::RegistryCommandFailed { command, status: done.status, last_lines })
    }
}

impl Document {
    fn of_bytes(origin: String, bytes: Vec<u8>) -> Self {
        Self { origin, content: Content::Bytes { bytes, file: None, state: None } }
    }

    fn of_file(path: Utf8PathBuf, root: &Utf8Path) -> Self {
        let shown = relative(root, &path).to_owned();
        let stamp = stamp_of(&path);
        Self { origin: format!("`{shown}`"), content: Content::File { path, shown, stamp } }
    }

    /// Takes the document in a file, which has to be one: a link to a device would be read forever.
    fn of_regular_file(path: Utf8PathBuf, root: &Utf8Path) -> Result<Self, EngineError> {
        match fs::metadata(&path).and_then(|meta| expect_regular_file(&meta)) {
            Err(source) if source.kind() == io::ErrorKind::InvalidInput => {
                let path = relative(root, &path).to_owned();
                Err(EngineError::RegistryFile { path, source })
            }
            // Whatever else is wrong with it comes up when it is read.
            _ => Ok(Self::of_file(path, root)),
        }
    }

    /// Returns what can be told of it without reading it: something only if it is in a file.
    pub(crate) fn file_stamp(&self) -> Option<Stamp> {
        match &self.content {
            Content::File { stamp, .. } => Some(*stamp),
            Content::Bytes { .. } => None,
        }
    }

    /// Returns its digest, and the file as it was before it was read.
    pub(crate) fn state(&mut self) -> Result<RegistryState, EngineError> {
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
    pub(crate) fn registry(&mut self) -> Result<Registry, EngineError> {
        let origin = self.origin.clone();
        Registry::from_json_with(self.read()?, &Threads::available())
            .map_err(|source| EngineError::Registry { origin, source })
    }

    fn read(&mut self) -> Result<&[u8], EngineError> {
        if let Content::File { path, shown, stamp } = &self.content {
            let bytes = fs::read(path)
                .map_err(|source| EngineError::RegistryFile { path: shown.clone(), source })?;
            self.content = Content::Bytes { bytes, file: Some(*stamp), state: None };
        }
        match &self.content {
            Content::Bytes { bytes, .. } => Ok(bytes),
            Content::File { .. } => unreachable!("it was read just now"),
        }
    }
}

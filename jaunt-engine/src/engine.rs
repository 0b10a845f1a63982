//! A project that was opened: its root, its configuration, its interpreter.

use std::fmt;
use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_process::StopLevel;

use crate::config::{ConfigError, EngineConfig, JauntConfig};
use crate::error::EngineError;
use crate::notice::Notice;
use crate::options::OpenOptions;
use crate::python::interpreter;

/// The file that makes a directory the root of a project. The Python package owns it.
const JAUNT_TOML: &str = "jaunt.toml";

/// The engine's own settings, beside `jaunt.toml`.
pub(crate) const ENGINE_TOML: &str = "jaunt-engine.toml";

/// A project that was opened.
///
/// Nothing is held open by it: each method reads what it needs anew, and takes the project's lock for as long as it
/// writes.
pub struct Engine {
    /// Absolute, without links.
    root: Utf8PathBuf,
    pub(crate) config: JauntConfig,
    pub(crate) settings: EngineConfig,
    /// Relative to the root if it lies below it.
    pub(crate) config_file: Utf8PathBuf,
    /// The project's interpreter.
    pub(crate) python: Utf8PathBuf,
    pub(crate) options: OpenOptions,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Engine {
    /// Opens the project at `root` as it is configured.
    ///
    /// # Errors
    ///
    /// If there is no such directory, or a configuration file cannot be used.
    pub fn open(root: &Utf8Path) -> Result<Self, EngineError> {
        Self::open_with(root, OpenOptions::default())
    }

    /// Opens the project at `root`.
    ///
    /// # Errors
    ///
    /// If there is no such directory, or a configuration file cannot be used.
    pub fn open_with(root: &Utf8Path, options: OpenOptions) -> Result<Self, EngineError> {
        if !root.is_dir() {
            return Err(EngineError::RootNotADirectory { root: root.to_owned() });
        }
        let root = root.canonicalize_utf8().map_err(|source| EngineError::Io {
            action: "read",
            path: root.to_string(),
            source,
        })?;
        let config_file = root.join(options.config.as_deref().unwrap_or(JAUNT_TOML.as_ref()));
        let config = match read_optional(&config_file)? {
            Some(text) => JauntConfig::parse(relative(&root, &config_file), &text)?,
            None if options.config.is_some() => {
                return Err(ConfigError::Missing { path: config_file }.into());
            }
            None => JauntConfig::default(),
        };
        let settings_file = root.join(ENGINE_TOML);
        let settings = match read_optional(&settings_file)? {
            Some(text) => EngineConfig::parse(relative(&root, &settings_file), &text)?,
            None => EngineConfig::default(),
        };
        let python = interpreter(options.python.as_deref(), &root, &options.environment);
        let config_file = relative(&root, &config_file).to_owned();
        Ok(Self { root, config, settings, config_file, python, options })
    }

    /// Returns the directory that all paths of the project are relative to.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Returns the interpreter of the project, as it is started.
    pub fn python(&self) -> &Utf8Path {
        &self.python
    }

    pub(crate) fn notice(&self, notice: Notice<'_>) {
        (self.options.on_notice)(notice);
    }

    /// Completes once the run is told to stop.
    pub(crate) async fn stopped(&self) {
        let mut stop = self.options.stop.clone();
        if stop.wait_for(|level| *level > StopLevel::Run).await.is_err() {
            // Nobody listens any more, so nobody will ask.
            std::future::pending::<()>().await;
        }
    }
}

/// Finds the root of the project that `start` lies in: the nearest directory upwards with a `jaunt.toml`.
///
/// # Errors
///
/// If there is none.
pub fn find_root(start: &Utf8Path) -> Result<Utf8PathBuf, EngineError> {
    let found = start.ancestors().find(|dir| dir.join(JAUNT_TOML).is_file());
    found.map(Utf8Path::to_owned).ok_or_else(|| EngineError::NoRoot { start: start.to_owned() })
}

/// Returns a path as the user knows it: relative to the root if it lies below.
pub(crate) fn relative<'a>(root: &Utf8Path, path: &'a Utf8Path) -> &'a Utf8Path {
    path.strip_prefix(root).unwrap_or(path)
}

/// Fails for what would be read forever, as a link to a device is.
pub(crate) fn expect_regular_file(meta: &fs::Metadata) -> io::Result<()> {
    if meta.is_file() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
}

/// Returns the text of a configuration file; `None` if there is no such file.
fn read_optional(path: &Utf8Path) -> Result<Option<String>, EngineError> {
    let read = fs::metadata(path)
        .and_then(|meta| expect_regular_file(&meta))
        .and_then(|()| fs::read_to_string(path));
    match read {
        Ok(text) => Ok(Some(text)),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(err) if err.kind() == io::ErrorKind::InvalidData => {
            Err(ConfigError::NotUtf8 { path: path.to_owned() }.into())
        }
        Err(source) if source.kind() == io::ErrorKind::InvalidInput => {
            Err(ConfigError::NotAFile { path: path.to_owned(), source }.into())
        }
        Err(source) => Err(EngineError::Io { action: "read", path: path.to_string(), source }),
    }
}

//! What to run.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8PathBuf;

/// A run of pytest on a list of files.
///
/// The command line is `python -m pytest [ARGS] [FILES]`, and one option for the plugin that
/// reports the results. Everything else about the run (markers, verbosity, plugins, reporters)
/// stays as the project configures it.
#[derive(Clone, Debug)]
pub struct PytestCommand {
    /// The interpreter: a path, or a name that is looked up on `PATH`. A relative path with more
    /// than one part is relative to `root`.
    pub python: Utf8PathBuf,
    /// The directory to run in, absolute.
    pub root: Utf8PathBuf,
    /// The test files, relative to `root` or absolute. Directories and node ids work as well.
    ///
    /// Every one of them has to yield a test, or the run has not passed. With an empty list
    /// pytest runs what the project configures.
    pub files: Vec<Utf8PathBuf>,
    /// Arguments for pytest, before the files.
    pub args: Vec<String>,
    /// Directories to put in front of the inherited `PYTHONPATH`; relative ones are below `root`.
    pub python_path: Vec<Utf8PathBuf>,
    /// Variables to add to the inherited environment.
    pub env: BTreeMap<String, String>,
    /// Where the output goes.
    pub output: OutputMode,
    /// How long the run may take altogether.
    pub timeout: Option<Duration>,
    /// How long SIGINT, and after it SIGTERM, may take to end a run before the next signal.
    ///
    /// So a run that has to be ended ends after at most twice this time, by SIGKILL.
    pub grace: Duration,
}

impl PytestCommand {
    /// Makes a run with no further arguments, no time limit and ten seconds of grace, whose output goes
    /// where ours goes.
    pub fn new(
        python: impl Into<Utf8PathBuf>,
        root: impl Into<Utf8PathBuf>,
        files: impl IntoIterator<Item = Utf8PathBuf>,
    ) -> Self {
        Self {
            python: python.into(),
            root: root.into(),
            files: files.into_iter().collect(),
            args: Vec::new(),
            python_path: Vec::new(),
            env: BTreeMap::new(),
            output: OutputMode::Stream,
            timeout: None,
            grace: Duration::from_secs(10),
        }
    }
}

/// Where pytest's output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputMode {
    /// To our own standard output and standard error, as it comes. pytest sees the terminal.
    Stream,
    /// Both to our own standard error, as it comes.
    StreamToStderr,
    /// Into the result, and piece by piece into
    /// [`PytestEvent::Output`](crate::PytestEvent::Output).
    Capture {
        /// How many bytes of each stream the result keeps: the first half and the last half.
        limit: usize,
    },
}

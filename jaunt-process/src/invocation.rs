//! What to run, and within which limits.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use camino::Utf8PathBuf;

use crate::ladder::Ladder;

/// A program with its surroundings and its limits.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// A name that is looked up in `PATH`, or a path, which is relative to `cwd`.
    pub program: String,
    /// The arguments after the program's name.
    pub args: Vec<OsString>,
    /// The directory to run in.
    pub cwd: Utf8PathBuf,
    /// Variables that are added to our own environment.
    pub env: BTreeMap<OsString, OsString>,
    /// What the child reads from its standard input before the end of file.
    pub stdin: Vec<u8>,
    /// What becomes of its standard output.
    pub stdout: Redirect,
    /// What becomes of its standard error.
    pub stderr: Redirect,
    /// When and how it is ended.
    pub limits: Limits,
    /// What becomes of the processes that it leaves running.
    pub leftovers: Leftovers,
}

impl Invocation {
    /// Returns an invocation without arguments, input or time limit, of which up to 64 KiB of
    /// standard output and the last 64 KiB of standard error are captured.
    ///
    /// Whatever it leaves running is killed.
    pub fn new(program: impl Into<String>, cwd: impl Into<Utf8PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            cwd: cwd.into(),
            env: BTreeMap::new(),
            stdin: Vec::new(),
            stdout: Redirect::CaptureAll { limit: 1 << 16 },
            stderr: Redirect::CaptureEnd { limit: 1 << 16 },
            limits: Limits { time: None, grace: Duration::from_secs(2), ladder: Ladder::Terminate },
            leftovers: Leftovers::Kill,
        }
    }
}

/// Limits enforced on a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long it may run. `None` if there is no limit.
    pub time: Option<Duration>,
    /// The time between one signal of the ladder and the next.
    pub grace: Duration,
    /// The signals that end it.
    pub ladder: Ladder,
}

/// What becomes of one stream of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// It goes where our own stream goes.
    Inherit,
    /// It goes to our own standard error.
    ToStderr,
    /// It is captured whole. A child that writes more than `limit` bytes is killed.
    CaptureAll {
        /// The most bytes it may write.
        limit: usize,
    },
    /// Its last bytes are captured, the rest is dropped.
    CaptureEnd {
        /// How many bytes are kept.
        limit: usize,
    },
    /// It is passed on in pieces to the callback of [`run_watched`](crate::run_watched).
    /// [`run`](crate::run) drops it.
    Stream,
}

/// What becomes of the processes that a child leaves running. The crate's documentation has the
/// whole rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leftovers {
    /// They are killed.
    Kill,
    /// They run on, unless the child was ended or died by a signal.
    Leave,
}

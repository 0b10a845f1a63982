//! pytest's exit codes.

use std::fmt;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use serde::{Serialize, Serializer};

/// How the pytest process ended: its own exit codes by name, and what else can happen.
///
/// The names are those of `pytest.ExitCode`. Serialized, it is its name in snake case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PytestExit {
    /// 0: all that ran passed.
    Ok,
    /// 1: something failed. Plugins use it as well, and so does `os._exit(1)`.
    TestsFailed,
    /// 2: interrupted, by a person or by errors during collection.
    Interrupted,
    /// 3: pytest itself, a plugin or a `conftest.py` broke.
    InternalError,
    /// 4: pytest was called in a wrong way.
    UsageError,
    /// 5: nothing was collected, or all of it was deselected.
    NoTestsCollected,
    /// Any other code.
    Other(i32),
    /// Ended by this signal.
    Signal(i32),
}

impl PytestExit {
    /// Names an exit code.
    pub fn from_code(code: i32) -> Self {
        match code {
            0 => Self::Ok,
            1 => Self::TestsFailed,
            2 => Self::Interrupted,
            3 => Self::InternalError,
            4 => Self::UsageError,
            5 => Self::NoTestsCollected,
            code => Self::Other(code),
        }
    }

    /// Names how a process ended.
    pub(crate) fn from_status(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::from_code(code),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => unreachable!("a process that has ended has a code or a signal"),
        }
    }

    /// Returns the exit code; `None` after a signal.
    pub fn code(self) -> Option<i32> {
        match self {
            Self::Ok => Some(0),
            Self::TestsFailed => Some(1),
            Self::Interrupted => Some(2),
            Self::InternalError => Some(3),
            Self::UsageError => Some(4),
            Self::NoTestsCollected => Some(5),
            Self::Other(code) => Some(code),
            Self::Signal(_) => None,
        }
    }

    /// Returns the signal that ended the process, if one did.
    pub fn signal(self) -> Option<i32> {
        match self {
            Self::Signal(signal) => Some(signal),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::TestsFailed => "tests_failed",
            Self::Interrupted => "interrupted",
            Self::InternalError => "internal_error",
            Self::UsageError => "usage_error",
            Self::NoTestsCollected => "no_tests_collected",
            Self::Other(_) => "other",
            Self::Signal(_) => "signal",
        }
    }
}

impl fmt::Display for PytestExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal(signal) => write!(f, "signal {signal}"),
            exit => write!(f, "exit code {}", exit.code().expect("only signals have no code")),
        }
    }
}

impl Serialize for PytestExit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

//! What came of a run.

use std::time::Duration;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize, Serializer};

use crate::doubt::Doubt;
use crate::exit::PytestExit;

/// What came of one run of pytest, from whichever channel told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PytestResult {
    /// How the run ended.
    pub state: RunState,
    /// What pytest's exit code means; `None` if no exit code is known, as in a log.
    pub exit: Option<PytestExit>,
    /// The exit code as a number; `None` after a signal, or if it is not known.
    pub exit_code: Option<i32>,
    /// How many tests ended in which way.
    pub counts: Counts,
    /// Every failure, in the order in which pytest reported them.
    ///
    /// A test that fails and then breaks in teardown is in here twice.
    pub failures: Vec<TestFailure>,
    /// Tests that had begun and not ended when pytest died or was stopped; several with xdist.
    pub running: Vec<String>,
    /// How long the run took; zero if a log does not say.
    pub duration: Duration,
    /// Whether pytest ended its session, and all of it is in here.
    ///
    /// Where this is false the counts are lower bounds, and failures may be missing.
    pub complete: bool,
    /// What keeps the result from being certain, Empty if nothing does.
    pub doubts: Vec<Doubt>,
    /// Where the result comes from.
    pub source: ResultSource,
    /// pytest's version, such as `8.3.5`, if it is known.
    pub pytest_version: Option<String>,
    /// The files that tests came from, as far as they are known.
    pub files: Vec<Utf8PathBuf>,
    /// What pytest wrote to standard output, cut to the limit asked for; empty if not captured.
    pub stdout: String,
    /// What pytest wrote to standard error, cut to the limit asked for; empty if not captured.
    pub stderr: String,
}

impl PytestResult {
    /// Returns whether the run is proof that every requested test is fine.
    ///
    /// True only if pytest finished its session, nothing failed, the exit code (if it is
    /// known) says so too, everything was seen, and there is no doubt about any of it. A run in
    /// which nothing ran has not passed.
    pub fn passed(&self) -> bool {
        self.state == RunState::Finished
            && self.complete
            && self.doubts.is_empty()
            && self.failures.is_empty()
            && self.counts.failed == 0
            && self.counts.errors == 0
            && self.counts.outcomes() > 0
            && matches!(self.exit, None | Some(PytestExit::Ok))
    }

    /// Returns whether something failed, as far as was seen.
    ///
    /// Not the opposite of [`passed`](Self::passed): a run that died early may be neither.
    pub fn failed(&self) -> bool {
        !self.failures.is_empty() || self.counts.failed > 0 || self.counts.errors > 0
    }
}

/// How a run ended.
///
/// Serialized, it is an object with a `kind` in snake case and the fields of the variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunState {
    /// pytest ran its session to the end. Tests may have failed.
    Finished,
    /// pytest refused to run: a wrong option, a file that is not there, a broken `conftest.py`.
    NotStarted {
        /// What pytest said, if it is known.
        message: String,
    },
    /// pytest could not load the plugin that reports the results, so there is no proof of them.
    ///
    /// The result then comes from a second run and its JUnit XML, and never counts as passed.
    NotLoaded {
        /// What was tried, and what came of it.
        message: String,
    },
    /// No test was collected, or none was left after deselection.
    NoTests,
    /// The run was cut short: Ctrl-C, `pytest.exit`, errors during collection, or our caller.
    Interrupted {
        /// What pytest or the caller gave as the reason.
        reason: String,
    },
    /// pytest, one of its plugins or a `conftest.py` broke.
    InternalError {
        /// The error, as pytest printed it.
        message: String,
    },
    /// The process ended without ending its session, or after it in an impossible way.
    Crashed {
        /// The signal that ended it, such as 11 for a segmentation fault.
        signal: Option<i32>,
        /// The exit code it ended with, such as that of `os._exit(3)`.
        code: Option<i32>,
    },
    /// The time limit ended the run.
    TimedOut {
        /// The limit.
        #[serde(rename = "after_ms", serialize_with = "serialize_milliseconds")]
        after: Duration,
    },
    /// A log that does not tell how the run ended.
    Unknown,
}

/// How many tests ended in which way, by pytest's own reckoning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Tests whose call went well. A test that breaks in teardown later has passed, too.
    pub passed: u64,
    /// Failed calls, strict xpasses, failing sub-tests, and tests that took an xdist worker down.
    pub failed: u64,
    /// Failed setups, teardowns and collections.
    pub errors: u64,
    /// Skipped tests, and modules skipped as a whole.
    pub skipped: u64,
    /// Tests that failed as they were expected to.
    pub xfailed: u64,
    /// Tests that passed although they were expected to fail, if that is no failure.
    pub xpassed: u64,
    /// Attempts that a plugin such as rerunfailures threw away and repeated.
    pub reruns: u64,
    /// Tests that were collected and then left out, as by `-k`.
    pub deselected: u64,
    /// Warnings that pytest recorded.
    pub warnings: u64,
}

impl Counts {
    /// Returns how many outcomes there are: everything but reruns, deselections and warnings.
    pub fn outcomes(&self) -> u64 {
        [self.passed, self.failed, self.errors, self.skipped, self.xfailed, self.xpassed]
            .into_iter()
            .fold(0, u64::saturating_add)
    }
}

/// One failure: a test, one of its phases, or a file that could not be collected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TestFailure {
    /// pytest's id, relative to its root directory, such as `tests/test_a.py::TestB::test_c[1]`.
    ///
    /// Of a file outside the root directory pytest makes an id without a path (`::test_c`); see
    /// `file` then.
    pub node_id: String,
    /// When it happened.
    pub phase: Phase,
    /// The sub-test, such as `[message] (i=1)`, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtest: Option<String>,
    /// The crash message, whole, with all its lines.
    pub message: String,
    /// The traceback, as pytest renders it for the project's `--tb`.
    pub traceback: String,
    /// The test's file, relative to the directory the run was started in if it is below it.
    pub file: Option<Utf8PathBuf>,
    /// The line in `file` where it happened, or else where the test begins; from 1.
    pub line: Option<u32>,
    /// What the test had written, cut to a bounded size.
    #[serde(skip_serializing_if = "Captured::is_empty")]
    pub captured: Captured,
}

/// What a test had written until it failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Captured {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Records of the `logging` module.
    pub log: String,
}

impl Captured {
    /// Returns whether the test wrote nothing.
    pub fn is_empty(&self) -> bool {
        self.stdout.is_empty() && self.stderr.is_empty() && self.log.is_empty()
    }
}

/// When a failure happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// While a file, class or package was collected.
    Collect,
    /// Before the test, in its fixtures.
    Setup,
    /// In the test itself.
    #[default]
    Call,
    /// After the test, in its fixtures.
    Teardown,
}

/// Where a result comes from, the most trustworthy first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultSource {
    /// Our own plugin, inside pytest.
    Plugin,
    /// JUnit XML, which knows no xpass: those are among the passed, unless a log beside it tells.
    Junit,
    /// The terminal text.
    Text,
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn serialize_milliseconds<S: Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(milliseconds(*duration))
}

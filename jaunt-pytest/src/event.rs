//! What can be told while pytest is still running.

use std::time::Duration;

use jaunt_process::OutputStream;
use serde::Deserialize;

use crate::result::{Counts, Phase};

/// Something that happened in a run, told as it happens.
///
/// The events of one run come in order, but nothing depends on all of them coming: the
/// [`PytestResult`](crate::PytestResult) is whole by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PytestEvent {
    /// pytest's session began.
    Started {
        /// pytest's version.
        pytest: String,
        /// Python's version.
        python: String,
    },
    /// Collection ended, and this is what will run.
    Collected {
        /// How many tests will run.
        tests: u64,
        /// How many were left out.
        deselected: u64,
    },
    /// A test began. With xdist several run at once.
    TestStarted {
        /// The test's id.
        node_id: String,
    },
    /// A test, one phase of it, a sub-test or a collection has an outcome that counts.
    Outcome {
        /// The id of the test, or of what could not be collected.
        node_id: String,
        /// What came out.
        outcome: Outcome,
        /// When it came out.
        phase: Phase,
        /// The crash message of a failure, otherwise empty.
        message: String,
        /// The counts so far, this outcome included.
        counts: Counts,
    },
    /// pytest wrote something, and its output is being captured.
    Output {
        /// Where to.
        stream: OutputStream,
        /// What, byte for byte; a piece may end in the middle of a line or of a character.
        bytes: Vec<u8>,
    },
    /// The run is being ended before its time: a signal was sent to the process group.
    Stopping {
        /// The signal's name, such as `SIGINT`.
        signal: &'static str,
        /// How long it may take until the next, stronger one.
        grace: Duration,
    },
}

/// What came out of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The call went well.
    Passed,
    /// The call, or a sub-test, failed.
    Failed,
    /// Setup, teardown or collection failed.
    Error,
    /// Skipped.
    Skipped,
    /// Failed as expected.
    Xfailed,
    /// Passed unexpectedly.
    Xpassed,
    /// Failed, and will be tried again.
    Rerun,
}

//! The whole result as one object.

use jaunt_pytest::{Counts, PytestExit, PytestResult, ResultSource, RunState, TestFailure};
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct Document<'a> {
    exit_code: Option<i32>,
    exit: Option<&'a PytestExit>,
    state: &'a RunState,
    passed: bool,
    failed: bool,
    complete: bool,
    doubts: Vec<String>,
    counts: &'a Counts,
    duration_ms: u64,
    failures: &'a [TestFailure],
    running: &'a [String],
    source: ResultSource,
    #[serde(skip_serializing_if = "Option::is_none")]
    pytest_version: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    stdout: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    stderr: &'a str,
}

pub(crate) fn document(result: &PytestResult) -> Document<'_> {
    Document {
        exit_code: result.exit_code,
        exit: result.exit.as_ref(),
        state: &result.state,
        passed: result.passed(),
        failed: result.failed(),
        complete: result.complete,
        doubts: result.doubts.iter().map(ToString::to_string).collect(),
        counts: &result.counts,
        duration_ms: u64::try_from(result.duration.as_millis()).unwrap_or(u64::MAX),
        failures: &result.failures,
        running: &result.running,
        source: result.source,
        pytest_version: result.pytest_version.as_deref(),
        stdout: &result.stdout,
        stderr: &result.stderr,
    }
}

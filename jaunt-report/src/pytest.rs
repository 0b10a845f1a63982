//! The part of `jaunt.test/1` that pytest is responsible for.

use std::collections::BTreeMap;

use jaunt_digest::{ModuleName, SpecRef};
use jaunt_pytest::{Counts, PytestExit, PytestResult, ResultSource, RunState, TestFailure};
use jaunt_tester::{FailedModule, Origin};
use serde::Serialize;

/// What pytest said, and what belongs to each failure.
#[derive(Debug, Serialize)]
pub struct PytestDocument {
    exit_code: Option<i32>,
    exit: Option<PytestExit>,
    state: RunState,
    passed: bool,
    failed: bool,
    complete: bool,
    doubts: Vec<String>,
    counts: Counts,
    duration_ms: u64,
    failures: Vec<Failure>,
    running: Vec<String>,
    source: ResultSource,
    #[serde(skip_serializing_if = "Option::is_none")]
    pytest_version: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    stdout: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    stderr: String,
    failed_modules: BTreeMap<String, Module>,
}

/// A failure, and what it belongs to.
#[derive(Debug, Serialize)]
struct Failure {
    #[serde(flatten)]
    failure: TestFailure,
    generated_module: Option<ModuleName>,
    spec_refs: Vec<SpecRef>,
}

/// Whose tests failed.
#[derive(Debug, Serialize)]
struct Module {
    module: ModuleName,
    specs: Vec<SpecRef>,
}

impl PytestDocument {
    /// Describes a result. `origins` are what the failures belong to, in their order; `failed_modules` are the spec
    /// modules of generated files with failures, by file.
    pub fn new(
        result: PytestResult,
        origins: Vec<Option<Origin>>,
        failed_modules: BTreeMap<String, FailedModule>,
    ) -> Self {
        let (passed, failed) = (result.passed(), result.failed());
        let failures = result.failures.into_iter().zip(origins).map(|(failure, origin)| {
            let (generated_module, spec_refs) =
                origin.map(|it| (it.generated_module, it.specs)).unzip();
            Failure { failure, generated_module, spec_refs: spec_refs.unwrap_or_default() }
        });
        let failed_modules = failed_modules
            .into_iter()
            .map(|(file, it)| (file, Module { module: it.module, specs: it.specs }));
        Self {
            exit_code: result.exit_code,
            exit: result.exit,
            state: result.state,
            passed,
            failed,
            complete: result.complete,
            doubts: result.doubts.iter().map(ToString::to_string).collect(),
            counts: result.counts,
            duration_ms: u64::try_from(result.duration.as_millis()).unwrap_or(u64::MAX),
            failures: failures.collect(),
            running: result.running,
            source: result.source,
            pytest_version: result.pytest_version,
            stdout: result.stdout,
            stderr: result.stderr,
            failed_modules: failed_modules.collect(),
        }
    }
}

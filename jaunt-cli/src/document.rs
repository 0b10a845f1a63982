//! The JSON documents of the result. Their form is a promise to other programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jaunt_builder::{BuildReport, Plan, Staleness};
use jaunt_digest::{ModuleName, SpecRef};
use jaunt_pytest::{Channel, Counts, PytestExit, PytestResult, RunState, TestFailure};
use jaunt_tester::Origin;
use serde::{Serialize, Serializer};

use crate::error::{CommandError, Exit};
use jaunt_text::is_hostile;

/// `jaunt.build/1`
#[derive(Debug, Default, Serialize)]
pub(crate) struct BuildDocument {
    pub(crate) schema: &'static str,
    pub(crate) command: &'static str,
    pub(crate) ok: bool,
    pub(crate) exit_code: u8,
    pub(crate) dry_run: bool,
    pub(crate) generated: Vec<ModuleName>,
    pub(crate) skipped: Vec<ModuleName>,
    pub(crate) failed: BTreeMap<ModuleName, Vec<String>>,
    pub(crate) blocked: BTreeMap<ModuleName, Blocked>,
    pub(crate) cancelled: Vec<ModuleName>,
    /// Why each module was, or would be, generated.
    pub(crate) reasons: BTreeMap<ModuleName, Vec<Staleness>>,
    pub(crate) backend: Backend,
    pub(crate) duration_ms: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct Blocked {
    pub(crate) cause: ModuleName,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Backend {
    /// None where no backend was needed.
    pub(crate) name: Option<String>,
    /// Attempts asked of it.
    pub(crate) calls: u64,
}

impl BuildDocument {
    /// What a plan would do. Modules that would be refused are failed already.
    pub(crate) fn planned(plan: &Plan, exit: Exit) -> Self {
        let (refused, generated): (Vec<_>, Vec<_>) =
            plan.stale().partition(|(_, planned)| planned.refusal.is_some());
        Self {
            schema: "jaunt.build/1",
            command: "build",
            ok: exit == Exit::Success,
            exit_code: exit.code(),
            dry_run: true,
            generated: generated
                .into_iter()
                .map(|(name, _)| name.clone())
                .filter(|name| !plan.blocked().contains_key(name))
                .collect(),
            blocked: plan
                .blocked()
                .iter()
                .map(|(name, cause)| (name.clone(), Blocked { cause: cause.clone() }))
                .collect(),
            skipped: plan.fresh().cloned().collect(),
            failed: refused
                .into_iter()
                .map(|(name, planned)| (name.clone(), planned.refusal.iter().cloned().collect()))
                .collect(),
            reasons: reasons(plan),
            ..Self::default()
        }
    }

    /// What there is to say where everything is fresh.
    pub(crate) fn fresh(modules: Vec<ModuleName>, dry_run: bool) -> Self {
        Self {
            schema: "jaunt.build/1",
            command: "build",
            ok: true,
            dry_run,
            skipped: modules,
            ..Self::default()
        }
    }

    /// What a run did.
    pub(crate) fn done(plan: &Plan, report: &BuildReport, exit: Exit, backend: Backend) -> Self {
        Self {
            schema: "jaunt.build/1",
            command: "build",
            ok: exit == Exit::Success,
            exit_code: exit.code(),
            dry_run: false,
            generated: report.generated().cloned().collect(),
            skipped: report.skipped().cloned().collect(),
            failed: report
                .failed()
                .map(|(name, problems)| {
                    (name.clone(), problems.iter().map(ToString::to_string).collect())
                })
                .collect(),
            blocked: report
                .blocked()
                .map(|(name, cause)| (name.clone(), Blocked { cause: cause.clone() }))
                .collect(),
            cancelled: report.cancelled().cloned().collect(),
            reasons: reasons(plan),
            backend,
            duration_ms: 0,
        }
    }
}

fn reasons(plan: &Plan) -> BTreeMap<ModuleName, Vec<Staleness>> {
    plan.stale().map(|(name, planned)| (name.clone(), planned.reasons.clone())).collect()
}

/// `jaunt.test/1`
#[derive(Debug, Serialize)]
pub(crate) struct TestDocument {
    pub(crate) schema: &'static str,
    pub(crate) command: &'static str,
    pub(crate) ok: bool,
    pub(crate) exit_code: u8,
    /// None with `--no-build`.
    pub(crate) build: Option<BuildDocument>,
    /// None where the build failed.
    pub(crate) generation: Option<BuildDocument>,
    /// None where pytest was not run.
    pub(crate) pytest: Option<Pytest>,
    pub(crate) duration_ms: u64,
}

/// The result of pytest, and what belongs to each failure.
#[derive(Debug)]
pub(crate) struct Pytest {
    pub(crate) result: PytestResult,
    /// What each failure belongs to, in the order of the failures.
    pub(crate) origins: Vec<Option<Origin>>,
    /// The spec modules and specs of generated test files with failures, by file.
    pub(crate) failed_modules: BTreeMap<String, FailedModule>,
}

impl Serialize for Pytest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Failure<'a> {
            #[serde(flatten)]
            failure: &'a TestFailure,
            generated_module: Option<&'a ModuleName>,
            spec_refs: &'a [SpecRef],
        }

        /// The fields of a [`PytestResult`] in their order, with more of each failure.
        #[derive(Serialize)]
        struct Document<'a> {
            exit_code: Option<i32>,
            exit: Option<&'a PytestExit>,
            state: &'a RunState,
            passed: bool,
            failed: bool,
            complete: bool,
            doubts: &'a [String],
            counts: &'a Counts,
            duration_ms: u64,
            failures: Vec<Failure<'a>>,
            running: &'a [String],
            source: Channel,
            #[serde(skip_serializing_if = "Option::is_none")]
            pytest_version: Option<&'a str>,
            #[serde(skip_serializing_if = "str::is_empty")]
            stdout: &'a str,
            #[serde(skip_serializing_if = "str::is_empty")]
            stderr: &'a str,
            failed_modules: &'a BTreeMap<String, FailedModule>,
        }

        let result = &self.result;
        let origins = self.origins.iter().map(Option::as_ref);
        let failures = result.failures.iter().zip(origins).map(|(failure, origin)| Failure {
            failure,
            generated_module: origin.map(|it| &it.generated_module),
            spec_refs: origin.map_or(&[], |it| &it.specs),
        });
        Document {
            exit_code: result.exit_code,
            exit: result.exit.as_ref(),
            state: &result.state,
            passed: result.passed(),
            failed: result.failed(),
            complete: result.complete,
            doubts: &result.doubts,
            counts: &result.counts,
            duration_ms: u64::try_from(result.duration.as_millis()).unwrap_or(u64::MAX),
            failures: failures.collect(),
            running: &result.running,
            source: result.source,
            pytest_version: result.pytest_version.as_deref(),
            stdout: &result.stdout,
            stderr: &result.stderr,
            failed_modules: &self.failed_modules,
        }
        .serialize(serializer)
    }
}

/// Whose tests failed.
#[derive(Debug, Serialize)]
pub(crate) struct FailedModule {
    pub(crate) module: ModuleName,
    pub(crate) specs: Vec<SpecRef>,
}

/// `jaunt.status/1` and `jaunt.check/1`
#[derive(Debug, Serialize)]
pub(crate) struct StatusDocument {
    pub(crate) schema: &'static str,
    pub(crate) command: &'static str,
    pub(crate) ok: bool,
    pub(crate) exit_code: u8,
    pub(crate) modules: Vec<ModuleStatus>,
    pub(crate) fresh: Vec<ModuleName>,
    pub(crate) stale: Vec<ModuleName>,
    pub(crate) digests: BTreeMap<ModuleName, String>,
    pub(crate) orphans: Vec<String>,
    pub(crate) summary: Summary,
}

#[derive(Debug, Serialize)]
pub(crate) struct ModuleStatus {
    pub(crate) module: ModuleName,
    pub(crate) kind: &'static str,
    pub(crate) path: String,
    pub(crate) module_digest: String,
    pub(crate) state: &'static str,
    pub(crate) reasons: Vec<Staleness>,
    pub(crate) specs: Vec<SpecRef>,
    pub(crate) depends_on: Vec<ModuleName>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) fresh: usize,
    pub(crate) stale: usize,
    pub(crate) orphans: usize,
}

/// `jaunt.clean/1`
#[derive(Debug, Serialize)]
pub(crate) struct CleanDocument {
    pub(crate) schema: &'static str,
    pub(crate) command: &'static str,
    pub(crate) ok: bool,
    pub(crate) exit_code: u8,
    pub(crate) dry_run: bool,
    pub(crate) removed: Vec<String>,
    pub(crate) would_remove: Vec<String>,
}

/// `jaunt.graph/1`
#[derive(Debug, Serialize)]
pub(crate) struct GraphDocument {
    pub(crate) schema: &'static str,
    pub(crate) command: &'static str,
    pub(crate) ok: bool,
    pub(crate) exit_code: u8,
    pub(crate) modules: Vec<GraphNode>,
}

#[derive(Debug, Serialize)]
pub(crate) struct GraphNode {
    pub(crate) module: ModuleName,
    pub(crate) kind: &'static str,
    pub(crate) depends_on: Vec<ModuleName>,
    pub(crate) tests: Vec<ModuleName>,
}

/// `jaunt.error/1`
#[derive(Debug, Serialize)]
struct ErrorDocument<'a> {
    schema: &'static str,
    ok: bool,
    exit_code: u8,
    error: ErrorBody<'a>,
}

#[derive(Debug, Serialize)]
struct ErrorBody<'a> {
    kind: &'static str,
    message: &'a str,
    causes: &'a [String],
    hints: &'a [String],
}

/// An error as a document.
pub(crate) fn error(err: &CommandError) -> String {
    render(&ErrorDocument {
        schema: "jaunt.error/1",
        ok: false,
        exit_code: err.kind.exit().code(),
        error: ErrorBody {
            kind: err.kind.as_str(),
            message: &err.message,
            causes: &err.causes,
            hints: &err.hints,
        },
    })
}

/// A document as text, with a line feed at its end.
pub(crate) fn render(document: &impl Serialize) -> String {
    let mut text =
        serde_json::to_string_pretty(document).expect("documents have only text for keys");
    text.push('\n');
    if text.contains(is_hostile) { escaped(&text) } else { text }
}

/// JSON forbids only some of the characters that steer a terminal or the reader's eye. The others
/// can only be inside of texts, where an escape means the same.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if !is_hostile(c) || c == '\n' {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(escaped, "\\u{unit:04x}").expect("a text takes everything");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_the_same_without_characters_that_steer_a_terminal() {
        let text = "\u{1b}[31m \u{7f}\u{9b}2J \u{202e}\u{feff} \u{e0041} größer\n\"\\";
        let rendered = render(&[text]);
        assert!(!rendered.contains(is_hostile), "{rendered:?}");
        assert!(rendered.contains("größer"), "{rendered:?}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&rendered).unwrap(), [text]);
    }
}

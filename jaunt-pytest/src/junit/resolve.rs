//! What a JUnit XML adds up to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use camino::Utf8PathBuf;

use crate::doubt::Doubt;
use crate::junit::address::Files;
use crate::junit::read::{JunitReport, Kind, Part, TestCase};
use crate::result::{Captured, Counts, Phase, PytestResult, ResultSource, RunState, TestFailure};

impl JunitReport {
    /// Returns what the file alone says.
    ///
    /// `files` are the test files of the run, relative to pytest's root directory or to where it
    /// was started; without them, and without the `file` attributes of `xunit1`, where the path in
    /// a node id ends is a guess, and the result says so.
    ///
    /// Tests that passed unexpectedly are among the passed.
    pub fn into_result(self, files: &[Utf8PathBuf]) -> PytestResult {
        self.resolve(&Files::new(files.iter().map(Utf8PathBuf::as_path)), &[], Some(0))
    }

    /// Makes a result of it. `known_ids` are ids of failures that are certain; `n_reruns` how many
    /// attempts were thrown away, if that is known.
    pub(super) fn resolve(
        self,
        files: &Files<'_>,
        known_ids: &[String],
        n_reruns: Option<u64>,
    ) -> PytestResult {
        let n_passes_too_many = if n_reruns == Some(0) { 0 } else { self.n_repeated_passes() };
        let mut outcomes = Outcomes::default();
        for case in &self.cases {
            outcomes.add(case, files, known_ids);
        }
        let Outcomes { mut counts, failures, state, has_guesses, .. } = outcomes;
        let mut state = state.unwrap_or(RunState::Finished);
        counts.reruns = n_passes_too_many;
        counts.passed = counts.passed.saturating_sub(n_passes_too_many);
        if counts.outcomes() == 0 && state == RunState::Finished {
            state = RunState::NoTests;
        }
        let mut doubts = Vec::new();
        if has_guesses {
            doubts.push(Doubt::GuessedFiles);
        }
        PytestResult {
            state,
            exit: None,
            exit_code: None,
            counts,
            failures,
            running: Vec::new(),
            duration: Duration::try_from_secs_f64(self.seconds).unwrap_or_default(),
            complete: true,
            doubts,
            source: ResultSource::Junit,
            pytest_version: None,
            files: Vec::new(),
            stdout: String::new(),
            stderr: String::new(),
        }
    }

    /// Returns how many entries look like passes and are attempts that were thrown away: those before
    /// another entry of the same test.
    fn n_repeated_passes(&self) -> u64 {
        let mut last = BTreeMap::new();
        let mut n_repeated = 0;
        for case in &self.cases {
            let was_pass = last.insert((&case.class_name, &case.name), case.parts.is_empty());
            n_repeated += u64::from(was_pass == Some(true));
        }
        n_repeated
    }
}

/// What the entries add up to.
#[derive(Default)]
struct Outcomes<'a> {
    counts: Counts,
    failures: Vec<TestFailure>,
    /// The state of a run that did not finish.
    state: Option<RunState>,
    /// Whether the file of a failure is a guess.
    has_guesses: bool,
    /// The tests that have an entry other than a pass or a teardown.
    unsuccessful: BTreeSet<(&'a String, &'a Option<String>)>,
}

impl<'a> Outcomes<'a> {
    fn add(&mut self, case: &'a TestCase, files: &Files<'_>, known_ids: &[String]) {
        if case.name.is_none() {
            // The test that an interruption cut off.
            self.state = Some(RunState::Interrupted { reason: "a test did not end".to_owned() });
            return;
        }
        if let Some(error) = case.internal_error() {
            self.state = Some(RunState::InternalError { message: error.to_owned() });
            return;
        }
        // A failed teardown stands alone: after a test that passed, or after an entry for the test
        // that did not.
        let address = (&case.class_name, &case.name);
        if case.parts.iter().any(|part| !part.is_teardown()) {
            self.unsuccessful.insert(address);
        } else if case.parts.is_empty() || !self.unsuccessful.contains(&address) {
            self.counts.passed += 1;
        }
        let mut id = None;
        for part in &case.parts {
            match part.kind {
                Kind::Skipped => self.counts.skipped += 1,
                Kind::Xfailed => self.counts.xfailed += 1,
                Kind::Failed(phase) => {
                    let (id, is_certain) = id.get_or_insert_with(|| {
                        files.node_id(case, phase == Phase::Collect, known_ids)
                    });
                    self.has_guesses |= !*is_certain;
                    match phase {
                        Phase::Call => self.counts.failed += 1,
                        Phase::Collect | Phase::Setup | Phase::Teardown => self.counts.errors += 1,
                    }
                    self.failures.push(failure(case, part, phase, id));
                }
            }
        }
    }
}

fn failure(case: &TestCase, part: &Part, phase: Phase, id: &str) -> TestFailure {
    let file = case.file.clone().or_else(|| {
        let file = id.split_once("::").map_or(id, |(file, _)| file);
        (!file.is_empty()).then(|| file.to_owned())
    });
    TestFailure {
        node_id: id.to_owned(),
        phase,
        subtest: None,
        message: part.message().to_owned(),
        traceback: part.text.clone(),
        line: file.as_deref().and_then(|file| line_in(file, &part.text)).or(case.line),
        file: file.map(Utf8PathBuf::from),
        captured: Captured {
            stdout: case.stdout.clone(),
            stderr: case.stderr.clone(),
            log: String::new(),
        },
    }
}

/// Returns the last line of the file that a traceback names, as in `test_a.py:12: AssertionError`.
fn line_in(file: &str, traceback: &str) -> Option<u32> {
    traceback.lines().rev().find_map(|line| {
        line.strip_prefix(file)?.strip_prefix(':')?.split(':').next()?.parse().ok()
    })
}

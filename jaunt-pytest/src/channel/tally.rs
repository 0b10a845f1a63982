//! The sum of the records.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::channel::record::{Body, Head, Report};
use crate::doubt::Doubt;
use crate::event::{Outcome, PytestEvent};
use crate::exit::PytestExit;
use crate::result::{Captured, Counts, Phase, PytestResult, ResultSource, RunState, TestFailure};

/// The sum of all records so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    token: String,
    /// How many records came, and the highest number among them.
    n_records: u64,
    last_seq: u64,
    loaded: bool,
    session: Option<Session>,
    /// How many tests were collected from each file, by absolute path.
    files: BTreeMap<Utf8PathBuf, u64>,
    /// Files that pytest reported something about without collecting a test from them.
    reported: BTreeSet<Utf8PathBuf>,
    counts: Counts,
    failures: Vec<TestFailure>,
    running: Vec<String>,
    interrupt: Option<String>,
    internal: Option<String>,
    finish: Option<Finish>,
}

#[derive(Debug)]
struct Session {
    pytest: String,
    parallel: bool,
}

#[derive(Debug)]
struct Finish {
    exit: i32,
    stop: String,
    error: Option<String>,
    pending: u64,
    examples: Vec<String>,
}

impl Tally {
    /// Makes a tally of the records that carry `token`; all others are skipped.
    pub(crate) fn new(token: &str) -> Self {
        Self { token: token.to_owned(), ..Self::default() }
    }

    /// Adds one line of the event file, and reports what it says.
    pub(crate) fn add_line(&mut self, line: &[u8], mut on_event: impl FnMut(&PytestEvent)) {
        // A line that is not ours or is torn is skipped; if it matters, its number is missing.
        let Ok(head) = serde_json::from_slice::<Head>(line) else { return };
        let Ok(body) = serde_json::from_slice::<Body>(line) else { return };
        if head.token != self.token {
            return;
        }
        if matches!(body, Body::Loaded) {
            // The first record, or the process has replaced itself and starts from the beginning.
            *self = Self { loaded: true, ..Self::new(&head.token) };
        }
        self.n_records += 1;
        self.last_seq = self.last_seq.max(head.seq);
        for node_id in head.passed {
            self.counts.passed += 1;
            on_event(&PytestEvent::Outcome {
                node_id,
                outcome: Outcome::Passed,
                phase: Phase::Call,
                message: String::new(),
                counts: self.counts,
            });
        }
        if let Some(event) = self.add(body) {
            on_event(&event);
        }
    }

    fn add(&mut self, body: Body) -> Option<PytestEvent> {
        match body {
            Body::Loaded | Body::Passed => None,
            Body::Session { pytest, python, parallel } => {
                self.session = Some(Session { pytest: pytest.clone(), parallel });
                Some(PytestEvent::Started { pytest, python })
            }
            Body::Collected { tests, deselected, files } => {
                self.add_files(files);
                self.counts.deselected = self.counts.deselected.max(deselected);
                Some(PytestEvent::Collected { tests, deselected })
            }
            Body::Worker { files, deselected } => {
                self.add_files(files);
                self.counts.deselected = self.counts.deselected.max(deselected);
                None
            }
            Body::Begin { node_id } => {
                if self.session.as_ref().is_none_or(|session| !session.parallel) {
                    self.running.clear();
                }
                self.running.push(node_id.clone());
                Some(PytestEvent::TestStarted { node_id })
            }
            Body::End { node_id } => {
                self.running.retain(|running| *running != node_id);
                None
            }
            Body::Report(report) => Some(self.add_report(report)),
            Body::Interrupt { kind, reason } => {
                let reason = if reason.is_empty() { kind } else { reason };
                self.interrupt.get_or_insert(reason);
                None
            }
            Body::Internal { text } => {
                self.internal.get_or_insert(text);
                None
            }
            Body::Finish { exit, stop, error, warnings, pending, examples } => {
                self.counts.warnings = warnings;
                self.running.clear();
                self.finish = Some(Finish { exit, stop, error, pending, examples });
                None
            }
        }
    }

    /// Returns whether the plugin was loaded. If not, nothing else is known.
    pub(crate) fn is_loaded(&self) -> bool {
        self.loaded
    }

    /// Returns the files that pytest said something about: tests, an error, or a skip.
    pub(crate) fn seen_files(&self) -> impl Iterator<Item = &Utf8Path> {
        self.files.keys().chain(&self.reported).map(Utf8PathBuf::as_path)
    }

    /// Builds the result. `cut_short` is the state of a run that we ended.
    ///
    /// The caller adds the output of the run, and doubts about files that were not seen.
    pub(crate) fn into_result(
        mut self,
        exit: PytestExit,
        cut_short: Option<RunState>,
        duration: Duration,
    ) -> PytestResult {
        let mut doubts = Vec::new();
        let mut complete = self.finish.is_some();
        let n_missing = (self.last_seq + 1).saturating_sub(self.n_records);
        if n_missing > 0 {
            complete = false;
            doubts.push(Doubt::MissingRecords { count: n_missing });
        }
        let state = cut_short.unwrap_or_else(|| self.state(exit));
        match &state {
            RunState::Finished => self.add_doubts(exit, &mut doubts),
            RunState::NotStarted { .. } => complete = true,
            _ => {}
        }
        if let Some(finish) = &self.finish
            && state != RunState::Finished
            && exit.code().is_some_and(|code| code != finish.exit)
        {
            doubts.push(Doubt::DifferentExits { session: finish.exit, process: exit });
        }
        PytestResult {
            state,
            exit: Some(exit),
            exit_code: exit.code(),
            counts: self.counts,
            failures: self.failures,
            running: self.running,
            duration,
            complete,
            doubts,
            source: ResultSource::Plugin,
            files: self.files.into_keys().collect(),
            pytest_version: self.session.take().map(|session| session.pytest),
            stdout: String::new(),
            stderr: String::new(),
        }
    }

    /// Returns the state of a run that ended by itself.
    fn state(&self, exit: PytestExit) -> RunState {
        let crashed = RunState::Crashed { signal: exit.signal(), code: exit.code() };
        if exit.signal().is_some() {
            return crashed;
        }
        if let Some(message) = &self.internal {
            return RunState::InternalError { message: message.clone() };
        }
        let Some(finish) = &self.finish else {
            return if self.session.is_some() {
                crashed
            } else {
                RunState::NotStarted { message: String::new() }
            };
        };
        if let Some(error) = &finish.error {
            return RunState::InternalError { message: error.clone() };
        }
        if finish.exit == 4 {
            return RunState::NotStarted { message: String::new() };
        }
        if let Some(reason) = &self.interrupt {
            return RunState::Interrupted { reason: reason.clone() };
        }
        match finish.exit {
            2 => RunState::Interrupted { reason: finish.stop.clone() },
            3 => RunState::InternalError { message: finish.stop.clone() },
            5 => RunState::NoTests,
            _ => RunState::Finished,
        }
    }

    /// Adds what does not fit together in a run that seems to have finished.
    fn add_doubts(&self, exit: PytestExit, doubts: &mut Vec<Doubt>) {
        let Some(finish) = &self.finish else { return };
        let count = self.failures.len() as u64;
        if exit != PytestExit::from_code(finish.exit) {
            doubts.push(Doubt::DifferentExits { session: finish.exit, process: exit });
        }
        match exit {
            PytestExit::Ok if count > 0 => doubts.push(Doubt::FailuresWithExitZero { count }),
            PytestExit::Ok if finish.pending > 0 => doubts.push(Doubt::TestsWithoutOutcome {
                count: finish.pending,
                examples: finish.examples.clone(),
            }),
            PytestExit::Ok => {}
            PytestExit::TestsFailed if count > 0 => {}
            exit => doubts.push(Doubt::UnexplainedExit { exit, nothing_failed: count == 0 }),
        }
    }

    fn add_files(&mut self, files: BTreeMap<String, u64>) {
        for (path, n_tests) in files {
            let count = self.files.entry(Utf8PathBuf::from(path)).or_default();
            *count = (*count).max(n_tests);
        }
    }

    fn add_report(&mut self, report: Report) -> PytestEvent {
        let Counts { passed, failed, errors, skipped, xfailed, xpassed, reruns, .. } =
            &mut self.counts;
        let outcome = match (report.outcome, report.phase) {
            (Outcome::Failed, Phase::Collect | Phase::Setup | Phase::Teardown) => Outcome::Error,
            (outcome, _) => outcome,
        };
        *match outcome {
            Outcome::Passed => passed,
            Outcome::Failed => failed,
            Outcome::Error => errors,
            Outcome::Skipped => skipped,
            Outcome::Xfailed => xfailed,
            Outcome::Xpassed => xpassed,
            Outcome::Rerun => reruns,
        } += 1;
        let file = report.file.map(Utf8PathBuf::from);
        self.reported.extend(file.clone());
        let event = PytestEvent::Outcome {
            node_id: report.node_id.clone(),
            outcome,
            phase: report.phase,
            message: report.message.clone(),
            counts: self.counts,
        };
        if matches!(outcome, Outcome::Failed | Outcome::Error) {
            self.failures.push(TestFailure {
                node_id: report.node_id,
                phase: report.phase,
                subtest: report.sub,
                message: report.message,
                traceback: report.text,
                file,
                line: report.line,
                captured: Captured { stdout: report.out, stderr: report.err, log: report.log },
            });
        }
        event
    }
}

//! What the records add up to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::channel::record::{Body, Head, Report};
use crate::event::{Outcome, TestEvent};
use crate::exit::PytestExit;
use crate::result::{Captured, Channel, Counts, Phase, PytestResult, RunState, TestFailure};

/// The sum of all records so far.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
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

/// What ended the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It ended by itself.
    Itself,
    /// The caller had it stopped.
    Stopped,
    /// The time limit.
    TimedOut(Duration),
}

impl Ledger {
    /// A ledger for the records that carry `token`; all others are passed over.
    pub(crate) fn new(token: &str) -> Self {
        Self { token: token.to_owned(), ..Self::default() }
    }

    /// Takes in one line of the event file, and tells what is worth telling about it.
    pub(crate) fn enter(&mut self, line: &[u8], mut tell: impl FnMut(&TestEvent)) {
        // A line that is not ours, or is torn, is missed by its number if it matters.
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
        for id in head.passed {
            self.counts.passed += 1;
            tell(&TestEvent::Outcome {
                node_id: id,
                outcome: Outcome::Passed,
                phase: Phase::Call,
                message: String::new(),
                counts: self.counts,
            });
        }
        if let Some(event) = self.add(body) {
            tell(&event);
        }
    }

    fn add(&mut self, body: Body) -> Option<TestEvent> {
        match body {
            Body::Loaded | Body::Passed => None,
            Body::Session { pytest, python, parallel } => {
                self.session = Some(Session { pytest: pytest.clone(), parallel });
                Some(TestEvent::Started { pytest, python })
            }
            Body::Collected { tests, deselected, files } => {
                self.add_files(files);
                self.counts.deselected = self.counts.deselected.max(deselected);
                Some(TestEvent::Collected { tests, deselected })
            }
            Body::Worker { files, deselected } => {
                self.add_files(files);
                self.counts.deselected = self.counts.deselected.max(deselected);
                None
            }
            Body::Begin { id } => {
                if self.session.as_ref().is_none_or(|session| !session.parallel) {
                    self.running.clear();
                }
                self.running.push(id.clone());
                Some(TestEvent::TestStarted { node_id: id })
            }
            Body::End { id } => {
                self.running.retain(|running| *running != id);
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

    /// Draws the balance.
    ///
    /// Files that are missing, and what the run wrote, are the caller's to add.
    pub(crate) fn close(
        mut self,
        exit: PytestExit,
        ending: Ending,
        duration: Duration,
    ) -> PytestResult {
        let mut doubts = Vec::new();
        let mut complete = self.finish.is_some();
        let n_missing = (self.last_seq + 1).saturating_sub(self.n_records);
        if n_missing > 0 {
            complete = false;
            doubts.push(format!("{n_missing} records of the run are missing"));
        }
        let state = self.state(exit, ending);
        match &state {
            RunState::Finished => self.doubt(exit, &mut doubts),
            RunState::NotStarted { .. } => complete = true,
            _ => {}
        }
        if let Some(finish) = &self.finish
            && state != RunState::Finished
            && exit.code().is_some_and(|code| code != finish.exit)
        {
            doubts.push(differing_exits(finish.exit, exit));
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
            source: Channel::Plugin,
            files: self.files.into_keys().collect(),
            pytest_version: self.session.take().map(|session| session.pytest),
            stdout: String::new(),
            stderr: String::new(),
        }
    }

    fn state(&self, exit: PytestExit, ending: Ending) -> RunState {
        match ending {
            Ending::TimedOut(after) => return RunState::TimedOut { after },
            Ending::Stopped => {
                return RunState::Interrupted { reason: "stopped by the caller".to_owned() };
            }
            Ending::Itself => {}
        }
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

    /// Names what does not fit together in a run that seems to have finished.
    fn doubt(&self, exit: PytestExit, doubts: &mut Vec<String>) {
        let Some(finish) = &self.finish else { return };
        let n_failures = self.failures.len();
        if exit != PytestExit::from_code(finish.exit) {
            doubts.push(differing_exits(finish.exit, exit));
        }
        match exit {
            PytestExit::Ok if n_failures > 0 => {
                doubts.push(format!(
                    "pytest ended with exit code 0 in spite of {n_failures} failures"
                ));
            }
            PytestExit::Ok if finish.pending > 0 => {
                doubts.push(format!(
                    "{} collected tests have no outcome, such as {}",
                    finish.pending,
                    quoted(&finish.examples),
                ));
            }
            PytestExit::Ok => {}
            PytestExit::TestsFailed if n_failures > 0 => {}
            exit => doubts.push(format!(
                "pytest ended with {exit}{}",
                if n_failures == 0 { " although nothing failed" } else { "" },
            )),
        }
    }

    fn add_files(&mut self, files: BTreeMap<String, u64>) {
        for (path, n_tests) in files {
            let count = self.files.entry(Utf8PathBuf::from(path)).or_default();
            *count = (*count).max(n_tests);
        }
    }

    fn add_report(&mut self, report: Report) -> TestEvent {
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
        let event = TestEvent::Outcome {
            node_id: report.id.clone(),
            outcome,
            phase: report.phase,
            message: report.message.clone(),
            counts: self.counts,
        };
        if matches!(outcome, Outcome::Failed | Outcome::Error) {
            self.failures.push(TestFailure {
                node_id: report.id,
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

fn differing_exits(session: i32, process: PytestExit) -> String {
    format!("pytest's session ended with exit code {session}, but its process with {process}")
}

fn quoted(ids: &[String]) -> String {
    ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
}

//! A run, from the command to the result.

mod files;
mod launch;
mod scratch;

use std::fs::File;
use std::io::BufReader;
use std::pin::{Pin, pin};
use std::time::Duration;

use jaunt_process::{Ended, EndedBy, OutputStream, ProcessError, ProcessEvent, run_watched};
use tokio::time::Instant;

use crate::channel::{Tail, Tally};
use crate::command::{OutputMode, PytestCommand};
use crate::doubt::Doubt;
use crate::error::PytestError;
use crate::event::PytestEvent;
use crate::excerpt::Excerpt;
use crate::exit::PytestExit;
use crate::junit::parse_junit;
use crate::result::{PytestResult, RunState};
use crate::run::files::Root;
use crate::run::launch::{LaunchMode, invocation};
use crate::run::scratch::ScratchDir;

/// Runs pytest and returns what came of it.
///
/// The results come from a plugin of our own that is written to a private temporary directory and
/// loaded with `-p`; the terminal output is for people only. `on_event` is called for what happens
/// as it happens. When `stop` resolves, or the time limit is over, the process group gets SIGINT,
/// then SIGTERM and SIGKILL; what had run until then is in the result.
///
/// Standard input is empty. Processes that tests leave running are not waited for, and left alone if
/// pytest exits by itself ([`Leftovers::Leave`](jaunt_process::Leftovers::Leave)). Dropping the
/// future kills the process group.
///
/// # Errors
///
/// Only if pytest could not be run at all; see [`PytestError`].
pub async fn run(
    command: &PytestCommand,
    mut on_event: impl FnMut(&PytestEvent),
    stop: impl Future<Output = ()>,
) -> Result<PytestResult, PytestError> {
    let mut stop = pin!(stop);
    let run = Run { command, root: Root::new(command), begin: Instant::now() };
    let first = LaunchMode::first(command);
    let mut result = run.attempt(first, &mut on_event, stop.as_mut()).await?;
    for mode in [LaunchMode::Launcher, LaunchMode::Junit] {
        if mode != first && may_try_again(&result) {
            result = run.attempt(mode, &mut on_event, stop.as_mut()).await?;
        }
    }
    Ok(result)
}

/// Returns whether no test can have run, for no better reason than that our plugin is missing.
fn may_try_again(result: &PytestResult) -> bool {
    // pytest 9 ends with 4 when it cannot import a plugin, and older ones with 1.
    matches!(result.state, RunState::NotLoaded { .. })
        && matches!(result.exit, Some(PytestExit::TestsFailed | PytestExit::UsageError))
}

struct Run<'a> {
    command: &'a PytestCommand,
    root: Root<'a>,
    begin: Instant,
}

impl Run<'_> {
    /// Starts pytest once and returns what came of it.
    async fn attempt(
        &self,
        mode: LaunchMode,
        on_event: &mut impl FnMut(&PytestEvent),
        stop: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<PytestResult, PytestError> {
        let scratch = ScratchDir::new()?;
        let time = self.command.timeout.map(|limit| limit.saturating_sub(self.begin.elapsed()));
        let invocation = invocation(self.command, mode, &scratch, time)?;
        let mut recorder = Recorder::new(self.command, &scratch);
        let ended =
            run_watched(&invocation, stop, |event| recorder.record(event, &mut *on_event)).await;
        let ended = ended.map_err(|err| self.error(err))?;
        recorder.last_read?;
        if scratch.lacks_pytest() {
            return Err(PytestError::NoPytest { python: self.command.python.clone() });
        }

        let unseen = self.root.unseen(&recorder.tally);
        let is_loaded = recorder.tally.is_loaded();
        let exit = exit(&ended);
        let cut_short = self.cut_short(ended.ended_by);
        let mut result = recorder.tally.into_result(exit, cut_short, self.begin.elapsed());
        if matches!(self.command.output, OutputMode::Capture { limit } if limit > 0) {
            result.stdout = recorder.stdout.into_text();
            result.stderr = recorder.stderr.into_text();
        }
        if !is_loaded && matches!(result.state, RunState::NotStarted { .. }) {
            result.complete = false;
            if mode == LaunchMode::Junit {
                self.take_junit(&scratch, &mut result);
            }
            result.state = RunState::NotLoaded {
                message: format!("pytest ended with {exit} without loading our plugin"),
            };
        }
        if let RunState::NotStarted { message } = &mut result.state {
            *message = last_words(&result.stderr, exit);
        }
        if matches!(result.state, RunState::Finished | RunState::NoTests) {
            result.doubts.extend(unseen);
        }
        self.root.relativize(&mut result);
        Ok(result)
    }

    /// Takes the results from the JUnit XML, if pytest has written it.
    fn take_junit(&self, scratch: &ScratchDir, result: &mut PytestResult) {
        let Ok(file) = File::open(scratch.junit()) else { return };
        match parse_junit(BufReader::new(file)) {
            Ok(report) => {
                let junit = report.into_result(&self.command.files);
                result.counts = junit.counts;
                result.failures = junit.failures;
                result.doubts.extend(junit.doubts);
                result.complete = junit.complete;
                result.source = junit.source;
            }
            Err(err) => result.doubts.push(Doubt::UnreadableJunit { message: err.to_string() }),
        }
    }

    /// Returns the state of a run that we ended.
    fn cut_short(&self, ended_by: EndedBy) -> Option<RunState> {
        match ended_by {
            // Nothing is captured, so there is no limit to reach.
            EndedBy::Itself | EndedBy::OutputLimit(_) => None,
            EndedBy::TimeLimit => {
                Some(RunState::TimedOut { after: self.command.timeout.unwrap_or_default() })
            }
            EndedBy::Stop => {
                Some(RunState::Interrupted { reason: "stopped by the caller".to_owned() })
            }
        }
    }

    fn error(&self, err: ProcessError) -> PytestError {
        let python = self.command.python.clone();
        match err {
            ProcessError::Start { source, .. } => {
                PytestError::Start { python, root: self.command.root.clone(), source }
            }
            ProcessError::Wait { source, .. } => PytestError::Wait { python, source },
            ProcessError::TimedOut { .. }
            | ProcessError::Flooded { .. }
            | ProcessError::Stopped => unreachable!("a watched run reports these as its end"),
        }
    }
}

/// What is known about a running pytest.
struct Recorder {
    tail: Tail,
    tally: Tally,
    stdout: Excerpt,
    stderr: Excerpt,
    grace: Duration,
    /// Whether the event file could be read at the last look.
    last_read: Result<(), PytestError>,
}

impl Recorder {
    fn new(command: &PytestCommand, scratch: &ScratchDir) -> Self {
        let limit = match command.output {
            OutputMode::Capture { limit } => limit,
            OutputMode::Stream | OutputMode::StreamToStderr => 0,
        };
        Self {
            tail: Tail::new(scratch.events()),
            tally: Tally::new(scratch.token()),
            stdout: Excerpt::new(limit),
            stderr: Excerpt::new(limit),
            grace: command.grace,
            last_read: Ok(()),
        }
    }

    fn record(&mut self, event: ProcessEvent<'_>, on_event: &mut impl FnMut(&PytestEvent)) {
        match event {
            ProcessEvent::Tick => {
                let Self { tail, tally, .. } = self;
                self.last_read = tail.read(|line| tally.add_line(line, &mut *on_event));
            }
            ProcessEvent::Output(stream, bytes) => {
                match stream {
                    OutputStream::Stdout => self.stdout.push(bytes),
                    OutputStream::Stderr => self.stderr.push(bytes),
                }
                on_event(&PytestEvent::Output { stream, bytes: bytes.to_vec() });
            }
            ProcessEvent::Signal(signal) => {
                on_event(&PytestEvent::Stopping { signal, grace: self.grace });
            }
        }
    }
}

/// Returns how the process ended. One that not even SIGKILL could end counts as killed.
fn exit(ended: &Ended) -> PytestExit {
    match ended.status {
        Some(status) => PytestExit::from_status(status),
        None => PytestExit::Signal(9),
    }
}

/// Returns the end of what a pytest that refused to run wrote to its standard error.
fn last_words(stderr: &str, exit: PytestExit) -> String {
    const LIMIT: usize = 4 << 10;
    let said = stderr.trim();
    let start = (said.len().saturating_sub(LIMIT)..said.len())
        .find(|&at| said.is_char_boundary(at))
        .unwrap_or_default();
    if said.is_empty() {
        format!("pytest ended with {exit} without running tests")
    } else {
        said[start..].to_owned()
    }
}

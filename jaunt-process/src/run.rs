//! One child, from its start to its end.

use std::future::{Pending, pending};
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::pin::pin;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::time::{Instant, sleep_until};

use crate::error::ProcessError;
use crate::escalation::{EndedBy, Escalation};
use crate::group::ProcessGroup;
use crate::invocation::{Invocation, Leftovers, Redirect};
use crate::mark::Mark;
use crate::output::{OutputPipe, OutputStream};
use crate::signal::signal_name;
use crate::start::{Started, start};
use crate::stdin::Feed;
use crate::stop::{Stop, StopLevel, StopRequests};

/// How often a watched run ticks.
///
/// Nothing wakes us in between: pytest writes a character for each test, and to be woken for each of
/// them costs both sides more than some tests take.
const TICK: Duration = Duration::from_millis(50);

/// How soon the next tick comes after one that passed on [`BUSY`] bytes, so that the child does not
/// wait for room in a pipe.
const BUSY_TICK: Duration = Duration::from_millis(1);

/// See [`BUSY_TICK`].
const BUSY: usize = 1 << 15;

/// A child that ended by itself, or within its grace period.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its exit code or signal.
    pub status: ExitStatus,
    /// What was captured of its standard output.
    pub stdout: Vec<u8>,
    /// What was captured of its standard error.
    pub stderr: Vec<u8>,
}

/// A child that ended, whatever ended it.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its exit code or signal. `None` if not even SIGKILL ended it within five seconds.
    pub status: Option<ExitStatus>,
    /// Why it ended.
    pub ended_by: EndedBy,
    /// What was captured of its standard output.
    pub stdout: Vec<u8>,
    /// What was captured of its standard error.
    pub stderr: Vec<u8>,
}

/// What happens while a child runs.
#[derive(Clone, Copy, Debug)]
pub enum ProcessEvent<'a> {
    /// About 50 ms have passed, or the child has ended: time to look at what it does elsewhere.
    Tick,
    /// It wrote these bytes to a stream that is [`Redirect::Stream`].
    Output(OutputStream, &'a [u8]),
    /// This signal was sent to its process group.
    Signal(&'static str),
}

/// Runs a program to its end, and captures its output.
///
/// - The child gets `stdin` and then the end of file. If it does not read it, that is no error.
/// - The run ends with the process that we started, not with its output: its leftovers are treated as
///   [`Invocation::leftovers`] says, and what is in the pipes then is all there is. A process in the
///   background that holds a pipe open is not waited for.
/// - A child that is asked to stop, and still succeeds within its grace period, has finished.
///
/// # Errors
///
/// If the program cannot be started, or was ended by a limit or by `stop`.
pub async fn run(invocation: &Invocation, stop: &Stop) -> Result<Finished, ProcessError> {
    let mut stop = stop.clone();
    if *stop.borrow_and_update() > StopLevel::Run {
        return Err(ProcessError::Stopped);
    }
    let requests: StopRequests<'_, Pending<()>> = StopRequests::Levels(stop);
    let running = Running::start(invocation, false)?;
    running.end(requests, |_| ()).await?.into_finished(invocation)
}

/// Runs a program to its end, and calls `on_event` for what happens meanwhile.
///
/// When `stop` resolves, the child gets the first signal of its ladder. The run ends as described at
/// [`run`], and the child's end is a result, whatever ended it.
///
/// # Errors
///
/// [`ProcessError::Start`] and [`ProcessError::Wait`] only.
pub async fn run_watched(
    invocation: &Invocation,
    stop: impl Future<Output = ()>,
    on_event: impl FnMut(ProcessEvent<'_>),
) -> Result<Ended, ProcessError> {
    let stop = pin!(stop);
    Running::start(invocation, true)?.end(StopRequests::Once(stop), on_event).await
}

/// A child that has been started.
struct Running<'a> {
    invocation: &'a Invocation,
    // Before `child`, so that it is dropped before it: until the child has been waited for, nobody
    // else can get the id of its group.
    group: ProcessGroup,
    child: Child,
    stdin: Feed<'a, ChildStdin>,
    stdout: OutputPipe<ChildStdout>,
    stderr: OutputPipe<ChildStderr>,
    ticks: bool,
}

impl<'a> Running<'a> {
    fn start(invocation: &'a Invocation, is_watched: bool) -> Result<Self, ProcessError> {
        // Without an order to kill, there is no reason to change the child's environment.
        let mark = (invocation.leftovers == Leftovers::Kill).then(Mark::next);
        let Started { mut child, stdout, stderr } =
            start(invocation, mark.as_ref()).map_err(|source| ProcessError::Start {
                program: invocation.program.clone(),
                source,
            })?;
        let group = ProcessGroup::new(&child, mark);
        let stdin = Feed::new(child.stdin.take(), &invocation.stdin);
        let ticks = is_watched || stdout.is_polled() || stderr.is_polled();
        Ok(Self { invocation, group, child, stdin, stdout, stderr, ticks })
    }

    /// Waits for the end of the child, and clears up behind it.
    async fn end<F: Future<Output = ()>>(
        mut self,
        stop: StopRequests<'_, F>,
        mut on_event: impl FnMut(ProcessEvent<'_>),
    ) -> Result<Ended, ProcessError> {
        let mut escalation = Escalation::new(self.invocation.limits);
        let status = self.wait(stop, &mut escalation, &mut on_event).await;
        let status = status.transpose().map_err(|source| ProcessError::Wait {
            program: self.invocation.program.clone(),
            source,
        })?;
        let exited = escalation.ended_by == EndedBy::Itself
            && status.is_some_and(|status| status.signal().is_none());
        if exited && self.invocation.leftovers == Leftovers::Leave {
            self.group.abandon();
        } else {
            self.group.finish().await;
        }
        self.stdout.drain(|bytes| on_event(ProcessEvent::Output(OutputStream::Stdout, bytes)));
        self.stderr.drain(|bytes| on_event(ProcessEvent::Output(OutputStream::Stderr, bytes)));
        if let (EndedBy::Itself, Some(stream)) = (escalation.ended_by, self.flooded()) {
            escalation.ended_by = EndedBy::OutputLimit(stream);
        }
        if self.ticks {
            on_event(ProcessEvent::Tick);
        }
        Ok(Ended {
            status,
            ended_by: escalation.ended_by,
            stdout: self.stdout.into_bytes(),
            stderr: self.stderr.into_bytes(),
        })
    }

    /// Waits for the child, and ends it when a limit or the caller says so. Returns `None` if it
    /// cannot be ended.
    async fn wait<F: Future<Output = ()>>(
        &mut self,
        mut stop: StopRequests<'_, F>,
        escalation: &mut Escalation,
        mut on_event: impl FnMut(ProcessEvent<'_>),
    ) -> Option<io::Result<ExitStatus>> {
        let mut next_tick = Instant::now() + TICK;
        loop {
            // In this order, so that a child that writes without end does not hold up its limits.
            let signal = tokio::select! {
                biased;
                status = self.child.wait() => return Some(status),
                level = stop.next() => match level {
                    StopLevel::Run => None,
                    StopLevel::Terminate => escalation.begin(EndedBy::Stop),
                    StopLevel::Kill => escalation.kill(EndedBy::Stop),
                },
                () = until(escalation.due) => {
                    if escalation.is_exhausted() {
                        return None;
                    }
                    escalation.climb(EndedBy::TimeLimit)
                }
                () = sleep_until(next_tick), if self.ticks => {
                    let n_read = self.poll_output(&mut on_event);
                    on_event(ProcessEvent::Tick);
                    next_tick = Instant::now() + if n_read < BUSY { TICK } else { BUSY_TICK };
                    None
                }
                () = self.stdin.write(), if self.stdin.is_open() => None,
                () = self.stderr.read(), if self.stderr.is_open() => None,
                () = self.stdout.read(), if self.stdout.is_open() => None,
            };
            let signal = match self.flooded() {
                Some(stream) => escalation.kill(EndedBy::OutputLimit(stream)).or(signal),
                None => signal,
            };
            if let Some(signal) = signal {
                self.group.signal(signal);
                on_event(ProcessEvent::Signal(signal_name(signal.as_raw()).unwrap_or("a signal")));
            }
        }
    }

    /// Passes on what is there of streams that are polled, and returns how many bytes it was.
    fn poll_output(&mut self, on_event: &mut impl FnMut(ProcessEvent<'_>)) -> usize {
        let n_stdout =
            self.stdout.poll(|bytes| on_event(ProcessEvent::Output(OutputStream::Stdout, bytes)));
        let n_stderr =
            self.stderr.poll(|bytes| on_event(ProcessEvent::Output(OutputStream::Stderr, bytes)));
        n_stdout + n_stderr
    }

    /// Returns the stream that got more than its limit.
    fn flooded(&self) -> Option<OutputStream> {
        if self.stdout.is_over() {
            Some(OutputStream::Stdout)
        } else {
            self.stderr.is_over().then_some(OutputStream::Stderr)
        }
    }
}

impl Ended {
    /// Returns what ran to its end, and the reason if a limit or the caller ended it.
    fn into_finished(self, invocation: &Invocation) -> Result<Finished, ProcessError> {
        let Self { status, ended_by, stdout, stderr } = self;
        let program = || invocation.program.clone();
        match (ended_by, status) {
            (EndedBy::Itself, Some(status)) => Ok(Finished { status, stdout, stderr }),
            (EndedBy::Stop, Some(status)) if status.success() => {
                Ok(Finished { status, stdout, stderr })
            }
            (EndedBy::Stop, _) => Err(ProcessError::Stopped),
            (EndedBy::TimeLimit, _) => {
                let limit = invocation.limits.time.unwrap_or_default();
                Err(ProcessError::TimedOut { program: program(), limit, stderr })
            }
            (EndedBy::OutputLimit(stream), _) => {
                let redirect = match stream {
                    OutputStream::Stdout => invocation.stdout,
                    OutputStream::Stderr => invocation.stderr,
                };
                let Redirect::CaptureAll { limit } = redirect else {
                    unreachable!("only a stream that is captured whole has a limit")
                };
                Err(ProcessError::Flooded { program: program(), stream, limit, stderr })
            }
            (EndedBy::Itself, None) => unreachable!("only a child that we ended is given up"),
        }
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => pending().await,
    }
}

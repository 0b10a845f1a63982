//! One process and its children, from start to end.
#![expect(clippy::disallowed_methods, reason = "the edge where pytest is started")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use crate::channel::Ending;
use crate::command::OutputMode;
use crate::event::OutputStream;
use crate::exit::PytestExit;

/// How often there is a look at what came in.
const TICK: Duration = Duration::from_millis(50);

/// How long the rest of the output may take after the process has ended. It is in the pipe
/// already, unless a process that was left behind goes on writing.
const DRAIN: Duration = Duration::from_millis(500);

/// How to start it.
pub(crate) struct Launch<'a> {
    pub(crate) program: &'a OsStr,
    pub(crate) args: &'a [OsString],
    pub(crate) root: &'a Path,
    pub(crate) env: &'a BTreeMap<OsString, OsString>,
    pub(crate) output: OutputMode,
}

/// When to end it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The end of the time limit, and the limit itself.
    pub(crate) deadline: Option<(Instant, Duration)>,
    /// How long each signal may take.
    pub(crate) grace: Duration,
}

/// What happens while it runs.
pub(crate) enum Happening<'a> {
    /// Nothing in particular; time to look at the event file.
    Tick,
    /// It wrote something, which was captured.
    Output(OutputStream, &'a [u8]),
    /// A signal was sent.
    Signal(&'static str),
}

/// Starts the process in a process group of its own.
pub(crate) fn spawn(launch: &Launch<'_>) -> io::Result<Process> {
    let mut command = Command::new(launch.program);
    command
        .args(launch.args)
        .current_dir(launch.root)
        .envs(launch.env)
        .stdin(Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    match launch.output {
        OutputMode::Stream => {}
        OutputMode::StreamToStderr => {
            command.stdout(io::stderr());
        }
        OutputMode::Capture { .. } => {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
        }
    }
    let child = command.spawn()?;
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    Ok(Process { child, group: Group { leader: group } })
}

/// A running process. Dropped before its end, it takes its whole group along.
pub(crate) struct Process {
    child: Child,
    group: Group,
}

impl Process {
    /// Waits for the process: not for what it may have left behind, and not for the end of its
    /// output.
    pub(crate) async fn wait(
        mut self,
        limits: Limits,
        mut stop: Pin<&mut impl Future<Output = ()>>,
        mut on: impl FnMut(Happening<'_>),
    ) -> io::Result<(PytestExit, Ending)> {
        let mut stdout = Pipe::new(OutputStream::Stdout, self.child.stdout.take());
        let mut stderr = Pipe::new(OutputStream::Stderr, self.child.stderr.take());
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ending = Ending::Itself;
        let mut next_signal = limits.deadline.map(|(deadline, _)| deadline);
        let mut signals = [Signal::INT, Signal::TERM, Signal::KILL].into_iter();

        let status = loop {
            let escalate = tokio::select! {
                biased;
                status = self.child.wait() => break status?,
                () = stop.as_mut(), if ending == Ending::Itself => {
                    ending = Ending::Stopped;
                    true
                }
                () = until(next_signal) => {
                    if ending == Ending::Itself {
                        let (_, limit) = limits.deadline.expect("only a limit sets the first one");
                        ending = Ending::TimedOut(limit);
                    }
                    true
                }
                n_read = stdout.read() => { stdout.pass_on(n_read, &mut on); false }
                n_read = stderr.read() => { stderr.pass_on(n_read, &mut on); false }
                _ = ticks.tick() => { on(Happening::Tick); false }
            };
            if escalate {
                next_signal = signals.next().map(|signal| {
                    self.group.signal(signal);
                    on(Happening::Signal(name(signal)));
                    Instant::now() + limits.grace
                });
            }
        };
        if ending == Ending::Itself && status.signal().is_none() {
            // What a test leaves behind on purpose outlives pytest, as it does without us.
            self.group.leader = None;
        } else {
            self.group.signal(Signal::KILL);
        }
        let end = Instant::now() + DRAIN;
        stdout.drain(end, &mut on).await;
        stderr.drain(end, &mut on).await;
        self.group.leader = None;
        on(Happening::Tick);
        Ok((exit(status), ending))
    }
}

/// The process group, by its leader's id.
struct Group {
    leader: Option<Pid>,
}

impl Group {
    fn signal(&self, signal: Signal) {
        if let Some(leader) = self.leader {
            // It may have ended just now, which is what the signal is for.
            kill_process_group(leader, signal).ok();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// The read end of one of the streams; none if it is not captured, or has ended.
struct Pipe<R> {
    stream: OutputStream,
    reader: Option<R>,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Pipe<R> {
    fn new(stream: OutputStream, reader: Option<R>) -> Self {
        Self { stream, reader, buffer: vec![0; 1 << 16] }
    }

    /// Reads something, or waits for ever if there will not be anything.
    async fn read(&mut self) -> usize {
        match &mut self.reader {
            Some(reader) => reader.read(&mut self.buffer).await.unwrap_or(0),
            None => std::future::pending().await,
        }
    }

    fn pass_on(&mut self, n_read: usize, on: &mut impl FnMut(Happening<'_>)) {
        if n_read == 0 {
            self.reader = None;
        } else {
            on(Happening::Output(self.stream, &self.buffer[..n_read]));
        }
    }

    /// Reads what is there, but waits for nothing that is yet to come.
    async fn drain(&mut self, end: Instant, on: &mut impl FnMut(Happening<'_>)) {
        while self.reader.is_some() && Instant::now() < end {
            match timeout(TICK, self.read()).await {
                Ok(n_read) => self.pass_on(n_read, on),
                Err(_) => return,
            }
        }
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

fn exit(status: ExitStatus) -> PytestExit {
    match (status.code(), status.signal()) {
        (Some(code), _) => PytestExit::from_code(code),
        (None, Some(signal)) => PytestExit::Signal(signal),
        (None, None) => unreachable!("a process that has ended has a code or a signal"),
    }
}

fn name(signal: Signal) -> &'static str {
    match signal {
        Signal::INT => "SIGINT",
        Signal::TERM => "SIGTERM",
        _ => "SIGKILL",
    }
}

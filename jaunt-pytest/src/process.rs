//! One process and its children, from start to end.
#![expect(clippy::disallowed_methods, reason = "the edge where pytest is started")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep_until};

use crate::channel::Ending;
use crate::command::OutputMode;
use crate::event::OutputStream;
use crate::exit::PytestExit;

/// How often there is a look at what came in.
///
/// Nothing wakes us in between: pytest writes a character for each test, and to be woken for each of
/// them costs both sides more than some tests take.
const TICK: Duration = Duration::from_millis(50);

/// How soon there is another look after one that found [`MUCH`], so that nobody waits for room in a
/// pipe.
const BUSY_TICK: Duration = Duration::from_millis(1);
const MUCH: usize = 1 << 15;

/// How much is taken from a pipe in one look; signals and limits are seen to in between.
const AT_ONCE: usize = 1 << 20;

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
    let mut pipes = Vec::new();
    match launch.output {
        OutputMode::Stream => {}
        OutputMode::StreamToStderr => {
            command.stdout(io::stderr());
        }
        OutputMode::Capture { .. } => {
            let (stdout, writer) = Pipe::new(OutputStream::Stdout)?;
            command.stdout(writer);
            let (stderr, writer) = Pipe::new(OutputStream::Stderr)?;
            command.stderr(writer);
            pipes.extend([stdout, stderr]);
        }
    }
    let child = command.spawn()?;
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    Ok(Process { child, pipes, group: Group { leader: group } })
}

/// A running process. Dropped before its end, it takes its whole group along.
pub(crate) struct Process {
    child: Child,
    /// What is captured.
    pipes: Vec<Pipe>,
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
        let mut next_look = Instant::now() + TICK;
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
                () = sleep_until(next_look) => {
                    let n_read: usize =
                        self.pipes.iter_mut().map(|pipe| pipe.read(&mut on)).sum();
                    on(Happening::Tick);
                    let pause = if n_read < MUCH { TICK } else { BUSY_TICK };
                    next_look = Instant::now() + pause;
                    false
                }
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
        for pipe in &mut self.pipes {
            while pipe.read(&mut on) > 0 && Instant::now() < end {}
        }
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

/// The read end of one of the streams.
struct Pipe {
    stream: OutputStream,
    /// Nothing once the stream has ended.
    reader: Option<PipeReader>,
    buffer: Vec<u8>,
}

impl Pipe {
    /// A pipe, and the end to write to.
    fn new(stream: OutputStream) -> io::Result<(Self, PipeWriter)> {
        let (reader, writer) = io::pipe()?;
        fcntl_setfl(&reader, OFlags::NONBLOCK)?;
        Ok((Self { stream, reader: Some(reader), buffer: vec![0; 1 << 16] }, writer))
    }

    /// Passes on what is there, waits for nothing, and returns how many bytes it was.
    fn read(&mut self, on: &mut impl FnMut(Happening<'_>)) -> usize {
        let mut n_bytes = 0;
        while n_bytes < AT_ONCE
            && let Some(reader) = &mut self.reader
        {
            match reader.read(&mut self.buffer) {
                Ok(0) => self.reader = None,
                Ok(n_read) => {
                    n_bytes += n_read;
                    on(Happening::Output(self.stream, &self.buffer[..n_read]));
                }
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => self.reader = None,
            }
        }
        n_bytes
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

//! One child process, with everything it may do to us bounded.
//!
//! A child runs in a process group of its own, so that Ctrl-C at the terminal reaches us and not
//! it, and so that all it starts can be ended with it. Whatever way [`run`] ends, also when its
//! future is dropped, nothing of that group runs on. What the output means is the caller's
//! business.
#![expect(clippy::disallowed_methods, reason = "the edge where processes are started")]

#[cfg(target_os = "linux")]
mod descendants;
mod group;
mod pipe;

use std::collections::BTreeMap;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::group::Group;
use crate::pipe::{Capture, Feed, Keep};

/// How a run is asked to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopLevel {
    /// Not at all.
    #[default]
    Run,
    /// No new work. Children get SIGTERM, and SIGKILL after their grace period.
    Terminate,
    /// Children get SIGKILL.
    Kill,
}

/// Where a run hears that it is to end. If the sender is gone, it never will.
pub type Stop = watch::Receiver<StopLevel>;

/// A program with its surroundings and its limits.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// A name to look for in `PATH`, or a path, which is relative to `cwd`.
    pub program: String,
    pub args: Vec<String>,
    pub cwd: Utf8PathBuf,
    /// What is added to our own environment.
    pub env: BTreeMap<String, String>,
    pub stdin: Vec<u8>,
    pub limits: Limits,
}

/// What is endured of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// When this is over, the child is ended.
    pub time: Duration,
    /// The time between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// Bytes of standard output; with one more, the child is killed.
    pub stdout: usize,
    /// Bytes of standard error that are kept, counted from its end.
    pub stderr: usize,
}

/// A child that ended by itself.
#[derive(Clone, Debug)]
pub struct Finished {
    pub status: ExitStatus,
    /// All of it.
    pub stdout: Vec<u8>,
    /// The end of it.
    pub stderr: Vec<u8>,
}

/// Why there is no [`Finished`].
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The program cannot be run.
    #[error("cannot start `{program}`")]
    Start { program: String, source: io::Error },
    /// The operating system lost the child.
    #[error("cannot wait for `{program}`")]
    Wait { program: String, source: io::Error },
    /// The time limit ended it.
    #[error("`{program}` did not finish within {} s", .limit.as_secs_f64())]
    TimedOut { program: String, limit: Duration, stderr: Vec<u8> },
    /// The limit for standard output ended it.
    #[error("`{program}` wrote more than {limit} bytes to its standard output")]
    Flooded { program: String, limit: usize, stderr: Vec<u8> },
    /// We were told to stop.
    #[error("stopped")]
    Stopped,
}

/// Why we end a child before it ends by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    TimedOut,
    Flooded,
    Stopped,
}

/// How far we are in ending it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Running,
    Terminated,
    Killed,
}

/// How long a killed child may take to disappear: it cannot while it waits for a dead disk.
const DEATH: Duration = Duration::from_secs(5);

/// Runs a program to its end.
///
/// - The child gets `stdin` and then the end of file. That it does not read it is no error.
/// - Its end is that of the process we started, not of its output: what that process leaves
///   running is killed, and what is in the pipes then is all there is. Nobody waits for an end of
///   file that a process in the background holds back.
/// - A child that is told to stop, and still succeeds within its grace period, has finished.
///
/// # Errors
///
/// When the program cannot be started, or was ended by a limit or by `stop`.
pub async fn run(invocation: &Invocation, stop: &Stop) -> Result<Finished, ProcessError> {
    let program = || invocation.program.clone();
    let limits = invocation.limits;
    let mut stop = stop.clone();
    if *stop.borrow_and_update() > StopLevel::Run {
        return Err(ProcessError::Stopped);
    }

    let mark = group::mark();
    let mut child = start(invocation, &mark)
        .map_err(|source| ProcessError::Start { program: program(), source })?;
    let mut stdin = Feed::new(child.stdin.take(), &invocation.stdin);
    let mut stdout = Capture::new(child.stdout.take(), Keep::Whole, limits.stdout);
    let mut stderr = Capture::new(child.stderr.take(), Keep::End, limits.stderr);
    // Declared after `child`, so that it is dropped before it: until the child has been waited
    // for, nobody else can get the number of its group.
    let mut group = Group::new(&child, mark);

    let mut phase = Phase::Running;
    let mut ending = None;
    let mut can_stop = true;
    let timer = tokio::time::sleep(limits.time);
    tokio::pin!(timer);
    let status = loop {
        let mut next = phase;
        tokio::select! {
            status = child.wait() => break Some(status),
            () = stdin.write(), if stdin.is_open() => {}
            () = stderr.read(), if stderr.is_open() => {}
            () = stdout.read(), if stdout.is_open() => {
                if stdout.is_over() {
                    ending.get_or_insert(Ending::Flooded);
                    next = Phase::Killed;
                }
            }
            changed = stop.changed(), if can_stop => {
                can_stop = changed.is_ok();
                let level = *stop.borrow_and_update();
                if level > StopLevel::Run {
                    ending.get_or_insert(Ending::Stopped);
                    let kill = level == StopLevel::Kill;
                    next = phase.max(if kill { Phase::Killed } else { Phase::Terminated });
                }
            }
            () = &mut timer => match phase {
                Phase::Running => {
                    ending.get_or_insert(Ending::TimedOut);
                    next = Phase::Terminated;
                }
                Phase::Terminated => next = Phase::Killed,
                Phase::Killed => break None,
            },
        }
        if next > phase {
            phase = next;
            let patience = if phase == Phase::Killed {
                group.kill();
                DEATH
            } else {
                group.terminate();
                limits.grace
            };
            timer.as_mut().reset(Instant::now() + patience);
        }
    };

    group.finish().await;
    if status.is_some() {
        stdout.drain();
        stderr.drain();
    }
    if stdout.is_over() {
        ending.get_or_insert(Ending::Flooded);
    }
    let stderr = stderr.into_bytes();
    match (ending, status) {
        (Some(Ending::Stopped), Some(Ok(status))) if status.success() => {
            Ok(Finished { status, stdout: stdout.into_bytes(), stderr })
        }
        (Some(Ending::Stopped), _) => Err(ProcessError::Stopped),
        (Some(Ending::TimedOut), _) => {
            Err(ProcessError::TimedOut { program: program(), limit: limits.time, stderr })
        }
        (Some(Ending::Flooded), _) => {
            Err(ProcessError::Flooded { program: program(), limit: limits.stdout, stderr })
        }
        (None, Some(Ok(status))) => Ok(Finished { status, stdout: stdout.into_bytes(), stderr }),
        (None, Some(Err(source))) => Err(ProcessError::Wait { program: program(), source }),
        (None, None) => unreachable!("only a child that we ended is given up"),
    }
}

/// Makes this process the parent of every process that loses its own below it, so that those can
/// be found and ended. For the start of the program; only Linux can.
pub fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    descendants::adopt_orphans();
}

/// Kills every process below this one. For the end of the program; only Linux can.
pub fn kill_descendants() {
    #[cfg(target_os = "linux")]
    descendants::kill_all();
}

fn start(invocation: &Invocation, mark: &str) -> io::Result<Child> {
    Command::new(&invocation.program)
        .args(&invocation.args)
        .current_dir(&invocation.cwd)
        .envs(&invocation.env)
        .env(group::MARK, mark)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|err| explain(err, &invocation.program, &invocation.cwd))
}

/// Says what an error of `exec` means, where its own words mislead: "no such file" is also what
/// it says of a script whose interpreter is missing.
fn explain(err: io::Error, program: &str, cwd: &Utf8Path) -> io::Error {
    let is_there = program.contains('/') && cwd.join(program).is_file();
    let meaning = match err.kind() {
        io::ErrorKind::NotFound if !cwd.is_dir() => format!("there is no directory `{cwd}`"),
        io::ErrorKind::NotFound if is_there => {
            "the interpreter that its first line names does not exist".to_owned()
        }
        io::ErrorKind::PermissionDenied if is_there => "it is not executable".to_owned(),
        _ if err.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => {
            "it is no program, and has no `#!` line".to_owned()
        }
        _ => return err,
    };
    io::Error::new(err.kind(), meaning)
}

#[cfg(test)]
mod tests;

//! The start of a child.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::Stdio;

use camino::Utf8Path;
use rustix::fs::Access;
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use crate::chunks::Chunks;
use crate::invocation::{Invocation, Redirect};
use crate::mark::{self, Mark};
use crate::output::OutputPipe;

/// Returns whether `program` is an executable file where a child with this `cwd` and this `PATH`
/// would find it.
///
/// A program with a slash is a path, relative to `cwd`. By hand, since `which` expands `~` in
/// `search_path`, which no `exec` does, and resolves its relative entries against our own directory.
pub fn is_program(program: &str, cwd: &Utf8Path, search_path: &OsStr) -> bool {
    let is_executable =
        |path: &Path| path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok();
    if program.contains('/') {
        return is_executable(cwd.join(program).as_std_path());
    }
    env::split_paths(search_path)
        .any(|dir| is_executable(&cwd.as_std_path().join(dir).join(program)))
}

/// A child with the read ends of what it writes, if they are ours to read.
pub(crate) struct Started {
    pub(crate) child: Child,
    pub(crate) stdout: OutputPipe<ChildStdout>,
    pub(crate) stderr: OutputPipe<ChildStderr>,
}

/// Starts a child as the leader of a process group of its own.
pub(crate) fn start(invocation: &Invocation, mark: Option<&Mark>) -> io::Result<Started> {
    let mut command = Command::new(&invocation.program);
    command
        .args(&invocation.args)
        .current_dir(&invocation.cwd)
        .envs(&invocation.env)
        .stdin(if invocation.stdin.is_empty() { Stdio::null() } else { Stdio::piped() })
        .process_group(0)
        .kill_on_drop(true);
    if let Some(Mark(mark)) = mark {
        command.env(mark::VARIABLE, mark);
    }
    let (to, stdout_chunks) = stdio(invocation.stdout)?;
    command.stdout(to);
    let (to, stderr_chunks) = stdio(invocation.stderr)?;
    command.stderr(to);
    let mut child =
        command.spawn().map_err(|err| explain(err, &invocation.program, &invocation.cwd))?;
    let stdout = OutputPipe::new(invocation.stdout, child.stdout.take(), stdout_chunks);
    let stderr = OutputPipe::new(invocation.stderr, child.stderr.take(), stderr_chunks);
    Ok(Started { child, stdout, stderr })
}

/// Returns what a child gets for one of its streams, and the pipe that we poll for it.
fn stdio(redirect: Redirect) -> io::Result<(Stdio, Option<Chunks>)> {
    Ok(match redirect {
        Redirect::Inherit => (Stdio::inherit(), None),
        Redirect::ToStderr => (io::stderr().into(), None),
        Redirect::CaptureAll { .. } | Redirect::CaptureEnd { .. } => (Stdio::piped(), None),
        Redirect::Stream => {
            let (chunks, writer) = Chunks::new()?;
            (writer.into(), Some(chunks))
        }
    })
}

/// Says what an error of `exec` means if its own words mislead: "no such file" is also what it says
/// of a script whose interpreter is missing.
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

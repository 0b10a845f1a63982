//! Failing system calls, injected with `strace`.

use std::collections::BTreeMap;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{fmt, fs, thread};

use anyhow::{Context as _, ensure};

use crate::faults::lab::{GO, PAUSE, Project, WAITING};

pub(crate) const SKIPPED: &str = "skipped: there is no `strace`, or it is not allowed to trace \
     (`apt-get install strace`)";

/// The arguments of a write to an event handle, by which one thread wakes another. It cannot fail.
const WAKEUP: &str = r#", "\1\0\0\0\0\0\0\0", 8)"#;

/// A process that takes longer hangs.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Checks whether `strace` is installed and allowed to trace.
pub(crate) fn is_available() -> bool {
    let traced = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    traced.is_ok_and(|output| output.status.success())
}

/// A paused build: the backend waits before it answers for one module.
///
/// With one job, one thread does the file operations of all modules; it is the one that is traced.
pub(crate) struct Paused<'a> {
    project: &'a Project,
    child: Child,
    thread: u32,
}

/// The exit status of a process, and what it printed.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}{}", self.status, self.stdout, self.stderr)
    }
}

impl<'a> Paused<'a> {
    /// Starts a build that has to generate the module of this number.
    pub(crate) fn start(project: &'a Project, idx: usize, args: &[&str]) -> anyhow::Result<Self> {
        let root = project.root();
        fs::write(root.join(PAUSE), format!("app.m{idx}"))?;
        for file in [WAITING, GO] {
            fs::remove_file(root.join(file)).ok();
        }
        let args = [&["build", "--json", "--no-wait"], args].concat();
        let mut child = project.jaunt(&args).spawn()?;
        wait_until("the backend is called", || {
            Ok(root.join(WAITING).exists() || child.try_wait()?.is_some())
        })?;
        ensure!(child.try_wait()?.is_none(), "the build ended before it called the backend");
        let mut thread = None;
        wait_until("a thread waits for file operations", || {
            thread = idle_thread(child.id())?;
            Ok(thread.is_some())
        })?;
        let thread = thread.context("no thread was found")?;
        Ok(Self { project, child, thread })
    }

    /// Resumes the build under these expressions of `strace`, and waits for its end.
    pub(crate) fn resume(self, expressions: &[String]) -> anyhow::Result<Ended> {
        let log = self.project.root().join("strace.log");
        let thread = self.thread.to_string();
        let mut strace = Command::new("strace");
        strace.arg("-o").arg(log).args(["-qq", "-p", &thread]);
        for expression in expressions {
            strace.args(["-e", expression]);
        }
        let mut strace = strace.stdin(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let status = format!("/proc/{}/task/{thread}/status", self.child.id());
        wait_until("strace is attached", || {
            // The call that the thread waits in may be the one that kills it.
            let has_ended = strace.try_wait()?.is_some();
            let status = fs::read_to_string(&status).unwrap_or_default();
            Ok(has_ended || !status.lines().any(|line| line == "TracerPid:\t0"))
        })?;
        fs::write(self.project.root().join(GO), "")?;
        let ended = wait_for_end(self.project, self.child);
        strace.wait()?;
        fs::remove_file(self.project.root().join(PAUSE))?;
        ended
    }
}

/// Finds the idle thread for file operations.
///
/// Such a thread ends if it is idle for long, so it is the one that waits with a time limit.
fn idle_thread(process: u32) -> anyhow::Result<Option<u32>> {
    let futex = if cfg!(target_arch = "x86_64") { "202" } else { "98" };
    for entry in fs::read_dir(format!("/proc/{process}/task"))? {
        let entry = entry?;
        let call = fs::read_to_string(entry.path().join("syscall"))?;
        let words: Vec<&str> = call.split(' ').collect();
        if words[0] == futex && words.get(4).is_some_and(|limit| *limit != "0x0") {
            return Ok(Some(entry.file_name().to_string_lossy().parse()?));
        }
    }
    Ok(None)
}

impl From<std::process::Output> for Ended {
    fn from(output: std::process::Output) -> Self {
        Self {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Builds, and returns the system calls of the thread that writes the first module, in order, each with
/// its number among those of its name.
pub(crate) fn calls_of_writer(project: &Project) -> anyhow::Result<Vec<(String, usize)>> {
    Paused::start(project, 0, &["--jobs", "1"])?.resume(&["trace=all".to_owned()])?;
    let text = fs::read_to_string(project.root().join("strace.log"))?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let Some((name, _)) = line.split_once('(') else { continue };
        if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            let count = counts.entry(name).or_default();
            *count += 1;
            if !line.contains(WAKEUP) {
                calls.push((name.to_owned(), *count));
            }
        }
    }
    ensure!(
        calls.iter().any(|(name, _)| name == "fsync"),
        "the traced thread wrote nothing: {calls:?}"
    );
    Ok(calls)
}

/// Waits for the end of a process that prints little, and kills it if it hangs.
pub(crate) fn wait_for_end(project: &Project, mut child: Child) -> anyhow::Result<Ended> {
    let deadline = Instant::now() + TIMEOUT;
    while child.try_wait()?.is_none() && Instant::now() < deadline {
        // A thread that is never woken hangs.
        if injected(project)?.iter().any(|line| is_wakeup(line)) {
            break;
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().ok();
    Ok(child.wait_with_output()?.into())
}

/// Checks whether faults were injected, and only into calls that can fail.
pub(crate) fn has_injected(project: &Project) -> anyhow::Result<bool> {
    let injected = injected(project)?;
    Ok(!injected.is_empty() && !injected.iter().any(|line| is_wakeup(line)))
}

fn is_wakeup(line: &str) -> bool {
    // The log does not show the arguments of a call that another thread has interrupted.
    line.contains(WAKEUP) || line.contains("<... write resumed>")
}

/// Returns the lines of calls that were made to fail: with several threads, one for each.
fn injected(project: &Project) -> anyhow::Result<Vec<String>> {
    let log = project.root().join("strace.log");
    let text = if log.exists() { fs::read_to_string(log)? } else { String::new() };
    Ok(text.lines().filter(|line| line.contains("(INJECTED)")).map(str::to_owned).collect())
}

/// Polls until a condition holds; fails after a time limit.
pub(crate) fn wait_until(
    what: &str,
    mut holds: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + TIMEOUT;
    while !holds()? {
        ensure!(Instant::now() < deadline, "waited {} s until {what}", TIMEOUT.as_secs());
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

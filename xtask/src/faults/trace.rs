//! Faults of the operating system, made by `strace`.

use std::collections::BTreeMap;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{fmt, fs, thread};

use anyhow::{Context as _, ensure};

use crate::faults::lab::{GO, PAUSE, Project, WAITING};

pub(crate) const SKIPPED: &str = "skipped, because there is no `strace` that may trace \
     (`apt-get install strace`)";

/// One thread wakes another by writing this to an event handle, which cannot fail.
const WAKING: &str = r#", "\1\0\0\0\0\0\0\0", 8)"#;

/// Nothing here takes longer unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether `strace` is installed and allowed to work.
pub(crate) fn is_available() -> bool {
    let traced = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    traced.is_ok_and(|output| output.status.success())
}

/// A build that stands still, because the backend waits before it answers for one module.
///
/// With one job, one thread waits for the disk on behalf of all modules; that is the one to watch.
pub(crate) struct Paused<'a> {
    project: &'a Project,
    child: Child,
    thread: u32,
}

/// A process that has ended, and what it printed.
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
        wait_until("a thread waits for work on the disk", || {
            thread = idle_thread(child.id())?;
            Ok(thread.is_some())
        })?;
        let thread = thread.context("it was found")?;
        Ok(Self { project, child, thread })
    }

    /// Lets the build go on under these expressions of `strace`, to its end.
    pub(crate) fn go_on(self, expressions: &[String]) -> anyhow::Result<Ended> {
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
            // The first call may be the one that waits now, and be the last.
            let has_ended = strace.try_wait()?.is_some();
            let status = fs::read_to_string(&status).unwrap_or_default();
            Ok(has_ended || !status.lines().any(|line| line == "TracerPid:\t0"))
        })?;
        fs::write(self.project.root().join(GO), "")?;
        let ended = end(self.project, self.child);
        strace.wait()?;
        fs::remove_file(self.project.root().join(PAUSE))?;
        ended
    }
}

/// The thread that has waited for the disk, and would do so again.
///
/// It ends when it has nothing to do for long, so it is the one that waits with a time limit.
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

/// The system calls that were traced, in order: each with its number among those of its name.
pub(crate) fn points(project: &Project) -> anyhow::Result<Vec<(String, usize)>> {
    let text = fs::read_to_string(project.root().join("strace.log"))?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut points = Vec::new();
    for line in text.lines() {
        let Some((name, _)) = line.split_once('(') else { continue };
        if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            let count = counts.entry(name).or_default();
            *count += 1;
            if !line.contains(WAKING) {
                points.push((name.to_owned(), *count));
            }
        }
    }
    ensure!(
        points.iter().any(|(name, _)| name == "fsync"),
        "the thread that was watched wrote nothing: {points:?}"
    );
    Ok(points)
}

/// Waits for the end of a process that prints little; one that hangs is killed.
pub(crate) fn end(project: &Project, mut child: Child) -> anyhow::Result<Ended> {
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait()?.is_none() && Instant::now() < deadline {
        let is_asleep = struck(project)?.iter().any(|line| is_waking(line));
        if is_asleep {
            break;
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().ok();
    Ok(child.wait_with_output()?.into())
}

/// Whether faults were made, and all of them are some that a machine can have.
pub(crate) fn has_struck(project: &Project) -> anyhow::Result<bool> {
    let struck = struck(project)?;
    Ok(!struck.is_empty() && !struck.iter().any(|line| is_waking(line)))
}

fn is_waking(line: &str) -> bool {
    // Of a call that another thread has interrupted in the log, the arguments are not shown.
    line.contains(WAKING) || line.contains("<... write resumed>")
}

/// The calls that were made to fail: with several threads, one of each.
fn struck(project: &Project) -> anyhow::Result<Vec<String>> {
    let log = project.root().join("strace.log");
    let text = if log.exists() { fs::read_to_string(log)? } else { String::new() };
    Ok(text.lines().filter(|line| line.contains("(INJECTED)")).map(str::to_owned).collect())
}

/// Looks again and again, for a while.
pub(crate) fn wait_until(
    what: &str,
    mut is_so: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !is_so()? {
        ensure!(Instant::now() < deadline, "waited {} s until {what}", PATIENCE.as_secs());
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

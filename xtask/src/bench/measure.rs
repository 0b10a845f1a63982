//! Times of processes: measured alternately, and the median of several.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, ensure};

/// How often each side is measured.
pub(super) const ROUNDS: usize = 7;

/// Medians of our program, of another build of it, and of a peer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    pub(super) ours: f64,
    pub(super) versus: Option<f64>,
    pub(super) theirs: f64,
}

/// Returns the medians of both sides, measured in turn: so other load on the machine affects both.
pub(super) fn alternate(
    rounds: usize,
    mut ours: impl FnMut() -> anyhow::Result<f64>,
    mut theirs: impl FnMut() -> anyhow::Result<f64>,
) -> anyhow::Result<(f64, f64)> {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        left.push(ours()?);
        right.push(theirs()?);
    }
    Ok((median(left), median(right)))
}

pub(super) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// Returns the milliseconds that a command takes. It must succeed.
pub(super) fn time(command: &mut Command) -> anyhow::Result<f64> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    let took = started.elapsed().as_secs_f64() * 1e3;
    ensure!(status.success(), "{command:?} failed: {status}");
    Ok(took)
}

/// Does the same for a command whose output is read.
pub(super) fn time_read(command: &mut Command) -> anyhow::Result<f64> {
    command.stdin(Stdio::null());
    let started = Instant::now();
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    let took = started.elapsed().as_secs_f64() * 1e3;
    ensure!(output.status.success(), "{command:?} failed: {}", output.status);
    Ok(took)
}

/// Returns the peak memory of a command in MB; `None` without GNU time.
pub(super) fn memory(command: &[&str], dir: &Path) -> Option<f64> {
    let mut time = Command::new("/usr/bin/time");
    time.args(["-f", "%M"]).args(command).current_dir(dir);
    let output = time.stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stderr).ok()?;
    Some(text.lines().last()?.trim().parse::<f64>().ok()? / 1024.0)
}

/// Checks whether a program is installed.
pub(super) fn is_installed(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

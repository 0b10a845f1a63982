//! Kills builds at bad moments.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::faults::lab::{Files, Lab, Project, layers};
use crate::faults::size::Size;
use crate::faults::trace::{self, Paused};
use crate::random::Random;

const MODULES: usize = 40;
const JOBS: usize = 4;

/// The totals of a campaign.
#[derive(Default)]
struct Tally {
    kills: usize,
    builds: usize,
    leftovers: usize,
    calls: usize,
    /// Calls that undisturbed builds make.
    undisturbed_calls: usize,
}

/// Kills builds at random moments until they are done, from nothing and after edits.
pub(crate) fn kill(lab: &Lab, size: Size) -> anyhow::Result<String> {
    let wanted = size.pick(300, 12);
    let mut tally = Tally::default();
    let mut seed = 0;
    while tally.kills < wanted {
        seed += 1;
        kill_builds(lab, seed, &mut tally).with_context(|| format!("with seed {seed}"))?;
    }
    let Tally { kills, builds, leftovers, calls, undisturbed_calls } = tally;
    Ok(format!(
        "{kills} kills of {builds} builds with {MODULES} modules survived, {leftovers} temporary files \
         swept, {calls} backend calls, {undisturbed_calls} in undisturbed builds, at most {} more \
         are allowed",
        kills * JOBS
    ))
}

fn kill_builds(lab: &Lab, seed: u64, tally: &mut Tally) -> anyhow::Result<()> {
    let mut rng = Random::new(seed);
    let edges = layers(MODULES, 8, &mut rng);
    let undisturbed = lab.project("undisturbed", &edges)?;
    let killed = lab.project("killed", &edges)?;
    let mut old = Files::new();
    for version in 0..3 {
        if version > 0 {
            for _ in 0..=rng.below(6) {
                let idx = rng.below(MODULES as u64) as usize;
                undisturbed.edit(idx, version)?;
                killed.edit(idx, version)?;
            }
        }
        let started = Instant::now();
        let jobs = JOBS.to_string();
        let calls = undisturbed.build(&["--jobs", &jobs])?;
        let took = started.elapsed();
        let new = undisturbed.generated()?;

        let before = killed.calls()?;
        let mut kills = 0;
        // Later runs get more time: one that is always killed before it does anything would never finish.
        while !killed_build(&killed, took.mul_f64(1.0 + kills as f64 / 10.0), &mut rng)? {
            kills += 1;
            tally.leftovers += killed.leftovers()?.len();
            let at = || format!("version {version}, after kill {kills}");
            killed.check_whole(&old, &new).with_context(at)?;
            let now = killed.generated()?;
            let kept = new.iter().filter(|(path, bytes)| {
                now.get(*path) == Some(bytes) && old.get(*path) != Some(bytes)
            });
            let lost = killed.calls()? - before - kept.count();
            ensure!(lost <= kills * JOBS, "{lost} calls were made in vain, {}", at());
        }
        killed.check_done(&new)?;
        let paid = killed.calls()? - before;
        ensure!(
            paid <= calls + kills * JOBS,
            "{kills} killed runs made {paid} calls, an undisturbed one makes {calls}"
        );
        tally.kills += kills;
        tally.builds += 1;
        tally.calls += paid;
        tally.undisturbed_calls += calls;
        old = new;
    }
    Ok(())
}

/// Runs a build and kills it at a random moment; returns whether it ended before.
fn killed_build(project: &Project, took: Duration, rng: &mut Random) -> anyhow::Result<bool> {
    let jobs = JOBS.to_string();
    let mut child = project
        .jaunt(&["build", "--no-wait", "--progress", "none", "--jobs", &jobs])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let deadline = Instant::now() + took.mul_f64(rng.below(1000) as f64 / 2000.0);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            child.kill()?;
            child.wait()?;
            break None;
        }
        thread::sleep(left.min(Duration::from_millis(5)));
    };
    if let Some(status) = status {
        ensure!(status.success(), "a build that was not killed ended with {status}");
    }
    Ok(status.is_some())
}

/// Kills a build before each system call of the thread that writes a file.
pub(crate) fn cut(lab: &Lab, size: Size) -> anyhow::Result<String> {
    if !trace::is_available() {
        return Ok(trace::SKIPPED.to_owned());
    }
    let mut kills = 0;
    let mut leftovers = 0;
    // A new file in a new directory, and a file that replaces another.
    for is_first in [true, false] {
        let (old, new) = half_done(lab, "undisturbed", is_first)?.old_and_new()?;
        let calls = trace::calls_of_writer(&half_done(lab, "traced", is_first)?)?;
        for (call, nth) in calls.into_iter().step_by(size.pick(1, 11)) {
            let project = half_done(lab, "cut", is_first)?;
            let at = || format!("killed at `{call}` number {nth} of the writing thread");
            let ended = Paused::start(&project, 0, &["--jobs", "1"])?
                .resume(&[format!("inject={call}:signal=KILL:when={nth}")])
                .with_context(at)?;
            if ended.status.success() {
                // Which calls the thread makes at the end, when it is idle, differs from run to run.
                continue;
            }
            ensure!(ended.status.code().is_none(), "a build that was not killed failed: {ended}");
            kills += 1;
            leftovers += project.leftovers()?.len();
            project.check_whole(&old, &new).with_context(at)?;
            project.build(&[]).with_context(at)?;
            project.check_done(&new).with_context(at)?;
        }
    }
    ensure!(kills > size.pick(60, 6), "only {kills} builds were killed");
    Ok(format!(
        "{kills} kills between two system calls of a write survived, {leftovers} temporary files swept"
    ))
}

/// Makes a project of two modules that have to be generated, for the first time or again.
fn half_done(lab: &Lab, name: &str, is_first: bool) -> anyhow::Result<Project> {
    let project = lab.project(name, &[vec![], vec![0]])?;
    if !is_first {
        project.build(&[])?;
        project.edit(0, 1)?;
    }
    Ok(project)
}

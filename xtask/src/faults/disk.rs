//! Makes system calls on files fail: the disk is full, broken or read-only, access is denied, or no file
//! handle is left.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::faults::lab::{Files, GENERATED, Lab, Project, file};
use crate::faults::size::Size;
use crate::faults::trace::{self, Ended, Paused};

const ERRORS: &[&str] = &["ENOSPC", "EIO", "EROFS", "EACCES", "EMFILE"];

/// The system calls that work on files.
const CALLS: &[&str] = &[
    "openat",
    "openat2",
    "read",
    "write",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "mkdir",
    "mkdirat",
    "linkat",
    "newfstatat",
    "statx",
    "fstat",
    "fchmod",
];

/// Calls whose failure must be noticed: without them a file is wrong, or may be after a power cut.
const VITAL: &[&str] = &["write", "fsync", "fdatasync", "renameat", "renameat2", "mkdirat"];

/// `m1` depends on `m0`, and the other two on nothing.
const EDGES: [&[usize]; 4] = [&[], &[0], &[], &[]];

/// Makes each system call of the writing thread fail, with each error.
pub(crate) fn writing(lab: &Lab, size: Size) -> anyhow::Result<String> {
    if !trace::is_available() {
        return Ok(trace::SKIPPED.to_owned());
    }
    let mut faults = 0;
    let mut recovered = 0;
    for is_first in [true, false] {
        let (old, new) = project(lab, "undisturbed", is_first)?.old_and_new()?;
        let mut cases: Vec<(String, usize, &str)> = Vec::new();
        for (call, nth) in trace::calls_of_writer(&project(lab, "traced", is_first)?)? {
            if CALLS.contains(&call.as_str()) {
                cases.extend(ERRORS.iter().map(|error| (call.clone(), nth, *error)));
            }
        }
        // Neighbors in this list differ in the error, so each error is tested, also in the short form.
        for (call, nth, error) in cases.into_iter().step_by(size.pick(1, 19)) {
            let project = project(lab, "broken", is_first)?;
            let paused = Paused::start(&project, 0, &["--jobs", "1"])?;
            let ended = paused.resume(&[format!("inject={call}:error={error}:when={nth}")])?;
            let at =
                || format!("{error} of {call} number {nth} (first build: {is_first}): {ended}");
            if !trace::has_injected(&project)? {
                // Another thread has done the rest of the work.
                continue;
            }
            let has_recovered = check(&project, &old, &new, &ended).with_context(at)?;
            ensure!(!(has_recovered && VITAL.contains(&call.as_str())), "nobody noticed {}", at());
            faults += 1;
            recovered += usize::from(has_recovered);
        }
    }
    ensure!(faults > size.pick(150, 8), "only {faults} faults were made");
    Ok(format!(
        "{faults} faults while files were written: {} failed one module by name, {recovered} were \
         recovered from",
        faults - recovered
    ))
}

/// Makes a project whose modules have to be generated, for the first time or again.
fn project(lab: &Lab, name: &str, is_first: bool) -> anyhow::Result<Project> {
    let project = lab.project(name, &EDGES.map(<[usize]>::to_vec))?;
    if !is_first {
        project.build(&[])?;
        for idx in 0..EDGES.len() {
            project.edit(idx, 1)?;
        }
    }
    Ok(project)
}

/// Checks the files and the messages of a build with a fault; returns whether it succeeded all the same.
fn check(project: &Project, old: &Files, new: &Files, ended: &Ended) -> anyhow::Result<bool> {
    let has_recovered = match ended.status.code() {
        Some(0) => {
            project.check_done(new)?;
            true
        }
        Some(3) => {
            let document: Value = serde_json::from_str(&ended.stdout)?;
            let failed = document["failed"].as_object().context("the document says what failed")?;
            ensure!(failed.len() == 1, "one fault failed {} modules", failed.len());
            let (module, why) = failed.iter().next().context("there is one")?;
            let why = why.to_string();
            ensure!(
                why.contains(GENERATED) && why.contains("os error"),
                "the message does not say what is wrong where: {why}"
            );
            let blocked = usize::from(module == "app.m0");
            let done = document["generated"].as_array().map_or(0, Vec::len);
            ensure!(done == EDGES.len() - 1 - blocked, "only {done} modules were finished");
            let idx = module.trim_start_matches("app.m").parse()?;
            let now = project.generated()?;
            ensure!(now.get(&file(idx)) == old.get(&file(idx)), "the old file is not intact");
            false
        }
        Some(1) => {
            ensure!(ended.stderr.contains('`'), "the message names no path");
            false
        }
        _ => anyhow::bail!("the build ended in another way"),
    };
    let leftovers = project.leftovers()?;
    ensure!(leftovers.is_empty(), "the run left {leftovers:?}");
    project.check_whole(old, new)?;
    project.build(&[])?;
    project.check_done(new)?;
    Ok(has_recovered)
}

/// Makes the calls of the whole program fail, from its start, in any thread.
pub(crate) fn everywhere(lab: &Lab, size: Size) -> anyhow::Result<String> {
    if !trace::is_available() {
        return Ok(trace::SKIPPED.to_owned());
    }
    let (old, new) = project(lab, "undisturbed", false)?.old_and_new()?;
    let mut faults = 0;
    let mut exits: BTreeMap<i32, usize> = BTreeMap::new();
    for (idx, call) in CALLS.iter().enumerate() {
        let mut misses = 0;
        for nth in 1..=size.pick(60, 25) {
            let error = ERRORS[(idx + nth) % ERRORS.len()];
            if nth % size.pick(1, 9) != 0 {
                continue;
            }
            let project = project(lab, "broken", false)?;
            let wrapper = ["strace", "-f", "-qq", "-o", "strace.log", "-e"].map(str::to_owned);
            let inject = format!("inject={call}:error={error}:when={nth}");
            // `-f` follows every thread, and the processes of the backend too.
            let mut command = project.under(
                &[&wrapper[..], &[inject]].concat(),
                &["build", "--no-wait", "--jobs", "2", "--progress", "none"],
            );
            let ended = trace::wait_for_end(&project, command.spawn()?)?;
            let was_injected = trace::has_injected(&project)?;
            misses = if was_injected { 0 } else { misses + 1 };
            if misses > 2 {
                break;
            }
            if !was_injected {
                continue;
            }
            let code = ended.status.code().context("the build was killed")?;
            let at = || format!("{error} of {call} number {nth} in some thread: {ended}");
            // 127 comes from the system's loader, before our program runs.
            ensure!(matches!(code, 0..=3 | 127), "the exit code is {code}: {}", at());
            ensure!(!ended.stderr.contains("bug in jaunt"), "a panic: {}", at());
            project.check_whole(&old, &new).with_context(at)?;
            project.build(&[]).with_context(at)?;
            project.check_done(&new).with_context(at)?;
            faults += 1;
            *exits.entry(code).or_default() += 1;
        }
    }
    let exits: Vec<String> =
        exits.iter().map(|(code, times)| format!("{times}x exit {code}")).collect();
    Ok(format!("{faults} faults in any thread of the program, {}", exits.join(", ")))
}

//! Disks that are full, broken, read-only, forbidden, or have no handle left.

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

/// Those without which a file is not what it should be, or may not be after a power cut.
const VITAL: &[&str] = &["write", "fsync", "fdatasync", "renameat", "renameat2", "mkdirat"];

/// `m1` depends on `m0`, and the other two on nothing.
const EDGES: [&[usize]; 4] = [&[], &[0], &[], &[]];

/// Lets every system call fail that the writing thread makes, each with every error.
pub(crate) fn writing(lab: &Lab, size: Size) -> anyhow::Result<String> {
    if !trace::is_available() {
        return Ok(trace::SKIPPED.to_owned());
    }
    let mut faults = 0;
    let mut tolerated = 0;
    for is_first in [true, false] {
        let undisturbed = project(lab, "undisturbed", is_first)?;
        let old = undisturbed.generated()?;
        undisturbed.build(&[])?;
        let new = undisturbed.generated()?;

        let traced = project(lab, "traced", is_first)?;
        Paused::start(&traced, 0, &["--jobs", "1"])?.go_on(&["trace=all".to_owned()])?;
        let mut points: Vec<(String, usize, &str)> = Vec::new();
        for (call, nth) in trace::points(&traced)? {
            if CALLS.contains(&call.as_str()) {
                points.extend(ERRORS.iter().map(|error| (call.clone(), nth, *error)));
            }
        }
        // Neighbours in this list differ in the error, so all errors come up, whatever the steps.
        for (call, nth, error) in points.into_iter().step_by(size.pick(1, 19)) {
            let project = project(lab, "broken", is_first)?;
            let paused = Paused::start(&project, 0, &["--jobs", "1"])?;
            let ended = paused.go_on(&[format!("inject={call}:error={error}:when={nth}")])?;
            let at =
                || format!("{error} of {call} number {nth} (first build: {is_first}): {ended}");
            if !trace::has_struck(&project)? {
                // Another thread has done the last of the work.
                continue;
            }
            let is_tolerated = check(&project, &old, &new, &ended).with_context(at)?;
            ensure!(!(is_tolerated && VITAL.contains(&call.as_str())), "nobody noticed {}", at());
            faults += 1;
            tolerated += usize::from(is_tolerated);
        }
    }
    ensure!(faults > size.pick(150, 8), "only {faults} faults were made");
    Ok(format!(
        "{faults} faults of the disk while files were written, {} failed one module by name, \
         {tolerated} were made up for",
        faults - tolerated
    ))
}

/// A project of which one module has to be generated for the first time, or again.
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

/// Whether the build succeeded all the same. Whatever it did, it has to say so.
fn check(project: &Project, old: &Files, new: &Files, ended: &Ended) -> anyhow::Result<bool> {
    let is_tolerated = match ended.status.code() {
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
    Ok(is_tolerated)
}

/// Lets the calls of the whole program fail, from its start, in whatever thread.
pub(crate) fn everywhere(lab: &Lab, size: Size) -> anyhow::Result<String> {
    if !trace::is_available() {
        return Ok(trace::SKIPPED.to_owned());
    }
    let undisturbed = project(lab, "undisturbed", false)?;
    let old = undisturbed.generated()?;
    undisturbed.build(&[])?;
    let new = undisturbed.generated()?;
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
            // What the backend does is its own affair, so there is none that would be traced.
            let mut command = project.under(
                &[&wrapper[..], &[inject]].concat(),
                &["build", "--no-wait", "--jobs", "2", "--progress", "none"],
            );
            let ended = trace::end(&project, command.spawn()?)?;
            let was_hit = trace::has_struck(&project)?;
            misses = if was_hit { 0 } else { misses + 1 };
            if misses > 2 {
                break;
            }
            if !was_hit {
                continue;
            }
            let code = ended.status.code().context("the build was killed")?;
            let at = || format!("{error} of {call} number {nth} of some thread: {ended}");
            // 127 is the word of the system's loader, before there is a program of ours.
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
    Ok(format!("{faults} faults in whatever thread of the program, {}", exits.join(", ")))
}

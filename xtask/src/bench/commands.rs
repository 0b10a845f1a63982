//! Benchmarks of the program's commands. With `--versus`, another build of it is measured too.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use super::context::{Context, N_MODULES, Program, ninja_in};
use super::measure::{Figures, ROUNDS, is_installed, memory, time};
use super::report::Line;

pub(super) fn noop(context: &Context<'_>) -> anyhow::Result<Vec<Line>> {
    context.record()?;
    let Some(ninja) = context.ninja(N_MODULES)? else { return Ok(Vec::new()) };
    time(&mut ninja_in(&ninja, &[]))?;
    let figures = context.measure(
        3 * ROUNDS,
        |jaunt| time(&mut jaunt.command(&jaunt.recorded(), &["build"])),
        || time(&mut ninja_in(&ninja, &[])),
    )?;
    let what = "`jaunt build`, nothing to do, 10,000 modules";
    let mut lines = vec![Line::measured(what, "ms", figures, "ninja", "≤ 1.0")];
    let memory_of = |jaunt: &Program| {
        memory(&[jaunt.path().to_string_lossy().as_ref(), "build"], &jaunt.recorded())
    };
    if let (Some(ours), Some(theirs)) = (memory_of(&context.jaunt), memory(&["ninja"], &ninja)) {
        let versus = context.versus.as_ref().and_then(memory_of);
        let figures = Figures { ours, versus, theirs };
        lines.push(Line::measured("the same, memory", "MB", figures, "ninja", "≤ 4.0"));
    }
    Ok(lines)
}

pub(super) fn noop_one(context: &Context<'_>) -> anyhow::Result<Vec<Line>> {
    context.record()?;
    let Some(ninja) = context.ninja(N_MODULES)? else { return Ok(Vec::new()) };
    // Few modules depend on a late one.
    let source = |jaunt: &Program| jaunt.recorded().join("src/app/m9990.py");
    let build = |jaunt: &Program, args: &[&str]| time(&mut jaunt.command(&jaunt.recorded(), args));
    let ninja = || {
        touch(&ninja.join("src/app/m9990.py"))?;
        time(&mut ninja_in(&ninja, &["-n"]))
    };
    let figures = context.measure(
        2 * ROUNDS,
        |jaunt| {
            touch(&source(jaunt))?;
            build(jaunt, &["build"])
        },
        ninja,
    )?;
    let what = "after one source was touched";
    let touched = Line::measured(what, "ms", figures, "ninja -n", "≤ 1.0");

    let mut texts = Vec::new();
    for jaunt in context.programs() {
        let path = source(jaunt);
        let text = fs::read_to_string(&path)?;
        fs::write(&path, text.replacen("keep order", "keep the order", 1))?;
        texts.push((path, text));
    }
    let result = context.measure(ROUNDS, |jaunt| build(jaunt, &["build", "--dry-run"]), ninja);
    for (path, text) in texts {
        fs::write(path, text)?;
    }
    let what = "after one spec changed, `--dry-run`";
    Ok(vec![touched, Line::measured(what, "ms", result?, "ninja -n", "≤ 1.0")])
}

fn touch(path: &Path) -> anyhow::Result<()> {
    let file = File::options().append(true).open(path)?;
    file.set_modified(std::time::SystemTime::now())?;
    Ok(())
}

pub(super) fn cold(context: &Context<'_>) -> anyhow::Result<Vec<Line>> {
    context.record()?;
    let floor = context.example("jaunt-builder", "cold_floor")?;
    let dir = context.jaunt.recorded();
    let figures = context.measure(
        ROUNDS,
        |jaunt| {
            let dir = jaunt.recorded();
            fs::remove_dir_all(dir.join(".jaunt")).ok();
            time(&mut jaunt.command(&dir, &["status"]))
        },
        || {
            let rest = [dir.join("src/app/__generated__"), dir.join("jaunt.registry.json")];
            time(Command::new(&floor).arg(dir.join("src/app")).args(rest))
        },
    )?;
    let what = "`jaunt status` without any state, 10,000 modules";
    let peer = "reading, hashing, parsing (Python, JSON) alone";
    Ok(vec![Line::measured(what, "ms", figures, peer, "≤ 1.5")])
}

pub(super) fn build(context: &Context<'_>) -> anyhow::Result<Vec<Line>> {
    context.record()?;
    let floor = context.example("jaunt-builder", "write_floor")?;
    let generated = |jaunt: &Program| jaunt.recorded().join("src/app/__generated__");
    let kept = |jaunt: &Program| jaunt.home().join("kept");
    let written = context.jaunt.recorded().join("src/app/written");
    for jaunt in context.programs() {
        fs::remove_dir_all(kept(jaunt)).ok();
        fs::rename(generated(jaunt), kept(jaunt))?;
    }
    // Some file systems are slow to create files right after many were deleted, so old files are moved
    // away and deleted at the end.
    let away = context.dir.join("away");
    fs::remove_dir_all(&away).ok();
    fs::create_dir(&away)?;
    let (mut n_ours, mut n_theirs) = (0, 0);
    let result = context.measure(
        ROUNDS,
        |jaunt| {
            n_ours += 1;
            fs::rename(generated(jaunt), away.join(format!("ours-{n_ours}"))).ok();
            let store = jaunt.store();
            let store = store.to_string_lossy();
            let args = ["build", "--store", store.as_ref(), "--progress", "none"];
            time(&mut jaunt.command(&jaunt.recorded(), &args))
        },
        || {
            n_theirs += 1;
            // Beside ours, so that the file system has the same room for both.
            fs::rename(&written, away.join(format!("theirs-{n_theirs}"))).ok();
            let kept = kept(&context.jaunt);
            let output = Command::new(&floor).arg(kept).arg(&written).arg("8").output()?;
            Ok(String::from_utf8(output.stdout)?.trim().parse()?)
        },
    );
    fs::remove_dir_all(&written).ok();
    for jaunt in context.programs() {
        fs::remove_dir_all(generated(jaunt)).ok();
        fs::rename(kept(jaunt), generated(jaunt))?;
    }
    fs::remove_dir_all(&away).ok();
    let what = "`jaunt build` from a replay store, 10,000 modules";
    Ok(vec![Line::measured(what, "ms", result?, "writing the files alone", "≤ 1.3")])
}

pub(super) fn start(context: &Context<'_>) -> anyhow::Result<Vec<Line>> {
    if !is_installed("git") {
        println!("skipped: git is not installed");
        return Ok(Vec::new());
    }
    let shop = context.root.join("examples/shop");
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(&shop).args(args);
        time(&mut command)
    };
    let rounds = 5 * ROUNDS;
    let figures = context.measure(
        rounds,
        |jaunt| time(Command::new(jaunt.path()).arg("--version")),
        || git(&["--version"]),
    )?;
    let version = Line::measured("`jaunt --version`", "ms", figures, "git --version", "≤ 2.0");
    let figures = context.measure(
        rounds,
        |jaunt| time(&mut jaunt.command(&shop, &["status"])),
        || git(&["status"]),
    )?;
    let what = "`jaunt status` in examples/shop";
    Ok(vec![version, Line::measured(what, "ms", figures, "git status", "≤ 2.0")])
}

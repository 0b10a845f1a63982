//! How times grow with the number of modules.

use std::path::Path;
use std::process::Command;

use super::context::{Context, N_MODULES, ninja_in};
use super::measure::{ROUNDS, alternate, median, time};
use super::project::Shape;
use super::report::{self, Line};
use crate::venv;

pub(super) fn scale(context: &Context<'_>) -> anyhow::Result<Vec<Line>> {
    let jaunt = &context.jaunt;
    let build = |dir: &Path| time(&mut jaunt.command(dir, &["build"]));
    let status = |dir: &Path| time(&mut jaunt.command(dir, &["status"]));
    let base = jaunt.generated(context.sh, N_MODULES, Shape::Random)?;
    jaunt.warm_up(&base)?;
    let mut lines = Vec::new();
    for (shape, n_modules, what) in [
        (Shape::Random, 100_000, "100,000 modules"),
        (Shape::Chain, 100_000, "a chain of 100,000 modules"),
        (Shape::Fan, 20_000, "one module with 19,999 dependencies and one with as many dependents"),
    ] {
        let dir = jaunt.generated(context.sh, n_modules, shape)?;
        jaunt.warm_up(&dir)?;
        let peer = "our own 10,000";
        let (large, small) = alternate(ROUNDS, || build(&dir), || build(&base))?;
        let noop = format!("nothing to do, {what}");
        lines.push(Line::new(&noop, "ms", large, peer, small, "≤ 11"));
        // The kernel's cache may have dropped files that were not read for a while.
        status(&dir)?;
        let (large, small) = alternate(ROUNDS, || status(&dir), || status(&base))?;
        let cold = format!("`jaunt status`, {what}");
        lines.push(Line::new(&cold, "ms", large, peer, small, "≤ 11"));
    }
    let mut points = Vec::new();
    for n_modules in [100, 1_000, 10_000, 100_000] {
        let dir = jaunt.generated(context.sh, n_modules, Shape::Random)?;
        jaunt.warm_up(&dir)?;
        let median_of = |run: &dyn Fn(&Path) -> anyhow::Result<f64>| {
            run(&dir)?;
            let times: anyhow::Result<Vec<f64>> = (0..ROUNDS).map(|_| run(&dir)).collect();
            Ok::<f64, anyhow::Error>(median(times?))
        };
        points.push(("jaunt build, nothing to do", n_modules, median_of(&build)?));
        points.push(("jaunt status, without state", n_modules, median_of(&status)?));
        if n_modules <= N_MODULES
            && let Some(ninja) = context.ninja(n_modules)?
        {
            let times: anyhow::Result<Vec<f64>> =
                (0..ROUNDS).map(|_| time(&mut ninja_in(&ninja, &[]))).collect();
            points.push(("ninja, nothing to do", n_modules, median(times?)));
        }
    }
    report::keep_points(&context.dir, "scale", &points)?;
    Ok(lines)
}

pub(super) fn python(context: &Context<'_>) -> anyhow::Result<Vec<Line>> {
    let jaunt = &context.jaunt;
    let Some(base) = venv::interpreter(12) else {
        println!("skipped: the Python package needs Python 3.12 or newer, and there is none");
        return Ok(Vec::new());
    };
    let python = venv::environment(&context.root.join("target"), &base, "jaunt", venv::JAUNT);
    let python = python.map_err(anyhow::Error::msg)?;
    let (mut points, mut lines) = (Vec::new(), Vec::new());
    let (mut peer, mut theirs) = (String::new(), f64::INFINITY);
    for n_modules in [100, 300, 1_000] {
        let dir = jaunt.generated(context.sh, n_modules, Shape::Random)?;
        jaunt.warm_up(&dir)?;
        let ours = |args: &[&str]| time(&mut jaunt.command(&dir, args));
        let (mut checks, mut cold, mut noop) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..3 {
            // The peer needs a quarter of an hour for more modules.
            if n_modules <= 300 {
                let mut status = Command::new(&python);
                status.args(["-m", "jaunt", "status", "--json", "--root"]).arg(&dir);
                checks.push(time(&mut status)?);
            }
            for _ in 0..ROUNDS {
                cold.push(ours(&["status"])?);
                noop.push(ours(&["build"])?);
            }
            // Runs that take minutes need no repetition.
            if checks.iter().sum::<f64>() > 60_000.0 {
                break;
            }
        }
        if !checks.is_empty() {
            peer = format!("jaunt 1.7.14 for Python, status, {n_modules}");
            theirs = median(checks);
            points.push(("jaunt 1.7 for Python, status", n_modules, theirs));
        }
        let what = format!("`jaunt status`, {n_modules} modules");
        lines.push(Line::new(&what, "ms", median(cold), &peer, theirs, "≤ 1/300"));
        let what = format!("`jaunt build`, nothing to do, {n_modules} modules");
        lines.push(Line::new(&what, "ms", median(noop), &peer, theirs, "≤ 1/3000"));
    }
    report::keep_points(&context.dir, "python", &points)?;
    Ok(lines)
}

//! Benchmarks of single crates, through their examples.

use std::fs;
use std::process::Command;

use super::context::Context;
use super::measure::{ROUNDS, alternate, time_read};
use super::report::Line;
use crate::venv;

/// Prints what the scheduler's own example measures.
pub(super) fn sched(context: &Context<'_>) -> anyhow::Result<Vec<Line>> {
    let output = Command::new(context.example("jaunt-sched", "overhead")?).output()?;
    let text = String::from_utf8(output.stdout)?;
    print!("{text}");
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| line.contains("thread")) {
        let numbers: Vec<f64> =
            line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [ours, theirs, ..] = numbers[..] else { continue };
        let name = line.split(|c: char| c.is_ascii_digit()).next().unwrap_or_default().trim();
        let what = format!("a job that does nothing, {name}");
        lines.push(Line::new(&what, "µs", ours, "bare JoinSet", theirs, "≤ 2.0, 5 µs"));
    }
    Ok(lines)
}

pub(super) fn makespan(context: &Context<'_>) -> anyhow::Result<Vec<Line>> {
    let output = Command::new(context.example("jaunt-sched", "makespan")?).output()?;
    let text = String::from_utf8(output.stdout)?;
    print!("{text}");
    let mut lines = Vec::new();
    for line in text.lines().skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some((&"all", numbers)) = words.split_first() else { continue };
        let numbers: Vec<f64> = numbers.iter().filter_map(|word| word.parse().ok()).collect();
        let [mean, p95, ..] = numbers[..] else { continue };
        let what = "simulated runs of 1,800 graphs, 4, 8 and 16 jobs";
        lines.push(Line::new(what, "× bound, mean", mean, "lower bound", 1.0, "≤ 1.015"));
        lines.push(Line::new(what, "× bound, 95 %", p95, "lower bound", 1.0, "≤ 1.06"));
    }
    Ok(lines)
}

/// Measures what our runner adds to the time of pytest.
pub(super) fn pytest(context: &Context<'_>) -> anyhow::Result<Vec<Line>> {
    let Some(base) = venv::interpreter(9) else {
        println!("skipped: pytest needs Python 3.9 or newer, and there is none");
        return Ok(Vec::new());
    };
    let python = venv::environment(&context.root.join("target"), &base, "pytest", venv::PYTEST);
    let python = python.map_err(anyhow::Error::msg)?;
    let runner = context.example("jaunt-pytest", "run")?;
    let dir = context.dir.join("pytest");
    fs::create_dir_all(&dir)?;
    let tests: String =
        (0..2000).map(|idx| format!("def test_{idx}():\n    assert {idx} >= 0\n\n\n")).collect();
    fs::write(dir.join("test_many.py"), tests)?;
    // Python's own times vary by more than the difference, so there are more rounds, and a fixed hash seed.
    let (ours, theirs) = alternate(
        3 * ROUNDS,
        || {
            let mut command = Command::new(&runner);
            command.arg("--python").arg(&python).arg("test_many.py").env("PYTHONHASHSEED", "0");
            time_read(command.current_dir(&dir))
        },
        || {
            let mut command = Command::new(&python);
            command.args(["-m", "pytest", "-q", "test_many.py"]).env("PYTHONHASHSEED", "0");
            time_read(command.current_dir(&dir))
        },
    )?;
    Ok(vec![Line::new(
        "2,000 tests through our runner",
        "ms",
        ours,
        "pytest -q, read",
        theirs,
        "≤ 1.03",
    )])
}

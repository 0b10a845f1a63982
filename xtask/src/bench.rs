//! What the program costs beside others that do the same, or beside what cannot cost less.
//!
//! Each line is measured in one run with its peer, in turn. Results are kept in
//! `target/bench/results` and become `docs/performance.md`.

mod measure;
mod project;
mod report;

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use xshell::{Shell, cmd};

use crate::venv;
use measure::{ROUNDS, alternate, is_there, median, memory, time, time_read};
use project::Shape;
use report::Line;

/// A benchmark, by its name.
type Bench = fn(&Context<'_>) -> anyhow::Result<Vec<Line>>;

const BENCHES: [(&str, Bench); 10] = [
    ("start", start),
    ("noop", noop),
    ("noop-one", noop_one),
    ("cold", cold),
    ("build", build),
    ("sched", sched),
    ("makespan", makespan),
    ("scale", scale),
    ("python", python),
    ("pytest", pytest),
];

const N_MODULES: usize = 10_000;

/// What every benchmark needs.
struct Context<'a> {
    sh: &'a Shell,
    root: PathBuf,
    /// Where the projects are.
    dir: PathBuf,
    jaunt: PathBuf,
    /// Whether programs are built, or taken as they are.
    builds: bool,
}

/// Runs one benchmark, or all, and writes down what they say.
///
/// `--no-build` takes the programs as they are in `target/release/`.
pub(crate) fn run(sh: &Shell, args: &[String]) -> anyhow::Result<()> {
    let (flags, names): (Vec<&String>, Vec<&String>) =
        args.iter().partition(|arg| arg.starts_with("--"));
    let builds = !flags.iter().any(|flag| *flag == "--no-build");
    let root = sh.current_dir();
    let dir = root.join("target/bench");
    fs::create_dir_all(&dir)?;
    if names.first().is_none_or(|name| *name != "report") {
        if builds {
            cmd!(sh, "cargo build --release --quiet --locked --package jaunt-cli").run()?;
        }
        let jaunt = root.join("target/release/jaunt");
        let context = Context { sh, root: root.clone(), dir: dir.clone(), jaunt, builds };
        if let Some(unknown) = names.iter().find(|name| BENCHES.iter().all(|(it, _)| it != *name)) {
            let known: Vec<&str> = BENCHES.iter().map(|(name, _)| *name).collect();
            bail!("there is no benchmark `{unknown}`; there are {} and report", known.join(", "));
        }
        for (name, bench) in BENCHES {
            if names.is_empty() || names.iter().any(|it| *it == name) {
                println!("\n== {name}");
                let lines = bench(&context).with_context(|| format!("`{name}` failed"))?;
                for line in &lines {
                    println!("{line}");
                }
                report::keep(&dir, name, &lines)?;
            }
        }
    }
    report::write(&root, &dir)
}

/// The backend of the benchmarks: `cargo xtask bench-backend`.
pub(crate) fn backend() -> anyhow::Result<()> {
    let mut request = String::new();
    std::io::stdin().read_to_string(&mut request)?;
    print!("{}", project::answer(&request));
    Ok(())
}

impl Context<'_> {
    /// A project with recorded generations, all fresh, and the store of them.
    fn recorded(&self) -> anyhow::Result<(PathBuf, PathBuf)> {
        let dir = self.dir.join(format!("recorded-{N_MODULES}"));
        project::make(&dir, N_MODULES, Shape::Random)?;
        let store = project::record(self.sh, &self.jaunt, &dir)?;
        Ok((dir, store))
    }

    /// A project whose generated files were written without a backend, all fresh.
    fn generated(&self, n_modules: usize, shape: Shape) -> anyhow::Result<PathBuf> {
        let name = format!("{shape:?}-{n_modules}").to_lowercase();
        let dir = self.dir.join(name);
        project::make(&dir, n_modules, shape)?;
        project::generate(self.sh, &self.jaunt, &dir)?;
        Ok(dir)
    }

    fn ninja(&self, n_modules: usize) -> anyhow::Result<Option<PathBuf>> {
        if !is_there("ninja") {
            println!("skipped beside ninja, which is not installed (Debian: `ninja-build`)");
            return Ok(None);
        }
        let dir = self.dir.join(format!("ninja-{n_modules}"));
        project::ninja(self.sh, &dir, n_modules)?;
        Ok(Some(dir))
    }

    fn jaunt(&self, dir: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(&self.jaunt);
        command.arg("--root").arg(dir).args(args);
        command
    }

    /// Builds twice, so that the next build has nothing to do and knows it.
    fn warm_up(&self, dir: &Path) -> anyhow::Result<()> {
        for _ in 0..3 {
            time(&mut self.jaunt(dir, &["build"]))?;
        }
        Ok(())
    }

    fn example(&self, package: &str, name: &str) -> anyhow::Result<PathBuf> {
        let sh = self.sh;
        if self.builds {
            cmd!(sh, "cargo build --release --quiet --locked -p {package} --example {name}")
                .run()?;
        }
        Ok(self.root.join("target/release/examples").join(name))
    }
}

fn ninja_in(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("ninja");
    command.arg("-C").arg(dir).args(args);
    command
}

fn touch(path: &Path) -> anyhow::Result<()> {
    let file = File::options().append(true).open(path)?;
    file.set_modified(std::time::SystemTime::now())?;
    Ok(())
}

fn noop(context: &Context<'_>) -> anyhow::Result<Vec<Line>> {
    let (dir, _) = context.recorded()?;
    context.warm_up(&dir)?;
    let what = "`jaunt build`, nothing to do, 10,000 modules";
    let Some(ninja) = context.ninja(N_MODULES)? else { return Ok(Vec::new()) };
    time(&mut ninja_in(&ninja, &[]))?;
    let (ours, theirs) = alternate(
        3 * ROUNDS,
        || time(&mut context.jaunt(&dir, &["build"])),
        || time(&mut ninja_in(&ninja, &[])),
    )?;
    let mut lines = vec![Line::new(what, "ms", ours, "ninja", theirs, "≤ 1.0")];
    let jaunt = context.jaunt.to_string_lossy();
    let ours = memory(&[jaunt.as_ref(), "build"], &dir);
    if let (Some(ours), Some(theirs)) = (ours, memory(&["ninja"], &ninja)) {
        lines.push(Line::new("the same, memory", "MB", ours, "ninja", theirs, "≤ 4.0"));
    }
    Ok(lines)
}

fn noop_one(context: &Context<'_>) -> anyhow::Result<Vec<Line>> {
    let (dir, _) = context.recorded()?;
    context.warm_up(&dir)?;
    let Some(ninja) = context.ninja(N_MODULES)? else { return Ok(Vec::new()) };
    // Few modules depend on a late one.
    let source = dir.join("src/app/m9990.py");
    let touched = || touch(&ninja.join("src/app/m9990.py"));
    let (ours, theirs) = alternate(
        2 * ROUNDS,
        || touch(&source).and_then(|()| time(&mut context.jaunt(&dir, &["build"]))),
        || touched().and_then(|()| time(&mut ninja_in(&ninja, &["-n"]))),
    )?;
    let touched_line =
        Line::new("after one source was touched", "ms", ours, "ninja -n", theirs, "≤ 1.0");

    let text = fs::read_to_string(&source)?;
    fs::write(&source, text.replacen("keep order", "keep the order", 1))?;
    let result = alternate(
        ROUNDS,
        || time(&mut context.jaunt(&dir, &["build", "--dry-run"])),
        || touched().and_then(|()| time(&mut ninja_in(&ninja, &["-n"]))),
    );
    fs::write(&source, text)?;
    let (ours, theirs) = result?;
    let what = "after one spec changed, `--dry-run`";
    Ok(vec![touched_line, Line::new(what, "ms", ours, "ninja -n", theirs, "≤ 1.0")])
}

fn cold(context: &Context<'_>) -> anyhow::Result<Vec<Line>> {
    let (dir, _) = context.recorded()?;
    let floor = context.example("jaunt-builder", "cold_floor")?;
    let (ours, theirs) = alternate(
        ROUNDS,
        || {
            fs::remove_dir_all(dir.join(".jaunt")).ok();
            time(&mut context.jaunt(&dir, &["status"]))
        },
        || {
            let rest = [dir.join("src/app/__generated__"), dir.join("jaunt.registry.json")];
            time(Command::new(&floor).arg(dir.join("src/app")).args(rest))
        },
    )?;
    let what = "`jaunt status` without any state, 10,000 modules";
    let peer = "reading, hashing, parsing (Python, JSON) alone";
    Ok(vec![Line::new(what, "ms", ours, peer, theirs, "≤ 1.5")])
}

fn build(context: &Context<'_>) -> anyhow::Result<Vec<Line>> {
    let (dir, store) = context.recorded()?;
    let floor = context.example("jaunt-builder", "write_floor")?;
    let generated = dir.join("src/app/__generated__");
    let written = dir.join("src/app/written");
    let kept = context.dir.join("kept");
    fs::remove_dir_all(&kept).ok();
    fs::rename(&generated, &kept)?;
    // What was just deleted in great number is in the way of what is made next, on some file systems.
    let away = context.dir.join("away");
    fs::remove_dir_all(&away).ok();
    fs::create_dir(&away)?;
    let (mut n_ours, mut n_theirs) = (0, 0);
    let store = store.to_string_lossy();
    let result = alternate(
        ROUNDS,
        || {
            n_ours += 1;
            fs::rename(&generated, away.join(format!("ours-{n_ours}"))).ok();
            let args = ["build", "--store", store.as_ref(), "--progress", "none"];
            time(&mut context.jaunt(&dir, &args))
        },
        || {
            n_theirs += 1;
            // Beside ours, so that the file system has the same room for both.
            fs::rename(&written, away.join(format!("theirs-{n_theirs}"))).ok();
            let output = Command::new(&floor).arg(&kept).arg(&written).arg("8").output()?;
            Ok(String::from_utf8(output.stdout)?.trim().parse()?)
        },
    );
    fs::remove_dir_all(&written).ok();
    fs::remove_dir_all(&generated).ok();
    fs::rename(&kept, &generated)?;
    fs::remove_dir_all(&away).ok();
    let (ours, theirs) = result?;
    let what = "`jaunt build` from a replay store, 10,000 modules";
    Ok(vec![Line::new(what, "ms", ours, "writing the files alone", theirs, "≤ 1.3")])
}

fn start(context: &Context<'_>) -> anyhow::Result<Vec<Line>> {
    if !is_there("git") {
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
    let (ours, theirs) = alternate(
        rounds,
        || time(Command::new(&context.jaunt).arg("--version")),
        || git(&["--version"]),
    )?;
    let version = Line::new("`jaunt --version`", "ms", ours, "git --version", theirs, "≤ 2.0");
    let (ours, theirs) =
        alternate(rounds, || time(&mut context.jaunt(&shop, &["status"])), || git(&["status"]))?;
    let what = "`jaunt status` in examples/shop";
    Ok(vec![version, Line::new(what, "ms", ours, "git status", theirs, "≤ 2.0")])
}

/// Prints what the scheduler's own example measures.
fn sched(context: &Context<'_>) -> anyhow::Result<Vec<Line>> {
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

fn makespan(context: &Context<'_>) -> anyhow::Result<Vec<Line>> {
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

fn scale(context: &Context<'_>) -> anyhow::Result<Vec<Line>> {
    let build = |dir: &Path| time(&mut context.jaunt(dir, &["build"]));
    let status = |dir: &Path| time(&mut context.jaunt(dir, &["status"]));
    let base = context.generated(N_MODULES, Shape::Random)?;
    context.warm_up(&base)?;
    let mut lines = Vec::new();
    for (shape, n_modules, what) in [
        (Shape::Random, 100_000, "100,000 modules"),
        (Shape::Chain, 100_000, "a chain of 100,000 modules"),
        (Shape::Fan, 20_000, "one module with 19,999 dependencies and one with as many dependents"),
    ] {
        let dir = context.generated(n_modules, shape)?;
        context.warm_up(&dir)?;
        let peer = "our own 10,000";
        let (large, small) = alternate(ROUNDS, || build(&dir), || build(&base))?;
        let noop = format!("nothing to do, {what}");
        lines.push(Line::new(&noop, "ms", large, peer, small, "≤ 11"));
        // What was not read for a while is not in memory any more.
        status(&dir)?;
        let (large, small) = alternate(ROUNDS, || status(&dir), || status(&base))?;
        let cold = format!("`jaunt status`, {what}");
        lines.push(Line::new(&cold, "ms", large, peer, small, "≤ 11"));
    }
    let mut points = Vec::new();
    for n_modules in [100, 1_000, 10_000, 100_000] {
        let dir = context.generated(n_modules, Shape::Random)?;
        context.warm_up(&dir)?;
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

fn python(context: &Context<'_>) -> anyhow::Result<Vec<Line>> {
    let Some(base) = venv::interpreter(12) else {
        println!("skipped: the Python package needs Python 3.12 or newer, and there is none");
        return Ok(Vec::new());
    };
    let python = venv::environment(&context.root.join("target"), &base, "jaunt", venv::JAUNT);
    let python = python.map_err(anyhow::Error::msg)?;
    let (mut points, mut lines) = (Vec::new(), Vec::new());
    let (mut peer, mut theirs) = (String::new(), f64::INFINITY);
    for n_modules in [100, 300, 1_000] {
        let dir = context.generated(n_modules, Shape::Random)?;
        context.warm_up(&dir)?;
        let ours = |args: &[&str]| time(&mut context.jaunt(&dir, args));
        let (mut checks, mut cold, mut noop) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..3 {
            // More modules than that take the peer a quarter of an hour.
            if n_modules <= 300 {
                let mut status = Command::new(&python);
                status.args(["-m", "jaunt", "status", "--json", "--root"]).arg(&dir);
                checks.push(time(&mut status)?);
            }
            for _ in 0..ROUNDS {
                cold.push(ours(&["status"])?);
                noop.push(ours(&["build"])?);
            }
            // A run of minutes says enough.
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

/// What running pytest through us adds to running it.
fn pytest(context: &Context<'_>) -> anyhow::Result<Vec<Line>> {
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
    // Python's own times differ from run to run by more than what is looked for.
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

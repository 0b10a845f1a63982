//! Measures the program against peers, which do the same work, or against a floor: a program that does
//! only the work that nobody can avoid.
//!
//! The two are measured in turn, in one run. Results are stored in `target/bench/*.result` and become
//! `docs/performance.md`.

mod commands;
mod context;
mod curves;
mod measure;
mod parts;
mod project;
mod report;

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use xshell::{Shell, cmd};

use context::{Context, Program};
use report::Line;

/// A benchmark, by its name.
type Bench = fn(&Context<'_>) -> anyhow::Result<Vec<Line>>;

const BENCHES: [(&str, Bench); 10] = [
    ("start", commands::start),
    ("noop", commands::noop),
    ("noop-one", commands::noop_one),
    ("cold", commands::cold),
    ("build", commands::build),
    ("sched", parts::sched),
    ("makespan", parts::makespan),
    ("scale", curves::scale),
    ("python", curves::python),
    ("pytest", parts::pytest),
];

/// The arguments of `cargo xtask bench`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    /// The program to measure, instead of the one in `target/release/`.
    jaunt: Option<PathBuf>,
    /// Another build of it, measured in the same rounds.
    versus: Option<PathBuf>,
    no_build: bool,
    /// Benchmarks; all if it is empty.
    names: Vec<String>,
}

impl Options {
    fn parse(args: &[String]) -> anyhow::Result<Self> {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut path = || {
                let path = args.next().with_context(|| format!("`{arg}` needs a path"))?;
                anyhow::Ok(Some(PathBuf::from(path)))
            };
            match arg.as_str() {
                "--jaunt" => options.jaunt = path()?,
                "--versus" => options.versus = path()?,
                "--no-build" => options.no_build = true,
                flag if flag.starts_with("--") => {
                    bail!("there is no `{flag}`; there are --jaunt, --versus and --no-build")
                }
                name if name == "report" || BENCHES.iter().any(|(it, _)| *it == name) => {
                    options.names.push(name.to_owned());
                }
                unknown => {
                    let known: Vec<&str> = BENCHES.iter().map(|(name, _)| *name).collect();
                    let known = known.join(", ");
                    bail!("there is no benchmark `{unknown}`; there are {known} and report")
                }
            }
        }
        Ok(options)
    }
}

/// Runs one benchmark, or all, and writes the results to `docs/performance.md`.
///
/// `--no-build` uses the programs in `target/release/` as they are. `--jaunt PATH` measures another
/// build of the program; `--versus PATH` measures a second one in the same rounds. With either of the
/// two, results are only printed.
pub(crate) fn run(sh: &Shell, args: &[String]) -> anyhow::Result<()> {
    let options = Options::parse(args)?;
    let root = sh.current_dir();
    let dir = root.join("target/bench");
    fs::create_dir_all(&dir)?;
    let is_published = options.jaunt.is_none() && options.versus.is_none();
    if options.names.first().is_none_or(|name| name != "report") {
        if options.jaunt.is_none() && !options.no_build {
            cmd!(sh, "cargo build --release --quiet --locked --package jaunt-cli").run()?;
        }
        // Each program has its own projects, since another build may store other state.
        let jaunt = match &options.jaunt {
            Some(path) => Program::new(path, &dir.join("jaunt"))?,
            None => Program::new(&root.join("target/release/jaunt"), &dir)?,
        };
        let versus = options.versus.as_ref();
        let versus = versus.map(|path| Program::new(path, &dir.join("versus"))).transpose()?;
        let builds = !options.no_build;
        let context = Context { sh, root: root.clone(), dir: dir.clone(), jaunt, versus, builds };
        for (name, bench) in BENCHES {
            if options.names.is_empty() || options.names.iter().any(|it| it == name) {
                println!("\n== {name}");
                let lines = bench(&context).with_context(|| format!("`{name}` failed"))?;
                for line in &lines {
                    println!("{line}");
                }
                if is_published {
                    report::keep(&dir, name, &lines)?;
                }
            }
        }
    }
    if is_published {
        report::write(&root, &dir, BENCHES.map(|(name, _)| name))?;
    }
    Ok(())
}

/// Runs the backend of the benchmarks: `cargo xtask bench-backend`.
pub(crate) fn backend() -> anyhow::Result<()> {
    let mut request = String::new();
    std::io::stdin().read_to_string(&mut request)?;
    print!("{}", project::answer(&request));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> anyhow::Result<Options> {
        Options::parse(&args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn options_and_names_come_in_any_order() {
        let options = parse(&["noop", "--versus", "old/jaunt", "build", "--no-build"]).unwrap();
        assert_eq!(
            options,
            Options {
                jaunt: None,
                versus: Some(PathBuf::from("old/jaunt")),
                no_build: true,
                names: vec!["noop".to_owned(), "build".to_owned()],
            }
        );
    }

    #[test]
    fn a_flag_without_its_path_and_unknown_names_are_errors() {
        assert_eq!(parse(&["--versus"]).unwrap_err().to_string(), "`--versus` needs a path");
        assert!(parse(&["--fast"]).unwrap_err().to_string().contains("no `--fast`"));
        assert!(parse(&["nop"]).unwrap_err().to_string().contains("no benchmark `nop`"));
    }
}

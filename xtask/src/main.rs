//! Maintenance commands of the workspace: `cargo xtask COMMAND`.
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "an xtask talks to the person who runs it"
)]
#![expect(clippy::disallowed_methods, reason = "an xtask works on the checkout and its `target/`")]

mod bench;
mod ci;
mod copy;
mod demo;
mod faults;
mod fuzz;
mod layers;
mod manifest;
mod random;
mod source;
mod unused;
#[path = "../../tests/support/venv.rs"]
mod venv;

use std::env;
use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use xshell::Shell;

const HELP: &str = "\
cargo xtask COMMAND

  bench    measure against peers and floors: [NAME…] [--no-build] [--jaunt PATH]
           [--versus PATH] (another build, in the same rounds)
  ci       run everything that CI runs: lint, layers, docs, demo, test, faults
  demo     build and test the shipped example, change a spec, build again
  docs     build the documentation; warnings are errors
  faults   kill and race the program, make system calls fail: [CAMPAIGN…] [--short]
  fuzz     feed broken documents to the readers: [--cases N] [--seconds N]
  layers   check edges, forbidden names, cycles of files and sizes
  lint     check unused dependencies, formatting and lints
  test     run all tests; further arguments go to `cargo test`
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("error: {err:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let mut args = env::args().skip(1);
    let sh = Shell::new()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is in the workspace");
    sh.change_dir(root);
    // Built programs are expected there, even if the user has builds go elsewhere.
    sh.set_var("CARGO_TARGET_DIR", root.join("target"));
    match args.next().as_deref() {
        Some("bench") => bench::run(&sh, &args.collect::<Vec<_>>()),
        Some("bench-backend") => bench::backend(),
        Some("ci") => ci::run(&sh),
        Some("demo") => demo::run(&sh),
        Some("docs") => ci::docs(&sh),
        Some("faults") => faults::run(&sh, &args.collect::<Vec<_>>()),
        Some("faults-backend") => faults::backend(),
        Some("fuzz") => fuzz::run(&sh, &args.collect::<Vec<_>>()),
        Some("layers") => layers::check(&sh),
        Some("lint") => ci::lint(&sh),
        Some("test") => ci::test(&sh, &args.collect::<Vec<_>>()),
        None | Some("help" | "-h" | "--help") => {
            print!("{HELP}");
            Ok(())
        }
        Some(other) => bail!("there is no command `{other}`\n\n{HELP}"),
    }
}

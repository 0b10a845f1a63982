//! Runs pytest on test files and prints the result as JSON.
//!
//! ```text
//! cargo run -p jaunt-pytest --example run -- [--python PY] FILE… [-- PYTEST ARGS]
//! ```
#![expect(clippy::print_stdout, reason = "it prints the result")]
#![expect(clippy::print_stderr, reason = "it prints errors, and what does not pass as it happens")]

use std::process::ExitCode;

use camino::Utf8PathBuf;
use jaunt_pytest::{Outcome, OutputMode, PytestCommand, PytestEvent};

#[path = "support/document.rs"]
mod document;

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(passed) => ExitCode::from(u8::from(!passed)),
        Err(err) => {
            eprintln!("error: {err}");
            let mut source = err.source();
            while let Some(cause) = source {
                eprintln!("  caused by: {cause}");
                source = cause.source();
            }
            ExitCode::from(2)
        }
    }
}

fn run(mut args: impl Iterator<Item = String>) -> Result<bool, Box<dyn std::error::Error>> {
    #[expect(clippy::disallowed_methods, reason = "an example runs where it is")]
    let root = Utf8PathBuf::from_path_buf(std::env::current_dir()?)
        .map_err(|dir| format!("`{}` is not UTF-8", dir.display()))?;
    let mut command = PytestCommand::new("python3", root, []);
    // The output goes into the result, so that standard output is one JSON document.
    command.output = OutputMode::Capture { limit: 1 << 20 };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--python" => command.python = args.next().ok_or("`--python` needs a value")?.into(),
            "--" => command.args.extend(args.by_ref()),
            _ => command.files.push(arg.into()),
        }
    }

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(jaunt_pytest::run(&command, tell, std::future::pending()))?;
    println!("{}", serde_json::to_string_pretty(&document::document(&result))?);
    Ok(result.passed())
}

fn tell(event: &PytestEvent) {
    if let PytestEvent::Outcome { node_id, outcome, .. } = event
        && *outcome != Outcome::Passed
    {
        eprintln!("{outcome:?} {node_id}");
    }
}

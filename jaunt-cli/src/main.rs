//! The `jaunt` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    jaunt_cli::main_impl()
}

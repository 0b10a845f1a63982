//! The program under test: Cargo tells a test only where binaries of its own package are.

use std::process::ExitCode;

fn main() -> ExitCode {
    jaunt_cli::main_impl()
}

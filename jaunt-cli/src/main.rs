//! The `jaunt` command.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A project is hundreds of thousands of small values, made on all cores.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    jaunt_cli::main_impl()
}

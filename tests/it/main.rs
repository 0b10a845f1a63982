//! The program as a user runs it: real files, real processes, real pytest.
#![expect(clippy::disallowed_methods, reason = "tests make the projects they work on")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod build;
mod cli;
mod confinement;
mod documents;
mod example;
mod exporter;
mod faults;
#[path = "../support/files.rs"]
mod files;
mod fresh_cache;
mod readme;
mod support;
mod test_command;
#[path = "../support/venv.rs"]
mod venv;

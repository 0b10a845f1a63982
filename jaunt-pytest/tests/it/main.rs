//! Recordings and real runs of pytest, and the results made of them.
#![expect(clippy::disallowed_methods, reason = "tests make projects and start Pythons")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stderr, reason = "a test says why it is skipped")]

mod corpus;
#[path = "../../examples/support/document.rs"]
mod document;
#[expect(dead_code, reason = "shared with the tests of other crates")]
#[path = "../../../tests/support/files.rs"]
mod files;
mod input;
mod matrix;
mod runs;
mod support;
#[expect(dead_code, reason = "shared with the tests of the whole program")]
#[path = "../../../tests/support/venv.rs"]
mod venv;

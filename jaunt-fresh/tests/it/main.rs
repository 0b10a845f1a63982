//! Verdicts of a cache about dummy projects that are edited without its knowledge.
#![expect(clippy::disallowed_methods, reason = "tests make the projects they work on")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "shared with the tests of jaunt-builder")]
#[path = "../../../jaunt-builder/tests/it/support.rs"]
mod support;
mod verdict;

//! Whole builds of dummy projects with a backend that needs no model.
#![expect(clippy::disallowed_methods, reason = "tests make the projects they work on")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod faults;
mod incremental;
mod layout;
mod outcomes;
mod support;
mod tests_kind;

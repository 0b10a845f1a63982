//! The documents as programs read them: their keys, in this order.
//!
//! A snapshot that changes breaks a promise, unless a key was added.
#![expect(clippy::disallowed_methods, reason = "tests make the projects they work on")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod build;
mod others;
mod reasons;
mod status;
#[expect(dead_code, reason = "shared with the tests of jaunt-builder")]
#[path = "../../../jaunt-builder/tests/it/support.rs"]
mod support;
mod test;

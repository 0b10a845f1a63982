//! The names and versions of the documents.

/// What `build` did, or would do.
pub const BUILD: &str = "jaunt.build/1";
/// What `test` did.
pub const TEST: &str = "jaunt.test/1";
/// What is fresh, stale and orphaned.
pub const STATUS: &str = "jaunt.status/1";
/// The same, as a gate.
pub const CHECK: &str = "jaunt.check/1";
/// What was removed, or would be.
pub const CLEAN: &str = "jaunt.clean/1";
/// The graph of modules.
pub const GRAPH: &str = "jaunt.graph/1";
/// Why there is no other document.
pub const ERROR: &str = "jaunt.error/1";

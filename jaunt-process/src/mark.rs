//! The mark by which the processes of one child are known.

use std::sync::atomic::{AtomicU64, Ordering};

/// The environment variable that holds the mark. A process inherits it, and keeps it when it leaves
/// its process group.
pub(crate) const VARIABLE: &str = "JAUNT_PROCESS";

/// A value of [`VARIABLE`] that no other child has.
#[derive(Debug)]
pub(crate) struct Mark(pub(crate) String);

impl Mark {
    /// Returns a mark that has not been used.
    pub(crate) fn next() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        Self(format!("{}.{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)))
    }
}

//! The Python script that does the work.

/// Run with the project's interpreter. Its top says what goes in and what comes out.
pub(super) const SCRIPT: &str = include_str!("export.py");

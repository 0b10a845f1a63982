//! Results from the JUnit XML that pytest writes with `--junitxml`.

mod address;
mod error;
mod merge;
mod read;
mod resolve;

use std::io::BufRead;

pub use crate::junit::error::JunitError;
pub use crate::junit::merge::merge;
pub use crate::junit::read::JunitReport;

/// Reads the JUnit XML that pytest writes, in both of its families (`xunit1` and `xunit2`).
///
/// # Errors
///
/// If it is not well-formed, or not JUnit XML.
pub fn parse_junit(reader: impl BufRead) -> Result<JunitReport, JunitError> {
    read::read(reader)
}

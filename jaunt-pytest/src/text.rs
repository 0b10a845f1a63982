//! Results from the terminal output, for those who have only a log.

mod end;
mod ids;
mod lines;
mod log;
mod progress;
mod resolve;
mod scan;

use std::io::{self, BufRead};

use crate::result::PytestResult;

/// What is known about a log besides its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextOptions {
    /// pytest's exit code; negative after a signal, as Python's `subprocess` has it.
    pub exit_code: Option<i32>,
}

/// Reads the terminal output of pytest: counts from the last line, failures from the summary.
///
/// The text is what a person would have read; it can be silent (`-qq`, `-rN`, `-p no:terminal`),
/// cut off, and forged by what tests print. So several parts of it are held against one another:
/// the last line, the summary, the headings of the sections and the marks of progress. Where they
/// do not add up the result says [`complete: false`](PytestResult::complete) or names its
/// [doubts](PytestResult::doubts), and it does not guess.
///
/// Any bytes will do: colors, CRLF and UTF-16 are understood, invalid UTF-8 is replaced. Memory is
/// bounded whatever the length of the log.
///
/// # Errors
///
/// Only those of the reader.
pub fn parse_text(reader: impl BufRead, options: &TextOptions) -> io::Result<PytestResult> {
    let log = scan::scan(reader)?;
    Ok(resolve::resolve(&log, options.exit_code))
}

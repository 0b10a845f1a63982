//! Which tests failed, from whatever part of the log names them.

mod by_headings;
mod by_summary;
mod by_verbose_lines;
mod named;
mod report;

use crate::doubt::Doubt;
use crate::result::TestFailure;
use crate::text::end::End;
use crate::text::log::Log;
use crate::text::resolve::failures::named::{Certainty, verbose_failures};
use crate::text::resolve::failures::report::Report;

/// The failures that could be named.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) failures: Vec<TestFailure>,
    /// What is wrong with them, if anything is.
    pub(super) doubt: Option<Doubt>,
}

/// Finds the failures of the report that ends at line `end_line`.
pub(super) fn find(log: &Log, end: &End, end_line: u64, has_end: bool) -> Found {
    if !has_end {
        return Found { failures: from_marks(log).unwrap_or_default(), doubt: None };
    }
    if end.n_failures() == 0 {
        return Found::default();
    }
    let report = Report::new(log, end, end_line);
    let headings = report.in_sections();
    let failures = report
        .in_summary(&headings)
        .or_else(|| report.in_verbose_lines())
        .or_else(|| report.in_headings(&headings));
    match failures {
        Some((failures, Certainty::Exact)) => Found { failures, doubt: None },
        Some((failures, Certainty::Ambiguous)) => {
            Found { failures, doubt: Some(Doubt::AmbiguousIds) }
        }
        None => Found {
            failures: Vec::new(),
            doubt: Some(Doubt::UnnamedFailures { count: end.n_failures() }),
        },
    }
}

/// Returns the failures of a log without an end: only those that `-v` names.
fn from_marks(log: &Log) -> Option<Vec<TestFailure>> {
    (!log.progress.has_noise).then(|| verbose_failures(log))
}

//! Failures by the lines that `-v` prints for each test.

use crate::result::Phase;
use crate::text::ids::Title;
use crate::text::log::Heading;
use crate::text::progress::Word;
use crate::text::resolve::describe::describe;
use crate::text::resolve::failures::named::{Certainty, Named, collect_failure, verbose_failures};
use crate::text::resolve::failures::report::Report;

impl Report<'_> {
    /// Returns the failures in the lines that `-v` prints for each test.
    pub(super) fn in_verbose_lines(&self) -> Option<Named> {
        let counts = &self.end.counts;
        let collecting: Vec<&Heading> = self
            .headings
            .iter()
            .copied()
            .filter(|heading| matches!(Title::parse(&heading.title), Title::Collecting(_)))
            .collect();
        let marks = &self.log.progress;
        if marks.n_words(Word::Failed) != counts.failed
            || marks.n_words(Word::Error) + collecting.len() as u64 != counts.errors
        {
            return None;
        }
        let mut failures = verbose_failures(self.log);
        // What the sections add: they have the failures in the same order, errors apart.
        for is_error in [false, true] {
            let mut rest = self.headings.as_slice();
            for failure in failures.iter_mut().rev() {
                if (failure.phase != Phase::Call) != is_error {
                    continue;
                }
                let found = rest.iter().rposition(|heading| {
                    let title = Title::parse(&heading.title);
                    title.is_error() == is_error && title.is_of(&failure.node_id)
                });
                if let Some(at) = found {
                    describe(failure, rest[at]);
                    rest = &rest[..at];
                }
            }
        }
        failures.extend(collecting.into_iter().map(collect_failure));
        Some((failures, Certainty::Exact))
    }
}

//! Failures by the headings of the sections, which leave out the file.

use camino::Utf8PathBuf;

use crate::result::TestFailure;
use crate::text::ids::{Title, node_name, split_subtest};
use crate::text::log::Heading;
use crate::text::resolve::describe::{describe, first_location};
use crate::text::resolve::failures::named::{Certainty, Named, collect_failure, phase};
use crate::text::resolve::failures::report::Report;

impl<'a> Report<'a> {
    /// Returns the failures in the headings, if the file of each can be told.
    pub(super) fn in_headings(&self, headings: &[&'a Heading]) -> Option<Named> {
        let counts = &self.end.counts;
        let (errors, failed): (Vec<&Heading>, Vec<&Heading>) =
            headings.iter().partition(|heading| Title::parse(&heading.title).is_error());
        if failed.len() as u64 != counts.failed || errors.len() as u64 != counts.errors {
            return None;
        }
        let marks = &self.log.progress;
        let mut failures = self.locate(&failed, &marks.failed_in)?;
        let (collecting, errors): (Vec<&Heading>, Vec<&Heading>) = errors
            .into_iter()
            .partition(|heading| matches!(Title::parse(&heading.title), Title::Collecting(_)));
        failures.extend(self.locate(&errors, &marks.errors_in)?);
        failures.extend(collecting.into_iter().map(collect_failure));
        Some((failures, Certainty::Exact))
    }

    fn locate(&self, headings: &[&Heading], marked: &[Option<String>]) -> Option<Vec<TestFailure>> {
        let mut files: Vec<Option<&str>> = headings
            .iter()
            .enumerate()
            .map(|(at, heading)| {
                let title = Title::parse(&heading.title);
                let (name, _) = split_subtest(title.name());
                let by_mark =
                    || (marked.len() == headings.len()).then(|| marked[at].as_deref()).flatten();
                let by_announcement = || {
                    let announced = self.log.announced.iter();
                    announced.rev().find(|(_, it)| it == name).map(|(file, _)| file.as_str())
                };
                let by_traceback = || {
                    first_location(&heading.body)
                        .map(|(file, _)| file)
                        .filter(|file| self.may_be_test_file(file, title))
                };
                by_mark().or_else(by_announcement).or_else(by_traceback)
            })
            .collect();
        // Tests of a file run one after the other, unless several run at once.
        if !self.log.collected.is_some_and(|collected| collected.is_distributed) {
            for at in 1..files.len().saturating_sub(1) {
                let next = files[at + 1..].iter().flatten().next();
                if files[at].is_none() && files[at - 1].is_some() && next == files[at - 1].as_ref()
                {
                    files[at] = files[at - 1];
                }
            }
        }
        headings
            .iter()
            .zip(files)
            .map(|(heading, file)| {
                let file = file?;
                let title = Title::parse(&heading.title);
                let (name, subtest) = split_subtest(title.name());
                let mut failure = TestFailure {
                    node_id: format!("{file}::{}", node_name(name)),
                    phase: phase(title),
                    subtest: subtest.map(str::to_owned),
                    file: Some(Utf8PathBuf::from(file)),
                    ..TestFailure::default()
                };
                describe(&mut failure, heading);
                Some(failure)
            })
            .collect()
    }

    /// Returns whether the first file of a traceback is the test's: a fixture may be elsewhere.
    fn may_be_test_file(&self, file: &str, title: Title<'_>) -> bool {
        if self.files.is_empty() {
            let name = file.rsplit('/').next().unwrap_or(file);
            let is_test_file = name.starts_with("test_") || name.ends_with("_test.py");
            (matches!(title, Title::Call(_)) || is_test_file)
                && file.ends_with(".py")
                && !file.starts_with('/')
        } else {
            self.files.contains(file)
        }
    }
}

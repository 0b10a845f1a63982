//! Failures by the lines of the short test summary.

use std::collections::BTreeSet;

use crate::text::ids::{Entry, Title};
use crate::text::log::Heading;
use crate::text::resolve::failures::named::{Certainty, Named, failure};
use crate::text::resolve::failures::report::Report;

impl<'a> Report<'a> {
    /// Returns the failures in the lines of the short test summary.
    pub(super) fn in_summary(&self, headings: &[&'a Heading]) -> Option<Named> {
        let counts = &self.end.counts;
        let (errors, failed): (Vec<&Entry>, Vec<&Entry>) =
            self.entries.iter().partition(|entry| entry.is_error);
        // pytest-sugar says FAILED for errors as well, and does not count those of collection.
        if self.end.is_block && errors.is_empty() {
            return self.select(&failed, headings, self.end.n_failures());
        }
        let (error_headings, failed_headings): (Vec<&Heading>, Vec<&Heading>) =
            headings.iter().partition(|heading| Title::parse(&heading.title).is_error());
        let (mut failures, certainty) = self.select(&failed, &failed_headings, counts.failed)?;
        let (errors, certainty_of_errors) = self.select(&errors, &error_headings, counts.errors)?;
        failures.extend(errors);
        Some((failures, certainty.max(certainty_of_errors)))
    }

    /// Picks the `n_expected` true ones among lines that may in part be forged by messages.
    fn select(
        &self,
        entries: &[&Entry],
        headings: &[&'a Heading],
        n_expected: u64,
    ) -> Option<Named> {
        let n_expected = usize::try_from(n_expected).ok()?;
        if entries.len() == n_expected {
            return self.name(entries, headings);
        }
        if entries.len() < n_expected {
            return self.with_other_words(entries, headings, n_expected);
        }
        // A message may contain anything, but the headings are as many as the failures, and come
        // in the same order.
        if headings.len() == n_expected {
            let mut rest = entries;
            let mut picked = Vec::with_capacity(n_expected);
            for heading in headings.iter().rev() {
                let title = Title::parse(&heading.title);
                let at = rest.iter().rposition(|entry| {
                    entry.splits().any(|(id, _)| title.is_of(id) && self.is_of_known_file(id))
                })?;
                picked.push(rest[at]);
                rest = &rest[..at];
            }
            picked.reverse();
            return self.name(&picked, headings);
        }
        let known: Vec<&Entry> = entries
            .iter()
            .copied()
            .filter(|entry| {
                !self.files.is_empty()
                    && entry.plausible_splits().any(|(id, _)| self.is_of_known_file(id))
            })
            .collect();
        (known.len() == n_expected).then(|| self.name(&known, headings))?
    }

    /// Looks for status words that a plugin or a `conftest.py` puts in the place of FAILED.
    fn with_other_words(
        &self,
        entries: &[&Entry],
        headings: &[&'a Heading],
        n_expected: usize,
    ) -> Option<Named> {
        if entries.iter().any(|entry| entry.is_error) {
            return None;
        }
        let others: Vec<Entry> = self
            .block?
            .lines
            .iter()
            .take_while(|(number, _)| *number < self.end_line)
            .filter_map(|(number, line)| Entry::parse_other_word(*number, &line.plain))
            .filter(|entry| {
                entry.plausible_splits().any(|(id, _)| {
                    self.is_of_known_file(id)
                        && headings.iter().any(|heading| Title::parse(&heading.title).is_of(id))
                })
            })
            .collect();
        let mut all: Vec<&Entry> = entries.iter().copied().chain(&others).collect();
        all.sort_by_key(|entry| entry.line);
        (all.len() == n_expected).then(|| self.name(&all, headings))?
    }

    /// Finds the ids of lines that are all true, with the help of the headings, which are in the
    /// same order. `None` if it turns out that the lines cannot be the true ones.
    fn name(&self, entries: &[&Entry], headings: &[&'a Heading]) -> Option<Named> {
        let verbose: BTreeSet<&str> =
            self.log.progress.verbose.iter().map(|(id, _)| id.as_str()).collect();
        let is_paired = headings.len() == entries.len();
        let mut rest = headings;
        let mut failures = Vec::with_capacity(entries.len());
        let mut certainty = Certainty::Exact;
        let mut n_strangers = 0;
        for (at, entry) in entries.iter().enumerate().rev() {
            let matched = rest.iter().enumerate().rev().find_map(|(at, heading)| {
                let title = Title::parse(&heading.title);
                // Of several ids that a heading fits, the whole line is the last.
                let split = entry.splits().find(|(id, _)| title.is_of(id))?;
                Some((at, *heading, split))
            });
            let pair = is_paired.then(|| headings[at]);
            let (heading, (id, message)) = if let Some((at, heading, split)) = matched {
                rest = &rest[..at];
                (Some(heading), split)
            } else if let Some(heading) = pair
                && let Some(split) = longest_in_title(entry, heading)
            {
                rest = &rest[..at.min(rest.len())];
                (Some(heading), split)
            } else {
                n_strangers += 1;
                let (split, is_certain) = self.split(entry, &verbose);
                if !is_certain {
                    certainty = Certainty::Ambiguous;
                }
                (None, split)
            };
            failures.push(failure(entry, id, message, heading));
        }
        failures.reverse();
        // All failures have headings, and some of the lines have none: so these may be forged.
        if is_paired && n_strangers > 0 && !self.is_clean() {
            return None;
        }
        Some((failures, certainty))
    }

    /// Cuts a line in two if no heading helps, and tells whether there was a choice.
    fn split<'e>(
        &self,
        entry: &'e Entry,
        verbose: &BTreeSet<&str>,
    ) -> ((&'e str, Option<&'e str>), bool) {
        if let Some(split) = entry.splits().find(|(id, _)| verbose.contains(id)) {
            return (split, true);
        }
        let mut plausible = entry.plausible_splits();
        match (plausible.next(), plausible.next()) {
            // The name of a plugin's own item may be anything.
            (Some(split), None) => (split, split.1.is_none() || split.0.contains(".py")),
            (Some(split), Some(_)) => (split, false),
            (None, _) => {
                (entry.splits().next().expect("there is always the way to take all of it"), false)
            }
        }
    }
}

/// Returns the longest id that the title of a plugin's own heading ends with.
fn longest_in_title<'e>(entry: &'e Entry, heading: &Heading) -> Option<(&'e str, Option<&'e str>)> {
    let title = Title::parse(&heading.title);
    entry.splits().filter(|(id, _)| title.may_be_of(id)).last()
}

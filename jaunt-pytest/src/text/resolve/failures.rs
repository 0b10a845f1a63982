//! Which tests failed, from whatever part of the log names them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use crate::doubt::Doubt;
use crate::result::{Phase, TestFailure};
use crate::text::end::End;
use crate::text::ids::{Entry, Title, node_name, split_subtest, unescape};
use crate::text::progress::Word;
use crate::text::resolve::describe::{describe, first_location};
use crate::text::scan::{Block, Heading, Log, SectionKind};

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

/// Failures, and whether their ids are certain.
type Named = (Vec<TestFailure>, Certainty);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Certainty {
    Exact,
    Ambiguous,
}

/// What fails in a log without an end: only what `-v` says in so many words.
fn from_marks(log: &Log) -> Option<Vec<TestFailure>> {
    (!log.progress.has_noise).then(|| verbose_failures(log))
}

/// One report: from its sections to its last line.
struct Report<'a> {
    log: &'a Log,
    end: &'a End,
    block: Option<&'a Block>,
    end_line: u64,
    entries: Vec<Entry>,
    headings: Vec<&'a Heading>,
    /// Files that have tests, as the log writes them.
    files: BTreeSet<&'a str>,
}

impl<'a> Report<'a> {
    fn new(log: &'a Log, end: &'a End, end_line: u64) -> Self {
        let block = log.blocks.iter().rev().find(|block| block.line < end_line && !block.is_cut);
        let mut entries: Vec<Entry> = Vec::new();
        for (number, line) in block.iter().flat_map(|block| &block.lines) {
            if *number >= end_line {
                break;
            }
            if let Some(entry) = Entry::parse(*number, &line.plain) {
                entries.push(entry);
            } else if let Some(entry) = entries.last_mut()
                && entry.is_open()
            {
                entry.join(&line.plain);
            }
        }
        let headings_end = block.map_or(end_line, |block| block.line);
        let first_section = first_section(log, headings_end);
        let headings: Vec<&Heading> = log
            .headings
            .iter()
            .filter(|heading| (first_section..headings_end).contains(&heading.line))
            .collect();
        let collected = headings.iter().filter_map(|heading| match Title::parse(&heading.title) {
            Title::Collecting(path) => Some(path),
            _ => None,
        });
        let ids = log.progress.verbose.iter().filter_map(|(id, _)| id.split_once("::"));
        let files = log
            .progress
            .files
            .iter()
            .map(String::as_str)
            .chain(ids.map(|(file, _)| file))
            .chain(collected)
            .collect();
        Self { log, end, block, end_line, entries, headings, files }
    }

    /// The headings that are in the sections for failures.
    ///
    /// What a test prints may look like the beginning of another section. Then the headings would
    /// be too few, and all of them are taken into account.
    fn in_sections(&self) -> Vec<&'a Heading> {
        let in_sections: Vec<&Heading> = self
            .headings
            .iter()
            .copied()
            .filter(|heading| {
                let section =
                    self.log.sections.iter().rev().find(|section| section.line < heading.line);
                section.is_none_or(|section| section.kind != SectionKind::Other)
            })
            .collect();
        if (in_sections.len() as u64) < self.end.n_failures() {
            self.headings.clone()
        } else {
            in_sections
        }
    }

    /// From the lines of the short test summary.
    fn in_summary(&self, headings: &[&'a Heading]) -> Option<Named> {
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

    /// Returns whether there is nothing in the summary but what pytest puts there.
    fn is_clean(&self) -> bool {
        let lines = self.block.iter().flat_map(|block| &block.lines);
        lines
            .take_while(|(number, _)| *number < self.end_line)
            // After an interruption its place in the code is told.
            .take_while(|(_, line)| !line.plain.starts_with('!'))
            .all(|(_, line)| {
                let line = &line.plain;
                let word = line.split([' ', '[', '(']).next().unwrap_or_default();
                let is_word = word.len() > 1
                    && word.bytes().all(|byte| byte.is_ascii_uppercase())
                    && word.len() < line.len();
                is_word || line.trim().is_empty() || line.contains(" SUBFAIL ")
            })
    }

    fn is_of_known_file(&self, id: &str) -> bool {
        let file = id.split_once("::").map_or(id, |(file, _)| file);
        self.files.is_empty() || file.is_empty() || self.files.contains(file)
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

    /// Cuts a line in two where no heading helps, and tells whether there was a choice.
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

    /// From the lines that `-v` prints for each test.
    fn in_verbose_lines(&self) -> Option<Named> {
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

    /// From the headings of the sections, which leave out the file.
    fn in_headings(&self, headings: &[&'a Heading]) -> Option<Named> {
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

/// The line at which the report's sections begin.
///
/// What tests print may contain sections, too. Those of the report are the last ones, but a
/// report within the captured output of a failure comes after the section that it is in. So it is
/// the last ERRORS that a FAILURES follows, or else the first of the last FAILURES.
fn first_section(log: &Log, headings_end: u64) -> u64 {
    let sections: Vec<_> =
        log.sections.iter().filter(|section| section.line < headings_end).collect();
    let last_session = log.sessions.iter().copied().filter(|line| *line < headings_end).max();
    let after_sessions: Vec<_> = sections
        .iter()
        .filter(|section| last_session.is_none_or(|session| section.line > session))
        .collect();
    let candidates: Vec<_> =
        if after_sessions.is_empty() { sections.iter().collect() } else { after_sessions };
    let last_of = |kind| candidates.iter().rposition(|section| section.kind == kind);
    let Some(last_failures) = last_of(SectionKind::Failures) else {
        return last_of(SectionKind::Errors).map_or(0, |at| candidates[at].line);
    };
    match last_failures.checked_sub(1).map(|before| candidates[before]) {
        Some(section) if section.kind == SectionKind::Errors => section.line,
        _ => candidates[last_failures].line,
    }
}

/// The longest id that the title of a plugin's own heading ends with.
fn longest_in_title<'e>(entry: &'e Entry, heading: &Heading) -> Option<(&'e str, Option<&'e str>)> {
    let title = Title::parse(&heading.title);
    entry.splits().filter(|(id, _)| title.may_be_of(id)).last()
}

fn verbose_failures(log: &Log) -> Vec<TestFailure> {
    let mut has_outcome = BTreeSet::new();
    let mut failures = Vec::new();
    for (id, word) in &log.progress.verbose {
        let phase = match word {
            Word::Failed => Some(Phase::Call),
            Word::Error if has_outcome.contains(id) => Some(Phase::Teardown),
            Word::Error => Some(Phase::Setup),
            _ => None,
        };
        has_outcome.insert(id);
        failures.extend(phase.map(|phase| TestFailure {
            node_id: id.clone(),
            phase,
            file: file_of(id),
            ..TestFailure::default()
        }));
    }
    failures
}

fn failure(
    entry: &Entry,
    id: &str,
    message: Option<&str>,
    heading: Option<&Heading>,
) -> TestFailure {
    let phase = match (heading, entry.is_error) {
        (Some(heading), _) => phase(Title::parse(&heading.title)),
        (None, false) => Phase::Call,
        (None, true) if id.contains("::") => Phase::Setup,
        (None, true) => Phase::Collect,
    };
    let id = unescape(id).map_or_else(|| Cow::Borrowed(id), Cow::Owned);
    let mut failure = TestFailure {
        node_id: id.clone().into_owned(),
        phase,
        subtest: entry.subtest.clone(),
        message: message.unwrap_or_default().to_owned(),
        file: file_of(&id),
        ..TestFailure::default()
    };
    if let Some(heading) = heading {
        describe(&mut failure, heading);
    }
    failure
}

fn collect_failure(heading: &Heading) -> TestFailure {
    let id = Title::parse(&heading.title).name();
    let mut failure = TestFailure {
        node_id: id.to_owned(),
        phase: Phase::Collect,
        file: file_of(id),
        ..TestFailure::default()
    };
    describe(&mut failure, heading);
    failure
}

fn phase(title: Title<'_>) -> Phase {
    match title {
        Title::Collecting(_) => Phase::Collect,
        Title::Setup(_) => Phase::Setup,
        Title::Teardown(_) => Phase::Teardown,
        Title::Call(_) => Phase::Call,
    }
}

fn file_of(id: &str) -> Option<Utf8PathBuf> {
    let file = id.split_once("::").map_or(id, |(file, _)| file);
    (!file.is_empty()).then(|| Utf8PathBuf::from(file))
}

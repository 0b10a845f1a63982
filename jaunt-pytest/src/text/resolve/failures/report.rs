//! The parts of one report that may name its failures.

use std::collections::BTreeSet;

use crate::text::end::End;
use crate::text::ids::{Entry, Title};
use crate::text::log::{Block, Heading, Log, SectionKind};

/// One report: from its sections to its last line.
pub(super) struct Report<'a> {
    pub(super) log: &'a Log,
    pub(super) end: &'a End,
    pub(super) block: Option<&'a Block>,
    pub(super) end_line: u64,
    pub(super) entries: Vec<Entry>,
    pub(super) headings: Vec<&'a Heading>,
    /// Files that have tests, as the log writes them.
    pub(super) files: BTreeSet<&'a str>,
}

impl<'a> Report<'a> {
    /// Collects the parts of the report that ends at line `end_line`.
    pub(super) fn new(log: &'a Log, end: &'a End, end_line: u64) -> Self {
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

    /// Returns the headings that are in the sections for failures.
    ///
    /// What a test prints may look like the beginning of another section. Then the headings would
    /// be too few, and all of them are taken into account.
    pub(super) fn in_sections(&self) -> Vec<&'a Heading> {
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

    /// Returns whether there is nothing in the summary but what pytest puts there.
    pub(super) fn is_clean(&self) -> bool {
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

    /// Returns whether a node id is in one of the files that have tests, if these are known.
    pub(super) fn is_of_known_file(&self, id: &str) -> bool {
        let file = id.split_once("::").map_or(id, |(file, _)| file);
        self.files.is_empty() || file.is_empty() || self.files.contains(file)
    }
}

/// Returns the line at which the report's sections begin.
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

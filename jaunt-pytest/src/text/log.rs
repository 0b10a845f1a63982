//! What is kept of a log.

use std::collections::VecDeque;

use crate::text::end::End;
use crate::text::lines::Line;
use crate::text::progress::Progress;

/// What a log has that may be part of a report.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) n_lines: u64,
    pub(super) version: Option<String>,
    /// The lines at which sessions begin. More than one: pytest ran within pytest.
    pub(super) sessions: Vec<u64>,
    /// What the first session collected.
    pub(super) collected: Option<Collected>,
    pub(super) progress: Progress,
    /// The lines at which the sections `ERRORS` and `FAILURES` begin, with their widths.
    pub(super) sections: Vec<Section>,
    pub(super) headings: Vec<Heading>,
    pub(super) blocks: VecDeque<Block>,
    pub(super) ends: VecDeque<(u64, End)>,
    /// Lines such as `!!!!! KeyboardInterrupt !!!!!`.
    pub(super) interruptions: VecDeque<(u64, String)>,
    pub(super) internal_error: String,
    /// The last line that is not empty.
    pub(super) last_line: u64,
    /// Whether something was left out to save memory.
    pub(super) is_cut: bool,
    /// Failures that pytest-pretty announces as they come: file and title.
    pub(super) announced: Vec<(String, String)>,
}

/// What pytest says it collected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Collected {
    pub(super) items: u64,
    pub(super) errors: u64,
    pub(super) deselected: u64,
    pub(super) skipped: u64,
    /// Whether xdist collected, which tells only the number of tests.
    pub(super) is_distributed: bool,
}

/// What a section is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SectionKind {
    Errors,
    Failures,
    /// One that comes after these two, and has no failures in it.
    Other,
}

/// The line at which a section begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section {
    pub(super) line: u64,
    pub(super) kind: SectionKind,
}

/// A line such as `____ test_a ____`, and the text below it.
#[derive(Debug)]
pub(super) struct Heading {
    pub(super) line: u64,
    pub(super) title: String,
    pub(super) body: String,
    pub(super) is_cut: bool,
}

/// What follows `=== short test summary info ===`, up to the end of the log.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) line: u64,
    pub(super) lines: Vec<(u64, Line)>,
    pub(super) n_bytes: usize,
    pub(super) is_cut: bool,
}

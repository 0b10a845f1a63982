//! One pass over a log, which keeps what may matter in the end.
//!
//! Tests can print whole reports of their own, and pytest prints its report last. So nothing is
//! decided here: everything that looks like a part of a report is kept with its line number, and
//! bounded in size.

use std::collections::VecDeque;
use std::io::{self, BufRead};
use std::sync::LazyLock;

use regex::Regex;

use crate::text::end::{End, undecorate};
use crate::text::lines::{Line, Lines};
use crate::text::log::{Block, Collected, Heading, Log, Section, SectionKind};
use crate::text::progress::Progress;

/// How many ends, summaries and interruptions are kept: the last ones.
const LAST: usize = 16;
const LAST_BLOCKS: usize = 3;
/// How many bytes of a summary are kept.
const BLOCK_LIMIT: usize = 32 << 20;
/// How many bytes of headings and of the texts below them are kept, and of a single text.
const HEADINGS_LIMIT: usize = 64 << 20;
const BODY_LIMIT: usize = 32 << 10;
const INTERNAL_LIMIT: usize = 16 << 10;

/// Reads a whole log.
pub(super) fn scan(reader: impl BufRead) -> io::Result<Log> {
    let mut lines = Lines::new(reader)?;
    let mut scanner = Scanner::default();
    while let Some(line) = lines.next()? {
        scanner.add(line);
    }
    Ok(scanner.log)
}

#[derive(Debug, Default)]
struct Scanner {
    log: Log,
    /// Whether the report has not begun yet.
    is_before_report: Option<bool>,
    /// The width of the section's own line, which its headings share.
    width: Option<usize>,
    is_in_section: bool,
    is_in_end_block: bool,
    n_heading_bytes: usize,
}

const SESSION: &str = "test session starts";

static VERSION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?:platform|Test session starts \(platform:) .*\bpytest[- ](?<version>\d+\.[0-9a-z.]+)",
    )
    .expect("the expression is constant")
});
static COLLECTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^collected (?<items>\d+) items?(?: / (?<errors>\d+) errors?)?(?: / (?<deselected>\d+) deselected)?(?: / (?<skipped>\d+) skipped)?(?: / \d+ selected)?\s*$",
    )
    .expect("the expression is constant")
});
static WORKERS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:\d+ workers?|gw0) \[(?<items>\d+)(?: items?)?\]")
        .expect("the expression is constant")
});
static ANNOUNCED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?:^|\])(?<file>[^\s:\]][^:\]]*):\d+ (?<title>[^\s-].*?)(?: - .*)?(?:\s+\[\s*\d+%\])?$",
    )
    .expect("the expression is constant")
});

impl Scanner {
    fn add(&mut self, line: Line) {
        self.log.n_lines += 1;
        let number = self.log.n_lines;
        if !line.plain.trim().is_empty() {
            self.log.last_line = number;
        }
        let is_summary_title = self.look_at(number, &line.plain);
        if !is_summary_title && let Some(block) = self.log.blocks.back_mut() {
            let n_bytes = line.raw.len() + line.plain.len();
            if block.n_bytes + n_bytes <= BLOCK_LIMIT {
                block.n_bytes += n_bytes;
                block.lines.push((number, line));
            } else {
                block.is_cut = true;
            }
        }
    }

    /// Recognizes a line and keeps what it says. Returns whether it is the title of a summary.
    fn look_at(&mut self, number: u64, line: &str) -> bool {
        let text = line.trim_end();
        match text.chars().next() {
            Some('=') => {
                if let Some((title, width)) = undecorate(text, '=') {
                    return self.add_title(number, text, title, width);
                }
            }
            Some('_' | '―')
                if (self.width.is_some() || text.starts_with('―'))
                    && self.add_heading(number, text) =>
            {
                return false;
            }
            _ => {}
        }
        if self.add_status(number, text) {
            return false;
        }
        if text.ends_with('=') && text.contains(SESSION) {
            // pytest within pytest, after a letter of the outer one.
            self.begin_session(number);
        } else if !self.is_in_end_block || !self.add_to_end_block(text) {
            self.add_text(text);
        }
        false
    }

    /// Keeps a line that tells how the run ended, or with which pytest it began. Returns whether it
    /// is one.
    fn add_status(&mut self, number: u64, text: &str) -> bool {
        match text.chars().next() {
            Some('!') => {
                if let Some((reason, _)) = undecorate(text, '!') {
                    keep_last(&mut self.log.interruptions, LAST, (number, reason.to_owned()));
                    self.is_before_report.get_or_insert(true);
                    return true;
                }
            }
            Some('I') => {
                if let Some(error) = text.strip_prefix("INTERNALERROR>") {
                    let internal_error = &mut self.log.internal_error;
                    if internal_error.len() < INTERNAL_LIMIT {
                        internal_error.push_str(error.strip_prefix(' ').unwrap_or(error));
                        internal_error.push('\n');
                    }
                    return true;
                }
            }
            Some('R' | 'T' | 'p') => {
                if let Some(end) = End::parse_block(text) {
                    keep_last(&mut self.log.ends, LAST, (number, end));
                    self.is_in_end_block = true;
                    return true;
                }
                if let Some(caps) = VERSION.captures(text) {
                    self.log.version.get_or_insert_with(|| caps["version"].to_owned());
                    if text.starts_with('T') {
                        self.log.sessions.push(number);
                    }
                    return true;
                }
            }
            Some('0'..='9' | 'n') => {
                if let Some(end) = End::parse(text) {
                    self.finish(number, end);
                    return true;
                }
            }
            _ => {}
        }
        false
    }

    fn begin_session(&mut self, number: u64) {
        if !self.log.sessions.is_empty() {
            self.log.progress.has_noise = true;
        }
        self.log.sessions.push(number);
    }

    /// Keeps the title of a section. Returns whether it is that of a summary.
    fn add_title(&mut self, number: u64, line: &str, title: &str, width: usize) -> bool {
        self.is_in_end_block = false;
        if let Some(end) = End::parse(line) {
            self.finish(number, end);
            return false;
        }
        self.is_in_section = false;
        let kind = match title {
            SESSION => {
                self.begin_session(number);
                return false;
            }
            "short test summary info" => {
                let block = Block { line: number, ..Block::default() };
                keep_last(&mut self.log.blocks, LAST_BLOCKS, block);
                self.is_before_report = Some(false);
                return true;
            }
            "ERRORS" => Some(SectionKind::Errors),
            "FAILURES" => Some(SectionKind::Failures),
            "PASSES" | "XFAILURES" | "XPASSES" | "warnings summary" | "RERUNS" => {
                Some(SectionKind::Other)
            }
            _ => None,
        };
        self.is_before_report = Some(false);
        if let Some(kind) = kind {
            if kind != SectionKind::Other {
                self.width = Some(width);
            }
            self.log.sections.push(Section { line: number, kind });
            if self.log.sections.len() > 1 << 16 {
                self.log.sections.drain(..1 << 15);
            }
        }
        false
    }

    fn finish(&mut self, number: u64, end: End) {
        keep_last(&mut self.log.ends, LAST, (number, end));
        self.is_in_section = false;
        self.is_before_report = Some(false);
    }

    fn add_heading(&mut self, number: u64, line: &str) -> bool {
        let fill = line.chars().next().unwrap_or('_');
        let Some((title, width)) = undecorate(line, fill) else { return false };
        // A heading is as wide as the section's own line, unless its title leaves no room.
        let has_room = line.chars().nth(1) == Some(fill);
        if self.width.is_some_and(|expected| has_room && width != expected) {
            return false;
        }
        // Entries of a traceback are separated by `_ _ _ _`.
        if title.chars().all(|c| c == fill || c == ' ') {
            return false;
        }
        if self.n_heading_bytes > HEADINGS_LIMIT {
            self.log.is_cut = true;
            return false;
        }
        self.n_heading_bytes += title.len() + 64;
        self.is_in_section = true;
        self.is_before_report = Some(false);
        self.log.headings.push(Heading {
            line: number,
            title: title.to_owned(),
            body: String::new(),
            is_cut: false,
        });
        true
    }

    /// Adds `3 passed` and the like, of another reporter's block. Returns whether it is one.
    fn add_to_end_block(&mut self, text: &str) -> bool {
        let Some((_, end)) = self.log.ends.back_mut() else { return false };
        let is_part = text.starts_with(' ')
            && (end.add(text.trim()).is_some() || text.trim().starts_with("- "));
        self.is_in_end_block = is_part || text.is_empty();
        is_part
    }

    fn add_text(&mut self, text: &str) {
        if self.is_in_section {
            let Some(heading) = self.log.headings.last_mut() else { return };
            let n_bytes = text.len() + 1;
            if heading.body.len() + n_bytes <= BODY_LIMIT
                && self.n_heading_bytes + n_bytes <= HEADINGS_LIMIT
            {
                heading.body.push_str(text);
                heading.body.push('\n');
                self.n_heading_bytes += n_bytes;
            } else {
                heading.is_cut = true;
            }
            return;
        }
        if self.is_before_report == Some(false) {
            return;
        }
        self.add_progress(text);
    }

    /// Keeps what a line before the report says about collection and progress.
    fn add_progress(&mut self, text: &str) {
        // A terminal's line is rewritten as collection goes on.
        let last = text.rsplit('\r').next().unwrap_or(text);
        let last = last.strip_prefix("collecting ... ").unwrap_or(last);
        if let Some(caps) = COLLECTED.captures(last) {
            let number = |name| caps.name(name).and_then(|it| it.as_str().parse().ok());
            if self.log.collected.is_none() {
                self.log.collected = Some(Collected {
                    items: number("items").unwrap_or_default(),
                    errors: number("errors").unwrap_or_default(),
                    deselected: number("deselected").unwrap_or_default(),
                    skipped: number("skipped").unwrap_or_default(),
                    is_distributed: false,
                });
                self.log.progress = Progress::default();
            }
        } else if let Some(caps) = WORKERS.captures(last) {
            if self.log.collected.is_none() {
                self.log.collected = Some(Collected {
                    items: caps["items"].parse().unwrap_or_default(),
                    is_distributed: true,
                    ..Collected::default()
                });
                self.log.progress = Progress::default();
            }
        } else {
            if text.contains(".py:")
                && self.log.announced.len() < 1 << 16
                && let Some(caps) = ANNOUNCED.captures(text)
            {
                self.log.announced.push((caps["file"].to_owned(), caps["title"].to_owned()));
            }
            self.log.progress.add(text);
        }
    }
}

/// Adds an item to the last `n_kept` of its kind.
fn keep_last<T>(queue: &mut VecDeque<T>, n_kept: usize, item: T) {
    if queue.len() == n_kept {
        queue.pop_front();
    }
    queue.push_back(item);
}

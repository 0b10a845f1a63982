//! The line that ends pytest's report: how many tests ended in which way, and in what time.

use std::collections::VecDeque;
use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;

use crate::result::Counts;

/// What the last line of a report says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct End {
    pub(super) counts: Counts,
    pub(super) duration: Duration,
    /// Whether it only says what was collected, or that nothing was.
    pub(super) nothing_ran: bool,
    /// Kinds of outcomes that only a plugin or a `conftest.py` knows.
    pub(super) unknown: Vec<String>,
    /// Whether sub-tests are counted, so that there may be more outcomes than tests.
    pub(super) has_subtests: bool,
    /// Whether it is the block of another reporter, which leaves out errors during collection.
    pub(super) is_block: bool,
    /// Whether the line fills the terminal's width.
    pub(super) is_decorated: bool,
}

static LINE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?<parts>.+) in (?<seconds>\d+\.\d+)s(?: \((?:\d+ days?, )?\d+:\d\d:\d\d\))?$")
        .expect("the expression is constant")
});
static PART: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?<count>\d+) (?<kind>[a-z][a-z_ -]*)$").expect("the expression is constant")
});
static COLLECTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:no|\d+|\d+/\d+) tests? (?:collected|ran)(?: \((?<deselected>\d+) deselected\))?(?:, (?<errors>\d+) errors?)?$")
        .expect("the expression is constant")
});
static BLOCK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^Results \((?<seconds>\d+\.\d+)s(?: \(\d+:\d\d:\d\d\))?\):$")
        .expect("the expression is constant")
});

impl End {
    /// Reads `===== 1 failed, 2 passed in 0.12s =====`, or the same without decoration.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let undecorated = undecorate(line, '=').map(|(title, _)| title);
        let caps = LINE.captures(undecorated.unwrap_or(line))?;
        let mut end = Self {
            duration: duration(&caps["seconds"]),
            is_decorated: undecorated.is_some(),
            ..Self::default()
        };
        if let Some(collected) = COLLECTED.captures(&caps["parts"]) {
            let number = |name| collected.name(name).and_then(|it| it.as_str().parse().ok());
            end.nothing_ran = true;
            end.counts.deselected = number("deselected").unwrap_or_default();
            end.counts.errors = number("errors").unwrap_or_default();
            return Some(end);
        }
        for part in caps["parts"].split(", ") {
            end.add(part)?;
        }
        Some(end)
    }

    /// Reads `Results (0.12s):`, the first line of the block that pytest-sugar and pytest-pretty
    /// print.
    pub(super) fn parse_block(line: &str) -> Option<Self> {
        let caps = BLOCK.captures(line)?;
        Some(Self { duration: duration(&caps["seconds"]), is_block: true, ..Self::default() })
    }

    /// Adds one part, such as `3 failed`; `None` if it is no such thing.
    pub(super) fn add(&mut self, part: &str) -> Option<()> {
        let caps = PART.captures(part)?;
        let count: u64 = caps["count"].parse().ok()?;
        let counts = &mut self.counts;
        let slot = match &caps["kind"] {
            "passed" => &mut counts.passed,
            "failed" => &mut counts.failed,
            "error" | "errors" => &mut counts.errors,
            "skipped" => &mut counts.skipped,
            "xfailed" => &mut counts.xfailed,
            "xpassed" => &mut counts.xpassed,
            "rerun" | "reruns" => &mut counts.reruns,
            "deselected" => &mut counts.deselected,
            "warning" | "warnings" => &mut counts.warnings,
            kind if kind.starts_with("subtests ") => {
                self.has_subtests = true;
                return Some(());
            }
            kind => {
                self.unknown.push(kind.to_owned());
                return Some(());
            }
        };
        *slot = count;
        Some(())
    }

    /// Adds what pytest-sugar leaves out of its block: errors during collection.
    pub(super) fn complete_block(&mut self, interruptions: &VecDeque<(u64, String)>) {
        if !self.is_block || self.counts != Counts::default() {
            return;
        }
        let n_errors = interruptions.back().and_then(|(_, reason)| {
            let rest = reason.strip_prefix("Interrupted: ")?;
            rest.split_once(" error")?.0.parse().ok()
        });
        self.counts.errors = n_errors.unwrap_or_default();
    }

    /// Returns how many entries the failures have.
    pub(super) fn n_failures(&self) -> u64 {
        self.counts.failed.saturating_add(self.counts.errors)
    }
}

/// Takes the fill off a line such as `==== title ====`, and tells how wide the line is.
///
/// pytest centers the title: as many characters of fill on the left as on the right, or one less.
pub(super) fn undecorate(line: &str, fill: char) -> Option<(&str, usize)> {
    let inner = line.trim_start_matches(fill);
    let n_left = (line.len() - inner.len()) / fill.len_utf8();
    let title = inner.trim_end_matches(fill);
    let n_right = (inner.len() - title.len()) / fill.len_utf8();
    let title = title.strip_prefix(' ')?.strip_suffix(' ')?;
    let is_centered = n_left > 0 && (n_right == n_left || n_right == n_left + 1);
    (is_centered && !title.is_empty()).then(|| (title, line.chars().count()))
}

fn duration(seconds: &str) -> Duration {
    seconds.parse().ok().and_then(|it| Duration::try_from_secs_f64(it).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_read_with_and_without_decoration() {
        let decorated = End::parse("===== 1 failed, 2 passed, 3 errors in 61.25s (0:01:01) =====");
        let plain = End::parse("1 failed, 2 passed, 3 errors in 61.25s (0:01:01)");
        let counts = Counts { failed: 1, passed: 2, errors: 3, ..Counts::default() };
        let end = End { counts, duration: Duration::from_millis(61_250), ..End::default() };
        assert_eq!(plain, Some(end.clone()));
        assert_eq!(decorated, Some(End { is_decorated: true, ..end }));
    }

    #[test]
    fn other_lines_are_not_the_last_one() {
        for line in [
            "",
            "=== FAILURES ===",
            "3 passed",
            "cleaning up: 3 passed connections closed in 0.5s",
            "=== 3 passed in 0.5s",
            "99999999999999999999999 passed in 0.5s",
        ] {
            assert_eq!(End::parse(line), None, "{line}");
        }
    }

    #[test]
    fn a_run_of_nothing_says_so() {
        for line in ["no tests ran in 0.01s", "2/3 tests collected (1 deselected) in 0.01s"] {
            assert!(End::parse(line).unwrap().nothing_ran, "{line}");
        }
    }

    #[test]
    fn titles_have_the_same_fill_on_both_sides() {
        assert_eq!(undecorate("== a b ===", '='), Some(("a b", 10)));
        assert_eq!(undecorate("=== a b ==", '='), None);
        assert_eq!(undecorate("== ==", '='), None);
        assert_eq!(undecorate("― a ―", '―'), Some(("a", 5)));
    }
}

//! Whether the parts of a log agree.

use crate::doubt::Doubt;
use crate::result::Counts;
use crate::text::end::End;
use crate::text::ids::{Entry, Title};
use crate::text::log::{Collected, Log};
use crate::text::progress::Word;

/// Returns what in the log speaks against an end, if anything does.
pub(super) fn contradiction(log: &Log, end: &End) -> Option<Doubt> {
    let counts = &end.counts;
    let marks = &log.progress;
    let n_failed = (marks.n_letters("F") + marks.n_letters("u")).max(marks.n_words(Word::Failed));
    let n_errors = marks.n_letters("E").max(marks.n_words(Word::Error));
    let adds_up = tests_add_up(log, end);
    // Where pytest runs within pytest, the marks may be those of the inner one. That cannot make
    // a failure go away.
    let may_be_nested = adds_up == Some(true) && end.is_decorated && end.n_failures() > 0;
    // Reporters of their own mark in their own way.
    if !end.is_block && !may_be_nested && (n_failed > counts.failed || n_errors > counts.errors) {
        return Some(Doubt::MarksContradictCounts {
            failed: counts.failed,
            errors: counts.errors,
            marked_failed: n_failed,
            marked_errors: n_errors,
        });
    }
    if adds_up == Some(false) {
        let collected = log.collected.map_or(0, |collected| collected.items);
        return Some(Doubt::CountsContradictCollection { collected });
    }
    None
}

/// Returns whether there is a mark for every test, and nothing between the marks.
pub(super) fn marks_are_whole(log: &Log) -> bool {
    log.progress.is_finished && !log.progress.has_noise && !has_subtests(log)
}

/// Returns whether the marks of progress say the same as the last line.
pub(super) fn marks_agree(log: &Log, end: &End) -> bool {
    let marks = &log.progress;
    let counts = &end.counts;
    if marks.has_noise || (marks.letters.is_empty() && marks.verbose.is_empty()) {
        return false;
    }
    let collected = log.collected.unwrap_or_default();
    let n = |letters, word| marks.n_letters(letters) + marks.n_words(word);
    let knows_all = log.collected.is_some() && !collected.is_distributed;
    let skipped = n("s", Word::Skipped) + marks.n_letters("-");
    let skipped_agree = if knows_all {
        skipped + collected.skipped == counts.skipped
    } else {
        skipped <= counts.skipped
    };
    n(".", Word::Passed) == counts.passed
        && n("F", Word::Failed) + marks.n_letters("u") == counts.failed
        && n("E", Word::Error) <= counts.errors
        && skipped_agree
        && n("x", Word::Xfail) + marks.n_letters("y") == counts.xfailed
        && n("X", Word::Xpass) + marks.n_letters("Y") == counts.xpassed
}

/// Returns whether every collected test is accounted for, if that can be told.
pub(super) fn tests_add_up(log: &Log, end: &End) -> Option<bool> {
    let Collected { items, errors, skipped, is_distributed, .. } = log.collected?;
    let counts = &end.counts;
    if end.nothing_ran || end.has_subtests || !end.unknown.is_empty() || has_subtests(log) {
        return None;
    }
    let items = items.checked_sub(counts.deselected)?;
    let certain = counts.passed + counts.failed + counts.xfailed + counts.xpassed;
    // Of what xdist's workers skip or fail to collect there is no number.
    let (n_skipped, n_errors) = if is_distributed {
        (counts.skipped, counts.errors)
    } else {
        (counts.skipped.saturating_sub(skipped), counts.errors.saturating_sub(errors))
    };
    let has_stopped = !log.interruptions.is_empty() || !log.internal_error.is_empty();
    // Skips and errors may be those of a teardown, after an outcome of the test itself.
    Some(certain <= items && (items <= certain + n_skipped + n_errors || has_stopped))
}

pub(super) fn has_subtests(log: &Log) -> bool {
    log.progress.n_letters("u,yY-") > 0
        || log.progress.n_words(Word::Sub) > 0
        || log
            .blocks
            .iter()
            .flat_map(|block| &block.lines)
            .any(|(_, line)| line.plain.contains("SUBFAIL"))
}

/// Makes up the end for `-qq`, which prints none: from the marks and the summary.
pub(super) fn end_without_line(log: &Log) -> Option<End> {
    let marks = &log.progress;
    if !log.sessions.is_empty() || !log.internal_error.is_empty() {
        return None;
    }
    let n_collect_errors = collect_errors(log);
    let has_marks = !marks.letters.is_empty();
    let all_marked = has_marks && marks.is_finished && !marks.has_noise && marks.verbose.is_empty();
    let stopped_collecting = !has_marks
        && log.interruptions.back().is_some_and(|(_, reason)| {
            let plural = if n_collect_errors == 1 { "" } else { "s" };
            *reason == format!("Interrupted: {n_collect_errors} error{plural} during collection")
        });
    let interrupted = has_marks
        && !marks.has_noise
        && marks.verbose.is_empty()
        && log.interruptions.back().is_some_and(|(_, reason)| {
            reason == "KeyboardInterrupt" || reason.starts_with("_pytest.outcomes.Exit: ")
        });
    let has_ended = all_marked && log.interruptions.is_empty();
    if !has_ended && !stopped_collecting && !interrupted {
        return None;
    }
    let counts = Counts {
        passed: marks.n_letters("."),
        failed: marks.n_letters("Fu"),
        errors: marks.n_letters("E") + n_collect_errors,
        skipped: marks.n_letters("s-"),
        xfailed: marks.n_letters("xy"),
        xpassed: marks.n_letters("XY"),
        reruns: marks.n_letters("R"),
        ..Counts::default()
    };
    Some(End { counts, has_subtests: marks.n_letters("u,yY-") > 0, ..End::default() })
}

/// Returns how many files, classes or packages could not be collected.
fn collect_errors(log: &Log) -> u64 {
    let headings = log
        .headings
        .iter()
        .filter(|heading| matches!(Title::parse(&heading.title), Title::Collecting(_)))
        .count();
    let entries = log
        .blocks
        .iter()
        .flat_map(|block| &block.lines)
        .filter_map(|(number, line)| Entry::parse(*number, &line.plain))
        .filter(|entry| {
            entry.is_error
                && entry.plausible_splits().next().is_some_and(|(id, _)| !id.contains("::"))
        })
        .count();
    headings.max(entries) as u64
}

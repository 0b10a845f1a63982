//! What a log adds up to, and whether it does.

mod describe;
mod failures;
mod proof;

use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use crate::doubt::Doubt;
use crate::exit::PytestExit;
use crate::result::{Counts, PytestResult, ResultSource, RunState, TestFailure};
use crate::text::end::End;
use crate::text::ids::Title;
use crate::text::log::Log;
use crate::text::progress::Word;

/// Builds the result of a log. `exit_code` is pytest's, negative after a signal, if it is known.
pub(super) fn resolve(log: &Log, exit_code: Option<i32>) -> PytestResult {
    let exit = exit_code.map(|code| {
        if code < 0 {
            PytestExit::Signal(code.saturating_neg())
        } else {
            PytestExit::from_code(code)
        }
    });
    let mut doubts = Vec::new();
    let chosen = choose_end(log, &mut doubts);
    let mut complete = chosen.is_some();
    let end = chosen.as_ref().map(|(_, end)| end.clone()).unwrap_or_default();
    let region_end = chosen.as_ref().map_or(log.n_lines, |(line, _)| *line);

    let found = failures::find(log, &end, region_end, complete);
    if let (true, Some(doubt)) = (complete, &found.doubt) {
        complete = false;
        doubts.push(doubt.clone());
    }
    if complete && !end.unknown.is_empty() {
        complete = false;
        doubts.push(Doubt::UnknownOutcomes { words: end.unknown.clone() });
    }
    if complete && end.n_failures() == 0 && !end.nothing_ran && !is_proven(log, &end, region_end) {
        complete = false;
        doubts.push(Doubt::UnconfirmedPass);
    }
    if complete && end.is_block && proof::has_subtests(log) {
        complete = false;
        doubts.push(Doubt::SubtestsCountedAsTests);
    }
    let counts = if chosen.is_some() { end.counts } else { counts_of_marks(log) };
    if let Some(exit) = exit {
        doubt_exit(exit, &counts, complete, &mut doubts);
    }
    if !complete && doubts.is_empty() {
        doubts.push(Doubt::NoEnd);
    }
    PytestResult {
        state: state(log, chosen.as_ref().map(|(_, end)| end), region_end, exit),
        exit,
        exit_code: exit.and_then(PytestExit::code),
        counts,
        running: Vec::new(),
        duration: end.duration,
        complete,
        doubts,
        source: ResultSource::Text,
        pytest_version: log.version.clone(),
        files: files(log, &found.failures),
        failures: found.failures,
        stdout: String::new(),
        stderr: String::new(),
    }
}

/// Returns the end of the report: the last one that nothing else in the log contradicts.
fn choose_end(log: &Log, doubts: &mut Vec<Doubt>) -> Option<(u64, End)> {
    let made_up = || proof::end_without_line(log).map(|end| (log.n_lines + 1, end));
    if log.ends.is_empty() {
        return made_up();
    }
    if log.ends.len() < log.sessions.len() {
        doubts.push(Doubt::SessionWithoutEnd);
        return None;
    }
    let sections = log.sections.iter().map(|section| section.line);
    let blocks = log.blocks.iter().map(|block| block.line);
    let last_section = sections.chain(blocks).max().unwrap_or_default();
    let mut contradiction = None;
    let mut possible = Vec::new();
    for (line, end) in log.ends.iter().rev() {
        if *line < last_section {
            // Another report came later.
            contradiction.get_or_insert(Doubt::ReportWithoutEnd);
            break;
        }
        match proof::contradiction(log, end) {
            None => possible.push((*line, end.clone())),
            Some(reason) => contradiction = contradiction.or(Some(reason)),
        }
    }
    if proof::marks_are_whole(log) {
        let agreed = possible.iter().find(|(_, end)| proof::marks_agree(log, end));
        if let Some(end) = agreed.cloned().or_else(made_up) {
            return Some(end);
        }
    }
    if possible.is_empty() {
        let end = made_up();
        if end.is_none() {
            doubts.extend(contradiction);
        }
        return end;
    }
    possible.into_iter().next().map(|(line, mut end)| {
        end.complete_block(&log.interruptions);
        (line, end)
    })
}

fn files(log: &Log, failures: &[TestFailure]) -> Vec<Utf8PathBuf> {
    let marked = log.progress.files.iter().map(String::as_str);
    let failed = failures.iter().filter_map(|failure| Some(failure.file.as_ref()?.as_str()));
    let collecting = log.headings.iter().filter_map(|heading| match Title::parse(&heading.title) {
        Title::Collecting(path) => Some(path),
        _ => None,
    });
    let files: BTreeSet<&str> = marked.chain(failed).chain(collecting).collect();
    files.into_iter().map(Utf8PathBuf::from).collect()
}

fn is_proven(log: &Log, end: &End, end_line: u64) -> bool {
    proof::marks_agree(log, end)
        || (proof::tests_add_up(log, end) == Some(true)
            && (end.is_decorated || end.is_block)
            && (end.is_block || log.last_line == end_line))
}

/// Returns a lower bound, for a log that does not reach its end.
fn counts_of_marks(log: &Log) -> Counts {
    let marks = &log.progress;
    let count = |letters, word| {
        if marks.has_noise { 0 } else { marks.n_letters(letters).max(marks.n_words(word)) }
    };
    Counts {
        passed: count(".", Word::Passed),
        failed: count("F", Word::Failed),
        errors: count("E", Word::Error),
        skipped: count("s", Word::Skipped),
        xfailed: count("x", Word::Xfail),
        xpassed: count("X", Word::Xpass),
        reruns: count("R", Word::Rerun),
        ..Counts::default()
    }
}

fn doubt_exit(exit: PytestExit, counts: &Counts, complete: bool, doubts: &mut Vec<Doubt>) {
    let n_failures = counts.failed + counts.errors;
    match exit {
        PytestExit::Ok if n_failures > 0 => {
            doubts.push(Doubt::FailuresWithExitZero { count: n_failures });
        }
        PytestExit::Ok => {}
        PytestExit::TestsFailed if n_failures > 0 => {}
        exit if complete && n_failures == 0 => {
            doubts.push(Doubt::UnexplainedExit { exit, nothing_failed: true });
        }
        PytestExit::Other(_) | PytestExit::Signal(_) => {
            doubts.push(Doubt::UnexplainedExit { exit, nothing_failed: false });
        }
        _ => {}
    }
}

fn state(log: &Log, end: Option<&End>, region_end: u64, exit: Option<PytestExit>) -> RunState {
    if let Some(PytestExit::Signal(_) | PytestExit::Other(_)) = exit {
        let exit = exit.expect("it was just looked at");
        return RunState::Crashed { signal: exit.signal(), code: exit.code() };
    }
    if !log.internal_error.is_empty() {
        return RunState::InternalError { message: log.internal_error.trim_end().to_owned() };
    }
    let Some(end) = end else {
        return match exit {
            Some(PytestExit::UsageError) => RunState::NotStarted { message: String::new() },
            _ => RunState::Unknown,
        };
    };
    let reason = log
        .interruptions
        .iter()
        .rev()
        .find(|(line, _)| *line <= region_end)
        .map(|(_, reason)| reason)
        .filter(|reason| !reason.starts_with("stopping after"));
    if let Some(reason) = reason {
        return RunState::Interrupted { reason: reason.clone() };
    }
    if end.nothing_ran {
        return match exit {
            Some(PytestExit::UsageError) => RunState::NotStarted { message: String::new() },
            _ => RunState::NoTests,
        };
    }
    RunState::Finished
}

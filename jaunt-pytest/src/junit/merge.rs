//! A log and the JUnit XML of the same run, made one result.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use crate::doubt::Doubt;
use crate::junit::address::Files;
use crate::junit::read::JunitReport;
use crate::result::{Counts, PytestResult, ResultSource, RunState};

/// Makes one result of a log and the JUnit XML of the same run.
///
/// Where the two differ the XML is right: about which tests failed, where, and with what message.
/// What it cannot tell comes from the text: unexpected passes, which it counts as passed, warnings,
/// deselected tests, and outcomes of tests that have sub-tests.
pub fn merge(text: PytestResult, junit: JunitReport) -> PytestResult {
    let known_ids: Vec<String> =
        text.failures.iter().map(|failure| failure.node_id.clone()).collect();
    let files: Vec<Utf8PathBuf> = text
        .files
        .iter()
        .cloned()
        .chain(text.failures.iter().filter_map(|failure| failure.file.clone()))
        .collect();
    // An end without an end line counts nothing.
    let has_counts = text.counts != Counts::default();
    let n_reruns = has_counts.then_some(text.counts.reruns);
    let files = Files::new(files.iter().map(Utf8PathBuf::as_path));
    let mut xml = junit.resolve(&files, &known_ids, n_reruns);

    if text.counts.failed + text.counts.errors > 0 && xml.failures.is_empty() {
        let mut result = text;
        result.complete = false;
        result.doubts.push(Doubt::UnrelatedJunit);
        return result;
    }
    let agree = agree(&text.counts, &xml.counts);
    let ids = |result: &PytestResult| -> BTreeSet<String> {
        result.failures.iter().map(|failure| failure.node_id.clone()).collect()
    };
    if text.complete && ids(&text) == ids(&xml) && text.failures.len() == xml.failures.len() {
        // The same failures; what else differs is what the XML cannot say.
        xml.counts = text.counts;
        describe(&mut xml, &text);
    } else if agree || (text.complete && n_failures(&text.counts) == n_failures(&xml.counts)) {
        xml.counts = text.counts;
    } else {
        xml.counts.warnings = text.counts.warnings;
        xml.counts.deselected = text.counts.deselected;
        if !has_counts {
            xml.doubts.push(Doubt::UnknownXpasses);
        }
    }
    if text.state == RunState::Unknown && text.pytest_version.is_some() {
        // The XML is written first, when the session ends, and then the rest of the report.
        xml.doubts.push(Doubt::ReportCutOff);
    }
    xml.state = match (text.state, xml.state) {
        (RunState::Unknown, state) => state,
        (state, _) => state,
    };
    if xml.duration.is_zero() {
        xml.duration = text.duration;
    }
    PytestResult {
        exit: text.exit,
        exit_code: text.exit_code,
        running: text.running,
        source: ResultSource::Junit,
        pytest_version: text.pytest_version,
        files: text.files,
        ..xml
    }
}

/// Returns whether both count the same, as far as the XML can tell.
fn agree(text: &Counts, xml: &Counts) -> bool {
    text.passed + text.xpassed == xml.passed
        && text.failed == xml.failed
        && text.errors == xml.errors
        && text.skipped == xml.skipped
        && text.xfailed == xml.xfailed
}

fn n_failures(counts: &Counts) -> u64 {
    counts.failed + counts.errors
}

/// Adds what only the text tells about failures that are the same.
fn describe(xml: &mut PytestResult, text: &PytestResult) {
    for (failure, other) in xml.failures.iter_mut().zip(&text.failures) {
        if failure.node_id == other.node_id && failure.phase == other.phase {
            failure.subtest.clone_from(&other.subtest);
            if failure.captured.is_empty() {
                failure.captured = other.captured.clone();
            }
        }
    }
}

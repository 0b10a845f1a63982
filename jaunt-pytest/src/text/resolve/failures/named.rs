//! Failures that have a name.

use std::borrow::Cow;
use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use crate::result::{Phase, TestFailure};
use crate::text::ids::{Entry, Title, unescape};
use crate::text::log::{Heading, Log};
use crate::text::progress::Word;
use crate::text::resolve::describe::describe;

/// Failures, and whether their ids are certain.
pub(super) type Named = (Vec<TestFailure>, Certainty);

/// Whether it is clear where the node ids end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Certainty {
    Exact,
    Ambiguous,
}

/// Returns the failures in the lines that `-v` prints for each test.
pub(super) fn verbose_failures(log: &Log) -> Vec<TestFailure> {
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

/// Makes a failure of a line of the summary, with the heading that it belongs to.
pub(super) fn failure(
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

/// Makes a failure of the heading of a file that could not be collected.
pub(super) fn collect_failure(heading: &Heading) -> TestFailure {
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

/// Returns when a failure with this heading happened.
pub(super) fn phase(title: Title<'_>) -> Phase {
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

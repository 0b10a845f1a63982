//! What keeps a result from being certain.

use camino::Utf8PathBuf;

use crate::exit::PytestExit;

/// Something that keeps a result from being certain. Shown, it is a sentence without a full stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Doubt {
    /// A requested file yielded no test, no error and no skip.
    #[error("no test was collected from `{file}`")]
    NotCollected {
        /// The file as it was requested.
        file: Utf8PathBuf,
    },
    /// Lines of the event file were lost.
    #[error("{count} records of the run are missing")]
    MissingRecords {
        /// How many.
        count: u64,
    },
    /// The process exited with another code than the session ended with: something changed it.
    #[error("pytest's session ended with exit code {session}, but its process with {process}")]
    DifferentExits {
        /// The exit code of pytest's session.
        session: i32,
        /// How the process ended.
        process: PytestExit,
    },
    /// The exit code is 0, and there are failures.
    #[error("pytest ended with exit code 0 in spite of {count} failures")]
    FailuresWithExitZero {
        /// How many failures.
        count: u64,
    },
    /// Tests were collected and have no outcome, although pytest exited with 0.
    #[error("{count} collected tests have no outcome, such as {}", quoted(.examples))]
    TestsWithoutOutcome {
        /// How many.
        count: u64,
        /// The node ids of some of them.
        examples: Vec<String>,
    },
    /// pytest ended in a way that what was seen does not explain.
    #[error("pytest ended with {exit}{}", if *.nothing_failed { " although nothing failed" } else { "" })]
    UnexplainedExit {
        /// How pytest ended.
        exit: PytestExit,
        /// Whether no failure was seen.
        nothing_failed: bool,
    },
    /// The JUnit XML could not be read.
    #[error("{message}")]
    UnreadableJunit {
        /// Why not.
        message: String,
    },
    /// The JUnit XML has no failure, and the text has some.
    #[error("the JUnit XML has no failure, so it is not of this run")]
    UnrelatedJunit,
    /// The JUnit XML does not tell where the paths in its node ids end.
    #[error("which files the failing tests are in is a guess")]
    GuessedFiles,
    /// The JUnit XML counts xpasses as passed, and the text does not tell how many there are.
    #[error("tests that passed unexpectedly are counted as passed: the text does not tell")]
    UnknownXpasses,
    /// The text ends within the report that pytest writes after its tests.
    #[error("the text breaks off before the end of the report")]
    ReportCutOff,
    /// The text does not tell how the run ended.
    #[error("the text does not tell how the run ended")]
    NoEnd,
    /// More sessions began than ended.
    #[error("a session of pytest began in the text and did not end")]
    SessionWithoutEnd,
    /// A report began after the last line that could end one.
    #[error("a report began in the text and did not end")]
    ReportWithoutEnd,
    /// More failures are marked than the last line counts.
    #[error(
        "the last line counts {failed} failed and {errors} errors, but {marked_failed} and \
         {marked_errors} are marked"
    )]
    MarksContradictCounts {
        /// Failed tests by the last line.
        failed: u64,
        /// Errors by the last line.
        errors: u64,
        /// Failed tests by the marks.
        marked_failed: u64,
        /// Errors by the marks.
        marked_errors: u64,
    },
    /// The last line counts too few or too many tests.
    #[error("the last line does not account for the {collected} tests collected")]
    CountsContradictCollection {
        /// How many tests were collected.
        collected: u64,
    },
    /// The last line counts outcomes that we do not know.
    #[error("outcomes of an unknown kind: {}", .words.join(", "))]
    UnknownOutcomes {
        /// What it calls them.
        words: Vec<String>,
    },
    /// The last line counts no failure, and nothing else confirms it.
    #[error("nothing in the text confirms that no test failed")]
    UnconfirmedPass,
    /// The reporter does not tell sub-tests from tests.
    #[error("the reporter counts sub-tests like tests")]
    SubtestsCountedAsTests,
    /// Node ids contain ` - `, so where their messages begin is unclear.
    #[error("where some of the ids end cannot be told")]
    AmbiguousIds,
    /// Failures are counted, but the summary does not name them.
    #[error("{count} failures are counted, but not named")]
    UnnamedFailures {
        /// How many.
        count: u64,
    },
}

fn quoted(ids: &[String]) -> String {
    ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
}

//! Runs of pytest, and exact results from them.
//!
//! [`run()`] starts `python -m pytest` on a list of files, with a small plugin that records each
//! outcome; [`parse_text`] and [`parse_junit`] read the log and the XML of a run that is over. All of
//! them return a [`PytestResult`]. This crate does not know where the test files come from, nor which
//! of them are generated. It is large because it has three readers of three recordings: the plugin's
//! records, JUnit XML, and terminal text, which nobody meant to be read by a program.
//!
//! [`PytestResult::passed`] is proof, not the absence of a failure. Where there is none, the result
//! is not [`complete`](PytestResult::complete) or names its [`doubts`](PytestResult::doubts).
//!
//! ```
//! use jaunt_pytest::{TextOptions, parse_text};
//!
//! let log = "collected 1 item\n\ntest_a.py F    [100%]\n\n\
//!     ===== short test summary info =====\nFAILED test_a.py::test_b - assert 1 == 2\n\
//!     ===== 1 failed in 0.02s =====\n";
//! let result = parse_text(log.as_bytes(), &TextOptions::default())?;
//!
//! assert_eq!(result.failures[0].node_id, "test_a.py::test_b");
//! assert!(result.complete && !result.passed());
//! # Ok::<(), std::io::Error>(())
//! ```

mod channel;
mod command;
mod doubt;
mod error;
mod event;
mod excerpt;
mod exit;
mod junit;
mod result;
mod run;
mod text;

pub use crate::command::{OutputMode, PytestCommand};
pub use crate::doubt::Doubt;
pub use crate::error::PytestError;
pub use crate::event::{Outcome, PytestEvent};
pub use crate::exit::PytestExit;
pub use crate::junit::{JunitError, JunitReport, merge, parse_junit};
pub use crate::result::{
    Captured, Counts, Phase, PytestResult, ResultSource, RunState, TestFailure,
};
pub use crate::run::run;
pub use crate::text::{TextOptions, parse_text};
pub use jaunt_process::OutputStream;

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

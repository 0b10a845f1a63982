//! Generated tests: which there are, whose they are, and the run of pytest on them.
//!
//! `jaunt-builder` builds test modules like product modules, with another [`Kind`](jaunt_digest::Kind)
//! and other directories. [`run()`] takes its report, and runs every test file that is fresh or was
//! generated, by explicit path. This crate does not know how code is generated, nor how the results of
//! pytest are read.
//!
//! A test module that could not be generated is never counted as passed: its file is not run, and
//! the report says so.

mod python_path;
mod report;
mod run;
mod select;

pub use crate::report::{FailedModule, Origin, TestReport, failed_modules, failed_tests, origin};
pub use crate::run::{PytestSettings, run};
pub use crate::select::{TestFile, runnable, with_tests};

//! Generated tests: which there are, whose they are, and the run of pytest on them.
//!
//! [`test()`] builds test modules with the pipeline of `jaunt-builder`, another
//! [`Kind`](jaunt_digest::Kind) and other directories, and then runs every generated test file that
//! was selected, fresh or new, by explicit path. This crate does not know how code is generated, nor
//! how the results of pytest are read.
//!
//! A test module that could not be generated is never counted as passed: its file is not run, and
//! the report says so.

mod python_path;
mod report;
mod select;
mod test;

pub use crate::report::{FailedModule, Origin, TestReport, failed_modules, failed_tests, origin};
pub use crate::select::{TestFile, runnable, with_tests};
pub use crate::test::{PytestSettings, TestEvent, run, test};

//! Runs of pytest, and exact results from them.

mod channel;
mod command;
mod error;
mod event;
mod excerpt;
mod exit;
mod junit;
mod process;
mod result;
mod run;
mod text;

pub use crate::command::{OutputMode, PytestCommand};
pub use crate::error::PytestError;
pub use crate::event::{Outcome, OutputStream, TestEvent};
pub use crate::exit::PytestExit;
pub use crate::junit::{JunitError, JunitReport, merge, parse_junit};
pub use crate::result::{Captured, Channel, Counts, Phase, PytestResult, RunState, TestFailure};
pub use crate::run::run;
pub use crate::text::{TextOptions, parse_text};

//! One child process, with everything it may do to us bounded.
//!
//! A child runs in a process group of its own, so that Ctrl-C at the terminal reaches us and not
//! it, and so that all it starts can be ended with it. [`run`] captures its output, [`run_watched`]
//! reports what happens as it happens. What the output means is the caller's business: this crate
//! does not know what a generator, an exporter or a test is.
//!
//! # What a child leaves running
//!
//! A child may start processes that outlive it. This is the one rule for them:
//!
//! - With [`Leftovers::Kill`] nothing outlives the child: its group is killed, and on Linux so is
//!   what left the group. Generators and exporters run like this.
//! - With [`Leftovers::Leave`], what a child leaves running is left alone if the child exited by
//!   itself. A child that was ended, or died by a signal, takes its group along. `jaunt-pytest` runs
//!   pytest like this: a test may start a server on purpose.
//! - A program that calls [`adopt_orphans`] at its start and [`kill_descendants`] at its end, as
//!   jaunt's command line does, outlives everything below it, on Linux. So what a test leaves
//!   running lives until `jaunt test` ends, and longer only under other users of `jaunt-pytest`.
//!
//! Dropping the future of a run kills the child and its group, whatever the rule for leftovers.
#![expect(clippy::disallowed_methods, reason = "the edge where processes are started")]

mod capture;

mod chunks;
#[cfg(target_os = "linux")]
mod descendants;
mod error;
mod escalation;
mod group;
mod invocation;
mod ladder;
mod mark;
mod orphans;
mod output;
mod run;
mod signal;
mod start;
mod stdin;
mod stop;
#[cfg(test)]
mod tests;

pub use crate::error::ProcessError;
pub use crate::escalation::EndedBy;
pub use crate::invocation::{Invocation, Leftovers, Limits, Redirect};
pub use crate::ladder::Ladder;
pub use crate::orphans::{adopt_orphans, kill_descendants};
pub use crate::output::OutputStream;
pub use crate::run::{Ended, Finished, ProcessEvent, run, run_watched};
pub use crate::signal::signal_name;
pub use crate::start::is_program;
pub use crate::stop::{Stop, StopLevel};

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

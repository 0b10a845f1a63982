//! What a run tells its caller.

use jaunt_builder::{BuildEvent, Plan};

use crate::kind_run::KindRun;

/// What happens during a build or a test run, in order.
#[derive(Debug)]
#[non_exhaustive]
pub enum EngineEvent<'a> {
    /// The modules of one kind were looked at. Nothing has been generated yet.
    Planned(&'a Plan),
    /// Something happened to modules of that kind.
    Build(&'a [BuildEvent]),
    /// Nothing more happens to modules of that kind.
    Generated(&'a KindRun),
    /// Something happened to a test.
    Pytest(&'a jaunt_pytest::TestEvent),
}

//! What a run tells its caller.

use jaunt_digest::ModuleName;

use crate::report::ModuleOutcome;

/// What happens during a run, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildEvent {
    /// A module is being generated.
    Started {
        /// The module.
        module: ModuleName,
    },
    /// An attempt did not pass; another one follows.
    Retrying {
        /// The module.
        module: ModuleName,
        /// The number of the attempt that follows.
        attempt: u32,
        /// What was wrong with the last one.
        problems: Vec<String>,
    },
    /// What became of a module. Every stale module gets exactly one of these.
    Finished {
        /// The module.
        module: ModuleName,
        /// Never `Fresh`.
        outcome: ModuleOutcome,
    },
}

//! The build: which modules must be generated, why, and the run that generates them.
//!
//! [`Project`] joins a registry document with the sources it names; [`Plan`] says what is stale
//! and why, before anything is done; [`build`] does it, through a [`GeneratorBackend`]. Tests are
//! built by the same three with [`Kind::Test`](jaunt_digest::Kind::Test). This crate does not know
//! where a registry comes from, what a terminal is, or how a backend makes code.
//!
//! Whoever runs a `Plan` pays for nothing that the plan did not name, and a module is written only
//! after its code was validated, through a handle that cannot leave `__generated__`.

mod backend;
mod build;
mod check;
mod context;
mod evidence;
mod output;
mod parallel;
mod parts;
mod plan;
mod project;
mod report;
mod staleness;
mod stamp;
mod tidy;

pub use crate::backend::{
    AtHand, Attempt, BackendError, BackendErrorKind, Generated, Generation, GenerationFailure,
    GeneratorBackend, ModuleSpecContext, in_background,
};
pub use crate::build::{BuildEvent, BuildOptions, build};
pub use crate::check::{Problem, check};
pub use crate::context::canonical_digest;
pub use crate::evidence::{Evidence, FileState, RegistryState, StillFresh};
pub use crate::output::{Facts, Output, read_outputs};
pub use crate::parallel::Threads;
pub use crate::parts::{PartTexts, Parts};
pub use crate::plan::{Force, Plan, PlanOptions, PlannedModule};
pub use crate::project::{Project, ProjectError, SpecModule};
pub use crate::report::{BuildReport, ModuleOutcome};
pub use crate::staleness::Staleness;
pub use crate::stamp::Time;
pub use crate::tidy::{
    GeneratedFiles, GeneratedTree, Orphan, TidyError, find_generated, find_generated_beside,
};

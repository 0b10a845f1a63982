//! The build: which modules must be generated, why, and the run that generates them.
//!
//! [`Project`] joins a registry document with the sources it names; [`Plan`] says what is stale
//! and why, before anything is done; [`build`] does it, through a [`Generator`]. Tests are
//! built by the same three with [`Kind::Test`](jaunt_digest::Kind::Test). This crate does not know
//! where a registry comes from, what a terminal is, or how a backend makes code.
//!
//! Whoever runs a `Plan` pays for nothing that the plan did not name, and a module is written only
//! after its code was validated, through a handle that cannot leave `__generated__`.

mod attempts;
mod backend;
mod blocking;
mod build;
mod check;
mod context;
mod evidence;
mod output;
mod parts;
mod plan;
mod project;
mod report;
mod staleness;
mod stamp;
mod tidy;

pub use crate::attempts::{Attempts, generate_with_retry};
pub use crate::backend::{
    Attempt, BackendError, BackendErrorKind, BoxFuture, Generation, Generator, GeneratorBackend,
    Lookup,
};
pub use crate::blocking::run_blocking;
pub use crate::build::{BuildEvent, BuildOptions, build};
pub use crate::check::{Problem, check};
pub use crate::context::{ModuleSpecContext, canonical_digest};
pub use crate::evidence::{Evidence, FileState, RegistryState, StillFresh};
pub use crate::output::{Facts, Output, read_outputs};
pub use crate::parts::{PartTexts, Parts};
pub use crate::plan::{Action, Force, Plan, PlanOptions, PlannedModule};
pub use crate::project::{Project, ProjectError, SpecModule};
pub use crate::report::{BuildReport, ModuleOutcome};
pub use crate::staleness::Staleness;
pub use crate::stamp::Time;
pub use crate::tidy::{
    GeneratedFiles, GeneratedTree, Orphan, TidyError, find_generated, find_generated_beside,
};

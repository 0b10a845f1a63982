//! The build: which modules must be generated, why, and the run that generates them.
//!
//! [`Project`] joins a registry document with the sources it names, and a [`Survey`] is as much of it
//! as a plan needs; [`Plan`] says what is stale and why, before anything is done; [`build`] does it,
//! through a [`Generator`]. Tests are built by the same three with
//! [`Kind::Test`](jaunt_digest::Kind::Test). Planning and running share one crate of more than 1,500
//! lines, because both must see the same project. It does not know where a registry comes from, what
//! a terminal is, where answers are kept, or how a backend makes code.
//!
//! Whoever runs a `Plan` pays for nothing that the plan did not name, and a module is written only
//! after its code was validated, through a handle that cannot leave `__generated__`.

mod attempts;
mod backend;
mod blocking;
mod build;
mod check;
mod context;
mod error;
mod find_generated;
mod index;
mod on_disk;
mod parallel;
mod plan;
mod project;
mod report;
mod spec_module;
mod staleness;
mod survey;
mod work_cursor;

pub use crate::attempts::{Attempts, generate_with_retry};
pub use crate::backend::{
    Attempt, BackendError, BackendErrorKind, BoxFuture, Generation, Generator, GeneratorBackend,
    Lookup,
};
pub use crate::blocking::run_blocking;
pub use crate::build::{BuildEvent, BuildOptions, build};
pub use crate::check::{Problem, check};
pub use crate::context::{ModuleSpecContext, canonical_digest};
pub use crate::error::{ProjectError, SourceProblem};
pub use crate::find_generated::{
    FindOptions, GeneratedFiles, GeneratedTree, Orphan, find_generated,
};
pub use crate::on_disk::{GeneratedFile, OnDisk};
pub use crate::parallel::Threads;
pub use crate::plan::{Action, Force, Plan, PlanOptions, PlannedModule};
pub use crate::project::Project;
pub use crate::report::{BuildReport, ModuleOutcome};
pub use crate::spec_module::SpecModule;
pub use crate::staleness::Staleness;
pub use crate::survey::Survey;

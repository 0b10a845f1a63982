//! A jaunt project, opened and run.
//!
//! [`Engine::open`] finds the configuration of a project; from there on [`Engine::build`], [`Engine::test`],
//! [`Engine::status`], [`Engine::clean`] and [`Engine::graph`] do what the commands of the same names do. Between a
//! plan and its run a program can look at it ([`Engine::plan_build`]). What happens is reported as an [`EngineEvent`],
//! what a person may want to know as a [`Notice`], and what went wrong as an [`EngineError`]. This crate does not know
//! a terminal, a flag, a hint or an exit code.
//!
//! Everything that has to survive a run is below `.jaunt/engine/` and belongs to this crate (`state.rs` has the list).
//! It holds whatever the process does: no stale module is forgotten, and two processes never write at the same time.
#![cfg_attr(doctest, doc = include_str!("../README.md"))]

mod build;
mod clean;
mod config;
mod engine;
mod error;
mod event;
mod exporter;
mod fresh;
#[cfg(fuzzing)]
pub mod fuzzing;
mod generate;
mod generate_options;
mod generator;
mod graph;
mod kind_run;
mod load;
mod notice;
mod options;
mod python;
mod registry;
mod state;
mod status;
mod targets;
mod test;

pub use crate::build::PlannedBuild;
pub use crate::clean::CleanOptions;
pub use crate::config::{ConfigError, TomlError};
pub use crate::engine::{Engine, find_root};
pub use crate::error::{EngineError, ExportError, ExportRefusal, GeneratorError, MissingSpecs};
pub use crate::event::EngineEvent;
pub use crate::generate_options::{GenerateOptions, GeneratorOptions};
pub use crate::graph::{GraphModule, GraphOptions};
pub use crate::kind_run::KindRun;
pub use crate::notice::Notice;
pub use crate::options::{OpenOptions, RegistrySource};
pub use crate::status::{Status, StatusOptions};
pub use crate::targets::TargetError;
pub use crate::test::{PytestRun, TestOptions, TestRun};

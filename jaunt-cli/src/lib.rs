//! The command line of jaunt: arguments, configuration, the registry's origin, the backends that
//! ship, messages and exit codes.
//!
//! [`main_impl`] is the whole surface. Everything that is worth reusing is in the crates below;
//! this one holds the edges: environment, terminal, standard streams, signals and processes. It does
//! not know how a plan is made or run.

mod args;
mod choose;
mod commands;
mod config;
mod document;
mod durations;
mod error;
mod exporter;
#[cfg(fuzzing)]
pub mod fuzzing;
mod journal;
mod progress;
mod project;
mod python;
mod recall;
mod registry;
mod run;
mod signals;
mod state;
mod ui;

pub use crate::run::main_impl;

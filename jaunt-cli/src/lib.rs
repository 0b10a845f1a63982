//! The command line of jaunt: arguments, the terminal, progress, messages, hints, exit codes.
//!
//! [`main_impl`] is the whole surface. What a command does is done by `jaunt-engine`, and what a program reads of it is
//! written by `jaunt-report`; this crate puts flags in, and words for people out. It does not know how a project is
//! opened, planned or run.

mod args;
mod commands;
mod error;
mod exit;
mod progress;
mod run;
mod session;
mod signals;
mod ui;
mod usage;

pub use crate::run::main_impl;

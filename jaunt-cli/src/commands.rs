//! One module for each command: what its flags ask of the engine, and how its result is shown.

pub(crate) mod build;
pub(crate) mod clean;
pub(crate) mod completions;
mod generation;
pub(crate) mod graph;
pub(crate) mod registry;
pub(crate) mod status;
pub(crate) mod test;

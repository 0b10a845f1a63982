//! One module for each command. Each reads from top to bottom as the story of its command.

pub(crate) mod build;
pub(crate) mod clean;
pub(crate) mod completions;
mod generate;
pub(crate) mod graph;
pub(crate) mod registry;
pub(crate) mod status;
pub(crate) mod test;

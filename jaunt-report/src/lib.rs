//! The documents that jaunt promises to other programs.
//!
//! Each is a type here, made from the plans and reports of the crates below, and nowhere else; [`schema`] has their
//! names. The types below carry no JSON form for the sake of a document. This crate does not know a clock, a terminal,
//! or what an exit code means: both are handed in.
//!
//! Within a version of a schema a key is added without notice, and never changed or taken away.

mod build;
mod clean;
mod error;
mod graph;
mod pytest;
mod reason;
mod render;
pub mod schema;
mod status;
mod test;

pub use crate::build::{Backend, Blocked, BuildDocument};
pub use crate::clean::CleanDocument;
pub use crate::error::{ErrorBody, ErrorDocument};
pub use crate::graph::{GraphDocument, GraphNode};
pub use crate::pytest::PytestDocument;
pub use crate::reason::Reason;
pub use crate::render::render;
pub use crate::status::{ModuleStatus, StatusDocument, Summary};
pub use crate::test::TestDocument;

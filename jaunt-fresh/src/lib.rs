//! Whether everything that was fresh still is, without reading what has not changed.
//!
//! A [`FreshCache`] is what a plan with nothing to do was made from: every source, generated file
//! and folder with its stamp and digest. While all of them are what they were, the plan is what it
//! was. A [`ProjectIndex`] finds the modules that changed files can affect, and loads only those.
//! This crate does not know where these are kept, what a registry is exported from, or how code is
//! generated, and `jaunt-builder` does not know about it.
//!
//! It is a matter of speed alone: whatever does not fit is `None`, and then everything is loaded.

mod cache;
mod collect;
mod encode;
mod format;
mod index;
mod record;
mod registry;
mod verify;

pub use crate::cache::FreshCache;
pub use crate::index::{IndexTexts, ProjectIndex};
pub use crate::registry::RegistryState;
pub use crate::verify::Verified;

#[cfg(test)]
mod tests;

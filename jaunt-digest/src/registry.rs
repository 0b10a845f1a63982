//! The registry document: the specs of a project, as the program that discovered them wrote them.

use crate::parallel::{Parallelism, Sequential};
use crate::text::strip_bom;

mod entry;
mod error;
mod fast;
mod fields;
mod index;
mod merge;
mod model;
mod read;
mod specs;

pub use self::entry::{ModuleEntry, Settings, SpecEntry};
pub use self::error::RegistryError;
pub use self::model::Registry;
pub use self::specs::Specs;

/// The least number of bytes of a document that are worth a job of their own.
const MIN_JOB_LEN: usize = 256 * 1024;

impl Registry {
    /// Reads a registry document, version 1.
    ///
    /// Unknown keys are ignored, and the last one of a repeated key holds. `null` counts as absent.
    ///
    /// # Errors
    ///
    /// If the document is not JSON, or violates the format. The message names the spec (by its
    /// position if it has no ref) and the field.
    pub fn from_json(bytes: &[u8]) -> Result<Self, RegistryError> {
        Self::from_json_with(bytes, &Sequential)
    }

    /// Reads a registry document like [`from_json`](Self::from_json), large ones in several jobs.
    ///
    /// # Errors
    ///
    /// As [`from_json`](Self::from_json).
    pub fn from_json_with(
        bytes: &[u8],
        parallelism: &dyn Parallelism,
    ) -> Result<Self, RegistryError> {
        let text = str::from_utf8(bytes)
            .map_err(|err| RegistryError::Encoding { valid_up_to: err.valid_up_to() })?;
        let text = strip_bom(text);
        match fast::document(text, parallelism, MIN_JOB_LEN) {
            Some(registry) => Ok(registry),
            None => read::document(text),
        }
    }
}

#[cfg(test)]
mod tests;

//! The generators that ship: programs, and recordings of what programs once answered.
//!
//! [`select`] makes an [`AnyBackend`] of settings, and checks before anything is started whether it
//! can work at all. Nothing here knows where settings come from, or what is done with an answer.
//!
//! Above 1,500 lines with its tests, since each generator has its format: prompts, fences,
//! recordings and the protocol of programs are a room each.

mod command;
mod error;
mod fence;
#[cfg(fuzzing)]
pub mod fuzzing;
mod name;
mod preset;
mod prompt;
mod record;
mod replay;
mod report;
mod select;
mod settings;
mod store;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use crate::command::{AnswerFormat, RequestFormat};
pub use crate::error::BackendConfigError;
pub use crate::name::BackendName;
pub use crate::prompt::{AsyncRunner, TemplateError, TemplateName, Templates};
pub use crate::select::{AnyBackend, select};
pub use crate::settings::BackendSettings;
pub use crate::store::{RecordingFault, StoreError};

//! What may be shown on a terminal: text from outside, and what is said about it.
//!
//! Generated code, test output, file names and error messages come from programs that we do not
//! trust. [`sanitize`] makes a text safe to print, [`escaped`] a name, [`escape_json`] a document.
//! Which characters are dangerous is decided once, by [`is_hostile`]. The rest words small things:
//! [last lines](last_lines), [errors with their causes](error_chain), [plurals](count).
//!
//! Nothing here knows where a text comes from, or whether there is a terminal.

mod count;
mod error;
mod escape;
mod hostile;
mod lines;
mod sanitize;
mod sequence;

pub use crate::count::count;
pub use crate::error::{error_chain, one_line};
pub use crate::escape::{escape_json, escaped};
pub use crate::hostile::is_hostile;
pub use crate::lines::last_lines;
pub use crate::sanitize::sanitize;
pub use crate::sequence::strip_escapes;

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

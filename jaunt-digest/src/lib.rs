//! Digests, headers and layout of generated Python modules.
//!
//! Text in, values out: what a spec is called, what its source says, which digest follows, what the
//! header of a generated file says, and where that file belongs. This crate reads no file, does not
//! import Python, and knows no graph: who has one asks for one digest after another.
//!
//! A [`ModuleName`], a [`SpecRef`] and a [`GeneratedPath`] are valid by construction, and an
//! [`Outline`] exists only for a source that parses.
//!
//! ```
//! use jaunt_digest::{Digest, Outline, Source};
//! let source = Source::decode(b"@jaunt.magic()\ndef total(x):   # a spec\n    ...\n")?;
//! let outline = Outline::parse(&source)?;
//! let total = outline.definition("total").map(|it| it.segment());
//! assert_eq!(total.as_deref(), Some("def total(x):   # a spec\n    ..."));
//! let local = Digest::local(&total.unwrap_or_default(), "{}");
//! assert_ne!(Digest::graph(&local, []), local);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod digest;
mod header;
mod json;
mod kwargs;
mod layout;
mod name;
mod outline;
mod python;
mod registry;
mod source;
mod text;
mod top_level;

pub use crate::digest::{Digest, InvalidDigest};
pub use crate::header::{Header, HeaderFields, normalize_body, render, split};
pub use crate::kwargs::{Kwargs, kwargs_text};
pub use crate::layout::{GeneratedPath, Layout, LayoutError};
pub use crate::name::{InvalidName, Kind, ModuleName, SpecRef};
pub use crate::outline::{Definition, DefinitionKind, Outline};
pub use crate::python::SyntaxError;
pub use crate::registry::{
    ModuleEntry, Producer, Registry, RegistryError, Settings, SpecEntry, Specs,
};
pub use crate::source::{Source, SourceError};
pub use crate::top_level::{Lost, TopLevel};

/// Its examples are tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

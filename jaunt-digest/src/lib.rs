//! Digests, headers and layout of generated Python modules.
//!
//! Text in, values out: what a source defines, the digest of a spec, the header of a generated file and
//! where it belongs, the registry document. Two parsers make this more than 1,500 lines: an outline of
//! Python, and a reader of JSON that locates errors. The crate is pure: it reads no file, starts no
//! thread ([`Parallelism`] comes from the caller), runs no Python, and knows no graph.
//!
//! A [`ModuleName`], a [`SpecRef`] and a [`GeneratedPath`] are valid by construction, and an
//! [`Outline`] exists only for a source that parses. The README has an example.
#![cfg_attr(doctest, doc = include_str!("../README.md"))]

mod digest;
mod header;
mod json;
mod kind;
mod kwargs;
mod layout;
mod name;
mod outline;
mod parallel;
mod python;
mod registry;
mod source;
mod text;
mod top_level;

pub use crate::digest::{Digest, InvalidDigest};
pub use crate::header::{
    Header, HeaderFields, MARKER, normalize_body, render_generated, split_generated,
};
pub use crate::kind::{InvalidKind, Kind};
pub use crate::kwargs::Kwargs;
pub use crate::layout::{GeneratedPath, Layout, LayoutError};
pub use crate::name::{InvalidName, ModuleName, SpecRef};
pub use crate::outline::{Definition, DefinitionKind, Outline};
pub use crate::parallel::{Job, Parallelism, Sequential};
pub use crate::python::SyntaxError;
pub use crate::registry::{ModuleEntry, Registry, RegistryError, Settings, SpecEntry, Specs};
pub use crate::source::{Source, SourceError};
pub use crate::text::strip_bom;
pub use crate::top_level::{Shadowed, TopLevel};

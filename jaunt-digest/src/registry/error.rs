//! Why a registry document is rejected.

use crate::kind::Kind;
use crate::name::{ModuleName, SpecRef};
use crate::text::excerpt;

/// Why a registry document is rejected.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
#[non_exhaustive]
pub enum RegistryError {
    /// The document is not text.
    #[error("the registry document is not valid UTF-8 at byte {valid_up_to}")]
    Encoding { valid_up_to: usize },

    /// The document is not JSON.
    #[error("the registry document is not JSON")]
    Json {
        #[from]
        source: serde_json::Error,
    },

    /// A value that must be an object is something else.
    #[error("{location}: expected an object, found {found}")]
    Object { location: String, found: String },

    /// A field is missing or has a wrong value.
    #[error("{location}: expected `{field}` to be {expected}, found {found}")]
    Field { location: String, field: String, expected: String, found: String },

    /// Two specs have the same ref.
    #[error("spec `{spec}`: registered twice, as `specs[{first}]` and `specs[{second}]`")]
    Duplicate { spec: SpecRef, first: usize, second: usize },

    /// A dependency is not a spec.
    #[error("spec `{spec}`: `{}` in `dependencies` is not registered", excerpt(.dependency))]
    UnknownDependency { spec: SpecRef, dependency: String },

    /// A module and a spec in it have different kinds.
    #[error(
        "module `{module}`: `kind` is `{}`, but that of spec `{spec}` in it is `{}`",
        .kind.registry_str(),
        .spec_kind.registry_str()
    )]
    Kind { module: ModuleName, kind: Kind, spec: SpecRef, spec_kind: Kind },
}

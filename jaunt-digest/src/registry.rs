//! The registry document: the specs of a project as their discovery hands them over.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::digest::Digest;
use crate::kwargs::Kwargs;
use crate::name::{Kind, ModuleName, SpecRef};
use crate::text::shown;

mod fast;
mod read;
mod specs;

pub use specs::Specs;

/// The specs of a project, and what their producer says about modules and settings.
///
/// Every dependency of a spec is the ref of a spec that is there too. The graph of specs may have
/// cycles.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registry {
    /// The program that wrote the document.
    pub producer: Option<Producer>,
    /// The specs by ref.
    pub specs: Specs,
    /// What the document says about modules; a module with specs need not be here.
    pub modules: BTreeMap<ModuleName, ModuleEntry>,
    /// Settings of the project, each only where the document gives it.
    pub settings: Settings,
    /// Generated files, relative to the project root, that belong to no spec: tests that the
    /// producer makes up for classes by itself. Such a file is not an orphan.
    pub auto_tests: BTreeSet<Utf8PathBuf>,
    /// What the producer has to say about the project, for people.
    pub warnings: Vec<String>,
}

/// The program that wrote a registry document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Producer {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
}

/// One spec: a decorated definition in the user's code.
#[derive(Clone, Debug, PartialEq)]
pub struct SpecEntry {
    /// What it asks for.
    pub kind: Kind,
    /// The file that holds it, relative to the project root.
    pub source_file: Arc<Utf8Path>,
    /// The decorator's arguments.
    pub kwargs: Kwargs,
    /// The specs that it depends on directly: sorted, each once.
    pub dependencies: Vec<SpecRef>,
    /// The class around it, if it is a method.
    pub class_name: Option<String>,
}

impl SpecEntry {
    /// Returns the decorator's `prompt`, if there is one that says something.
    pub fn prompt(&self) -> Option<String> {
        match self.kwargs.get("prompt")? {
            Value::String(text) => Some(text).filter(|it| !it.is_empty()),
            _ => None,
        }
    }

    /// Returns the specs that the decorator's `deps` and `targets` name.
    ///
    /// What is not a ref is left out, and a ref need not be registered.
    pub fn targets(&self) -> BTreeSet<SpecRef> {
        self.kwargs.refs()
    }
}

/// What a registry document says about one module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleEntry {
    /// What its specs ask for.
    pub kind: Kind,
    /// The module to be generated.
    pub generated_module: Option<ModuleName>,
    /// Its file, relative to `output_base`.
    pub generated_relpath: Option<Utf8PathBuf>,
    /// The directory it is imported from, relative to the project root; empty for the root itself.
    pub output_base: Option<Utf8PathBuf>,
    /// The module's digest under other schemes, by the number of the scheme.
    pub digests: BTreeMap<u32, Digest>,
}

/// Settings of the project, as far as the registry document gives them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of `jaunt.toml`")]
pub struct Settings {
    pub source_roots: Option<Vec<String>>,
    pub test_roots: Option<Vec<String>>,
    pub generated_dir: Option<String>,
    pub build_jobs: Option<NonZeroUsize>,
    pub test_jobs: Option<NonZeroUsize>,
    pub pytest_args: Option<Vec<String>>,
}

/// Why a registry document is refused.
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

    /// Something that must be an object is none.
    #[error("{place}: expected an object, found {found}")]
    Object { place: String, found: String },

    /// A field is missing or makes no sense.
    #[error("{place}: expected `{field}` to be {expected}, found {found}")]
    Field { place: String, field: String, expected: String, found: String },

    /// Two specs have one ref.
    #[error("spec `{spec}`: registered twice, as `specs[{first}]` and `specs[{second}]`")]
    Duplicate { spec: SpecRef, first: usize, second: usize },

    /// A dependency is not a spec.
    #[error("spec `{spec}`: `{}` in `dependencies` is not registered", shown(.dependency))]
    UnknownDependency { spec: SpecRef, dependency: String },

    /// A module is of one kind, and a spec in it of the other.
    #[error(
        "module `{module}`: `kind` is `{}`, but that of spec `{spec}` in it is `{}`",
        .kind.registry_str(),
        .spec_kind.registry_str()
    )]
    Kind { module: ModuleName, kind: Kind, spec: SpecRef, spec_kind: Kind },
}

impl Registry {
    /// Reads a registry document, version 1.
    ///
    /// Unknown keys are ignored, and of a repeated key the last one holds. `null` counts as absent.
    ///
    /// # Errors
    ///
    /// If the document is not JSON, or not what a registry document must be; the message names the
    /// spec (by its place, where it has no ref) and the field.
    pub fn from_json(bytes: &[u8]) -> Result<Self, RegistryError> {
        let text = str::from_utf8(bytes)
            .map_err(|err| RegistryError::Encoding { valid_up_to: err.valid_up_to() })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let threads = thread::available_parallelism().map_or(1, usize::from);
        match fast::document(text, fast::Crew { threads, share: 256 * 1024 }) {
            Some(registry) => Ok(registry),
            None => read::document(text),
        }
    }
}

#[cfg(test)]
mod tests;

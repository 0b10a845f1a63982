//! What a registry says about one spec, about one module, and about the project.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::digest::Digest;
use crate::kind::Kind;
use crate::kwargs::Kwargs;
use crate::name::{ModuleName, SpecRef};

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
}

impl SpecEntry {
    /// Returns the decorator's `prompt`, or `None` if it is missing, empty or not a string.
    pub fn prompt(&self) -> Option<String> {
        match self.kwargs.get("prompt")? {
            Value::String(text) => Some(text).filter(|it| !it.is_empty()),
            _ => None,
        }
    }

    /// Returns the refs in the decorator's `deps` and `targets`.
    ///
    /// Values that are not refs are left out. A ref need not be registered.
    pub fn referenced_specs(&self) -> BTreeSet<SpecRef> {
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

/// Settings of the project; each is `None` if the registry document does not give it.
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

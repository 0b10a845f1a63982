//! The registry as a value.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use super::entry::{ModuleEntry, Settings};
use super::specs::Specs;
use crate::name::ModuleName;

/// The specs of a project, and what their producer says about modules and settings.
///
/// Every dependency of a spec in a registry that was read is itself registered. Specs may depend
/// on each other in a cycle.
///
/// ```
/// use jaunt_digest::Registry;
///
/// let registry = Registry::from_json(
///     br#"{"version": 1, "specs": [{"kind": "magic", "spec_ref": "shop.cart:total",
///         "module": "shop.cart", "qualname": "total", "source_file": "src/shop/cart.py"}]}"#,
/// )?;
/// assert_eq!(*registry.specs["shop.cart:total"].source_file, *"src/shop/cart.py");
///
/// let err = Registry::from_json(br#"{"version": 1, "specs": [{}]}"#).unwrap_err().to_string();
/// assert!(err.starts_with("specs[0]: expected `spec_ref` to be"));
/// # Ok::<(), jaunt_digest::RegistryError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registry {
    /// The specs by ref.
    pub specs: Specs,
    /// What the document says about modules. A module that has specs may be missing here.
    pub modules: BTreeMap<ModuleName, ModuleEntry>,
    /// Settings of the project.
    pub settings: Settings,
    /// Generated files, relative to the project root, that belong to no spec: tests that the
    /// producer derives from classes on its own. Such a file is not an orphan.
    pub auto_tests: BTreeSet<Utf8PathBuf>,
    /// Warnings of the producer about the project, for people.
    pub warnings: Vec<String>,
}

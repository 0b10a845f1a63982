//! A module of specs.

use std::collections::{BTreeMap, BTreeSet};

use jaunt_digest::{Digest, GeneratedPath, Kind, ModuleName, SpecRef};

/// One module of specs, its digest, and where its code goes.
#[derive(Clone, Debug)]
pub struct SpecModule {
    /// Whether its specs ask for product code or for tests.
    pub kind: Kind,
    /// Its specs, in order of their refs.
    pub specs: Vec<SpecRef>,
    /// The module that is generated for it.
    pub generated_module: ModuleName,
    /// The file that is generated for it.
    pub destination: GeneratedPath,
    /// The module digest, scheme 1.
    pub digest: Digest,
    /// The module digest under other schemes, as far as the registry gives it.
    pub other_digests: BTreeMap<u32, Digest>,
    /// Modules of the same kind that its specs depend on.
    pub dependencies: BTreeSet<ModuleName>,
    /// Product modules that its tests name. Empty for product modules.
    pub tested: BTreeSet<ModuleName>,
}

impl SpecModule {
    /// Returns the names that its code has to define, sorted.
    pub fn expected_names(&self) -> Vec<String> {
        let names: BTreeSet<&str> = self.specs.iter().map(SpecRef::definition).collect();
        names.into_iter().map(str::to_owned).collect()
    }
}

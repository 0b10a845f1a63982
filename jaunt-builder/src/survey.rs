//! What a plan needs to know about a project.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_dag::Condensed;
use jaunt_digest::{Digest, Kind, ModuleName, SpecEntry, SpecRef, Specs};

use crate::index::{SpecIdx, Table};
use crate::on_disk::{OnDisk, OnDiskReader};
use crate::parallel::in_parallel;
use crate::spec_module::SpecModule;

/// How many files one directory handle is good for.
const CHUNK: usize = 64;

/// The modules of a registry with their digests and graphs: all that a plan needs.
///
/// A survey is a value: once loaded, it does not look at the disk again. It has no text of the
/// sources, so it cannot be built; a [`Project`](crate::Project) can.
#[derive(Debug)]
pub struct Survey {
    pub(crate) root: Utf8PathBuf,
    pub(crate) kinds: Vec<Kind>,
    pub(crate) specs: Specs,
    pub(crate) modules: BTreeMap<ModuleName, SpecModule>,
    pub(crate) locals: Table<SpecIdx, Option<Digest>>,
    pub(crate) graphs: Table<SpecIdx, Option<Digest>>,
    pub(crate) units: BTreeMap<Kind, Condensed<ModuleName>>,
}

impl Survey {
    /// Returns the directory that all paths are relative to.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Returns all modules, of every kind that was loaded.
    pub fn modules(&self) -> &BTreeMap<ModuleName, SpecModule> {
        &self.modules
    }

    /// Returns the module of this name.
    ///
    /// # Panics
    ///
    /// Panics if there is none: names come from [`modules`](Self::modules).
    pub fn module(&self, name: &ModuleName) -> &SpecModule {
        &self.modules[name]
    }

    /// Returns the modules of one kind, in order of name.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&ModuleName, &SpecModule)> {
        self.modules.iter().filter(move |(_, module)| module.kind == kind)
    }

    /// Returns the entry of a spec; `None` if no spec of that name was loaded.
    pub fn spec(&self, spec: &SpecRef) -> Option<&SpecEntry> {
        self.specs.get(spec).filter(|entry| self.kinds.contains(&entry.kind))
    }

    /// Returns the digest of a spec and all that it depends on; `None` if no spec of that name was
    /// loaded.
    pub fn graph_digest(&self, spec: &SpecRef) -> Option<&Digest> {
        self.graphs[SpecIdx(self.specs.index_of(spec)?)].as_ref()
    }

    /// Returns the modules of one kind as a graph of units: modules that depend on each other are
    /// one.
    pub fn units(&self, kind: Kind) -> &Condensed<ModuleName> {
        &self.units[&kind]
    }

    /// Returns these modules of one kind and all modules of that kind that they depend on, directly
    /// or not. Names of no such module are passed over.
    pub fn with_dependencies<'a>(
        &self,
        kind: Kind,
        names: impl IntoIterator<Item = &'a ModuleName>,
    ) -> BTreeSet<ModuleName> {
        let units = self.units(kind);
        let known = names.into_iter().filter(|name| units.contains(name));
        let wanted = units.units().with_dependencies(known.map(|name| units.unit_of(name)));
        wanted.into_iter().flat_map(|unit| units.members(unit)).cloned().collect()
    }

    /// Reads the generated file of every module, on all cores.
    ///
    /// No link is followed. What cannot be read is a finding, not an error.
    pub fn read_on_disk(&self) -> BTreeMap<ModuleName, OnDisk> {
        let modules: Vec<_> = self.modules.iter().collect();
        let destinations = modules.iter().map(|(_, module)| &module.destination);
        let reader = OnDiskReader::new(&self.root, destinations, true);
        let chunks: Vec<_> = modules.chunks(CHUNK).collect();
        let found = in_parallel(&chunks, |chunk| {
            let mut reader = reader.clone();
            let read = |(_, module): &(_, &SpecModule)| reader.read(&module.destination);
            chunk.iter().map(read).collect::<Vec<_>>()
        });
        modules.iter().map(|(name, _)| (*name).clone()).zip(found.into_iter().flatten()).collect()
    }

    /// Returns the specs of the registry, of every kind.
    pub(crate) fn specs(&self) -> &Specs {
        &self.specs
    }

    /// Returns the digest of a spec's own text and arguments.
    pub(crate) fn local_at(&self, idx: usize) -> &Digest {
        self.locals[SpecIdx(idx)].as_ref().expect("the spec was loaded")
    }

    /// Returns the specs of a module, by their positions in the registry. Refs begin with the name of
    /// their module, so they stand together.
    pub(crate) fn indices_of(&self, module: &SpecModule) -> Range<usize> {
        let first = module.specs.first().map_or(0, |spec| {
            self.specs.index_of(spec).expect("the specs of a module come from the registry")
        });
        first..first + module.specs.len()
    }

    /// Returns the product specs that test specs name as dependencies, `deps` or `targets`.
    pub(crate) fn tested_specs(&self, specs: &[SpecRef]) -> BTreeSet<SpecRef> {
        tested_specs(&self.specs, &self.kinds, specs)
    }
}

/// Returns the product specs that test specs name as dependencies, `deps` or `targets`, as far as
/// specs of these kinds are loaded.
pub(crate) fn tested_specs(specs: &Specs, kinds: &[Kind], tests: &[SpecRef]) -> BTreeSet<SpecRef> {
    let entry = |spec: &SpecRef| specs.get(spec).filter(|entry| kinds.contains(&entry.kind));
    let named = tests
        .iter()
        .filter_map(entry)
        .flat_map(|entry| entry.dependencies.iter().cloned().chain(entry.referenced_specs()));
    named.filter(|spec| entry(spec).is_some_and(|entry| entry.kind == Kind::Build)).collect()
}

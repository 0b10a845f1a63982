//! Modules from specs, and the graphs of modules.

use std::collections::{BTreeMap, BTreeSet};

use jaunt_dag::{Condensed, condense_pairs};
use jaunt_digest::{Digest, Kind, ModuleName, Registry, SpecRef};

use super::destinations::Destination;
use super::module_specs::ModuleSpecs;
use crate::index::{ModuleIdx, SpecIdx, Table, positions};
use crate::parallel::in_parallel;
use crate::spec_module::SpecModule;
use crate::survey::tested_specs;

/// The modules of some kinds, and their units.
pub(super) type Modules = (BTreeMap<ModuleName, SpecModule>, BTreeMap<Kind, Condensed<ModuleName>>);

/// What modules are made from.
pub(super) struct ModuleInputs<'a> {
    pub(super) registry: &'a Registry,
    pub(super) kinds: &'a [Kind],
    pub(super) modules: &'a Table<ModuleIdx, ModuleSpecs<'a>>,
    pub(super) destinations: &'a Table<ModuleIdx, Destination>,
    pub(super) graphs: &'a Table<SpecIdx, Option<Digest>>,
}

/// The modules of one kind, and the edges among them by position.
#[derive(Default)]
struct ModuleGraph {
    names: Vec<ModuleName>,
    pairs: Vec<(usize, usize)>,
}

impl ModuleInputs<'_> {
    /// Makes the modules of the kinds that are loaded, on all cores.
    pub(super) fn make(&self) -> Modules {
        let first = ModuleIdx(0);
        let mut module_of: Table<SpecIdx, ModuleIdx> =
            vec![first; self.registry.specs.len()].into();
        let mut graphs: BTreeMap<Kind, ModuleGraph> =
            self.kinds.iter().map(|kind| (*kind, ModuleGraph::default())).collect();
        let mut node_of: Table<ModuleIdx, usize> = vec![0; self.modules.len()].into();
        let mut wanted = Vec::with_capacity(self.modules.len());
        for (idx, module) in self.modules.iter() {
            module_of.range_mut(module.specs.clone()).fill(idx);
            if let Some(graph) = graphs.get_mut(&module.kind) {
                node_of[idx] = graph.names.len();
                graph.names.push(module.name.clone());
                wanted.push(idx);
            }
        }
        let made = in_parallel(&wanted, |&idx| self.module(idx, &module_of));

        let mut modules = Vec::with_capacity(wanted.len());
        for (idx, (module, dependencies)) in wanted.into_iter().zip(made) {
            let graph = graphs.get_mut(&module.kind).expect("only modules of these kinds are made");
            graph.pairs.extend(dependencies.iter().map(|dep| (node_of[idx], node_of[*dep])));
            modules.push((self.modules[idx].name.clone(), module));
        }
        let units = graphs.into_iter();
        let units =
            units.map(|(kind, graph)| (kind, condense_pairs(graph.names, graph.pairs))).collect();
        (modules.into_iter().collect(), units)
    }

    /// Makes one module, and returns it with the modules of the same kind that it depends on.
    fn module(
        &self,
        idx: ModuleIdx,
        module_of: &Table<SpecIdx, ModuleIdx>,
    ) -> (SpecModule, Vec<ModuleIdx>) {
        let (this, specs) = (&self.modules[idx], &self.registry.specs);
        let deps =
            positions(this.specs.clone()).flat_map(|spec| specs.dependencies_at(spec.0)).flatten();
        let mut dependencies: Vec<ModuleIdx> = deps
            .map(|dep| module_of[SpecIdx(dep)])
            .filter(|dep| *dep != idx && self.modules[*dep].kind == this.kind)
            .collect();
        dependencies.sort_unstable();
        dependencies.dedup();
        let own: Vec<SpecRef> =
            positions(this.specs.clone()).map(|spec| specs.ref_at(spec.0).clone()).collect();
        let given = self.registry.modules.get(this.name);
        let Destination { generated_module, path } = &self.destinations[idx];
        let module = SpecModule {
            kind: this.kind,
            generated_module: generated_module.clone(),
            destination: path.clone(),
            digest: Digest::module(self.graphs.range(this.specs.clone()).iter().flatten()),
            other_digests: given.map(|entry| entry.digests.clone()).unwrap_or_default(),
            dependencies: dependencies.iter().map(|dep| self.modules[*dep].name.clone()).collect(),
            tested: match this.kind {
                Kind::Build => BTreeSet::new(),
                Kind::Test => tested_specs(specs, self.kinds, &own)
                    .iter()
                    .map(|spec| spec.module().clone())
                    .collect(),
            },
            specs: own,
        };
        (module, dependencies)
    }
}

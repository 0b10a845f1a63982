//! The digests of specs, each with all that it depends on.

use std::collections::BTreeMap;

use jaunt_dag::{Cycle, Dag};
use jaunt_digest::{Digest, Kind, SpecRef, Specs};

use crate::error::ProjectError;
use crate::index::{SpecIdx, Table};

/// Returns the graph of the specs of one kind. A test's edges to product code are not part of its
/// digest.
pub(super) fn spec_dag(
    kind: Kind,
    specs: &Specs,
    kinds: &[Kind],
) -> Result<Dag<SpecIdx>, ProjectError> {
    let mut nodes = Vec::with_capacity(specs.len());
    let mut node_of: Table<SpecIdx, usize> = vec![0; specs.len()].into();
    for (idx, _) in specs.values().enumerate().filter(|(_, entry)| entry.kind == kind) {
        node_of[SpecIdx(idx)] = nodes.len();
        nodes.push(SpecIdx(idx));
    }
    let mut pairs = Vec::with_capacity(2 * nodes.len());
    for &spec in &nodes {
        for (nth, dep) in specs.dependencies_at(spec.0).enumerate() {
            let other = dep.map(|dep| specs.entry_at(dep).kind).filter(|it| kinds.contains(it));
            match (other, dep) {
                (Some(other), Some(dep)) if other == kind => {
                    pairs.push((node_of[spec], node_of[SpecIdx(dep)]));
                }
                (Some(_), _) if kind == Kind::Test => {}
                // Only product specs are loaded for a build, so what is missing is a test.
                _ => {
                    return Err(ProjectError::DependsOnTest {
                        spec: specs.ref_at(spec.0).clone(),
                        dependency: specs.entry_at(spec.0).dependencies[nth].clone(),
                    });
                }
            }
        }
    }
    let named = |cycle: Cycle<SpecIdx>| cycle.map(|spec| specs.ref_at(spec.0).clone());
    Dag::from_pairs(nodes, pairs).map_err(|cycle| ProjectError::Cycle(named(cycle)))
}

/// Digests the specs of a graph, each with all that it depends on. Digests that are `known` are
/// taken as they are.
pub(super) fn fold(
    dag: &Dag<SpecIdx>,
    specs: &Specs,
    locals: &Table<SpecIdx, Option<Digest>>,
    known: Option<&BTreeMap<SpecRef, Digest>>,
    graphs: &mut Table<SpecIdx, Option<Digest>>,
) {
    for &node in dag.order_at() {
        let spec = *dag.node_at(node);
        let given = known.and_then(|known| known.get(specs.ref_at(spec.0)));
        let digest = given.copied().unwrap_or_else(|| {
            let local = locals[spec].as_ref().expect("every spec that was loaded has one");
            let deps = dag.deps_at(node).iter().map(|&dep| &graphs[*dag.node_at(dep)]);
            Digest::graph(local, deps.map(|it| it.as_ref().expect("dependencies come first")))
        });
        graphs[spec] = Some(digest);
    }
}

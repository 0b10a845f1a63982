use crate::dag::{self, Dag};
use crate::edges::Edges;

/// The strongly connected components of a graph, as the nodes of a graph without cycles.
///
/// Each component is a unit: two nodes are in one if each depends on the other, directly or not. Most
/// units have one member. A unit goes by the name of its smallest member, and depends on another if any of its
/// members does.
#[derive(Clone, Debug)]
pub struct Condensed<N> {
    units: Dag<N>,
    /// By the index of the unit, sorted.
    members: Vec<Vec<N>>,
    /// All nodes, sorted, and the index of the unit of each.
    nodes: Vec<N>,
    unit_of: Vec<usize>,
}

/// Condenses a graph that may have cycles: makes one unit of each strongly connected component.
///
/// The edges are read as by [`Dag::new`]. A node that depends on itself is a unit of one.
///
/// ```
/// let condensed = jaunt_dag::condense([("a", vec!["b"]), ("b", vec!["a", "c"]), ("c", vec![])]);
///
/// assert_eq!(condensed.units().order().collect::<Vec<_>>(), [&"c", &"a"]);
/// assert_eq!(condensed.members(&"a"), ["a", "b"]);
/// assert_eq!(condensed.unit_of(&"b"), &"a");
/// ```
pub fn condense<N: Ord + Clone, D>(edges: impl IntoIterator<Item = (N, D)>) -> Condensed<N>
where
    D: IntoIterator<Item = N>,
{
    of_edges(Edges::collect(edges))
}

/// Does what [`condense`] does for nodes that are sorted and distinct, and pairs of indices of them: a node, and one
/// that it depends on.
///
/// # Panics
///
/// If the nodes are not sorted and distinct, or an index is not less than their number.
pub fn condense_pairs<N: Ord + Clone>(nodes: Vec<N>, pairs: Vec<(usize, usize)>) -> Condensed<N> {
    of_edges(Edges::checked(nodes, pairs))
}

fn of_edges<N: Ord + Clone>(edges: Edges<N>) -> Condensed<N> {
    // Fast path: nearly always there is no cycle, and an order is cheaper than the components.
    let (deps, dependents) = (edges.deps(), edges.dependents());
    let order = dag::order(&deps, &dependents);
    if order.len() == edges.nodes.len() {
        let members = edges.nodes.iter().map(|node| vec![node.clone()]).collect();
        let unit_of = (0..edges.nodes.len()).collect();
        let nodes = edges.nodes.clone();
        let units = Dag::from_order(edges.nodes, deps, dependents, order);
        return Condensed { units, members, nodes, unit_of };
    }
    let components = edges.components();
    let mut unit_of = vec![0; edges.nodes.len()];
    for (unit, component) in components.iter().enumerate() {
        for &node in component {
            unit_of[node] = unit;
        }
    }

    // Components come by their smallest nodes, so their names are sorted as `Edges` wants them.
    let names = components.iter().map(|component| edges.nodes[component[0]].clone()).collect();
    let between = edges.pairs.iter().map(|&(node, dep)| (unit_of[node], unit_of[dep]));
    let between = between.filter(|(unit, dep)| unit != dep).collect();
    let units = Dag::from_edges(Edges::new(names, between))
        .ok()
        .expect("components that depend on each other would be one component");
    let members = components
        .into_iter()
        .map(|component| component.into_iter().map(|node| edges.nodes[node].clone()).collect())
        .collect();
    Condensed { units, members, nodes: edges.nodes, unit_of }
}

impl<N: Ord + Clone> Condensed<N> {
    /// Returns the graph of the units, each under the name of its smallest member.
    pub fn units(&self) -> &Dag<N> {
        &self.units
    }

    /// Returns the members of the unit that `node` belongs to, sorted.
    ///
    /// # Panics
    ///
    /// If `node` is not in the graph.
    pub fn members(&self, node: &N) -> &[N] {
        &self.members[self.unit_at(node)]
    }

    /// Returns the unit that `node` belongs to.
    ///
    /// # Panics
    ///
    /// If `node` is not in the graph.
    pub fn unit_of(&self, node: &N) -> &N {
        self.units.node_at(self.unit_at(node))
    }

    /// Checks whether `node` is in the graph.
    pub fn contains(&self, node: &N) -> bool {
        self.nodes.binary_search(node).is_ok()
    }

    fn unit_at(&self, node: &N) -> usize {
        self.unit_of[self.nodes.binary_search(node).expect("callers ask for nodes of the graph")]
    }
}

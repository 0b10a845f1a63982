//! Sorted nodes and the edges between their indices: what every graph here is made from.

use petgraph::Directed;
use petgraph::algo::kosaraju_scc;
use petgraph::csr::Csr;
use petgraph::graph::DiGraph;
use petgraph::visit::NodeIndexable;

/// For each node, the sorted indices of its neighbors in one direction.
pub(crate) type Adjacency = Csr<(), (), Directed, usize>;

/// Nodes, and edges from dependents to dependencies. Anything may be in a cycle yet.
pub(crate) struct Edges<N> {
    /// Sorted, without duplicates.
    pub(crate) nodes: Vec<N>,
    /// Pairs of indices into `nodes`. Sorted, without duplicates.
    pub(crate) pairs: Vec<(usize, usize)>,
}

impl<N: Ord + Clone> Edges<N> {
    /// Takes nodes with their dependencies; a dependency need not be given as a node as well.
    pub(crate) fn collect<D>(given: impl IntoIterator<Item = (N, D)>) -> Self
    where
        D: IntoIterator<Item = N>,
    {
        let given: Vec<(N, Vec<N>)> =
            given.into_iter().map(|(node, deps)| (node, deps.into_iter().collect())).collect();
        let mut nodes: Vec<&N> = Vec::new();
        for (node, deps) in &given {
            nodes.push(node);
            nodes.extend(deps);
        }
        nodes.sort_unstable();
        nodes.dedup();

        let index = |node| nodes.binary_search(&node).expect("every name was collected above");
        let mut pairs = Vec::new();
        for (node, deps) in &given {
            let node = index(node);
            pairs.extend(deps.iter().map(|dep| (node, index(dep))));
        }
        Self::new(nodes.into_iter().cloned().collect(), pairs)
    }
}

impl<N: Ord> Edges<N> {
    /// Takes nodes and edges that a caller claims to be in order.
    pub(crate) fn checked(nodes: Vec<N>, pairs: Vec<(usize, usize)>) -> Self {
        assert!(nodes.array_windows().all(|[left, right]| left < right), "the nodes are sorted");
        let is_inside = |(node, dep): &(usize, usize)| *node < nodes.len() && *dep < nodes.len();
        assert!(pairs.iter().all(is_inside), "every index is that of a node");
        Self::new(nodes, pairs)
    }
}

impl<N> Edges<N> {
    /// Takes sorted nodes, and edges in any order.
    pub(crate) fn new(nodes: Vec<N>, mut pairs: Vec<(usize, usize)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        Self { nodes, pairs }
    }

    pub(crate) fn deps(&self) -> Adjacency {
        adjacency(self.nodes.len(), &self.pairs)
    }

    pub(crate) fn dependents(&self) -> Adjacency {
        // Where the dependents of each node begin. The pairs are sorted, so theirs come out sorted too.
        let mut at = vec![0; self.nodes.len() + 1];
        for (_, dep) in &self.pairs {
            at[dep + 1] += 1;
        }
        for idx in 1..at.len() {
            at[idx] += at[idx - 1];
        }
        let mut reversed = vec![(0, 0); self.pairs.len()];
        for &(node, dep) in &self.pairs {
            reversed[at[dep]] = (dep, node);
            at[dep] += 1;
        }
        adjacency(self.nodes.len(), &reversed)
    }

    /// Returns the strongly connected components: each sorted, and they by their smallest nodes.
    pub(crate) fn components(&self) -> Vec<Vec<usize>> {
        let mut graph = DiGraph::<(), (), usize>::with_capacity(self.nodes.len(), self.pairs.len());
        for _ in &self.nodes {
            graph.add_node(());
        }
        graph.extend_with_edges(&self.pairs);

        // Kosaraju's algorithm keeps its own stack; petgraph's `tarjan_scc` recurses.
        let mut components: Vec<Vec<usize>> = kosaraju_scc(&graph)
            .into_iter()
            .map(|component| {
                let mut members: Vec<usize> = component
                    .into_iter()
                    .map(|node| NodeIndexable::to_index(&graph, node))
                    .collect();
                members.sort_unstable();
                members
            })
            .collect();
        components.sort_unstable();
        components
    }
}

fn adjacency(n_nodes: usize, pairs: &[(usize, usize)]) -> Adjacency {
    let mut adjacency =
        Adjacency::from_sorted_edges(pairs).expect("callers sort and deduplicate the edges");
    // petgraph knows only nodes with edges; the last nodes may have none.
    for _ in adjacency.node_count()..n_nodes {
        adjacency.add_node(());
    }
    adjacency
}

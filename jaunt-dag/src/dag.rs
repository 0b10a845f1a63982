use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::fmt;

use petgraph::visit::Dfs;

use crate::cycle::{self, Cycle};
use crate::edges::{Adjacency, Edges};

/// A graph of nodes and what they depend on, without cycles.
///
/// # Indices
///
/// Each node has an index, `0..len()` in the order of the nodes themselves, for callers who keep
/// something for every node in a vector. Methods that end in `_at` take or return indices; they panic
/// if one is not less than [`len`](Self::len).
#[derive(Clone)]
pub struct Dag<N> {
    /// Sorted.
    nodes: Vec<N>,
    deps: Adjacency,
    dependents: Adjacency,
    /// Dependencies first.
    pub(crate) order: Vec<usize>,
}

impl<N: Ord + Clone> Dag<N> {
    /// Takes nodes, each with the nodes it depends on.
    ///
    /// A dependency that is not itself given becomes a node without dependencies. A node that is
    /// given twice has the dependencies of both.
    ///
    /// # Errors
    ///
    /// The shortest cycle if there is one; of several as short, the first in the order of nodes.
    /// A component of many thousands of nodes is not searched to its end, so the cycle shown for it
    /// may not be the shortest.
    pub fn new<D>(edges: impl IntoIterator<Item = (N, D)>) -> Result<Self, Cycle<N>>
    where
        D: IntoIterator<Item = N>,
    {
        Self::from_edges(Edges::collect(edges))
    }

    /// Takes nodes that are sorted and distinct, and pairs of indices of them: a node, and one that it
    /// depends on.
    ///
    /// # Errors
    ///
    /// A cycle, as from [`new`](Self::new).
    ///
    /// # Panics
    ///
    /// If the nodes are not sorted and distinct, or an index is not less than their number.
    pub fn from_pairs(nodes: Vec<N>, pairs: Vec<(usize, usize)>) -> Result<Self, Cycle<N>> {
        Self::from_edges(Edges::checked(nodes, pairs))
    }

    pub(crate) fn from_edges(edges: Edges<N>) -> Result<Self, Cycle<N>> {
        let (deps, dependents) = (edges.deps(), edges.dependents());
        let order = order(&deps, &dependents);
        if order.len() < edges.nodes.len() {
            return Err(cycle::shortest(&edges).expect("only a cycle keeps nodes out of the order"));
        }
        Ok(Self::from_order(edges.nodes, deps, dependents, order))
    }

    /// Returns the number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Checks whether there are no nodes.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Returns the nodes, sorted.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = &N> + ExactSizeIterator {
        self.nodes.iter()
    }

    /// Checks whether `node` is in the graph.
    pub fn contains(&self, node: &N) -> bool {
        self.index_of(node).is_some()
    }

    /// Returns the nodes, each after everything it depends on. If that leaves a choice, the smallest
    /// comes first.
    pub fn order(&self) -> impl DoubleEndedIterator<Item = &N> + ExactSizeIterator {
        self.order.iter().map(|&idx| &self.nodes[idx])
    }

    /// Returns the direct dependencies of `node`, sorted; none if `node` is not in the graph.
    pub fn deps<'a>(
        &'a self,
        node: &N,
    ) -> impl DoubleEndedIterator<Item = &'a N> + ExactSizeIterator + use<'a, N> {
        let deps = self.index_of(node).map_or(&[][..], |idx| self.deps_at(idx));
        deps.iter().map(|&idx| &self.nodes[idx])
    }

    /// Returns the direct dependents of `node`, sorted; none if `node` is not in the graph.
    pub fn dependents<'a>(
        &'a self,
        node: &N,
    ) -> impl DoubleEndedIterator<Item = &'a N> + ExactSizeIterator + use<'a, N> {
        let dependents = self.index_of(node).map_or(&[][..], |idx| self.dependents_at(idx));
        dependents.iter().map(|&idx| &self.nodes[idx])
    }

    /// Returns the given nodes and everything that depends on them, directly or not.
    ///
    /// Nodes that are not in the graph are ignored: nothing depends on a module that is gone.
    pub fn with_dependents<'a>(&self, changed: impl IntoIterator<Item = &'a N>) -> BTreeSet<&N>
    where
        N: 'a,
    {
        self.reached(&self.dependents, changed)
    }

    /// Returns the given nodes and everything they depend on, directly or not.
    ///
    /// Nodes that are not in the graph are ignored.
    pub fn with_dependencies<'a>(&self, wanted: impl IntoIterator<Item = &'a N>) -> BTreeSet<&N>
    where
        N: 'a,
    {
        self.reached(&self.deps, wanted)
    }

    /// Returns the subgraph of the nodes for which `keep` returns `true`, with the edges between them.
    ///
    /// A path through a node that is not kept is gone with it. `keep` is called once for each node, in
    /// sorted order.
    #[must_use]
    pub fn induced(&self, mut keep: impl FnMut(&N) -> bool) -> Self {
        let mut nodes = Vec::new();
        let mut kept = vec![None; self.len()];
        for (idx, node) in self.nodes.iter().enumerate() {
            if keep(node) {
                kept[idx] = Some(nodes.len());
                nodes.push(node.clone());
            }
        }
        let pairs = self.pairs().filter_map(|(node, dep)| kept[node].zip(kept[dep])).collect();
        Self::from_edges(Edges::new(nodes, pairs))
            .ok()
            .expect("a part of a graph without cycles has none")
    }

    /// Gives every node a value made from those of its direct dependencies.
    ///
    /// `step` is called once for each node, in the order of [`order`](Self::order), with the values
    /// of the dependencies in the order of their names.
    pub fn fold<T>(&self, step: impl FnMut(&N, &[&T]) -> T) -> BTreeMap<N, T> {
        self.named(self.fold_along(self.order.iter().copied(), &self.deps, step))
    }

    /// Gives every node a value made from those of its direct dependents: [`fold`](Self::fold)
    /// against the edges.
    pub fn rfold<T>(&self, step: impl FnMut(&N, &[&T]) -> T) -> BTreeMap<N, T> {
        self.named(self.fold_along(self.order.iter().rev().copied(), &self.dependents, step))
    }

    /// Returns the longest remaining path of every node: the largest total weight of a path from it
    /// through its dependents, itself included.
    ///
    /// Weights are in any unit. Sums stop at `u64::MAX`.
    pub fn critical_path(&self, weight: impl FnMut(&N) -> u64) -> BTreeMap<N, u64> {
        self.named(self.critical_path_at(weight))
    }

    /// Returns the graph of the keys that `key` gives the nodes: a key depends on another if any of its
    /// nodes does. Edges between nodes of one key disappear.
    ///
    /// # Errors
    ///
    /// A cycle, as from [`new`](Self::new). Keys may have one although the nodes have none:
    /// `a.x -> b.y` and `b.z -> a.w` make `a -> b -> a` once the part after the dot is gone.
    /// [`condense`](crate::condense) is for those.
    pub fn quotient<K: Ord + Clone>(&self, key: impl FnMut(&N) -> K) -> Result<Dag<K>, Cycle<K>> {
        let keys: Vec<K> = self.nodes.iter().map(key).collect();
        Dag::new((0..self.len()).map(|idx| {
            let deps = self.deps_at(idx).iter().map(|&dep| &keys[dep]);
            let deps: Vec<K> = deps.filter(|dep| **dep != keys[idx]).cloned().collect();
            (keys[idx].clone(), deps)
        }))
    }

    /// Returns the index of `node`, or `None` if it is not in the graph.
    pub fn index_of(&self, node: &N) -> Option<usize> {
        self.nodes.binary_search(node).ok()
    }

    /// Returns the values of a vector by index, under the names of the nodes.
    fn named<T>(&self, values: Vec<T>) -> BTreeMap<N, T> {
        self.nodes.iter().cloned().zip(values).collect()
    }

    fn reached<'a>(&self, along: &Adjacency, from: impl IntoIterator<Item = &'a N>) -> BTreeSet<&N>
    where
        N: 'a,
    {
        let mut reached = Vec::new();
        let mut dfs = Dfs::empty(along);
        for node in from.into_iter().filter_map(|node| self.index_of(node)) {
            dfs.move_to(node); // Keeps what earlier walks have discovered.
            while let Some(node) = dfs.next(along) {
                reached.push(node);
            }
        }
        reached.into_iter().map(|idx| &self.nodes[idx]).collect()
    }
}

impl<N> Dag<N> {
    /// Takes nodes, their edges both ways, and the [`order`] that all of them are in.
    pub(crate) fn from_order(
        nodes: Vec<N>,
        deps: Adjacency,
        dependents: Adjacency,
        order: Vec<usize>,
    ) -> Self {
        Self { nodes, deps, dependents, order }
    }

    /// Returns the indices of the nodes in the order of [`order`](Self::order).
    pub fn order_at(&self) -> &[usize] {
        &self.order
    }

    /// Returns the node at an index.
    pub fn node_at(&self, idx: usize) -> &N {
        &self.nodes[idx]
    }

    /// Returns the direct dependencies of the node at an index, sorted.
    pub fn deps_at(&self, idx: usize) -> &[usize] {
        self.deps.neighbors_slice(idx)
    }

    /// Returns the direct dependents of the node at an index, sorted.
    pub fn dependents_at(&self, idx: usize) -> &[usize] {
        self.dependents.neighbors_slice(idx)
    }

    /// Returns the [`critical_path`](Self::critical_path) by index.
    pub fn critical_path_at(&self, mut weight: impl FnMut(&N) -> u64) -> Vec<u64> {
        self.fold_along(
            self.order.iter().rev().copied(),
            &self.dependents,
            |node, behind: &[&u64]| {
                let longest = behind.iter().copied().max().copied().unwrap_or(0);
                weight(node).saturating_add(longest)
            },
        )
    }

    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.nodes.len()).flat_map(|idx| self.deps_at(idx).iter().map(move |&dep| (idx, dep)))
    }

    fn fold_along<T>(
        &self,
        order: impl Iterator<Item = usize>,
        along: &Adjacency,
        mut step: impl FnMut(&N, &[&T]) -> T,
    ) -> Vec<T> {
        let values: Vec<OnceCell<T>> = self.nodes.iter().map(|_| OnceCell::new()).collect();
        let mut inputs = Vec::new();
        for idx in order {
            inputs.clear();
            inputs.extend(along.neighbors_slice(idx).iter().map(|&neighbor| {
                values[neighbor].get().expect("the order has neighbors before the node")
            }));
            let value = step(&self.nodes[idx], &inputs);
            values[idx].set(value).ok().expect("the order has every node once");
        }
        let values = values.into_iter().map(OnceCell::into_inner);
        values.map(|value| value.expect("the order has every node")).collect()
    }
}

/// A graph without nodes.
impl<N> Default for Dag<N> {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            deps: Adjacency::default(),
            dependents: Adjacency::default(),
            order: Vec::new(),
        }
    }
}

/// Shows what each node depends on.
impl<N: fmt::Debug> fmt::Debug for Dag<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let deps = |idx| self.deps_at(idx).iter().map(|&dep| &self.nodes[dep]).collect::<Vec<_>>();
        f.debug_map()
            .entries(self.nodes.iter().enumerate().map(|(idx, node)| (node, deps(idx))))
            .finish()
    }
}

/// Dependencies first, then the smallest first. Nodes that no order can have are left out.
pub(crate) fn order(deps: &Adjacency, dependents: &Adjacency) -> Vec<usize> {
    let n_nodes = deps.node_count();
    let mut waits_for: Vec<usize> = (0..n_nodes).map(|idx| deps.out_degree(idx)).collect();
    let mut ready: BinaryHeap<Reverse<usize>> =
        (0..n_nodes).filter(|&idx| waits_for[idx] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(n_nodes);
    while let Some(Reverse(idx)) = ready.pop() {
        order.push(idx);
        for &dependent in dependents.neighbors_slice(idx) {
            waits_for[dependent] -= 1;
            if waits_for[dependent] == 0 {
                ready.push(Reverse(dependent));
            }
        }
    }
    order
}

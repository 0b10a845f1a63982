use std::collections::VecDeque;
use std::error::Error;
use std::fmt;

use crate::edges::{Adjacency, Edges};

/// Nodes that depend on each other in a ring, so that none of them can come first.
///
/// Displayed as `a -> b -> c -> a`, where `a` depends on `b`. It begins at its smallest node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle<N> {
    path: Vec<N>,
}

impl<N> Cycle<N> {
    /// Returns the nodes of the ring, each once, the smallest first, every node before the dependency
    /// that leads on. The last one depends on the first. Never empty.
    pub fn path(&self) -> &[N] {
        &self.path
    }

    /// Renames the nodes. The new names must sort as the old ones do.
    pub fn map<M>(self, rename: impl FnMut(N) -> M) -> Cycle<M> {
        Cycle { path: self.path.into_iter().map(rename).collect() }
    }

    /// Takes the nodes of [`path`](Self::path).
    pub fn into_path(self) -> Vec<N> {
        self.path
    }
}

impl<N: fmt::Display> fmt::Display for Cycle<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for node in &self.path {
            write!(f, "{node} -> ")?;
        }
        write!(f, "{}", self.path[0])
    }
}

impl<N: fmt::Debug + fmt::Display> Error for Cycle<N> {}

/// A search for the shortest cycle that has looked at more edges than this settles for what it has.
///
/// Short cycles are found long before that in graphs of any size. A ring of 100,000 nodes is not
/// short, and not read to its end either.
const MAX_EDGES_SCANNED: usize = 1 << 22;

/// Finds a shortest cycle, the first in the order of its nodes if there are several. Returns `None` if
/// there is no cycle.
///
/// After [`MAX_EDGES_SCANNED`], returns the shortest one through the smallest node that is in any, or a
/// shorter one that has turned up.
pub(crate) fn shortest<N: Clone>(edges: &Edges<N>) -> Option<Cycle<N>> {
    let mut search = Search::new(edges);
    let cyclic: Vec<usize> =
        (0..edges.nodes.len()).filter(|&node| search.is_cyclic(node)).collect();
    let first = *cyclic.first()?;

    // Longer and longer walks, so that a short cycle is found before any walk gets lost in a large component.
    let mut longest = 2;
    let path = 'found: loop {
        let mut best: Option<Vec<usize>> = None;
        for &start in &cyclic {
            let shorter = best.as_ref().map_or(longest, |best| best.len() - 1);
            best = search.walk(start, shorter).or(best);
            if search.n_scanned > MAX_EDGES_SCANNED {
                break 'found best.or_else(|| search.walk(first, usize::MAX));
            }
        }
        if best.is_some() {
            break best;
        }
        longest *= 2;
    };
    let path = path.expect("a cyclic node is in a cycle, and a long enough walk finds it");
    Some(Cycle { path: path.into_iter().map(|node| edges.nodes[node].clone()).collect() })
}

struct Search {
    deps: Adjacency,
    components: Vec<Vec<usize>>,
    component_of: Vec<usize>,
    /// For each node, the last walk that came to it, and from where.
    via: Vec<(usize, usize)>,
    n_walks: usize,
    n_scanned: usize,
}

impl Search {
    fn new<N>(edges: &Edges<N>) -> Self {
        let components = edges.components();
        let mut component_of = vec![0; edges.nodes.len()];
        for (idx, component) in components.iter().enumerate() {
            for &node in component {
                component_of[node] = idx;
            }
        }
        let via = vec![(0, 0); edges.nodes.len()];
        Self { deps: edges.deps(), components, component_of, via, n_walks: 0, n_scanned: 0 }
    }

    /// Returns whether a node is in any cycle.
    fn is_cyclic(&self, node: usize) -> bool {
        self.components[self.component_of[node]].len() > 1 || self.deps.contains_edge(node, node)
    }

    /// Finds the shortest cycle that has `start` as its smallest node and at most `longest` nodes;
    /// of several, the first in the order of their nodes.
    fn walk(&mut self, start: usize, longest: usize) -> Option<Vec<usize>> {
        self.n_walks += 1;
        let mut queue = VecDeque::from([(start, 1)]);
        while let Some((node, length)) = queue.pop_front() {
            if length > longest {
                break;
            }
            for &dep in self.deps.neighbors_slice(node) {
                self.n_scanned += 1;
                if dep == start {
                    return Some(self.trace(start, node));
                }
                let is_inside = dep > start && self.component_of[dep] == self.component_of[start];
                if is_inside && self.via[dep].0 != self.n_walks {
                    self.via[dep] = (self.n_walks, node);
                    queue.push_back((dep, length + 1));
                }
            }
        }
        None
    }

    /// Returns the path that the last walk took from `start` to `node`.
    fn trace(&self, start: usize, mut node: usize) -> Vec<usize> {
        let mut path = vec![node];
        while node != start {
            node = self.via[node].1;
            path.push(node);
        }
        path.reverse();
        path
    }
}

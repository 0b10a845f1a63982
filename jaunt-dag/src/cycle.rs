use std::collections::VecDeque;
use std::error::Error;
use std::fmt;

use crate::edges::Edges;

/// Nodes that depend on each other in a ring, so that none of them can come first.
///
/// Displayed as `a -> b -> c -> a`, where `a` depends on `b`. It begins at its smallest node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle<N> {
    path: Vec<N>,
}

impl<N> Cycle<N> {
    /// The nodes of the ring, each once, the smallest first, every node before the dependency
    /// that leads on. The last one depends on the first. Never empty.
    pub fn path(&self) -> &[N] {
        &self.path
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

/// How many edges a search for the shortest cycle looks at before it settles for what it has.
///
/// Enough for the exact answer where a thousand nodes are knotted together by four thousand edges,
/// and done in the blink of an eye where it is not.
const PATIENCE: usize = 1 << 22;

/// Finds a shortest cycle, the first in the order of its nodes if there are several.
///
/// In a knot so large that this would take long it is the shortest one through the knot's smallest
/// node, or a shorter one that has turned up. `None` if there is no cycle.
pub(crate) fn shortest<N: Clone>(edges: &Edges<N>) -> Option<Cycle<N>> {
    let deps = edges.deps();
    let components = edges.components();
    let mut component_of = vec![0; edges.nodes.len()];
    for (idx, component) in components.iter().enumerate() {
        for &node in component {
            component_of[node] = idx;
        }
    }

    // A cycle is found from its smallest node, so a walk never goes below the node it began at.
    let mut best: Option<Vec<usize>> = None;
    let mut looked_at = 0;
    let mut via: Vec<Via> = vec![Via::default(); edges.nodes.len()];
    for start in 0..edges.nodes.len() {
        if best.is_some() && looked_at > PATIENCE {
            break;
        }
        if components[component_of[start]].len() == 1 && !deps.contains_edge(start, start) {
            continue;
        }
        let mut queue = VecDeque::from([(start, 1)]);
        'walk: while let Some((node, length)) = queue.pop_front() {
            if best.as_ref().is_some_and(|best| best.len() <= length) {
                break;
            }
            for &dep in deps.neighbors_slice(node) {
                looked_at += 1;
                if dep == start {
                    best = Some(trace(&via, start, node, length));
                    break 'walk;
                }
                let inside = dep > start && component_of[dep] == component_of[start];
                if inside && via[dep].walk != start + 1 {
                    via[dep] = Via { walk: start + 1, node };
                    queue.push_back((dep, length + 1));
                }
            }
        }
    }
    best.map(|path| Cycle {
        path: path.into_iter().map(|node| edges.nodes[node].clone()).collect(),
    })
}

/// How a walk came to a node.
#[derive(Clone, Copy, Default)]
struct Via {
    /// One more than the node where the walk began; 0 if no walk came here.
    walk: usize,
    /// The node before this one.
    node: usize,
}

/// The path of a walk from `start` to `last`, `length` nodes long.
fn trace(via: &[Via], start: usize, last: usize, length: usize) -> Vec<usize> {
    let mut path = Vec::with_capacity(length);
    let mut node = last;
    while node != start {
        path.push(node);
        node = via[node].node;
    }
    path.push(start);
    path.reverse();
    path
}

use std::num::NonZeroUsize;

use jaunt_dag::Dag;

use crate::queue::by_index::IndexQueue;

pub(crate) mod by_index;
#[cfg(test)]
mod tests;

/// What may start now, in the middle of a run.
///
/// A plain value: whoever starts the jobs says how they ended, and asks what is next. Of the nodes
/// that may start, the one with the longest remaining path ([`Dag::critical_path`]) is handed out
/// first; of those with equal paths, the smallest.
///
/// A queue may have two stages ([`Queue::with_asking`]). Then a node whose dependencies have succeeded
/// is first handed out by [`ask`](Self::ask), without a slot. The answer either settles it, or makes
/// it wait for a slot ([`defer`](Self::defer)).
#[derive(Clone, Debug)]
pub struct Queue<'dag, N> {
    dag: &'dag Dag<N>,
    nodes: IndexQueue,
}

impl<'dag, N: Ord + Clone> Queue<'dag, N> {
    /// Begins a run in which at most `jobs` nodes are running at once.
    ///
    /// `weight` says how long a node will take, in any unit.
    pub fn new(dag: &'dag Dag<N>, jobs: NonZeroUsize, weight: impl FnMut(&N) -> u64) -> Self {
        Self { dag, nodes: IndexQueue::new(dag, jobs, weight, false) }
    }

    /// Begins a run in which every node is asked before it waits for a slot.
    ///
    /// `weight` says how long a node will take, in any unit.
    pub fn with_asking(
        dag: &'dag Dag<N>,
        jobs: NonZeroUsize,
        weight: impl FnMut(&N) -> u64,
    ) -> Self {
        Self { dag, nodes: IndexQueue::new(dag, jobs, weight, true) }
    }

    /// Hands out the next node to be asked.
    ///
    /// Returns `None` if nothing can be asked now, always so without asking, and forever once the run
    /// was stopped.
    pub fn ask(&mut self) -> Option<&'dag N> {
        self.nodes.ask().map(|idx| self.dag.node_at(idx))
    }

    /// Notes that a node that is being asked needs a slot.
    ///
    /// # Panics
    ///
    /// If `node` is not being asked.
    pub fn defer(&mut self, node: &N) {
        let idx = self.dag.index_of(node).filter(|&idx| self.nodes.is_asking(idx));
        self.nodes.defer(idx.expect("callers name nodes that are being asked"));
    }

    /// Hands out the next node that may start, which is running from now on.
    ///
    /// Returns `None` while `jobs` nodes are running, while everything left waits for one of them or
    /// for an answer, and forever once everything has started or the run was stopped.
    pub fn pop(&mut self) -> Option<&'dag N> {
        self.nodes.pop().map(|idx| self.dag.node_at(idx))
    }

    /// Notes that a node that is running, or being asked, has succeeded.
    ///
    /// # Panics
    ///
    /// If `node` is neither.
    pub fn succeed(&mut self, node: &N) {
        self.nodes.succeed(self.dag, self.active(node));
    }

    /// Notes that a node that is running, or being asked, has failed. Returns the nodes that this
    /// blocks, sorted: everything that depends on it, directly or not, and was not blocked before.
    ///
    /// # Panics
    ///
    /// If `node` is neither.
    pub fn fail(&mut self, node: &N) -> Vec<&'dag N> {
        let blocked = self.nodes.fail(self.dag, self.active(node));
        blocked.into_iter().map(|idx| self.dag.node_at(idx)).collect()
    }

    /// Hands out nothing from now on. Active nodes may still succeed, or fail and block others.
    pub fn stop(&mut self) {
        self.nodes.stop();
    }

    /// Stops, gives up every node that is not active, settled or blocked, and returns these. Sorted.
    pub fn cancel(&mut self) -> Vec<&'dag N> {
        self.nodes.cancel().into_iter().map(|idx| self.dag.node_at(idx)).collect()
    }

    /// Returns the number of nodes that are running.
    pub fn n_running(&self) -> usize {
        self.nodes.n_running()
    }

    fn active(&self, node: &N) -> usize {
        let idx = self.dag.index_of(node).filter(|&idx| self.nodes.is_active(idx));
        idx.expect("callers name nodes that are running or being asked")
    }
}

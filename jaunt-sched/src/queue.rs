use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::num::NonZeroUsize;

use jaunt_dag::Dag;

#[cfg(test)]
mod tests;

/// What may start now, in the middle of a run.
///
/// A plain value: whoever starts the jobs says how they ended, and asks what is next. Of the nodes
/// that may start, the one with the longest remaining path ([`Dag::critical_path`]) is handed out
/// first; of those with equal paths, the smallest.
#[derive(Clone, Debug)]
pub struct Queue<'dag, N> {
    dag: &'dag Dag<N>,
    jobs: NonZeroUsize,
    is_stopped: bool,
    n_running: usize,
    /// By the index of the node.
    states: Vec<State>,
    /// By the index of the node: its place in `ranking`.
    ranks: Vec<usize>,
    /// All nodes in the order in which they would start if they were all ready.
    ranking: Vec<usize>,
    /// The ranks of what is [`State::Ready`], or was until it was cancelled.
    ready: BinaryHeap<Reverse<usize>>,
}

/// Where a node stands.
///
/// ```text
/// Waiting ──▶ Ready ──▶ Running ──▶ Succeeded
///    │ │        │          └──────▶ Failed
///    │ └────────┴─────────────────▶ Cancelled
///    └────────────────────────────▶ Blocked
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Direct dependencies, as many, have not succeeded yet, and none of them can never do so.
    Waiting { n_deps: usize },
    /// Every dependency has succeeded.
    Ready,
    /// Handed out, and not heard of since.
    Running,
    /// Ended well. What waited for it waits for one dependency less.
    Succeeded,
    /// Ended badly. Whatever depends on it is blocked.
    Failed,
    /// Can never start, since something that it depends on has failed.
    Blocked,
    /// Will not start, since the run was stopped.
    Cancelled,
}

impl<'dag, N: Ord + Clone> Queue<'dag, N> {
    /// Begins a run in which at most `jobs` nodes are running at once.
    ///
    /// `weight` says how long a node will take, in any unit.
    pub fn new(dag: &'dag Dag<N>, jobs: NonZeroUsize, weight: impl FnMut(&N) -> u64) -> Self {
        let remaining = dag.critical_path_at(weight);
        let mut ranking: Vec<usize> = (0..dag.len()).collect();
        ranking.sort_by_key(|&idx| Reverse(remaining[idx])); // Stable: equal paths stay sorted.
        let mut ranks = vec![0; dag.len()];
        for (rank, &idx) in ranking.iter().enumerate() {
            ranks[idx] = rank;
        }

        let mut queue = Self {
            dag,
            jobs,
            is_stopped: false,
            n_running: 0,
            states: (0..dag.len())
                .map(|idx| State::Waiting { n_deps: dag.deps_at(idx).len() })
                .collect(),
            ranks,
            ranking,
            ready: BinaryHeap::new(),
        };
        for idx in 0..dag.len() {
            if dag.deps_at(idx).is_empty() {
                queue.set(idx, State::Ready);
            }
        }
        queue
    }

    /// Hands out the next node that may start, which is running from now on.
    ///
    /// `None` while `jobs` nodes are running, while all that is left waits for one of them, and
    /// forever once everything has started or the run was stopped.
    pub fn pop(&mut self) -> Option<&'dag N> {
        self.pop_at().map(|idx| self.dag.node_at(idx))
    }

    /// Notes that a running node has succeeded.
    ///
    /// # Panics
    ///
    /// If `node` is not running.
    pub fn succeed(&mut self, node: &N) {
        self.succeed_at(self.running(node));
    }

    /// Notes that a running node has failed, and tells what that blocks: everything that depends on
    /// it, directly or not, and was not blocked before. Sorted.
    ///
    /// # Panics
    ///
    /// If `node` is not running.
    pub fn fail(&mut self, node: &N) -> Vec<&'dag N> {
        let blocked = self.fail_at(self.running(node));
        blocked.into_iter().map(|idx| self.dag.node_at(idx)).collect()
    }

    /// Hands out nothing from now on. What is running may still succeed, or fail and block others.
    pub fn stop(&mut self) {
        self.is_stopped = true;
    }

    /// Stops, gives up whatever has not started and is not blocked, and tells what that is. Sorted.
    pub fn cancel(&mut self) -> Vec<&'dag N> {
        self.cancel_at().into_iter().map(|idx| self.dag.node_at(idx)).collect()
    }

    /// How many nodes are running.
    pub fn n_running(&self) -> usize {
        self.n_running
    }

    fn running(&self, node: &N) -> usize {
        let idx = self.dag.index_of(node).filter(|&idx| self.states[idx] == State::Running);
        idx.expect("callers speak of nodes that are running")
    }
}

/// The same by index, for those who run the jobs.
impl<N: Ord + Clone> Queue<'_, N> {
    /// Whether the next [`pop_at`](Self::pop_at) gives a node.
    pub(crate) fn has_next(&self) -> bool {
        !self.is_stopped && self.n_running < self.jobs.get() && !self.ready.is_empty()
    }

    pub(crate) fn pop_at(&mut self) -> Option<usize> {
        if self.is_stopped || self.n_running == self.jobs.get() {
            return None;
        }
        let Reverse(rank) = self.ready.pop()?;
        let idx = self.ranking[rank];
        self.set(idx, State::Running);
        Some(idx)
    }

    pub(crate) fn succeed_at(&mut self, idx: usize) {
        self.set(idx, State::Succeeded);
        let dag = self.dag;
        for &dependent in dag.dependents_at(idx) {
            match self.states[dependent] {
                State::Waiting { n_deps: 1 } => self.set(dependent, State::Ready),
                State::Waiting { n_deps } => {
                    self.set(dependent, State::Waiting { n_deps: n_deps - 1 });
                }
                // Another dependency has failed, or the run was stopped.
                _ => {}
            }
        }
    }

    pub(crate) fn fail_at(&mut self, idx: usize) -> Vec<usize> {
        self.set(idx, State::Failed);
        let dag = self.dag;
        let mut blocked = Vec::new();
        let mut todo = vec![idx];
        while let Some(idx) = todo.pop() {
            for &dependent in dag.dependents_at(idx) {
                // Whatever depends on a blocked node was blocked with it.
                if let State::Waiting { .. } = self.states[dependent] {
                    self.set(dependent, State::Blocked);
                    blocked.push(dependent);
                    todo.push(dependent);
                }
            }
        }
        blocked.sort_unstable();
        blocked
    }

    pub(crate) fn cancel_at(&mut self) -> Vec<usize> {
        self.stop();
        let is_left =
            |idx: &usize| matches!(self.states[*idx], State::Waiting { .. } | State::Ready);
        let left: Vec<usize> = (0..self.states.len()).filter(is_left).collect();
        for &idx in &left {
            self.set(idx, State::Cancelled);
        }
        left
    }

    /// Moves a node to its next state. Nothing else changes `states`, and nothing else counts.
    fn set(&mut self, idx: usize, next: State) {
        use State::{Blocked, Cancelled, Failed, Ready, Running, Succeeded, Waiting};

        let state = self.states[idx];
        debug_assert!(
            matches!(
                (state, next),
                (Waiting { .. }, Waiting { .. } | Ready | Blocked | Cancelled)
                    | (Ready, Running | Cancelled)
                    | (Running, Succeeded | Failed)
            ),
            "{state:?} cannot become {next:?}"
        );
        if state == Running {
            self.n_running -= 1;
        }
        match next {
            Ready => self.ready.push(Reverse(self.ranks[idx])),
            Running => self.n_running += 1,
            _ => {}
        }
        self.states[idx] = next;
    }
}

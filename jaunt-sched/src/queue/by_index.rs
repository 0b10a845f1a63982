use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::num::NonZeroUsize;

use jaunt_dag::Dag;

/// A queue of the nodes of a graph, by index. The graph is passed in where it is needed, so that an
/// owner can keep both.
#[derive(Clone, Debug)]
pub(crate) struct IndexQueue {
    jobs: NonZeroUsize,
    /// Whether nodes are asked before they wait for a slot.
    has_asking: bool,
    is_stopped: bool,
    n_running: usize,
    /// By the index of the node.
    states: Vec<State>,
    /// By the index of the node: its place in `ranking`.
    ranks: Vec<usize>,
    /// All nodes in the order in which they would start if they were all ready.
    ranking: Vec<usize>,
    /// The ranks of nodes that are [`State::Unasked`], or were until they were cancelled.
    unasked: BinaryHeap<Reverse<usize>>,
    /// The same of nodes that are [`State::Ready`].
    ready: BinaryHeap<Reverse<usize>>,
}

/// Where a node stands.
///
/// ```text
/// Waiting ──▶ Unasked ──▶ Asking ──▶ Ready ──▶ Running ──▶ Succeeded or Failed
///    │           │           └──────────────────────────▶ Succeeded or Failed
///    │           └───────────────────────┴──────────────▶ Cancelled
///    └──▶ Blocked or Cancelled
/// ```
///
/// Without asking, a node goes from `Waiting` to `Ready`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// This many direct dependencies have not succeeded yet, and none has failed or is blocked.
    Waiting { n_deps: usize },
    /// Every dependency has succeeded, and the node is to be asked.
    Unasked,
    /// Handed out to be asked, and not answered yet.
    Asking,
    /// Waits for a slot.
    Ready,
    /// Handed out with a slot, and not settled yet.
    Running,
    /// Ended well. Its dependents wait for one dependency less.
    Succeeded,
    /// Ended badly. Everything that depends on it is blocked.
    Failed,
    /// Can never start, because something that it depends on has failed.
    Blocked,
    /// Will not start, because the run was stopped.
    Cancelled,
}

impl IndexQueue {
    pub(crate) fn new<N: Ord + Clone>(
        dag: &Dag<N>,
        jobs: NonZeroUsize,
        weight: impl FnMut(&N) -> u64,
        has_asking: bool,
    ) -> Self {
        let remaining = dag.critical_path_at(weight);
        let mut ranking: Vec<usize> = (0..dag.len()).collect();
        ranking.sort_by_key(|&idx| Reverse(remaining[idx])); // Stable: equal paths stay sorted.
        let mut ranks = vec![0; dag.len()];
        for (rank, &idx) in ranking.iter().enumerate() {
            ranks[idx] = rank;
        }
        let waiting = |idx| State::Waiting { n_deps: dag.deps_at(idx).len() };
        let mut queue = Self {
            jobs,
            has_asking,
            is_stopped: false,
            n_running: 0,
            states: (0..dag.len()).map(waiting).collect(),
            ranks,
            ranking,
            unasked: BinaryHeap::new(),
            ready: BinaryHeap::new(),
        };
        for idx in 0..dag.len() {
            if dag.deps_at(idx).is_empty() {
                queue.release(idx);
            }
        }
        queue
    }

    pub(crate) fn n_running(&self) -> usize {
        self.n_running
    }

    pub(crate) fn is_asking(&self, idx: usize) -> bool {
        self.states[idx] == State::Asking
    }

    /// Returns whether a node is running or being asked.
    pub(crate) fn is_active(&self, idx: usize) -> bool {
        matches!(self.states[idx], State::Running | State::Asking)
    }

    /// Returns whether the next [`ask`](Self::ask) gives a node.
    pub(crate) fn has_unasked(&self) -> bool {
        !self.is_stopped && !self.unasked.is_empty()
    }

    /// Returns whether the next [`pop`](Self::pop) gives a node.
    pub(crate) fn has_startable(&self) -> bool {
        !self.is_stopped && self.n_running < self.jobs.get() && !self.ready.is_empty()
    }

    pub(crate) fn ask(&mut self) -> Option<usize> {
        if self.is_stopped {
            return None;
        }
        let Reverse(rank) = self.unasked.pop()?;
        let idx = self.ranking[rank];
        self.set(idx, State::Asking);
        Some(idx)
    }

    pub(crate) fn defer(&mut self, idx: usize) {
        self.set(idx, State::Ready);
    }

    pub(crate) fn pop(&mut self) -> Option<usize> {
        if self.is_stopped || self.n_running == self.jobs.get() {
            return None;
        }
        let Reverse(rank) = self.ready.pop()?;
        let idx = self.ranking[rank];
        self.set(idx, State::Running);
        Some(idx)
    }

    pub(crate) fn succeed<N: Ord + Clone>(&mut self, dag: &Dag<N>, idx: usize) {
        self.set(idx, State::Succeeded);
        for &dependent in dag.dependents_at(idx) {
            match self.states[dependent] {
                State::Waiting { n_deps: 1 } => self.release(dependent),
                State::Waiting { n_deps } => {
                    self.set(dependent, State::Waiting { n_deps: n_deps - 1 });
                }
                // Another dependency has failed, or the run was stopped.
                _ => {}
            }
        }
    }

    pub(crate) fn fail<N: Ord + Clone>(&mut self, dag: &Dag<N>, idx: usize) -> Vec<usize> {
        self.set(idx, State::Failed);
        let mut blocked = Vec::new();
        let mut todo = vec![idx];
        while let Some(idx) = todo.pop() {
            for &dependent in dag.dependents_at(idx) {
                // Everything that depends on a blocked node was blocked with it.
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

    pub(crate) fn stop(&mut self) {
        self.is_stopped = true;
    }

    pub(crate) fn cancel(&mut self) -> Vec<usize> {
        self.stop();
        let is_left = |idx: &usize| {
            matches!(self.states[*idx], State::Waiting { .. } | State::Unasked | State::Ready)
        };
        let left: Vec<usize> = (0..self.states.len()).filter(is_left).collect();
        for &idx in &left {
            self.set(idx, State::Cancelled);
        }
        left
    }

    /// Moves a node whose dependencies have all succeeded to its next stage.
    fn release(&mut self, idx: usize) {
        self.set(idx, if self.has_asking { State::Unasked } else { State::Ready });
    }

    /// Moves a node to its next state. Nothing else changes `states`, and nothing else counts.
    fn set(&mut self, idx: usize, next: State) {
        use State::{
            Asking, Blocked, Cancelled, Failed, Ready, Running, Succeeded, Unasked, Waiting,
        };

        let state = self.states[idx];
        debug_assert!(
            matches!(
                (state, next),
                (Waiting { .. }, Waiting { .. } | Unasked | Ready | Blocked | Cancelled)
                    | (Unasked, Asking | Cancelled)
                    | (Asking, Ready | Succeeded | Failed)
                    | (Ready, Running | Cancelled)
                    | (Running, Succeeded | Failed)
            ),
            "{state:?} cannot become {next:?}"
        );
        if state == Running {
            self.n_running -= 1;
        }
        match next {
            Unasked => self.unasked.push(Reverse(self.ranks[idx])),
            Ready => self.ready.push(Reverse(self.ranks[idx])),
            Running => self.n_running += 1,
            _ => {}
        }
        self.states[idx] = next;
    }
}

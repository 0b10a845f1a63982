use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use jaunt_dag::Dag;

/// What may start now, in the middle of a run.
///
/// A plain value: whoever starts the jobs says how they ended, and asks what is next. Nodes that
/// may start are handed out by the longest remaining path ([`Dag::critical_path`]), those with
/// equal paths in sorted order.
#[derive(Clone, Debug)]
pub struct Queue<'dag, N> {
    dag: &'dag Dag<N>,
    jobs: NonZeroUsize,
    is_stopped: bool,
    // The rest is by index in `dag`.
    remaining: Vec<u64>,
    state: Vec<State>,
    /// How many direct dependencies have not succeeded.
    waits_for: Vec<usize>,
    /// Exactly the nodes that are [`State::Ready`], the next one first.
    ready: BTreeSet<(Reverse<u64>, usize)>,
    n_running: usize,
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
    /// A dependency has not succeeded yet.
    Waiting,
    /// Every dependency has succeeded.
    Ready,
    /// Handed out, and not heard of since.
    Running,
    /// Ended well: what waits for it may start.
    Succeeded,
    /// Ended badly: what depends on it is blocked.
    Failed,
    /// Can never start, since something that it depends on has failed.
    Blocked,
    /// Will not start, since the run was stopped.
    Cancelled,
}

impl<'dag, N: Ord + Clone> Queue<'dag, N> {
    /// Begins a run in which at most `jobs` nodes are out at once.
    ///
    /// `weight` says how long a node will take, in any unit.
    pub fn new(dag: &'dag Dag<N>, jobs: NonZeroUsize, weight: impl FnMut(&N) -> u64) -> Self {
        let mut queue = Self {
            dag,
            jobs,
            is_stopped: false,
            remaining: dag.critical_path_at(weight),
            state: vec![State::Waiting; dag.len()],
            waits_for: (0..dag.len()).map(|idx| dag.deps_at(idx).len()).collect(),
            ready: BTreeSet::new(),
            n_running: 0,
        };
        for idx in 0..dag.len() {
            if queue.waits_for[idx] == 0 {
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

    /// Notes that a running node has failed, and tells which nodes that blocks: everything that
    /// depends on it, directly or not, and was not blocked before. Sorted.
    ///
    /// # Panics
    ///
    /// If `node` is not running.
    pub fn fail(&mut self, node: &N) -> Vec<&'dag N> {
        let blocked = self.fail_at(self.running(node));
        blocked.into_iter().map(|idx| self.dag.node_at(idx)).collect()
    }

    /// Hands out nothing from now on. What is running may still succeed or fail.
    pub fn stop(&mut self) {
        self.is_stopped = true;
    }

    /// Stops, gives up all that has not started and is not blocked, and tells what that was,
    /// sorted.
    pub fn cancel_rest(&mut self) -> Vec<&'dag N> {
        self.cancel_rest_at().into_iter().map(|idx| self.dag.node_at(idx)).collect()
    }

    /// How many nodes are running.
    pub fn n_running(&self) -> usize {
        self.n_running
    }

    pub(crate) fn pop_at(&mut self) -> Option<usize> {
        if self.is_stopped || self.n_running == self.jobs.get() {
            return None;
        }
        let &(_, idx) = self.ready.first()?;
        self.set(idx, State::Running);
        Some(idx)
    }

    pub(crate) fn succeed_at(&mut self, idx: usize) {
        self.set(idx, State::Succeeded);
        let dag = self.dag;
        for &dependent in dag.dependents_at(idx) {
            self.waits_for[dependent] -= 1;
            if self.waits_for[dependent] == 0 && self.state[dependent] == State::Waiting {
                self.set(dependent, State::Ready);
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
                // What depends on a blocked node was blocked with it.
                if self.state[dependent] == State::Waiting {
                    self.set(dependent, State::Blocked);
                    blocked.push(dependent);
                    todo.push(dependent);
                }
            }
        }
        blocked.sort_unstable();
        blocked
    }

    pub(crate) fn cancel_rest_at(&mut self) -> Vec<usize> {
        self.stop();
        let is_left = |idx: &usize| matches!(self.state[*idx], State::Waiting | State::Ready);
        let left: Vec<usize> = (0..self.dag.len()).filter(is_left).collect();
        for &idx in &left {
            self.set(idx, State::Cancelled);
        }
        left
    }

    fn running(&self, node: &N) -> usize {
        let running = self.dag.index_of(node).filter(|&idx| self.state[idx] == State::Running);
        running.expect("only a node that is running can end")
    }

    /// Moves a node to its next state. Nothing else changes `state`, `ready`, or `n_running`.
    fn set(&mut self, idx: usize, next: State) {
        let place = (Reverse(self.remaining[idx]), idx);
        match self.state[idx] {
            State::Ready => _ = self.ready.remove(&place),
            State::Running => self.n_running -= 1,
            _ => {}
        }
        match next {
            State::Ready => _ = self.ready.insert(place),
            State::Running => self.n_running += 1,
            _ => {}
        }
        self.state[idx] = next;
    }
}

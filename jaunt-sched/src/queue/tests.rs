use std::num::NonZeroUsize;

use insta::assert_snapshot;
use jaunt_dag::Dag;

use super::Queue;

fn dag(edges: &[(&'static str, &[&'static str])]) -> Dag<&'static str> {
    Dag::new(edges.iter().map(|(node, deps)| (*node, deps.to_vec()))).unwrap()
}

fn jobs(jobs: usize) -> NonZeroUsize {
    NonZeroUsize::new(jobs).unwrap()
}

#[test]
fn the_longest_remaining_path_is_handed_out_first() {
    let dag = dag(&[("top", &["mid"]), ("mid", &["low"]), ("b", &[]), ("a", &[]), ("heavy", &[])]);
    let weight = |node: &&str| if *node == "heavy" { 9 } else { 1 };
    let mut queue = Queue::new(&dag, jobs(9), weight);

    let mut popped = || std::iter::from_fn(|| queue.pop()).copied().collect::<Vec<_>>().join(" ");
    assert_snapshot!(popped(), @"heavy low a b");
    assert_snapshot!(popped(), @"");
    queue.succeed(&"low");
    assert_eq!(queue.pop(), Some(&"mid"));
}

#[test]
fn there_are_never_more_than_jobs_running() {
    let dag = dag(&[("a", &[]), ("b", &[]), ("c", &[])]);
    let mut queue = Queue::new(&dag, jobs(2), |_| 1);

    assert_eq!((queue.pop(), queue.pop(), queue.pop()), (Some(&"a"), Some(&"b"), None));
    assert_eq!(queue.n_running(), 2);
    queue.fail(&"b");
    assert_eq!((queue.pop(), queue.pop()), (Some(&"c"), None));
}

#[test]
fn each_dependent_is_blocked_once() {
    let dag = dag(&[("c", &["a", "b"]), ("d", &["c"]), ("e", &["b"])]);
    let mut queue = Queue::new(&dag, jobs(2), |_| 1);

    assert_eq!((queue.pop(), queue.pop()), (Some(&"a"), Some(&"b")));
    assert_eq!(queue.fail(&"a"), [&"c", &"d"]);
    assert_eq!(queue.fail(&"b"), [&"e"]);
    assert_eq!((queue.pop(), queue.n_running()), (None, 0));
    assert!(queue.cancel().is_empty());
}

#[test]
fn after_a_stop_nothing_starts_but_what_runs_still_counts() {
    let dag = dag(&[("c", &["a"]), ("d", &["b"]), ("e", &[])]);
    let mut queue = Queue::new(&dag, jobs(2), |_| 1);

    assert_eq!((queue.pop(), queue.pop()), (Some(&"a"), Some(&"b")));
    queue.stop();
    assert_eq!(queue.fail(&"a"), [&"c"]);
    queue.succeed(&"b");
    assert_eq!(queue.pop(), None);
    assert_eq!(queue.cancel(), [&"d", &"e"]);
    assert!(queue.cancel().is_empty());
}

#[test]
fn what_was_cancelled_is_neither_blocked_nor_started() {
    let dag = dag(&[("c", &["a"]), ("d", &["b"])]);
    let mut queue = Queue::new(&dag, jobs(2), |_| 1);

    assert_eq!((queue.pop(), queue.pop()), (Some(&"a"), Some(&"b")));
    assert_eq!(queue.cancel(), [&"c", &"d"]);
    assert!(queue.fail(&"a").is_empty());
    queue.succeed(&"b");
    assert_eq!(queue.pop(), None);
}

/// Tries everything that can happen in every run of every graph of up to five nodes, and compares
/// each answer with that of a [`Model`].
#[test]
fn every_interleaving_of_every_small_graph_is_as_the_model_says() {
    let mut n_steps = 0;
    for n_nodes in 0..=5_usize {
        let n_edges = n_nodes * n_nodes.saturating_sub(1) / 2;
        for edges in 0..1_u32 << n_edges {
            for jobs in 1..=3 {
                n_steps += explore_all(n_nodes, edges, jobs);
            }
        }
    }
    // A number that changes tells that something is no longer tried.
    assert_snapshot!(n_steps, @"664958");
}

fn explore_all(n_nodes: usize, edges: u32, n_jobs: usize) -> usize {
    // Any graph without cycles is one of these under other names: the lower triangle of a matrix.
    let row = |node: usize| edges >> (node * node.saturating_sub(1) / 2) & ((1 << node) - 1);
    let deps: Vec<u32> = (0..n_nodes).map(row).collect();
    // Once with names in the order of the edges, and once against it and with uneven weights.
    let unit = Model::new(n_nodes, n_jobs, deps.clone(), vec![1; n_nodes]);
    let flip = |node: usize| n_nodes - 1 - node;
    let flipped = (0..n_nodes).map(|node| {
        let deps = deps[flip(node)];
        (0..n_nodes).filter(|dep| deps >> flip(*dep) & 1 == 1).map(|dep| 1 << dep).sum()
    });
    let uneven = Model::new(n_nodes, n_jobs, flipped.collect(), vec![2, 1, 3, 1, 2]);
    [unit, uneven].iter().map(Model::explore_from_start).sum()
}

/// What a run should do, told without queues or counters: everything is worked out anew from what
/// has happened so far. Sets of nodes are bits.
#[derive(Clone)]
struct Model {
    n_nodes: usize,
    n_jobs: usize,
    deps: Vec<u32>,
    weights: Vec<u64>,
    running: u32,
    succeeded: u32,
    failed: u32,
    cancelled: u32,
    is_stopped: bool,
}

impl Model {
    fn new(n_nodes: usize, n_jobs: usize, deps: Vec<u32>, weights: Vec<u64>) -> Self {
        let [running, succeeded, failed, cancelled] = [0; 4];
        let is_stopped = false;
        Self { n_nodes, n_jobs, deps, weights, running, succeeded, failed, cancelled, is_stopped }
    }

    fn nodes(&self, set: u32) -> impl Iterator<Item = usize> + use<> {
        (0..self.n_nodes).filter(move |node| set >> node & 1 == 1)
    }

    fn all(&self) -> u32 {
        (1 << self.n_nodes) - 1
    }

    fn depends_on(&self, node: usize, any_of: u32) -> bool {
        self.deps[node] & any_of != 0
            || self.nodes(self.deps[node]).any(|dep| self.depends_on(dep, any_of))
    }

    fn blocked(&self) -> u32 {
        let nodes = self.nodes(self.all() & !self.cancelled);
        nodes.filter(|node| self.depends_on(*node, self.failed)).map(|node| 1 << node).sum()
    }

    fn left(&self) -> u32 {
        let ended = self.succeeded | self.failed | self.cancelled | self.blocked();
        self.all() & !self.running & !ended
    }

    fn remaining(&self, node: usize) -> u64 {
        let dependents = self.nodes(self.all()).filter(|it| self.deps[*it] >> node & 1 == 1);
        self.weights[node] + dependents.map(|it| self.remaining(it)).max().unwrap_or(0)
    }

    fn next(&self) -> Option<usize> {
        if self.is_stopped || self.running.count_ones() as usize == self.n_jobs {
            return None;
        }
        let may_start = |node: &usize| self.deps[*node] & !self.succeeded == 0;
        let startable = self.nodes(self.left()).filter(may_start);
        startable.min_by_key(|node| (u64::MAX - self.remaining(*node), *node))
    }

    fn explore_from_start(&self) -> usize {
        let edges = (0..self.n_nodes).map(|node| (node, self.nodes(self.deps[node])));
        let dag = Dag::new(edges).unwrap();
        let queue = Queue::new(&dag, jobs(self.n_jobs), |node| self.weights[*node]);
        self.clone().explore(queue)
    }

    /// Starts what may start, then tries everything that can happen next. Gives how often anything
    /// did.
    fn explore(mut self, mut queue: Queue<'_, usize>) -> usize {
        while let Some(node) = self.next() {
            assert_eq!(queue.pop(), Some(&node));
            self.running |= 1 << node;
        }
        assert_eq!(queue.pop(), None);
        assert_eq!(queue.n_running(), self.running.count_ones() as usize);

        let mut n_steps = 1;
        for node in self.nodes(self.running) {
            let (mut model, mut queue) = (self.clone(), queue.clone());
            model.running &= !(1 << node);
            model.succeeded |= 1 << node;
            queue.succeed(&node);
            n_steps += model.explore(queue);
        }
        for node in self.nodes(self.running) {
            let (mut model, mut queue) = (self.clone(), queue.clone());
            model.running &= !(1 << node);
            model.failed |= 1 << node;
            let blocked = model.blocked() & !self.blocked();
            assert!(queue.fail(&node).into_iter().copied().eq(self.nodes(blocked)));
            n_steps += model.explore(queue);
        }
        // With a stop at any moment, five nodes would take long and show nothing new.
        let tries_stops = self.n_nodes < 5;
        if tries_stops && !self.is_stopped && self.running != 0 {
            let (mut model, mut queue) = (self.clone(), queue.clone());
            model.is_stopped = true;
            queue.stop();
            n_steps += model.explore(queue);
        }
        if tries_stops && self.cancelled == 0 && self.left() != 0 {
            let (mut model, mut queue) = (self.clone(), queue.clone());
            model.is_stopped = true;
            model.cancelled = self.left();
            assert!(queue.cancel().into_iter().copied().eq(self.nodes(self.left())));
            n_steps += model.explore(queue);
        }
        if self.running == 0 {
            let groups = [self.succeeded, self.failed, self.blocked(), self.cancelled, self.left()];
            assert_eq!(groups.iter().fold(0, |all, group| all | group), self.all());
            assert_eq!(
                groups.iter().map(|group| group.count_ones()).sum::<u32>() as usize,
                self.n_nodes
            );
            assert!(self.is_stopped || self.left() == 0, "nothing runs, and something waits");
        }
        n_steps
    }
}

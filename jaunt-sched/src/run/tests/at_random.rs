//! Ten thousand runs that nobody thought of, each watched by somebody who forgets nothing.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;

use insta::assert_snapshot;
use jaunt_dag::Dag;
use tokio::task::yield_now;

use crate::{Answer, Ask, Event, Outcome, run};

const RUNS: usize = 10_000;

/// xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % limit
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Succeeds,
    Fails,
    Panics,
    PanicsInStart,
}

/// One run: a graph, what its jobs do, and how it is disturbed.
struct Plan {
    dag: Arc<Dag<usize>>,
    jobs: usize,
    weights: Vec<u64>,
    /// How often each job yields before it ends.
    yields: Vec<usize>,
    endings: Vec<Ending>,
    /// Which results are at hand; without any, no node is asked.
    now: Vec<bool>,
    /// After as many events the callback breaks.
    break_after: Option<usize>,
    /// When `stop` has been polled as often it resolves.
    stop_after: Option<usize>,
    /// When the run has been polled as often it is dropped.
    drop_after: Option<usize>,
}

impl Plan {
    fn new(random: &mut Random) -> Self {
        let n_nodes = random.below(13);
        let ranks: Vec<usize> = (0..n_nodes).map(|_| random.below(100)).collect();
        let density = 2 + random.below(6);
        let mut edges = Vec::new();
        for node in 0..n_nodes {
            let may_depend = |dep: &usize| (ranks[*dep], *dep) < (ranks[node], node);
            let deps = (0..n_nodes).filter(may_depend).filter(|_| random.below(density) == 0);
            edges.push((node, deps.collect::<Vec<_>>()));
        }
        let calm = 3 + random.below(30);
        let ending = |random: &mut Random| match random.below(calm) {
            0 => Ending::Fails,
            1 => Ending::Panics,
            2 => Ending::PanicsInStart,
            _ => Ending::Succeeds,
        };
        let rarely = |random: &mut Random| (random.below(5) == 0).then(|| random.below(12));
        Self {
            dag: Arc::new(Dag::new(edges).unwrap()),
            jobs: 1 + random.below(4),
            weights: (0..n_nodes).map(|_| random.below(5) as u64).collect(),
            yields: (0..n_nodes).map(|_| random.below(4)).collect(),
            endings: (0..n_nodes).map(|_| ending(random)).collect(),
            now: vec![false; n_nodes],
            break_after: rarely(random),
            stop_after: rarely(random),
            drop_after: rarely(random),
        }
    }

    /// Answers for a node whose result is at hand, on a thread.
    fn answer(&self, node: usize) -> Answer<usize, usize> {
        for _ in 0..self.yields[node] {
            thread::yield_now();
        }
        match self.endings[node] {
            Ending::Succeeds => Answer::Now(Ok(node)),
            Ending::Fails => Answer::Now(Err(node)),
            Ending::Panics | Ending::PanicsInStart => {
                resume_unwind(Box::new(format!("panic {node}")))
            }
        }
    }

    /// Returns how each node ended, or `None` if the run was dropped.
    async fn run(self: Arc<Self>) -> Option<BTreeMap<usize, Outcome<usize, usize, usize>>> {
        let alive = Arc::new(());
        let watcher = Arc::new(Mutex::new(Watcher::new(&self)));
        let plan = Arc::clone(&self);
        let ask: Ask<usize, usize, usize> = Arc::new(move |node| match plan.now[*node] {
            true => plan.answer(*node),
            false => Answer::Later,
        });
        let ask = self.now.contains(&true).then_some(ask);
        let start = |node: &usize| {
            let (node, yields, ending) = (*node, self.yields[*node], self.endings[*node]);
            // Unlike `panic!`, this leaves the hook alone, which would write about each.
            let panic = move || -> ! { resume_unwind(Box::new(format!("panic {node}"))) };
            if ending == Ending::PanicsInStart {
                panic();
            }
            let alive = Arc::clone(&alive);
            async move {
                let _alive = alive;
                for _ in 0..yields {
                    yield_now().await;
                }
                match ending {
                    Ending::Succeeds => Ok(node),
                    Ending::Fails => Err(node),
                    Ending::Panics | Ending::PanicsInStart => panic(),
                }
            }
        };
        let n_polls = Cell::new(0);
        let stop = poll_fn(|_| {
            n_polls.set(n_polls.get() + 1);
            if self.stop_after.is_some_and(|after| n_polls.get() > after) {
                watcher.lock().unwrap().is_stopped = true;
                return Poll::Ready(());
            }
            Poll::Pending
        });
        let jobs = NonZeroUsize::new(self.jobs).unwrap();
        let told = Arc::clone(&watcher);
        let on_event = move |event: Event<'_, usize>| told.lock().unwrap().note(event);
        let outcomes = {
            let weight = |node: &usize| self.weights[*node];
            let run = run(Arc::clone(&self.dag), jobs, weight, ask, start, on_event, stop);
            let mut run = pin!(run);
            let mut polls = 0;
            poll_fn(|context| {
                if self.drop_after == Some(polls) {
                    return Poll::Ready(None);
                }
                polls += 1;
                run.as_mut().poll(context).map(Some)
            })
            .await
        };
        // A job whose run was dropped is gone the next time that its thread is free.
        yield_now().await;
        assert_eq!(Arc::strong_count(&alive), 1, "a job has outlived its run");
        let watcher = Arc::into_inner(watcher).expect("the callback was dropped with the run");
        watcher.into_inner().unwrap().close(outcomes.as_ref()?);
        outcomes
    }
}

/// Works out after every event what may come next, without queues or counters.
struct Watcher {
    plan: Arc<Plan>,
    remaining: BTreeMap<usize, u64>,
    n_events: usize,
    is_stopped: bool,
    running: BTreeSet<usize>,
    succeeded: BTreeSet<usize>,
    /// In the order of events.
    failed: Vec<usize>,
    blocked: BTreeMap<usize, usize>,
    cancelled: BTreeSet<usize>,
}

impl Watcher {
    fn new(plan: &Arc<Plan>) -> Self {
        Self {
            plan: Arc::clone(plan),
            remaining: plan.dag.critical_path(|node| plan.weights[*node]),
            n_events: 0,
            is_stopped: false,
            running: BTreeSet::new(),
            succeeded: BTreeSet::new(),
            failed: Vec::new(),
            blocked: BTreeMap::new(),
            cancelled: BTreeSet::new(),
        }
    }

    fn note(&mut self, event: Event<'_, usize>) -> ControlFlow<()> {
        match event {
            Event::Started { node } => {
                self.assert_all_blocked();
                assert!(!self.is_stopped, "{node} started after a stop");
                assert!(self.running.len() < self.plan.jobs, "{node} started without room");
                // Which nodes have been asked by now is up to the threads.
                if self.plan.now.contains(&true) {
                    assert!(!self.plan.now[*node] && self.may_start(*node));
                } else {
                    assert_eq!(self.next(), Some(*node), "another node comes first");
                }
                self.running.insert(*node);
            }
            Event::Succeeded { node } => {
                self.end(*node, &[Ending::Succeeds]);
                self.succeeded.insert(*node);
            }
            Event::Failed { node } => {
                self.end(*node, &[Ending::Fails]);
                self.failed.push(*node);
            }
            Event::Panicked { node } => {
                self.end(*node, &[Ending::Panics, Ending::PanicsInStart]);
                self.failed.push(*node);
            }
            Event::Blocked { node, cause } => {
                assert_eq!(self.failed.last(), Some(cause), "{node} is told of late");
                assert!(self.plan.dag.with_dependents([cause]).contains(node));
                assert!(self.is_left(*node), "{node} is told of twice");
                self.blocked.insert(*node, *cause);
            }
            Event::Cancelled { node } => {
                self.assert_all_blocked();
                assert!(self.is_stopped && self.running.is_empty() && self.is_left(*node));
                self.cancelled.insert(*node);
            }
        }
        self.n_events += 1;
        if self.plan.break_after.is_some_and(|after| self.n_events > after) {
            self.is_stopped = true;
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    fn end(&mut self, node: usize, endings: &[Ending]) {
        self.assert_all_blocked();
        if self.plan.now[node] {
            assert!(self.may_start(node), "{node} was asked too early, or twice");
        } else {
            assert!(self.running.remove(&node), "{node} ended and was not running");
        }
        assert!(endings.contains(&self.plan.endings[node]));
    }

    /// Everything that depends on a failure is told of before anything else is.
    fn assert_all_blocked(&self) {
        let mut below = self.plan.dag.with_dependents(&self.failed);
        below.retain(|node| !self.failed.contains(node));
        assert!(self.blocked.keys().eq(below));
    }

    fn is_left(&self, node: usize) -> bool {
        !self.running.contains(&node)
            && !self.succeeded.contains(&node)
            && !self.failed.contains(&node)
            && !self.blocked.contains_key(&node)
            && !self.cancelled.contains(&node)
    }

    fn may_start(&self, node: usize) -> bool {
        self.is_left(node) && self.plan.dag.deps(&node).all(|dep| self.succeeded.contains(dep))
    }

    fn next(&self) -> Option<usize> {
        let startable = self.plan.dag.nodes().copied().filter(|node| self.may_start(*node));
        startable.min_by_key(|node| (u64::MAX - self.remaining[node], *node))
    }

    fn close(self, outcomes: &BTreeMap<usize, Outcome<usize, usize, usize>>) {
        self.assert_all_blocked();
        assert!(self.running.is_empty() && outcomes.keys().eq(self.plan.dag.nodes()));
        for (node, outcome) in outcomes {
            let is_told = match outcome {
                Outcome::Succeeded(value) => self.succeeded.contains(node) && value == node,
                Outcome::Failed(err) => self.failed.contains(node) && err == node,
                Outcome::Panicked(message) => {
                    self.failed.contains(node) && *message == format!("panic {node}")
                }
                Outcome::Blocked { cause } => self.blocked.get(node) == Some(cause),
                Outcome::Cancelled => self.cancelled.contains(node),
            };
            assert!(is_told, "{node} is said to be {outcome:?}");
        }
    }
}

#[test]
fn ten_thousand_random_runs_keep_every_promise() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut counts = [0; 6];
    runtime.block_on(async {
        for _ in 0..RUNS {
            let Some(outcomes) = Arc::new(Plan::new(&mut random)).run().await else {
                counts[5] += 1;
                continue;
            };
            for outcome in outcomes.values() {
                counts[match outcome {
                    Outcome::Succeeded(_) => 0,
                    Outcome::Failed(_) => 1,
                    Outcome::Panicked(_) => 2,
                    Outcome::Blocked { .. } => 3,
                    Outcome::Cancelled => 4,
                }] += 1;
            }
        }
    });
    // Numbers that change tell that something is tried less, or more.
    let [succeeded, failed, panicked, blocked, cancelled, dropped] = counts;
    assert_snapshot!(format!(
        "nodes: {succeeded} succeeded, {failed} failed, {panicked} panicked, {blocked} blocked, \
         {cancelled} cancelled; runs: {dropped} dropped"
    ), @"nodes: 27727 succeeded, 2773 failed, 5634 panicked, 11646 blocked, 7453 cancelled; runs: 650 dropped");
}

/// Runs plans in which some results are at hand, or all. Returns how many nodes succeeded.
fn run_asking(runtime: &tokio::runtime::Runtime, share: usize) -> usize {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let n_succeeded = (0..RUNS / 5).map(|_| {
        let mut plan = Plan::new(&mut random);
        plan.now.fill_with(|| random.below(4) < share);
        // A call that runs when its run is dropped goes on to its end.
        plan.drop_after = None;
        let outcomes = runtime.block_on(Arc::new(plan).run()).unwrap();
        outcomes.values().filter(|it| matches!(it, Outcome::Succeeded(_))).count()
    });
    n_succeeded.sum()
}

#[test]
fn random_runs_with_results_at_hand_keep_the_same_promises() {
    let current = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let multi = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    for runtime in [current, multi] {
        for share in [1, 2, 4] {
            // Where a stop comes is up to the system, so their number varies.
            assert!(run_asking(&runtime, share) > RUNS / 5);
        }
    }
}

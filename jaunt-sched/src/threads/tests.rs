use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use jaunt_dag::Dag;

use super::run_on_threads;
use crate::{Event, Outcome};

fn jobs(n_jobs: usize) -> NonZeroUsize {
    NonZeroUsize::new(n_jobs).unwrap()
}

fn go_on(_: Event<'_, usize>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// As many nodes that depend on nothing, and one that depends on all of them.
fn fan(n_nodes: usize) -> Dag<usize> {
    let leaves = (0..n_nodes).map(|node| (node, Vec::new()));
    Dag::new(leaves.chain([(n_nodes, (0..n_nodes).collect())])).unwrap()
}

#[test]
fn as_many_jobs_run_at_once_as_are_allowed() {
    // Nobody passes who is not one of three.
    let barrier = Barrier::new(3);
    let job = |node: &usize| {
        if *node < 6 {
            barrier.wait();
        }
        Ok::<_, ()>(())
    };
    let outcomes = run_on_threads(&fan(6), jobs(3), |_| 1, job, go_on, || false);
    assert!(outcomes.values().all(|it| *it == Outcome::Succeeded(())));
}

#[test]
fn one_thread_does_everything_in_order() {
    let mut started = Vec::new();
    let on_event = |event: Event<'_, usize>| {
        if let Event::Started { node } = event {
            started.push(*node);
        }
        ControlFlow::Continue(())
    };
    let here = std::thread::current().id();
    let job = |_: &usize| Ok::<_, ()>(std::thread::current().id() == here);
    let outcomes = run_on_threads(&fan(3), jobs(1), |node| *node as u64, job, on_event, || false);
    assert_eq!(started, [2, 1, 0, 3]);
    assert!(outcomes.values().all(|it| *it == Outcome::Succeeded(true)));
}

#[test]
fn a_graph_without_nodes_is_done_at_once() {
    let dag = Dag::<usize>::new([] as [(usize, Vec<usize>); 0]).unwrap();
    assert!(run_on_threads(&dag, jobs(4), |_| 1, |_| Ok::<_, ()>(()), go_on, || false).is_empty());
}

#[test]
fn a_panic_of_the_callback_is_passed_on_when_all_jobs_have_ended() {
    let n_ended = AtomicUsize::new(0);
    let barrier = Barrier::new(2);
    let job = |node: &usize| {
        if *node < 2 {
            barrier.wait();
        }
        n_ended.fetch_add(1, Ordering::SeqCst);
        Ok::<_, ()>(())
    };
    let on_event = |event: Event<'_, usize>| match event {
        Event::Succeeded { .. } => resume_unwind(Box::new("no more")),
        _ => ControlFlow::Continue(()),
    };
    // The third thread waits for the two, which never tell it anything.
    let run = || run_on_threads(&fan(2), jobs(3), |_| 1, job, on_event, || false);
    let payload = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"no more"));
    assert_eq!(n_ended.into_inner(), 2);
}

//! Runs in which nodes are asked first: results at hand, and mixtures of these and futures.

use std::collections::BTreeMap;
use std::future::{self, pending, poll_fn};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::task::Poll;

use jaunt_dag::Dag;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::{Answer, Ask, Event, Outcome, run};

type Outcomes = BTreeMap<usize, Outcome<usize, (), ()>>;

fn jobs(n_jobs: usize) -> NonZeroUsize {
    NonZeroUsize::new(n_jobs).unwrap()
}

fn ignore(_: Event<'_, usize>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// This many nodes that depend on nothing, and one that depends on all of them.
fn fan(n_nodes: usize) -> Arc<Dag<usize>> {
    let leaves = (0..n_nodes).map(|node| (node, Vec::new()));
    Arc::new(Dag::new(leaves.chain([(n_nodes, (0..n_nodes).collect())])).unwrap())
}

/// This many nodes, each but the first with the one before it as its dependency.
fn chain(n_nodes: usize) -> Arc<Dag<usize>> {
    let deps = |node: usize| node.checked_sub(1).into_iter().collect::<Vec<_>>();
    Arc::new(Dag::new((0..n_nodes).map(|node| (node, deps(node)))).unwrap())
}

fn ask(
    answer: impl Fn(usize) -> Answer<(), ()> + Send + Sync + 'static,
) -> Option<Ask<usize, (), ()>> {
    Some(Arc::new(move |node| answer(*node)))
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

/// Runs a graph whose results are all at hand.
fn run_now(
    dag: &Arc<Dag<usize>>,
    n_jobs: usize,
    answer: impl Fn(usize) -> Result<(), ()> + Send + Sync + 'static,
    on_event: impl FnMut(Event<'_, usize>) -> ControlFlow<()> + Send + 'static,
) -> Outcomes {
    let now = ask(move |node| Answer::Now(answer(node)));
    let later = |_: &usize| pending();
    let weight = |node: &usize| *node as u64;
    runtime().block_on(run(Arc::clone(dag), jobs(n_jobs), weight, now, later, on_event, pending()))
}

#[test]
fn as_many_nodes_are_asked_at_once_as_there_are_jobs() {
    // Nobody passes who is not one of three.
    let barrier = Barrier::new(3);
    let answer = move |node| {
        if node < 6 {
            barrier.wait();
        }
        Ok(())
    };
    let outcomes = run_now(&fan(6), 3, answer, ignore);
    assert!(outcomes.values().all(|it| *it == Outcome::Succeeded(())));
}

#[test]
fn one_worker_asks_in_order_and_tells_only_ends() {
    let (told, events) = mpsc::channel();
    let on_event = move |event: Event<'_, usize>| {
        match event {
            Event::Succeeded { node } => told.send(*node).unwrap(),
            _ => panic!("unexpected: {event:?}"),
        }
        ControlFlow::Continue(())
    };
    run_now(&fan(3), 1, |_| Ok(()), on_event);
    assert_eq!(events.iter().collect::<Vec<_>>(), [2, 1, 0, 3]);
}

#[test]
fn a_graph_without_nodes_is_done_at_once() {
    let dag = Arc::new(Dag::new([] as [(usize, Vec<usize>); 0]).unwrap());
    assert!(run_now(&dag, 4, |_| Ok(()), ignore).is_empty());
}

#[test]
fn a_panic_of_the_callback_on_a_worker_is_passed_on_when_all_calls_have_ended() {
    let n_ended = Arc::new(AtomicUsize::new(0));
    let barrier = Barrier::new(2);
    let count = Arc::clone(&n_ended);
    let answer = move |node| {
        if node < 2 {
            barrier.wait();
        }
        count.fetch_add(1, Ordering::SeqCst);
        Ok(())
    };
    let on_event = |event: Event<'_, usize>| match event {
        Event::Succeeded { .. } => resume_unwind(Box::new("no more")),
        _ => ControlFlow::Continue(()),
    };
    let run = || run_now(&fan(2), 3, answer, on_event);
    let payload = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"no more"));
    assert_eq!(n_ended.load(Ordering::SeqCst), 2);
}

#[test]
fn a_panic_in_now_is_the_outcome_of_its_node() {
    let answer = |node| match node {
        1 => resume_unwind(Box::new("out of cheese")),
        _ => Ok(()),
    };
    let outcomes = run_now(&chain(3), 2, answer, ignore);
    assert_eq!(outcomes[&0], Outcome::Succeeded(()));
    assert_eq!(outcomes[&1], Outcome::Panicked("out of cheese".to_owned()));
    assert_eq!(outcomes[&2], Outcome::Blocked { cause: 1 });
}

#[test]
fn a_result_at_hand_waits_for_the_futures_below_it() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let now = ask(move |node| {
        log.lock().unwrap().push(format!("ask {node}"));
        if node % 2 == 0 { Answer::Later } else { Answer::Now(Ok(())) }
    });
    let log = Arc::clone(&asked);
    let later = move |node: &usize| {
        log.lock().unwrap().push(format!("start {node}"));
        future::ready(Ok(()))
    };
    let run = run(chain(4), jobs(1), |_| 1, now, later, ignore, pending());
    let outcomes = runtime().block_on(run);
    assert!(outcomes.values().all(|it| *it == Outcome::Succeeded(())));
    let expected = ["ask 0", "start 0", "ask 1", "ask 2", "start 2", "ask 3"];
    assert_eq!(*asked.lock().unwrap(), expected);
}

#[test]
fn results_at_hand_go_on_while_every_slot_is_taken() {
    // Node 3 needs the only slot, and ends only after all others but the last were answered.
    let (release, released) = oneshot::channel::<()>();
    let mut released = Some(released);
    let mut release = Some(release);
    let now = ask(|node| if node == 3 { Answer::Later } else { Answer::Now(Ok(())) });
    let mut n_answered = 0;
    let on_event = move |event: Event<'_, usize>| {
        if let Event::Succeeded { node: 0..3 } = event {
            n_answered += 1;
            if n_answered == 3 {
                release.take().unwrap().send(()).unwrap();
            }
        }
        ControlFlow::Continue(())
    };
    let later = |_: &usize| {
        let released = released.take().unwrap();
        async { released.await.map_err(|_| ()) }
    };
    let weight = |node: &usize| *node as u64;
    let run = run(fan(4), jobs(1), weight, now, later, on_event, pending());
    let outcomes = runtime().block_on(run);
    assert!(outcomes.values().all(|it| *it == Outcome::Succeeded(())));
}

#[test]
fn deferred_nodes_start_by_the_longest_path_and_take_slots() {
    // All but the last are asked before the first slot is free again.
    let (asked, all_asked) = mpsc::channel();
    let now = ask(move |node| {
        asked.send(node).ok();
        Answer::Later
    });
    let (told, events) = mpsc::channel();
    let on_event = move |event: Event<'_, usize>| {
        if let Event::Started { node } = event {
            told.send(*node).unwrap();
        }
        ControlFlow::Continue(())
    };
    let mut all_asked = Some(all_asked);
    let later = |_: &usize| {
        if let Some(all_asked) = all_asked.take() {
            // Blocks the loop of the run, and nobody else.
            all_asked.iter().take(4).for_each(drop);
        }
        future::ready(Ok(()))
    };
    let weight = |node: &usize| *node as u64;
    let run = run(fan(4), jobs(1), weight, now, later, on_event, pending());
    runtime().block_on(run);
    let started: Vec<usize> = events.iter().collect();
    assert_eq!(started, [3, 2, 1, 0, 4]);
}

#[test]
fn a_stop_cancels_what_waits_for_a_slot_and_what_was_not_asked() {
    let (stop, stopped) = oneshot::channel::<()>();
    let mut stop = Some(stop);
    let now = ask(|_| Answer::Later);
    // Stops when the first node starts, which never ends by itself before that.
    let later = |_: &usize| {
        stop.take().unwrap().send(()).unwrap();
        async {
            tokio::task::yield_now().await;
            Ok(())
        }
    };
    let stopped = async { stopped.await.unwrap() };
    let run = run(fan(4), jobs(1), |_| 1, now, later, ignore, stopped);
    let outcomes = runtime().block_on(run);
    let n_succeeded = outcomes.values().filter(|it| **it == Outcome::Succeeded(())).count();
    let n_cancelled = outcomes.values().filter(|it| **it == Outcome::Cancelled).count();
    assert_eq!((n_succeeded, n_cancelled), (1, 4));
}

#[test]
fn a_stop_that_is_there_already_asks_nobody() {
    let now = ask(|_| panic!("asked after a stop"));
    let later = |_: &usize| pending();
    let run = run(fan(3), jobs(2), |_| 1, now, later, ignore, future::ready(()));
    let outcomes = runtime().block_on(run);
    assert!(outcomes.values().all(|it| *it == Outcome::Cancelled));
}

#[test]
fn to_break_at_an_answer_asks_nobody_else() {
    let on_event = |event: Event<'_, usize>| match event {
        Event::Failed { .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let outcomes = run_now(&fan(4), 1, |_| Err(()), on_event);
    assert_eq!(outcomes[&3], Outcome::Failed(()));
    assert_eq!(outcomes[&4], Outcome::Blocked { cause: 3 });
    assert!((0..3).all(|node| outcomes[&node] == Outcome::Cancelled));
}

#[test]
fn a_run_that_is_dropped_tells_nothing_and_asks_nobody_any_more() {
    let (entered, has_entered) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let n_asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&n_asked);
    let now = ask(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        entered.send(()).unwrap();
        released.lock().unwrap().recv().unwrap();
        Answer::Now(Ok(()))
    });
    let on_event = |event: Event<'_, usize>| panic!("told {event:?}");
    let runtime = runtime();
    runtime.block_on(async {
        let later = |_: &usize| pending();
        let mut run = pin!(run(chain(2), jobs(1), |_| 1, now, later, on_event, pending()));
        poll_fn(|context| {
            assert!(run.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        has_entered.recv().unwrap();
    });
    release.send(()).unwrap();
    drop(runtime); // Waits for the call that was running.
    assert_eq!(n_asked.load(Ordering::SeqCst), 1);
}

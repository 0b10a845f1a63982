mod asking;
mod at_random;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use std::{fmt, future};

use insta::assert_snapshot;
use jaunt_dag::Dag;
use tokio::runtime::Builder;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

use crate::{Event, Outcome, run};

type Node = &'static str;

/// What is run, and how.
///
/// A plan has one job per line: `name seconds ending: dependencies`. The ending is `fails`,
/// `panics`, or nothing.
struct Sim {
    plan: &'static str,
    jobs: usize,
    /// The second at which `stop` resolves.
    stop_after: Option<u64>,
    /// The event at which the callback breaks.
    break_at: Option<&'static str>,
}

/// A plan, with nothing that stops it.
fn sim(jobs: usize, plan: &'static str) -> Sim {
    Sim { plan, jobs, stop_after: None, break_at: None }
}

struct Job {
    seconds: u64,
    ending: &'static str,
    deps: Vec<Node>,
}

impl Sim {
    async fn run(&self) -> Trace {
        let jobs: BTreeMap<Node, Job> = self.plan.lines().filter_map(job).collect();
        let dag = Dag::new(jobs.iter().map(|(node, job)| (*node, job.deps.clone()))).unwrap();
        let began = Instant::now();
        let events = Arc::new(Mutex::new(Vec::new()));
        let (told, break_at) = (Arc::clone(&events), self.break_at);
        let outcomes = run(
            Arc::new(dag),
            NonZeroUsize::new(self.jobs).unwrap(),
            |node| jobs[node].seconds,
            None,
            |node| {
                let (takes, ending) = (Duration::from_secs(jobs[node].seconds), jobs[node].ending);
                async move {
                    sleep(takes).await;
                    match ending {
                        "fails" => Err("bad luck"),
                        // Does not call the panic hook, which would write to standard error.
                        "panics" => resume_unwind(Box::new("out of cheese")),
                        _ => Ok(()),
                    }
                }
            },
            move |event| {
                let text = describe(event);
                let breaks = break_at == Some(&text);
                told.lock().unwrap().push((began.elapsed().as_secs(), text));
                if breaks { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
            async {
                match self.stop_after {
                    Some(seconds) => sleep(Duration::from_secs(seconds)).await,
                    None => future::pending().await,
                }
            },
        )
        .await;
        let events = events.lock().unwrap().clone();
        Trace { events, outcomes }
    }
}

fn job(line: &'static str) -> Option<(Node, Job)> {
    let (job, deps) = line.split_once(':').unwrap_or((line, ""));
    let mut words = job.split_whitespace();
    let node = words.next()?;
    let seconds = words.next().unwrap().parse().unwrap();
    let ending = words.next().unwrap_or_default();
    Some((node, Job { seconds, ending, deps: deps.split_whitespace().collect() }))
}

fn describe(event: Event<'_, Node>) -> String {
    match event {
        Event::Started { node } => format!("{node} started"),
        Event::Succeeded { node } => format!("{node} succeeded"),
        Event::Failed { node } => format!("{node} failed"),
        Event::Panicked { node } => format!("{node} panicked"),
        Event::Blocked { node, cause } => format!("{node} blocked by {cause}"),
        Event::Cancelled { node } => format!("{node} cancelled"),
    }
}

/// Displayed as one row per node and one column per second.
struct Trace {
    events: Vec<(u64, String)>,
    outcomes: BTreeMap<Node, Outcome<Node, (), &'static str>>,
}

impl Trace {
    /// The events, a line for each second.
    fn log(&self) -> String {
        let at_once = self.events.chunk_by(|(second, _), (next, _)| second == next);
        let line = |events: &[(u64, String)]| {
            let texts: Vec<&str> = events.iter().map(|(_, text)| &**text).collect();
            format!("{}: {}\n", events[0].0, texts.join(", "))
        };
        at_once.map(line).collect()
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (node, outcome) in &self.outcomes {
            let told = |what: &str| self.events.iter().find(|it| it.1 == format!("{node} {what}"));
            let ended = ["succeeded", "failed", "panicked"].into_iter().find_map(told);
            match (told("started"), ended) {
                (Some((from, _)), Some((to, _))) => {
                    let idle = ".".repeat(usize::try_from(*from).unwrap());
                    let busy = "#".repeat(usize::try_from(to - from).unwrap());
                    write!(f, "{node:5} {idle}{busy}")?;
                }
                _ => write!(f, "{node:5}")?,
            }
            match outcome {
                Outcome::Succeeded(()) => writeln!(f)?,
                Outcome::Failed(err) => writeln!(f, " failed: {err}")?,
                Outcome::Panicked(message) => writeln!(f, " panicked: {message}")?,
                Outcome::Blocked { cause } => writeln!(f, " blocked by {cause}")?,
                Outcome::Cancelled => writeln!(f, " cancelled")?,
            }
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn the_longest_chain_starts_first() {
    let plan = "
        leaf 2
        mid  2: leaf
        top  1: mid
        lone 3
    ";
    assert_snapshot!(sim(2, plan).run().await, @r"
    leaf  ##
    lone  ###
    mid   ..##
    top   ....#
    ");
    assert_snapshot!(sim(1, plan).run().await, @r"
    leaf  ##
    lone  ..###
    mid   .....##
    top   .......#
    ");
}

#[tokio::test(start_paused = true)]
async fn equal_paths_start_in_the_order_of_names() {
    let plan = "
        d 1
        b 1
        c 1
        a 1
    ";
    assert_snapshot!(sim(1, plan).run().await, @r"
    a     #
    b     .#
    c     ..#
    d     ...#
    ");
}

#[tokio::test(start_paused = true)]
async fn there_are_never_more_than_jobs_at_once() {
    let plan = "
        a 2
        b 1
        c 1
        d 3
        e 1
    ";
    assert_snapshot!(sim(3, plan).run().await, @r"
    a     ##
    b     #
    c     .#
    d     ###
    e     ..#
    ");
    assert_snapshot!(sim(100, plan).run().await, @r"
    a     ##
    b     #
    c     #
    d     ###
    e     #
    ");
}

#[tokio::test(start_paused = true)]
async fn a_node_starts_the_moment_its_last_dependency_is_done() {
    let plan = "
        fast 1
        slow 3
        both 1: fast slow
        next 2: fast
    ";
    assert_snapshot!(sim(4, plan).run().await, @r"
    both  ...#
    fast  #
    next  .##
    slow  ###
    ");
}

#[tokio::test(start_paused = true)]
async fn what_ends_together_is_settled_before_anything_starts() {
    // `p` and `q` end together. If `p` alone were settled first, `r` would take the place of `z`.
    let plan = "
        v 9
        p 1
        q 1
        r 1
        w 5: p v
        y 3: q
        z 3: q
    ";
    assert_snapshot!(sim(3, plan).run().await.log(), @r"
    0: v started, p started, q started
    1: p succeeded, q succeeded, y started, z started
    4: y succeeded, z succeeded, r started
    5: r succeeded
    9: v succeeded, w started
    14: w succeeded
    ");
}

#[tokio::test(start_paused = true)]
async fn a_failure_blocks_its_dependents_and_nothing_else() {
    let plan = "
        bad   1 fails
        mid   1: bad
        top   1: mid good
        good  2
        other 1: good
    ";
    let trace = sim(2, plan).run().await;
    assert_snapshot!(trace, @r"
    bad   # failed: bad luck
    good  ##
    mid   blocked by bad
    other ..#
    top   blocked by bad
    ");
    assert_snapshot!(trace.log(), @r"
    0: bad started, good started
    1: bad failed, mid blocked by bad, top blocked by bad
    2: good succeeded, other started
    3: other succeeded
    ");
}

#[tokio::test(start_paused = true)]
async fn the_first_of_several_failures_is_the_cause() {
    let plan = "
        late  2 fails
        early 1 fails
        both  1: late early
        only  1: late
    ";
    let trace = sim(2, plan).run().await;
    assert_snapshot!(trace.log(), @r"
    0: late started, early started
    1: early failed, both blocked by early
    2: late failed, only blocked by late
    ");
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_the_outcome_of_its_node_alone() {
    let plan = "
        bad  1 panics
        top  1: bad
        good 3
    ";
    let trace = sim(2, plan).run().await;
    assert_snapshot!(trace, @r"
    bad   # panicked: out of cheese
    good  ###
    top   blocked by bad
    ");
    assert_snapshot!(trace.log(), @r"
    0: good started, bad started
    1: bad panicked, top blocked by bad
    3: good succeeded
    ");
}

#[tokio::test(start_paused = true)]
async fn after_a_stop_running_jobs_end_and_nothing_else_starts() {
    let plan = "
        a 2
        b 3
        c 1
        d 1: a
    ";
    let trace = Sim { stop_after: Some(1), ..sim(2, plan) }.run().await;
    assert_snapshot!(trace, @r"
    a     ##
    b     ###
    c     cancelled
    d     cancelled
    ");
    assert_snapshot!(trace.log(), @r"
    0: a started, b started
    2: a succeeded
    3: b succeeded, c cancelled, d cancelled
    ");
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_is_there_already_cancels_everything() {
    let plan = "
        a 1
        b 1: a
    ";
    assert_snapshot!(Sim { stop_after: Some(0), ..sim(2, plan) }.run().await.log(), @"0: a cancelled, b cancelled");
}

#[tokio::test(start_paused = true)]
async fn a_failure_after_a_stop_still_blocks() {
    let plan = "
        bad  2 fails
        mid  1: bad
        top  1: mid
        next 1
    ";
    let trace = Sim { stop_after: Some(1), ..sim(1, plan) }.run().await;
    assert_snapshot!(trace.log(), @r"
    0: bad started
    2: bad failed, mid blocked by bad, top blocked by bad, next cancelled
    ");
}

#[tokio::test(start_paused = true)]
async fn to_break_at_a_failure_is_to_fail_fast() {
    let plan = "
        bad  1 fails
        mid  1: bad
        long 3
        next 1
    ";
    let trace = Sim { break_at: Some("bad failed"), ..sim(2, plan) }.run().await;
    assert_snapshot!(trace, @r"
    bad   # failed: bad luck
    long  ###
    mid   blocked by bad
    next  cancelled
    ");
    assert_snapshot!(trace.log(), @r"
    0: long started, bad started
    1: bad failed, mid blocked by bad
    3: long succeeded, next cancelled
    ");
}

#[tokio::test(start_paused = true)]
async fn to_break_in_the_middle_leaves_no_event_out() {
    let plan = "
        bad  1 fails
        d    1: bad
        e    1: bad
        f    1: bad
        next 1
    ";
    let trace = Sim { break_at: Some("d blocked by bad"), ..sim(1, plan) }.run().await;
    assert_snapshot!(trace.log(), @r"
    0: bad started
    1: bad failed, d blocked by bad, e blocked by bad, f blocked by bad, next cancelled
    ");
}

#[tokio::test(start_paused = true)]
async fn what_was_told_to_start_runs_although_that_was_the_last_straw() {
    let plan = "
        a 1
        b 1
    ";
    let trace = Sim { break_at: Some("a started"), ..sim(2, plan) }.run().await;
    assert_snapshot!(trace.log(), @r"
    0: a started
    1: a succeeded, b cancelled
    ");
}

#[tokio::test(start_paused = true)]
async fn a_stop_after_a_break_changes_nothing() {
    let plan = "
        a 1
        b 3
        c 1
    ";
    let sim = Sim { break_at: Some("a succeeded"), stop_after: Some(2), ..sim(2, plan) };
    assert_snapshot!(sim.run().await.log(), @r"
    0: b started, a started
    1: a succeeded
    3: b succeeded, c cancelled
    ");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_of_a_graph_without_nodes() {
    let trace = sim(1, "").run().await;
    assert!(trace.events.is_empty() && trace.outcomes.is_empty());
}

/// Runs jobs that depend on each other in a chain, `a` first, on one thread.
async fn chain<T: Send + 'static, F>(
    nodes: &[Node],
    start: impl FnMut(&Node) -> F,
) -> BTreeMap<Node, Outcome<Node, T, ()>>
where
    F: Future<Output = Result<T, ()>> + Send + 'static,
{
    let deps = [None].into_iter().chain(nodes.iter().copied().map(Some));
    let dag = Dag::new(nodes.iter().copied().zip(deps)).unwrap();
    let on_event = |_: Event<'_, Node>| ControlFlow::Continue(());
    run(Arc::new(dag), NonZeroUsize::MIN, |_| 1, None, start, on_event, future::pending()).await
}

#[tokio::test]
async fn a_job_gives_its_value_or_its_error() {
    let job = |node: &Node| future::ready(if *node == "a" { Ok(7) } else { Err(()) });
    let outcomes = chain(&["a", "b", "c"], job).await;

    assert_eq!(outcomes["a"], Outcome::Succeeded(7));
    assert_eq!(outcomes["b"], Outcome::Failed(()));
    assert_eq!(outcomes["c"], Outcome::Blocked { cause: "b" });
}

#[tokio::test]
async fn a_panic_gives_its_message() {
    let panics: [(fn(), &str); 4] = [
        (|| panic!("as it is"), "as it is"),
        (|| panic!("made of {}", "parts"), "made of parts"),
        (|| unreachable!(), "internal error: entered unreachable code"),
        (|| panic_any(7), "a panic without a message"),
    ];
    for (panic, message) in panics {
        let job = move |_: &Node| async move {
            panic();
            Ok(())
        };
        assert_eq!(chain(&["a"], job).await["a"], Outcome::Panicked(message.to_owned()));
    }
}

#[tokio::test]
async fn a_panic_with_a_value_that_panics_in_turn_is_no_more_than_a_panic() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    let outcomes = chain::<(), _>(&["a"], |_| async { resume_unwind(Box::new(Bomb)) }).await;
    assert_eq!(outcomes["a"], Outcome::Panicked("a panic without a message".to_owned()));
}

#[tokio::test]
async fn a_panic_of_the_callback_is_passed_on_and_leaves_no_job_behind() {
    let alive = Arc::new(());
    let dag = Arc::new(Dag::new([("a", []), ("b", [])]).unwrap());
    let start = |_: &Node| {
        let alive = Arc::clone(&alive);
        async move {
            future::pending::<()>().await;
            drop(alive);
            Ok::<(), ()>(())
        }
    };
    let on_event = |event: Event<'_, Node>| match event {
        Event::Started { node: &"b" } => resume_unwind(Box::new("no more paper")),
        _ => ControlFlow::Continue(()),
    };
    let jobs = NonZeroUsize::new(2).unwrap();
    let mut run = Box::pin(run(dag, jobs, |_| 1, None, start, on_event, future::pending()));
    let poll = || run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();

    let payload = catch_unwind(AssertUnwindSafe(poll)).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"no more paper"));
    yield_now().await;
    drop(run);
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[tokio::test]
async fn a_panic_before_there_is_a_job_is_the_outcome_of_its_node_too() {
    let start = |node: &Node| match *node {
        "b" => panic!("no prompt for {node}"),
        _ => future::ready(Ok(())),
    };
    let outcomes = chain(&["a", "b", "c"], start).await;

    assert_eq!(outcomes["a"], Outcome::Succeeded(()));
    assert_eq!(outcomes["b"], Outcome::Panicked("no prompt for b".to_owned()));
    assert_eq!(outcomes["c"], Outcome::Blocked { cause: "b" });
}

#[tokio::test]
async fn no_job_outlives_a_run_that_is_dropped() {
    let alive = Arc::new(());
    let start = |_: &Node| {
        let alive = Arc::clone(&alive);
        async move {
            future::pending::<()>().await;
            drop(alive);
            Ok(())
        }
    };
    {
        let mut run = pin!(chain(&["a", "b"], start));
        assert!(run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        yield_now().await;
        assert_eq!(Arc::strong_count(&alive), 2, "`a` is running, `b` is not");
    }
    yield_now().await;
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn a_job_that_is_aborted_has_failed() {
    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let handle = runtime.handle().clone();
    let _context = handle.enter();

    let mut run = pin!(chain(&["a", "b"], |_| future::pending::<Result<(), ()>>()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(run.as_mut().poll(&mut context).is_pending());
    drop(runtime); // Aborts `a`, as nobody else can.

    let Poll::Ready(outcomes) = run.as_mut().poll(&mut context) else { panic!("still waiting") };
    assert_eq!(outcomes["a"], Outcome::Panicked("the job was aborted".to_owned()));
    assert_eq!(outcomes["b"], Outcome::Blocked { cause: "a" });
}

#[tokio::test]
async fn a_run_may_move_between_threads() {
    fn assert_send(run: impl Future + Send) -> impl Future + Send {
        run
    }
    let run = assert_send(chain(&["a"], |_| future::ready(Ok::<(), ()>(()))));
    run.await;
}

#[tokio::test]
async fn one_failure_under_100_000_nodes_blocks_each_once() {
    const NODES: usize = 100_000;
    let dag = Dag::new((1..NODES).map(|node| (node, [node - 1]))).unwrap();
    let n_blocked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&n_blocked);
    let outcomes = run(
        Arc::new(dag),
        NonZeroUsize::MIN,
        |_| 1,
        None,
        |_| future::ready(Err::<(), ()>(())),
        move |event| {
            let is_blocked = matches!(event, Event::Blocked { cause: 0, .. });
            count.fetch_add(usize::from(is_blocked), Ordering::Relaxed);
            ControlFlow::Continue(())
        },
        future::pending(),
    )
    .await;

    assert_eq!(n_blocked.load(Ordering::Relaxed), NODES - 1);
    assert_eq!(outcomes[&(NODES - 1)], Outcome::Blocked { cause: 0 });
}

#[tokio::test]
async fn failures_under_one_fan_of_20_000_do_not_add_up() {
    const NODES: usize = 20_000;
    // Every node of the lower half fails, and every node of the upper half depends on ten of them.
    let deps = |node: usize| (0..10).map(move |it| (node * 7 + it * 13) % (NODES / 2));
    let lower = (0..NODES / 2).map(|node| (node, Vec::new()));
    let upper = (NODES / 2..NODES).map(|node| (node, deps(node).collect()));
    let dag = Dag::new(lower.chain(upper)).unwrap();
    let outcomes = run(
        Arc::new(dag),
        NonZeroUsize::new(8).unwrap(),
        |_| 1,
        None,
        |_| future::ready(Err::<(), ()>(())),
        |_| ControlFlow::Continue(()),
        future::pending(),
    )
    .await;

    let blocked = outcomes.values().filter(|it| matches!(it, Outcome::Blocked { .. }));
    assert_eq!(blocked.count(), NODES / 2);
}

//! What the scheduler costs: 100,000 jobs that do nothing, with dependencies and without a scheduler.
//!
//! ```text
//! cargo run --release -p jaunt-sched --example overhead
//! ```

#![expect(clippy::disallowed_methods, reason = "measures real time")]
#![expect(clippy::print_stdout, reason = "prints what it measures")]

use std::convert::Infallible;
use std::future;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jaunt_dag::Dag;
use jaunt_sched::{Answer, Ask};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

const NODES: usize = 100_000;
const JOBS: usize = 8;
const ROUNDS: usize = 7;

fn main() {
    let dag = Arc::new(random_dag());
    let current = Builder::new_current_thread().build().expect("a runtime");
    let multi = Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");

    println!("{NODES} jobs that do nothing, {JOBS} at a time, medians of {ROUNDS}, µs per job");
    println!("runtime           run   JoinSet   JoinSet, all at once   ratio");
    let on_current = || time(|| current.block_on(scheduled(&dag, false)));
    let on_multi = || time(|| multi.block_on(scheduled(&dag, false)));
    let at_hand = || time(|| current.block_on(scheduled(&dag, true)));
    let runs: [(&str, &Runtime, &dyn Fn() -> Duration); 3] = [
        ("current thread", &current, &on_current),
        ("multi thread", &multi, &on_multi),
        ("results at hand", &current, &at_hand),
    ];
    for (name, runtime, run) in runs {
        let mut times = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            times[0].push(run());
            times[1].push(time(|| runtime.block_on(bare(JOBS))));
            times[2].push(time(|| runtime.block_on(bare(NODES))));
        }
        let [run, bare, all] = times.map(median);
        println!("{name:15}  {run:4.2}   {bare:7.2}   {all:20.2}   {:5.2}", run / bare);
    }
}

async fn scheduled(dag: &Arc<Dag<String>>, is_at_hand: bool) {
    let jobs = NonZeroUsize::new(JOBS).expect("not zero");
    let now: Ask<String, (), Infallible> = Arc::new(|_| Answer::Now(Ok(())));
    let now = is_at_hand.then_some(now);
    let later = |_: &String| future::ready(Ok::<(), Infallible>(()));
    let on_event = |_: jaunt_sched::Event<'_, String>| ControlFlow::Continue(());
    let dag = Arc::clone(dag);
    let outcomes =
        jaunt_sched::run(dag, jobs, |_| 1, now, later, on_event, future::pending()).await;
    assert_eq!(outcomes.len(), NODES);
}

async fn bare(jobs: usize) {
    let mut running = JoinSet::new();
    for _ in 0..NODES {
        if running.len() == jobs {
            running.join_next().await;
        }
        running.spawn(future::ready(Ok::<(), Infallible>(())));
    }
    while running.join_next().await.is_some() {}
}

fn time(run: impl FnOnce()) -> Duration {
    let began = Instant::now();
    run();
    began.elapsed()
}

/// In microseconds per job.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6 / NODES as f64
}

/// Nodes with up to three dependencies each, anywhere among those before them.
fn random_dag() -> Dag<String> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |limit: usize| {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).expect("31 bits") % limit
    };
    let name = |node: usize| format!("shop.module_{node:06}");
    let edges: Vec<_> = (0..NODES)
        .map(|node| {
            let n_deps = below(4).min(node);
            (name(node), (0..n_deps).map(|_| name(below(node))).collect::<Vec<_>>())
        })
        .collect();
    Dag::new(edges).expect("dependencies come before dependents")
}

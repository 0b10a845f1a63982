//! How much longer a run takes than any run must: 200 graphs of each shape, on a paused clock.
//!
//! ```text
//! cargo run --release -p jaunt-sched --example makespan
//! ```
//!
//! Modules take 90 s in the median (log-normal, sigma 0.6); the scheduler is told times that are up
//! to 30 % wrong. A run cannot be shorter than the longest path, nor than all the work shared out
//! evenly. Where the graph is too narrow now and too wide then to keep everybody busy, no
//! schedule comes near that bound.

#![expect(clippy::print_stdout, reason = "prints what it measures")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use jaunt_dag::Dag;
use tokio::runtime::Builder;
use tokio::time::{self, Instant};

const GRAPHS: usize = 200;

/// Makes the graph of a number of modules.
type Shape = fn(&mut Random, usize) -> Dag<usize>;

fn main() {
    let shapes: [(&str, Shape); 3] = [("random", random), ("layered", layered), ("chains", chains)];
    println!("shape     jobs    mean     p95     max   share within 1 %");
    let mut all = Vec::new();
    for (name, shape) in shapes {
        for jobs in [4, 8, 16] {
            let mut random = Random(0x9e37_79b9_7f4a_7c15);
            let ratios: Vec<f64> = (0..GRAPHS).map(|_| ratio(&mut random, shape, jobs)).collect();
            report(name, &jobs.to_string(), &ratios);
            all.extend(ratios);
        }
    }
    report("all", "", &all);
}

fn report(name: &str, jobs: &str, ratios: &[f64]) {
    let mut ratios = ratios.to_vec();
    ratios.sort_by(f64::total_cmp);
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    let p95 = ratios[ratios.len() * 95 / 100];
    let max = ratios[ratios.len() - 1];
    let near = ratios.iter().filter(|ratio| **ratio <= 1.01).count() * 100 / ratios.len();
    println!("{name:8}  {jobs:>4}  {mean:6.4}  {p95:6.4}  {max:6.4}   {near:15} %");
}

/// How long a run took, over the bound.
fn ratio(random: &mut Random, shape: Shape, jobs: usize) -> f64 {
    let n_modules = 60 + random.below(141);
    let dag = Arc::new(shape(random, n_modules));
    let millis: Vec<u64> = (0..n_modules).map(|_| random.module_millis()).collect();
    let guesses: Vec<u64> =
        millis.iter().map(|millis| (*millis as f64 * (0.7 + 0.6 * random.unit())) as u64).collect();

    let longest = dag.critical_path(|node| millis[*node]).into_values().max().unwrap_or(0);
    let shared = millis.iter().sum::<u64>().div_ceil(jobs as u64);
    makespan(&dag, jobs, &millis, &guesses).as_millis() as f64 / longest.max(shared) as f64
}

fn makespan(dag: &Arc<Dag<usize>>, jobs: usize, millis: &[u64], guesses: &[u64]) -> Duration {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let began = Instant::now();
        let outcomes: BTreeMap<_, jaunt_sched::Outcome<_, (), Infallible>> = jaunt_sched::run(
            Arc::clone(dag),
            NonZeroUsize::new(jobs).expect("not zero"),
            |node| guesses[*node],
            None,
            |node| {
                let takes = Duration::from_millis(millis[*node]);
                async move {
                    time::sleep(takes).await;
                    Ok(())
                }
            },
            |_| ControlFlow::Continue(()),
            future::pending(),
        )
        .await;
        assert_eq!(outcomes.len(), dag.len());
        began.elapsed()
    })
}

/// Up to three dependencies each, anywhere among the modules before.
fn random(random: &mut Random, n_modules: usize) -> Dag<usize> {
    graph((0..n_modules).map(|node| {
        let n_deps = random.below(4).min(node);
        (0..n_deps).map(|_| random.below(node)).collect()
    }))
}

/// Four to twenty layers; each module has one to three dependencies in the layer below.
fn layered(random: &mut Random, n_modules: usize) -> Dag<usize> {
    let n_layers = 4 + random.below(17);
    graph((0..n_modules).map(|node| {
        let layer = node * n_layers / n_modules;
        let first = |layer: usize| (layer * n_modules).div_ceil(n_layers);
        if layer == 0 {
            return Vec::new();
        }
        let (from, to) = (first(layer - 1), first(layer));
        (0..=random.below(3)).map(|_| from + random.below(to - from)).collect()
    }))
}

/// Chains of two to twelve modules side by side, each of a length of its own.
fn chains(random: &mut Random, n_modules: usize) -> Dag<usize> {
    let mut left = 0;
    graph((0..n_modules).map(|node| {
        if left == 0 {
            left = 1 + random.below(11);
            return Vec::new();
        }
        left -= 1;
        vec![node - 1]
    }))
}

fn graph(deps: impl Iterator<Item = Vec<usize>>) -> Dag<usize> {
    Dag::new(deps.enumerate()).expect("dependencies come before dependents")
}

/// xorshift64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 33) as usize % limit
    }

    /// Above 0, at most 1.
    fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// Log-normal by the transform of Box and Muller.
    fn module_millis(&mut self) -> u64 {
        let radius = (-2.0 * self.unit().ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.unit()).cos();
        (90_000.0 * (0.6 * normal).exp()) as u64
    }
}

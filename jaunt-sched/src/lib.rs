//! A scheduler for the jobs of a dependency graph.
//!
//! [`run`] starts one job for each node of a [`Dag`](jaunt_dag::Dag), dependencies before
//! dependents and never more than a number of them at once. Among those that may start, the one
//! with the longest remaining path goes first. It does not know what a job does, how long it took,
//! or who watches: jobs are futures, or functions that block ([`run_on_threads`]), and [`Event`]s go to
//! one callback.
//!
//! Every node has exactly one [`Outcome`] in the end. A failure blocks what depends on it, and
//! nothing else. What may start is decided by a [`Queue`], a plain value without a runtime.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! # use std::{convert::Infallible, future, num::NonZeroUsize, ops::ControlFlow};
//! use jaunt_sched::{Outcome, run};
//!
//! let dag = jaunt_dag::Dag::new([("cart", vec!["price"]), ("price", vec![])]).unwrap();
//! let job = |node: &&'static str| future::ready(Ok::<_, Infallible>(node.len()));
//! let jobs = NonZeroUsize::new(2).unwrap();
//! let on_event = |_event: jaunt_sched::Event<'_, _>| ControlFlow::Continue(());
//! let outcomes = run(&dag, jobs, |_| 1, job, on_event, future::pending()).await;
//! assert_eq!(outcomes["cart"], Outcome::Succeeded(4));
//! # }
//! ```

mod ledger;
mod queue;
mod run;
mod threads;

pub use crate::queue::Queue;
pub use crate::run::{Event, Outcome, run};
pub use crate::threads::run_on_threads;

/// Its examples are tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

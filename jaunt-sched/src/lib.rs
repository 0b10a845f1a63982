//! A scheduler for the jobs of a dependency graph.
//!
//! [`run`] runs one job for each node of a [`Dag`](jaunt_dag::Dag), dependencies before dependents and
//! never more than a number of them at once. Among those that may start, the one with the longest
//! remaining path goes first. It does not know what a job does, how long it took, or who watches: a job
//! is a future, or an [`Answer`] that is at hand, and [`Event`]s go to one callback.
//!
//! Every node has exactly one [`Outcome`] in the end. A failure blocks what depends on it, and
//! nothing else. A [`Queue`], a plain value without a runtime, decides what may start.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! # use std::{convert::Infallible, future, num::NonZeroUsize, ops::ControlFlow, sync::Arc};
//! use jaunt_sched::{Event, Outcome, run};
//!
//! let dag = jaunt_dag::Dag::new([("cart", vec!["price"]), ("price", vec![])]).unwrap();
//! let job = |node: &&'static str| future::ready(Ok::<_, Infallible>(node.len()));
//! let jobs = NonZeroUsize::new(2).unwrap();
//! let on_event = |_event: Event<'_, _>| ControlFlow::Continue(());
//! let outcomes = run(Arc::new(dag), jobs, |_| 1, None, job, on_event, future::pending()).await;
//! assert_eq!(outcomes["cart"], Outcome::Succeeded(4));
//! # }
//! ```

mod event;
mod ledger;
mod outcome;
mod pool;
mod queue;
mod run;

pub use crate::event::Event;
pub use crate::outcome::Outcome;
pub use crate::pool::{Answer, Ask};
pub use crate::queue::Queue;
pub use crate::run::run;

/// Its examples are tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

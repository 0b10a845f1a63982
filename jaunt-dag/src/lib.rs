//! Dependency graphs that cannot contain a cycle.
//!
//! A [`Dag`] answers questions about a graph that does not change: in which order can its nodes
//! be built, what has to be rebuilt when some of them change, and how much work still waits
//! behind each of them. It does not know what a node is, and it does no I/O.
//!
//! Whoever holds a `Dag` holds a proof: [`Dag::new`] reports a [`Cycle`] instead of making one that
//! has any. For graphs that may have cycles, [`condense`] makes one unit of each strongly connected
//! component, and the units are a `Dag` again.
//!
//! Every answer is deterministic, takes linear time and no recursion, and may be asked of chains
//! and fans of a hundred thousand nodes.
//!
//! ```
//! use jaunt_dag::Dag;
//!
//! let dag = Dag::new([("cart", vec!["price"]), ("price", vec![])])?;
//!
//! assert_eq!(dag.order().collect::<Vec<_>>(), [&"price", &"cart"]);
//! assert!(Dag::new([("a", vec!["b"]), ("b", vec!["a"])]).is_err());
//! # Ok::<(), jaunt_dag::Cycle<&str>>(())
//! ```

mod condense;
mod cycle;
mod dag;
mod edges;
#[cfg(test)]
mod tests;

pub use crate::condense::{Condensed, condense, condense_pairs};
pub use crate::cycle::Cycle;
pub use crate::dag::Dag;

/// Its examples are tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

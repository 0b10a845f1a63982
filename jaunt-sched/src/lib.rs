//! A scheduler for the jobs of a dependency graph.

//! Dependency graphs that cannot contain a cycle.

//! The `jaunt` command.

fn main() {}

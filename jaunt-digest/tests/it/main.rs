//! Tests against data from outside: the vectors of the original, other parsers, Python itself.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod vectors;

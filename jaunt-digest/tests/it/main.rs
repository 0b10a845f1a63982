//! Tests against data from outside: the vectors of the original, Python itself, another parser.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod python;
mod second_parser;
mod stdlib;
mod vectors;

//! Tests against data from outside: the vectors of the original, other parsers, Python itself.

mod vectors;

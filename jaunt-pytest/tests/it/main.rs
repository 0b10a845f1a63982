//! Recorded output of pytest, and what becomes of it.
#![expect(clippy::disallowed_methods, reason = "tests read the data they work on")]

mod corpus;

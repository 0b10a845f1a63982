//! Runs of pytest, and exact results from them.

//! Any settings are read or refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| jaunt_cli::fuzzing::settings(text));

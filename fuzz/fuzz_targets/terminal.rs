//! Any text can be printed once it is cleaned.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| jaunt_cli::fuzzing::terminal(text));

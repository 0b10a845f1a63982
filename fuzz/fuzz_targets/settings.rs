//! Any settings are read, or refused with the name of their file.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| jaunt_engine::fuzzing::settings(text));

//! Any recording is read whole or refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| jaunt_backends::fuzzing::recording(text));

//! Any answer has its code in it.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| jaunt_backends::fuzzing::fence(text));

//! Any template is rendered or refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| jaunt_backends::fuzzing::template(text));

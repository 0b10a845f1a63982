//! Any text can be shown on a terminal once it is cleaned.
#![no_main]

use jaunt_text::{is_hostile, sanitize};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let clean = sanitize(text);
    assert!(!clean.contains(is_hostile), "{clean:?}");
    assert_eq!(sanitize(&clean), clean);
});

//! Any output and any report of pytest gives a result.
#![no_main]

use jaunt_pytest::TextOptions;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let result = jaunt_pytest::parse_text(bytes, &TextOptions { exit_code: Some(1) });
    assert!(!result.expect("bytes can be read").passed());
    jaunt_pytest::parse_junit(bytes).ok();
});

//! Any registry document is read or refused.
#![no_main]

use jaunt_digest::Registry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(err) = Registry::from_json(bytes) {
        assert!(!err.to_string().contains(char::is_control), "{err:?}");
    }
});

//! Any source has an outline or an error with a place.
#![no_main]

use jaunt_digest::Outline;
use jaunt_digest::Source;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(source) = Source::decode(bytes) else { return };
    match Outline::parse(&source) {
        Ok(outline) => {
            for definition in outline.definitions() {
                definition.segment();
                definition.api();
            }
        }
        Err(err) => assert!(err.line >= 1 && err.column >= 1, "{err}"),
    }
});

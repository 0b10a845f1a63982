//! Any source has an outline and digests, or an error with a place.
#![no_main]

use jaunt_digest::{Digest, Outline, Source, TopLevel};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(source) = Source::decode(bytes) else { return };
    let top_level = TopLevel::parse(source.text());
    match Outline::parse(&source) {
        Ok(outline) => {
            assert!(top_level.is_ok());
            for definition in outline.definitions() {
                let segment = definition.segment();
                assert_eq!(Digest::local(&segment, "{}"), Digest::local(&segment, "{}"));
                TopLevel::parse(&definition.api()).expect("an API is valid Python");
            }
        }
        Err(err) => {
            assert!(err.line >= 1 && err.column >= 1, "{err}");
            assert!(top_level.is_err());
        }
    }
});

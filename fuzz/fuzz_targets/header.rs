//! Any generated file is split without loss.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let (header, body) = jaunt_digest::split_generated(text);
    assert!(text.ends_with(body));
    if let Some(header) = header {
        header.spec_refs();
        header.body_digest();
        header.spec_local_digests();
        header.dependency_bodies();
        header.dependency_digests();
    }
});

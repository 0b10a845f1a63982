//! `jaunt.test/1`

use serde::Serialize;

use crate::build::BuildDocument;
use crate::pytest::PytestDocument;
use crate::schema;

/// `jaunt.test/1`: what became of product code, of tests, and what pytest said.
#[derive(Debug, Serialize)]
pub struct TestDocument {
    schema: &'static str,
    command: &'static str,
    ok: bool,
    exit_code: u8,
    /// `None` with `--no-build`.
    build: Option<BuildDocument>,
    /// `None` if the build failed.
    generation: Option<BuildDocument>,
    /// `None` if pytest was not run.
    pytest: Option<PytestDocument>,
    duration_ms: u64,
}

impl TestDocument {
    /// Puts the parts of a test run together. `duration_ms` is how long all of it took.
    pub fn new(
        build: Option<BuildDocument>,
        generation: Option<BuildDocument>,
        pytest: Option<PytestDocument>,
        exit_code: u8,
        duration_ms: u64,
    ) -> Self {
        let of_test = |part: Option<BuildDocument>| {
            part.map(|mut part| {
                part.command = "test";
                part
            })
        };
        Self {
            schema: schema::TEST,
            command: "test",
            ok: exit_code == 0,
            exit_code,
            build: of_test(build),
            generation: of_test(generation),
            pytest,
            duration_ms,
        }
    }
}

//! The tests that failed last time, one node id a line.

use camino::Utf8Path;
use jaunt_write::WriteError;

use crate::state::{self, FAILED_TESTS};

/// Returns the tests that failed in the last run of pytest.
pub(crate) fn load(root: &Utf8Path) -> Vec<String> {
    let text = state::read(root, FAILED_TESTS).and_then(|bytes| String::from_utf8(bytes).ok());
    text.unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Saves the tests that failed. A node id with a line feed in it is left out: the file could not say
/// where it ends.
pub(crate) fn save(root: &Utf8Path, tests: &[String]) -> Result<(), WriteError> {
    let tests = tests.iter().filter(|test| !test.contains(['\n', '\r']));
    let text: String = tests.map(|test| format!("{test}\n")).collect();
    let tree = state::engine_dir(root)?;
    if text.is_empty() {
        tree.remove(Utf8Path::new(FAILED_TESTS)).map(drop)
    } else {
        tree.write(Utf8Path::new(FAILED_TESTS), text.as_bytes())
    }
}

//! The engine's own folder, `.jaunt/engine/`, which may be deleted at any time.
//!
//! | file | holds | written by |
//! | --- | --- | --- |
//! | `lock` | the holder of the right to write into the project | `lock` |
//! | `registry.json`, `registry.key` | the last export, and what it was made from | `exporter::cache` |
//! | `fresh` | the files from which "everything is fresh" was computed | `fresh` |
//! | `parts.index`, `parts` | the project as an index, and the records that it points to | `fresh` |
//! | `unfinished` | what a run has to generate, and what it has generated | `journal` |
//! | `durations` | how long modules took | `durations` |
//! | `failed-tests.txt` | the tests that failed last | `failed_tests` |

pub(crate) mod durations;
pub(crate) mod failed_tests;
pub(crate) mod journal;
pub(crate) mod lock;

use camino::Utf8Path;
use jaunt_write::{Tree, WriteError};

/// Where the engine's own files are, below the project root.
pub(crate) const ENGINE_DIR: &str = ".jaunt/engine";

pub(crate) const LOCK: &str = "lock";
pub(crate) const EXPORT: &str = "registry.json";
pub(crate) const EXPORT_KEY: &str = "registry.key";
pub(crate) const FRESH: &str = "fresh";
pub(crate) const INDEX: &str = "parts.index";
pub(crate) const RECORDS: &str = "parts";
pub(crate) const JOURNAL: &str = "unfinished";
pub(crate) const DURATIONS: &str = "durations";
pub(crate) const FAILED_TESTS: &str = "failed-tests.txt";

/// Opens the engine's folder, which is made with a `.gitignore` of its own.
pub(crate) fn engine_dir(root: &Utf8Path) -> Result<Tree, WriteError> {
    Tree::create(root, Utf8Path::new(".jaunt"))?;
    let tree = Tree::create(root, Utf8Path::new(ENGINE_DIR))?;
    tree.create_new(Utf8Path::new(".gitignore"), b"*\n")?;
    Ok(tree)
}

/// Opens the engine's folder if there is one, for those who only read.
pub(crate) fn existing_engine_dir(root: &Utf8Path) -> Option<Tree> {
    // Whatever is wrong with it concerns those who write.
    Tree::open(root, Utf8Path::new(ENGINE_DIR)).ok().flatten()
}

/// Reads one of the files; `None` if there is none, or it cannot be read.
pub(crate) fn read(root: &Utf8Path, file: &str) -> Option<Vec<u8>> {
    existing_engine_dir(root)?.read(Utf8Path::new(file)).ok()?
}

/// Writes one of the files.
pub(crate) fn write(root: &Utf8Path, file: &str, bytes: &[u8]) -> Result<(), WriteError> {
    engine_dir(root)?.write(Utf8Path::new(file), bytes)
}

//! The files of a test project, named by their path from its root.
//!
//! Shared by the tests of several crates.

use std::fs;
use std::path::Path;

/// Writes a file, and makes the folders above it.
pub(crate) fn write(root: impl AsRef<Path>, path: &str, content: impl AsRef<[u8]>) {
    let path = root.as_ref().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Reads a file that is UTF-8.
#[track_caller]
pub(crate) fn read(root: impl AsRef<Path>, path: &str) -> String {
    fs::read_to_string(root.as_ref().join(path)).unwrap()
}

/// Replaces text in a file that has it.
#[track_caller]
pub(crate) fn edit(root: impl AsRef<Path>, path: &str, from: &str, to: &str) {
    let text = read(&root, path);
    assert!(text.contains(from), "`{path}` has no {from:?}:\n{text}");
    write(root, path, text.replace(from, to));
}

/// Copies a folder with everything in it but Python's caches.
pub(crate) fn copy(from: &Path, to: &Path) {
    let mut pending = vec![(from.to_owned(), to.to_owned())];
    while let Some((from, to)) = pending.pop() {
        fs::create_dir_all(&to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let copied = (entry.path(), to.join(entry.file_name()));
            if entry.file_name() == "__pycache__" {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                pending.push(copied);
            } else {
                fs::copy(copied.0, copied.1).unwrap();
            }
        }
    }
}

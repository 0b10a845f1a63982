//! Copies folders.

use std::fs;
use std::path::Path;

/// Copies a folder with everything in it, except for files and folders with these names.
pub(crate) fn copy(from: &Path, to: &Path, left_out: &[&str]) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if left_out.iter().any(|it| name == **it) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to.join(name), left_out)?;
        } else {
            fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}

//! `jaunt.clean/1`

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::schema;

/// `jaunt.clean/1`: what was removed, or would be.
#[derive(Debug, Serialize)]
pub struct CleanDocument {
    schema: &'static str,
    command: &'static str,
    ok: bool,
    exit_code: u8,
    dry_run: bool,
    removed: Vec<String>,
    would_remove: Vec<String>,
}

impl CleanDocument {
    /// Describes the removal of these files.
    pub fn new(paths: &[Utf8PathBuf], dry_run: bool) -> Self {
        let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
        let (removed, would_remove) =
            if dry_run { (Vec::new(), paths) } else { (paths, Vec::new()) };
        Self {
            schema: schema::CLEAN,
            command: "clean",
            ok: true,
            exit_code: 0,
            dry_run,
            removed,
            would_remove,
        }
    }
}

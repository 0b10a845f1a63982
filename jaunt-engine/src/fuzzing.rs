//! Readers of this crate, for the targets in `fuzz/`. Exists only for them: `--cfg fuzzing`.

use camino::Utf8Path;

use crate::config::{EngineConfig, JauntConfig};

/// Settings are read, or refused with a message that names the file.
///
/// # Panics
///
/// When that does not hold.
pub fn settings(text: &str) {
    let file = Utf8Path::new("some.toml");
    for result in
        [JauntConfig::parse(file, text).map(drop), EngineConfig::parse(file, text).map(drop)]
    {
        if let Err(err) = result {
            assert!(format!("{err:?}").contains("some.toml"), "{err:?}");
        }
    }
}

//! Readers of this crate, for the targets in `fuzz/`. Exists only for them: `--cfg fuzzing`.

use camino::Utf8Path;

use crate::config::{EngineConfig, JauntConfig};
use jaunt_text::sanitize;

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

/// What goes to the terminal stays as it is when it is cleaned again.
///
/// # Panics
///
/// When that does not hold.
pub fn terminal(text: &str) {
    let clean = sanitize(text);
    assert!(!clean.contains('\u{1b}'), "{clean:?}");
    assert_eq!(sanitize(&clean), clean);
}

//! What must hold of any answer, recording and template.

use jaunt_digest::Digest;

use crate::fence::strip_fence;
use crate::prompt::{Placeholder, Template};
use crate::store::Recording;

/// Checks that the code of an answer is a part of it.
///
/// # Panics
///
/// When that does not hold.
pub fn fence(answer: &str) {
    assert!(answer.contains(strip_fence(answer)));
}

/// Checks that what is read as a recording holds what it promises, and is written as it was read.
///
/// # Panics
///
/// When that does not hold.
pub fn recording(text: &str) {
    if let Ok(recording) = Recording::parse(text) {
        assert_eq!(Digest::of(&recording.source), recording.header.identity.source);
        let again = Recording::parse(&recording.to_string());
        assert_eq!(again.map(|it| it.source), Ok(recording.source));
    }
}

/// Checks that a template is rendered whatever it says, or its first unknown placeholder is named.
///
/// # Panics
///
/// When that does not hold.
pub fn template(text: &str) {
    match Template::parse(text) {
        Ok(template) => {
            let nothing = [(); Placeholder::ALL.len()].map(|()| String::new());
            assert!(template.render(&nothing).len() <= text.len());
        }
        Err(unknown) => {
            let line = text.split('\n').nth(unknown.line - 1).unwrap_or_default();
            assert!(line.contains(&unknown.placeholder), "{unknown:?}");
        }
    }
}

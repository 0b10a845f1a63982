//! A document as text.

use std::borrow::Cow;

use jaunt_text::escape_json;
use serde::Serialize;

/// Returns a document as text, with a line feed at its end.
///
/// Characters that could steer a terminal are escaped; the document is the same.
///
/// # Panics
///
/// If the document has a map whose keys are not text. None of this crate has.
pub fn render(document: &impl Serialize) -> String {
    let mut text =
        serde_json::to_string_pretty(document).expect("documents have only text for keys");
    text.push('\n');
    match escape_json(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(escaped) => escaped,
    }
}

#[cfg(test)]
mod tests {
    use jaunt_text::is_hostile;

    use super::*;

    #[test]
    fn a_document_is_the_same_without_characters_that_steer_a_terminal() {
        let text = "\u{1b}[31m \u{7f}\u{9b}2J \u{202e}\u{feff} \u{e0041} größer\n\"\\";
        let rendered = render(&[text]);
        assert!(!rendered.contains(is_hostile), "{rendered:?}");
        assert!(rendered.contains("größer"), "{rendered:?}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&rendered).unwrap(), [text]);
    }
}

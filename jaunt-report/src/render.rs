//! A document as text.

use std::fmt::Write as _;

use jaunt_text::is_hostile;
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
    if text.contains(is_hostile) { escaped(&text) } else { text }
}

/// JSON forbids only some of the characters that steer a terminal or the reader's eye. The others
/// can only be inside of texts, where an escape means the same.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if !is_hostile(c) || c == '\n' {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(escaped, "\\u{unit:04x}").expect("a text takes everything");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
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

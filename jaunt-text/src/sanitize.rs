//! Text made safe to print.

use std::borrow::Cow;

use crate::hostile::is_hostile;
use crate::sequence::sequence_len;

/// Removes everything from a text that a terminal or a reader's eye could be steered with.
///
/// Escape sequences (colors, cursor movements, titles, links) are removed whole. Every other
/// [hostile](is_hostile) character is shown as an escape such as `\u{7}`. CR LF becomes LF. What is
/// left can be printed, also twice: the function is idempotent. Text without such characters is
/// borrowed.
pub fn sanitize(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hostile) {
        return text.into();
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(is_hostile) {
        clean.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = sequence_len(rest);
        if length > 0 {
            rest = &rest[length..];
        } else if let Some(after) = rest.strip_prefix("\r\n") {
            clean.push('\n');
            rest = after;
        } else {
            let mut chars = rest.chars();
            clean.extend(chars.by_ref().take(1).flat_map(char::escape_unicode));
            rest = chars.as_str();
        }
    }
    clean.push_str(rest);
    clean.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_text_is_left_alone() {
        for text in ["", "a\tb\n", "größer 名前 🎉", "\\u{1b}[31m"] {
            assert!(matches!(sanitize(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn escape_sequences_are_removed_whole() {
        for hostile in [
            "\u{1b}[31m",
            "\u{1b}[38;2;1;2;3m",
            "\u{1b}[2J",
            "\u{1b}[?1049h",
            "\u{9b}1;1H",
            "\u{1b}]0;title\u{7}",
            "\u{1b}]8;;https://example.org\u{1b}\\",
            "\u{1b}P1;2|data\u{1b}\\",
            "\u{9d}0;title\u{9c}",
            "\u{1b}(B",
            "\u{1b}=",
            "\u{1b}c",
            "\u{1b}M",
        ] {
            assert_eq!(sanitize(&format!("a{hostile}b")), "ab", "{hostile:?}");
        }
    }

    #[test]
    fn what_is_no_whole_sequence_is_shown() {
        for (hostile, shown) in [
            ("\u{1b}", "\\u{1b}"),
            ("\u{1b}[31", "\\u{1b}[31"),
            ("\u{1b}[3\u{7}m", "\\u{1b}[3\\u{7}m"),
            ("\u{1b}]0;title\nnext", "\\u{1b}]0;title\nnext"),
            ("\u{1b}]0;title", "\\u{1b}]0;title"),
            ("\u{1b}\u{1b}[1m", "\\u{1b}"),
            ("\u{0}\u{7}\u{8}\u{7f}\u{85}", "\\u{0}\\u{7}\\u{8}\\u{7f}\\u{85}"),
            ("a\r\nb\rc", "a\nb\\u{d}c"),
            ("\u{202e}txt\u{2066}\u{200b}", "\\u{202e}txt\\u{2066}\\u{200b}"),
        ] {
            assert_eq!(sanitize(hostile), shown, "{hostile:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_hostile_is_left(text in "(\\PC|\\p{C}|\u{1b}\\[|\u{1b}\\]|[0-9;m\\\\]){0,40}") {
            let clean = sanitize(&text);
            prop_assert!(!clean.contains(is_hostile), "{clean:?}");
            prop_assert_eq!(sanitize(&clean), &*clean);
        }
    }
}

//! Escape sequences of terminals.

use std::borrow::Cow;

const ESCAPE: char = '\u{1b}';

/// Removes the escape sequences that begin with ESC, and every other ESC. All other text stays.
///
/// For text that is read by a program. To print it, [`sanitize`](crate::sanitize) it.
pub fn strip_escapes(text: &str) -> Cow<'_, str> {
    if !text.contains(ESCAPE) {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(ESCAPE) {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = &rest[sequence_len(rest).max(ESCAPE.len_utf8())..];
    }
    plain.push_str(rest);
    plain.into()
}

/// Returns the length in bytes of the whole escape sequence (ECMA-48) at the start of a text, or 0.
///
/// By hand: `anstyle-parse` reads a stream of bytes, drops what it cannot complete, and knows no C1
/// controls in UTF-8. Here a sequence that is not whole is text, which has to be shown.
pub(crate) fn sequence_len(text: &str) -> usize {
    let mut chars = text.char_indices();
    let introducer = match chars.next() {
        Some((_, ESCAPE)) => match chars.next() {
            // The 7-bit form of a C1 control: ESC and a character 0x40 below it.
            Some((_, c @ '@'..='_')) => char::from(c as u8 + 0x40),
            // ESC, intermediates, and one final character: character sets, keypad modes.
            Some((_, ' '..='/')) => {
                let last = chars.find(|(_, c)| !matches!(c, ' '..='/'));
                return last.filter(|(_, c)| matches!(c, '0'..='~')).map_or(0, |(at, _)| at + 1);
            }
            Some((at, '0'..='?' | '`'..='~')) => return at + 1,
            _ => return 0,
        },
        Some((_, c)) => c,
        None => return 0,
    };
    match introducer {
        // CSI: parameters, intermediates, one final character.
        '\u{9b}' => {
            let last = chars.find(|(_, c)| !matches!(c, ' '..='?'));
            last.filter(|(_, c)| matches!(c, '@'..='~')).map_or(0, |(at, _)| at + 1)
        }
        // OSC, DCS, SOS, PM, APC: everything up to the string terminator or BEL, on one line.
        '\u{9d}' | '\u{90}' | '\u{98}' | '\u{9e}' | '\u{9f}' => {
            while let Some((at, c)) = chars.next() {
                match c {
                    '\u{7}' => return at + 1,
                    '\u{9c}' => return at + c.len_utf8(),
                    '\u{1b}' => {
                        return chars
                            .next()
                            .filter(|(_, c)| *c == '\\')
                            .map_or(0, |(at, _)| at + 1);
                    }
                    '\n' => return 0,
                    _ => {}
                }
            }
            0
        }
        // A single C1 control in its 7-bit form has no further parts.
        _ if text.starts_with(ESCAPE) => 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_are_not_text() {
        let colored = "\u{1b}[1m\u{1b}[31mFAILED\u{1b}[0m a\u{1b}]0;title\u{7}b\u{1b}[2K\u{1b}";
        assert_eq!(strip_escapes(colored), "FAILED ab");
        assert_eq!(strip_escapes("a\u{1b}[3"), "a[3");
        assert!(matches!(strip_escapes("größer\u{7}"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn no_escape_is_left(text in "(\\PC|\u{1b}|\u{1b}\\[|\u{1b}\\]|[0-9;m\\\\\u{7}\n]){0,40}") {
            let plain = strip_escapes(&text);
            prop_assert!(!plain.contains(ESCAPE), "{plain:?}");
            prop_assert_eq!(strip_escapes(&plain), &*plain);
        }
    }
}

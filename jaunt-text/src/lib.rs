//! Text from outside, made fit for a terminal.

use std::borrow::Cow;

/// Takes out of a text everything that a terminal or a reader's eye could be steered with.
///
/// Escape sequences (colors, cursor movements, titles, links) are removed whole. Every other
/// control character but line feed and tab, and the characters that reorder or hide text
/// (Unicode's bidirectional and zero-width controls), are shown as escapes such as `\u{7}`. CR LF
/// becomes LF. What is left can be printed, also twice: the function is idempotent.
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

/// The last lines of a program's output that have something on them, at most `count`, each cut
/// to `width` characters, as a person would have seen them.
///
/// A carriage return starts a line over, so of a progress bar its last state is left.
pub fn last_lines(text: &str, count: usize, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = text
        .lines()
        .rev()
        .map(|line| line.trim_end_matches('\r').rsplit('\r').next().unwrap_or(line))
        .map(|line| sanitize(line).trim_end().to_owned())
        .filter(|line| !line.is_empty())
        .take(count)
        .map(|line| cut(line, width))
        .collect();
    lines.reverse();
    lines
}

/// The text up to `width` characters, with `…` in place of the last one if there are more.
fn cut(mut line: String, width: usize) -> String {
    if let Some((at, _)) = line.char_indices().nth(width) {
        let before = line[..at].char_indices().next_back().map_or(0, |(last, _)| last);
        line.truncate(before);
        line.push('…');
    }
    line
}

/// Whether a terminal or a reader's eye could be steered with this character.
pub fn is_hostile(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        _ if c.is_control() => true,
        // Marks, embeddings, overrides and isolates of the bidirectional algorithm, zero-width
        // characters, line and paragraph separators, the byte order mark.
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' => true,
        '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' => true,
        // Tags: invisible, and read by language models.
        '\u{e0000}'..='\u{e007f}' => true,
        _ => false,
    }
}

/// The length in bytes of the escape sequence (ECMA-48) at the start of a text, or 0.
fn sequence_len(text: &str) -> usize {
    let mut chars = text.char_indices();
    let introducer = match chars.next() {
        Some((_, '\u{1b}')) => match chars.next() {
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
        _ if text.starts_with('\u{1b}') => 2,
        _ => 0,
    }
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

    #[test]
    fn the_last_lines_are_what_a_person_saw() {
        let log = "one\n\n 10%\r 50%\r100%\n\u{1b}[1mtwo\u{1b}[0m  \r\n\n";
        assert_eq!(last_lines(log, 2, 80), ["100%", "two"]);
        assert_eq!(last_lines(log, 9, 80), ["one", "100%", "two"]);
        assert_eq!(last_lines("größer", 1, 3), ["gr…"]);
        assert_eq!(last_lines("größer", 1, 6), ["größer"]);
        assert!(last_lines(" \n\t\n", 5, 80).is_empty());
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

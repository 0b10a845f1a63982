//! Texts as Python's `str` methods see them, and as messages show them.

use std::borrow::Cow;

use jaunt_text::is_hostile;
use unicode_normalization::UnicodeNormalization as _;

/// The byte order mark that a UTF-8 file may begin with.
pub(crate) const BOM: char = '\u{feff}';

/// Removes one byte order mark from the start of a text.
pub fn strip_bom(text: &str) -> &str {
    text.strip_prefix(BOM).unwrap_or(text)
}

/// Checks whether `str.isspace` holds in Python.
///
/// Unicode's `White_Space` lacks the four separators U+001C to U+001F, which Python counts too.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Splits the first line off a text, as Python's `str.splitlines` sees lines.
///
/// Returns the line without its end, the end, and the rest.
pub(crate) fn split_line(text: &str) -> (&str, &str, &str) {
    let ends = |c| {
        matches!(
            c,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'
                ..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    // Line ends beyond ASCII begin with 0xc2 or 0xe2.
    let may_end = |byte: &u8| *byte < b' ' || matches!(byte, 0xc2 | 0xe2);
    let mut from = 0;
    let (at, end) = loop {
        let Some(found) = position(&text.as_bytes()[from..], may_end) else {
            return (text, "", "");
        };
        let c = text[from + found..].chars().next().expect("a character begins there");
        if ends(c) {
            break (from + found, c);
        }
        from += found + c.len_utf8();
    };
    let length = if text[at..].starts_with("\r\n") { 2 } else { end.len_utf8() };
    (&text[..at], &text[at..at + length], &text[at + length..])
}

/// Finds the first byte that satisfies a predicate, in blocks that the compiler vectorizes.
fn position(bytes: &[u8], is_it: impl Fn(&u8) -> bool) -> Option<usize> {
    const BLOCK: usize = 64;
    let is_in = |block: &[u8]| block.iter().fold(false, |is_in, byte| is_in | is_it(byte));
    let skipped = bytes.chunks(BLOCK).take_while(|block| !is_in(block)).count() * BLOCK;
    let rest = bytes.get(skipped..)?;
    rest.iter().position(is_it).map(|at| skipped + at)
}

/// Replaces CR LF, and then every lone CR, by LF.
pub(crate) fn universal_newlines(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\r', text.as_bytes()).is_some() {
        text.replace("\r\n", "\n").replace('\r', "\n").into()
    } else {
        text.into()
    }
}

/// Removes trailing blanks from every line, as scheme 1 does before hashing.
pub(crate) fn trim_line_ends(text: &str) -> Cow<'_, str> {
    // Nearly always there are none, and the compiler vectorizes this check. Characters beyond ASCII may
    // be blanks too.
    let may_be_blank = |byte: u8| byte <= b' ' && byte != b'\n' || !byte.is_ascii();
    let bytes = text.as_bytes();
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    let may_trim = pairs
        .fold(false, |may_trim, (byte, next)| may_trim | (may_be_blank(*byte) & (*next == b'\n')));
    if !may_trim && !bytes.last().is_some_and(|last| may_be_blank(*last)) {
        return text.into();
    }
    let mut trimmed = String::with_capacity(text.len());
    for (idx, line) in text.split('\n').enumerate() {
        if idx > 0 {
            trimmed.push('\n');
        }
        trimmed.push_str(line.trim_end_matches(is_space));
    }
    trimmed.into()
}

/// Checks whether `str.isidentifier` holds in Python; keywords are identifiers too.
pub(crate) fn is_identifier(text: &str) -> bool {
    if text.is_ascii() {
        let is_word = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
        let starts = text.as_bytes().first().is_some_and(|first| !first.is_ascii_digit());
        return starts && text.bytes().all(is_word);
    }
    let mut chars = text.chars();
    chars.next().is_some_and(|first| first == '_' || unicode_ident::is_xid_start(first))
        && chars.all(unicode_ident::is_xid_continue)
}

/// Returns an identifier in the form in which Python compares it.
pub(crate) fn nfkc(name: &str) -> Cow<'_, str> {
    if name.is_ascii() { name.into() } else { name.nfkc().collect::<String>().into() }
}

/// Shortens foreign text to one line that is safe to print.
///
/// Control characters and hostile ones (see [`jaunt_text::is_hostile`]) become escapes such as
/// `\u{7}`. Of a text longer than 100 characters the rest becomes an ellipsis. The function is
/// idempotent.
pub(crate) fn excerpt(text: &str) -> String {
    const MAX_CHARS: usize = 100;
    let (mut excerpt, mut n_chars) = (String::new(), 0);
    for c in text.chars() {
        let is_escaped = c.is_control() || is_hostile(c);
        n_chars += if is_escaped { c.escape_unicode().len() } else { 1 };
        if n_chars > MAX_CHARS {
            excerpt.push('…');
            break;
        } else if is_escaped {
            excerpt.extend(c.escape_unicode());
        } else {
            excerpt.push(c);
        }
    }
    excerpt
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn blanks_are_those_of_python() {
        // [c for c in range(0x110000) if chr(c).isspace()]
        let blanks: Vec<u32> = ('\0'..=char::MAX).filter(|c| is_space(*c)).map(u32::from).collect();
        let expected = [0x9..=0xd, 0x1c..=0x20, 0x85..=0x85, 0xa0..=0xa0, 0x1680..=0x1680]
            .into_iter()
            .chain([0x2000..=0x200a, 0x2028..=0x2029, 0x202f..=0x202f])
            .chain([0x205f..=0x205f, 0x3000..=0x3000])
            .flatten();
        assert_eq!(blanks, expected.collect::<Vec<u32>>());
    }

    #[test]
    fn lines_end_as_in_python() {
        let ends = "\n \r \r\n \u{b} \u{c} \u{1c} \u{1d} \u{1e} \u{85} \u{2028} \u{2029}";
        for end in ends.split(' ') {
            assert_eq!(split_line(&format!("a{end}b")), ("a", end, "b"), "{end:?}");
        }
        assert_eq!(split_line("a\u{1f}b\tc"), ("a\u{1f}b\tc", "", ""));
        assert_eq!(split_line("\n\r"), ("", "\n", "\r"));
    }

    #[test]
    fn identifiers_are_those_of_python() {
        for good in ["a", "_", "_1", "class", "é", "名前", "𝓍", "a·b", "ℼ"] {
            assert!(is_identifier(good), "{good}");
        }
        for bad in ["", "1", "a b", "a-b", "a.b", "·a", "a\u{0}", "<locals>", "😀"] {
            assert!(!is_identifier(bad), "{bad}");
        }
    }

    #[test]
    fn messages_show_foreign_text_in_one_short_line() {
        assert_eq!(excerpt("été `x` 'y' \"z\" \\"), "été `x` 'y' \"z\" \\");
        assert_eq!(excerpt("a\n\t\u{1b}[2J\u{202e}b"), "a\\u{a}\\u{9}\\u{1b}[2J\\u{202e}b");
        assert_eq!(excerpt("a\u{200b}\u{feff}\u{e0041}"), "a\\u{200b}\\u{feff}\\u{e0041}");
        assert_eq!(excerpt(&"é".repeat(101)), "é".repeat(100) + "…");
        assert_eq!(excerpt(&"\0".repeat(100)), "\\u{0}".repeat(20) + "…");
    }

    #[test]
    fn one_byte_order_mark_is_stripped() {
        assert_eq!(strip_bom("\u{feff}\u{feff}x"), "\u{feff}x");
        assert_eq!(strip_bom("x\u{feff}"), "x\u{feff}");
    }

    proptest! {
        #[test]
        fn an_excerpt_is_safe_and_its_own_excerpt(text in "(\\PC|\\p{C}|[\n\t…]){0,120}") {
            let once = excerpt(&text);
            prop_assert!(!once.contains(|c: char| c.is_control() || is_hostile(c)), "{once:?}");
            prop_assert_eq!(excerpt(&once), once);
        }
    }
}

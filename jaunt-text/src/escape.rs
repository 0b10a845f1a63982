//! Text of which nothing is removed: what is hostile is escaped.

use std::borrow::Cow;
use std::fmt::{self, Display, Write as _};

use crate::hostile::is_hostile;

/// Shows a name or a path on one line: hostile characters, line feeds and tabs become escapes such
/// as `\u{a}`.
pub fn escaped(name: &str) -> impl Display + '_ {
    fmt::from_fn(move |f| {
        let mut rest = name;
        while let Some(at) = rest.find(|c| is_hostile(c) || matches!(c, '\n' | '\t')) {
            f.write_str(&rest[..at])?;
            let mut chars = rest[at..].chars();
            if let Some(c) = chars.next() {
                write!(f, "{}", c.escape_unicode())?;
            }
            rest = chars.as_str();
        }
        f.write_str(rest)
    })
}

/// Escapes the hostile characters of a JSON document, which stays the same document.
///
/// JSON forbids only some of them. The others can only be inside of strings, where an escape means
/// the same. A document without any is borrowed.
pub fn escape_json(json: &str) -> Cow<'_, str> {
    if !json.contains(is_hostile) {
        return json.into();
    }
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if !is_hostile(c) {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(escaped, "\\u{unit:04x}").expect("a string takes everything");
        }
    }
    escaped.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_stays_on_its_line() {
        assert_eq!(escaped("größer.py").to_string(), "größer.py");
        assert_eq!(
            escaped("a\nb\t\u{1b}[31m\u{206a}\u{61c}").to_string(),
            "a\\u{a}b\\u{9}\\u{1b}[31m\\u{206a}\\u{61c}"
        );
    }

    #[test]
    fn json_is_escaped_as_json_does_it() {
        assert_eq!(escape_json("[\n\t\"é\"]"), "[\n\t\"é\"]");
        assert_eq!(escape_json("[\"\u{7f}\u{e0041}\"]"), "[\"\\u007f\\udb40\\udc41\"]");
    }

    proptest! {
        #[test]
        fn nothing_hostile_is_left(text in "(\\PC|\\p{C}){0,40}") {
            let name = escaped(&text).to_string();
            prop_assert!(!name.contains(|c| is_hostile(c) || c == '\n' || c == '\t'), "{name:?}");
            prop_assert_eq!(escaped(&name).to_string(), &*name);
            prop_assert!(!escape_json(&text).contains(is_hostile));
        }
    }
}

//! Fast path: the keyword text of an object that is nearly canonical already.

use super::refs::REF_ARGUMENTS;
use crate::json::{Cursor, is_unescaped_ascii};
use crate::name::is_ref;

/// Returns the keyword text of an object whose keys are sorted, strings plain ASCII, numbers integers,
/// and refs well-formed.
///
/// Nearly all objects are so, and one pass takes a fraction of the time. Any other gives `None`.
pub(super) fn keyword_text(object: &str) -> Option<String> {
    let cursor = Cursor { text: object, at: 0 };
    let mut copier = Copier { cursor, out: String::with_capacity(object.len()) };
    let mut last = None;
    copier.joined([b'{', b'}'], |copier| {
        let key = copier.string()?;
        if last.replace(key).is_some_and(|last| key <= last) {
            return None;
        }
        copier.cursor.take(b':')?;
        copier.out.push(':');
        if REF_ARGUMENTS.contains(&key) { copier.refs() } else { copier.value() }
    })?;
    copier.cursor.peek().is_none().then_some(copier.out)
}

/// Copies plain JSON without its blanks. Every method returns `None` if the JSON is not plain.
struct Copier<'a> {
    cursor: Cursor<'a>,
    out: String,
}

impl<'a> Copier<'a> {
    /// Copies items in brackets, separated by commas.
    fn joined(
        &mut self,
        [open, close]: [u8; 2],
        mut item: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.cursor.take(open)?;
        self.out.push(char::from(open));
        let mut is_first = true;
        while self.cursor.take(close).is_none() {
            if !is_first {
                self.cursor.take(b',')?;
                self.out.push(',');
            }
            is_first = false;
            item(self)?;
        }
        self.out.push(char::from(close));
        Some(())
    }

    /// Copies a string, and returns the text between its quotes.
    fn string(&mut self) -> Option<&'a str> {
        self.cursor.take(b'"')?;
        let rest = self.cursor.rest();
        let text = &rest[..rest.bytes().position(|byte| !is_unescaped_ascii(byte))?];
        self.cursor.at += text.len();
        self.cursor.take(b'"')?;
        self.out.push('"');
        self.out.push_str(text);
        self.out.push('"');
        Some(text)
    }

    /// Copies a list of refs, and sorts it.
    fn refs(&mut self) -> Option<()> {
        let start = self.out.len();
        let mut refs = Vec::new();
        self.joined([b'[', b']'], |copier| {
            refs.push(copier.string()?);
            refs.last().is_some_and(|text| is_ref(text)).then_some(())
        })?;
        if !refs.is_sorted() {
            refs.sort_unstable();
            self.out.truncate(start);
            self.out.push_str("[\"");
            self.out.push_str(&refs.join("\",\""));
            self.out.push_str("\"]");
        }
        Some(())
    }

    /// Copies a string, an integer, `true`, `false` or `null`.
    fn value(&mut self) -> Option<()> {
        if self.cursor.peek()? == b'"' {
            return self.string().map(|_| ());
        }
        let rest = self.cursor.rest();
        let token = &rest[..rest.find([',', '}', ']', ' ', '\n', '\t', '\r'])?];
        let is_plain = match token.as_bytes() {
            b"true" | b"false" | b"null" | b"0" => true,
            [b'1'..=b'9', digits @ ..] | [b'-', b'1'..=b'9', digits @ ..] => {
                digits.iter().all(u8::is_ascii_digit)
            }
            _ => false,
        };
        self.cursor.at += token.len();
        self.out.push_str(Some(token).filter(|_| is_plain)?);
        Some(())
    }
}

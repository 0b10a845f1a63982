//! The text of a Python source file.

use std::sync::Arc;

use crate::text::{strip_bom, universal_newlines};

/// The text of a Python source file, decoded as scheme 1 reads it.
///
/// Lines end with LF, and there is no byte order mark in front. A clone is cheap.
///
/// ```
/// let source = jaunt_digest::Source::decode(b"\xef\xbb\xbfx = 1\r\n")?;
/// assert_eq!(source.text(), "x = 1\n");
/// # Ok::<(), jaunt_digest::SourceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source(Arc<str>);

impl Source {
    /// Decodes the bytes of a file.
    ///
    /// CR LF and lone CR become LF. One byte order mark is removed. A coding cookie has no effect.
    ///
    /// # Errors
    ///
    /// If the bytes are not valid UTF-8.
    pub fn decode(bytes: &[u8]) -> Result<Self, SourceError> {
        let text =
            str::from_utf8(bytes).map_err(|err| SourceError { valid_up_to: err.valid_up_to() })?;
        Ok(Self::new(text))
    }

    /// Takes a text that is decoded already; line ends and byte order mark are treated alike.
    pub fn new(text: &str) -> Self {
        Self(universal_newlines(strip_bom(text)).into())
    }

    /// Returns the decoded text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Returns the text without copying it.
    pub(crate) fn share(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

/// A source file that is not UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not valid UTF-8 at byte {valid_up_to}")]
pub struct SourceError {
    valid_up_to: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_become_line_feeds_and_nothing_else_does() {
        let source = Source::decode(b"a\r\nb\rc\n\x0b\x0c\xc2\x85\r\r\n").unwrap();
        assert_eq!(source.text(), "a\nb\nc\n\u{b}\u{c}\u{85}\n\n");
    }

    #[test]
    fn one_byte_order_mark_is_removed() {
        assert_eq!(Source::decode(b"\xef\xbb\xbfx").unwrap().text(), "x");
        assert_eq!(Source::new("\u{feff}\u{feff}x").text(), "\u{feff}x");
    }

    #[test]
    fn anything_but_strict_utf_8_is_rejected() {
        for (bytes, at) in [(&b"ab\xe9"[..], 2), (b"\xed\xa0\x80", 0), (b"\xc0\xaf", 0)] {
            let err = Source::decode(bytes).unwrap_err();
            assert_eq!(err.to_string(), format!("not valid UTF-8 at byte {at}"));
        }
    }
}

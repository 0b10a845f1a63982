//! Step by step through a JSON text.

use serde::Deserialize;

/// A position in a JSON text.
pub(crate) struct Cursor<'a> {
    pub(crate) text: &'a str,
    /// The position, in bytes.
    pub(crate) at: usize,
}

impl<'a> Cursor<'a> {
    /// Returns the text after the position.
    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Skips white space.
    pub(crate) fn skip_blanks(&mut self) {
        let rest = self.rest().bytes();
        self.at += rest.take_while(|it| matches!(it, b' ' | b'\n' | b'\t' | b'\r')).count();
    }

    /// Skips white space and returns the next byte.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        self.skip_blanks();
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips white space and one byte, which must be this one.
    pub(crate) fn take(&mut self, byte: u8) -> Option<()> {
        if self.peek()? == byte {
            self.at += 1;
            return Some(());
        }
        None
    }

    /// Reads a value and skips it.
    pub(crate) fn value<T: Deserialize<'a>>(&mut self) -> Option<T> {
        let mut values = serde_json::Deserializer::from_str(self.rest()).into_iter();
        let value = values.next()?.ok()?;
        self.at += values.byte_offset();
        Some(value)
    }
}

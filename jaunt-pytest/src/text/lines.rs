//! Lines of a log: any bytes, any length, bounded memory.

use std::io::{self, BufRead, BufReader, Read};

use jaunt_text::strip_escapes;

/// How much of a line is looked at. No line that means something is longer, except for messages,
/// which may be cut.
const LONGEST: usize = 1 << 16;

/// One line, without its end.
#[derive(Debug)]
pub(super) struct Line {
    /// The text as it is, invalid UTF-8 replaced.
    pub(super) raw: String,
    /// The text as a terminal shows it: without escape sequences.
    pub(super) plain: String,
}

/// The lines of a log.
pub(super) struct Lines<'a> {
    reader: Box<dyn BufRead + 'a>,
    buffer: Vec<u8>,
}

impl<'a> Lines<'a> {
    /// Looks at the first bytes: a Python that was told to write UTF-16 begins with a mark.
    pub(super) fn new(mut reader: impl BufRead + 'a) -> io::Result<Self> {
        let reader: Box<dyn BufRead + 'a> = match reader.fill_buf()? {
            [0xff, 0xfe, ..] => Box::new(BufReader::new(Utf16::new(reader, u16::from_le_bytes))),
            [0xfe, 0xff, ..] => Box::new(BufReader::new(Utf16::new(reader, u16::from_be_bytes))),
            _ => Box::new(reader),
        };
        Ok(Self { reader, buffer: Vec::new() })
    }

    /// Returns the next line, and whether an end of line came after it.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        self.buffer.clear();
        let mut is_empty = true;
        loop {
            let available = match self.reader.fill_buf() {
                Ok(available) => available,
                Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
                Err(err) => return Err(err),
            };
            if available.is_empty() {
                return Ok((!is_empty).then(|| self.line()));
            }
            is_empty = false;
            let end = available.iter().position(|&byte| byte == b'\n');
            let piece = &available[..end.unwrap_or(available.len())];
            let room = LONGEST.saturating_sub(self.buffer.len());
            self.buffer.extend_from_slice(&piece[..piece.len().min(room)]);
            let n_used = piece.len() + usize::from(end.is_some());
            self.reader.consume(n_used);
            if end.is_some() {
                return Ok(Some(self.line()));
            }
        }
    }

    fn line(&self) -> Line {
        let bytes = self.buffer.strip_suffix(b"\r").unwrap_or(&self.buffer);
        let raw = String::from_utf8_lossy(bytes).into_owned();
        let plain = strip_escapes(&raw).into_owned();
        Line { raw, plain }
    }
}

/// UTF-16 made UTF-8, as it is read.
struct Utf16<R> {
    reader: R,
    unit: fn([u8; 2]) -> u16,
    /// The first half of a surrogate pair.
    high: Option<u16>,
    decoded: Vec<u8>,
    position: usize,
}

impl<R: BufRead> Utf16<R> {
    fn new(reader: R, unit: fn([u8; 2]) -> u16) -> Self {
        Self { reader, unit, high: None, decoded: Vec::new(), position: 0 }
    }

    fn decode_more(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        self.reader.by_ref().take(1 << 13).read_to_end(&mut bytes)?;
        let units = bytes.chunks_exact(2).map(|pair| (self.unit)([pair[0], pair[1]]));
        let mut units: Vec<u16> = self.high.take().into_iter().chain(units).collect();
        if units.len() > 1 && units.last().is_some_and(|unit| matches!(unit, 0xd800..=0xdbff)) {
            self.high = units.pop();
        }
        self.decoded.clear();
        self.position = 0;
        for c in char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)) {
            // Every writer of the same file puts its own mark first.
            if c != '\u{feff}' {
                self.decoded.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.position == self.decoded.len() {
            if self.reader.fill_buf()?.is_empty() {
                return Ok(0);
            }
            self.decode_more()?;
        }
        let ready = &self.decoded[self.position..];
        let n_copied = ready.len().min(buffer.len());
        buffer[..n_copied].copy_from_slice(&ready[..n_copied]);
        self.position += n_copied;
        Ok(n_copied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<String> {
        let mut lines = Lines::new(bytes).unwrap();
        std::iter::from_fn(|| lines.next().unwrap()).map(|line| line.plain).collect()
    }

    #[test]
    fn lines_end_at_line_feeds_and_nowhere_else() {
        assert_eq!(lines(b"one\r\ntwo\rstill two\n\nfour"), ["one", "two\rstill two", "", "four"]);
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_replaced() {
        assert_eq!(lines(b"caf\xe9\n"), ["caf\u{fffd}"]);
    }

    #[test]
    fn utf_16_is_recognized_by_its_mark() {
        let text = "collected 2 items\n\u{1f600} passed";
        let utf_16 = |unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
            "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(unit).collect()
        };
        let expected: Vec<&str> = text.lines().collect();
        assert_eq!(lines(&utf_16(u16::to_le_bytes)), expected);
        assert_eq!(lines(&utf_16(u16::to_be_bytes)), expected);
    }

    #[test]
    fn long_utf_16_keeps_its_surrogate_pairs() {
        for n_before in 0..4 {
            let text = format!("{}{}", "x".repeat(n_before), "\u{1f600}".repeat(10_000));
            let bytes: Vec<u8> = "\u{feff}"
                .encode_utf16()
                .chain(text.encode_utf16())
                .flat_map(u16::to_le_bytes)
                .collect();
            assert_eq!(lines(&bytes), [text]);
        }
    }

    #[test]
    fn a_line_without_end_does_not_fill_the_memory() {
        let long = vec![b'x'; 3 * LONGEST];
        assert_eq!(lines(&long)[0].len(), LONGEST);
    }
}

//! Bounded memory for unbounded output.

use std::collections::VecDeque;

/// The beginning and the end of a stream of bytes.
#[derive(Debug)]
pub(crate) struct Excerpt {
    half: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    n_omitted: u64,
}

impl Excerpt {
    /// Keeps at most `limit` bytes: half of them from the beginning, half from the end.
    pub(crate) fn new(limit: usize) -> Self {
        Self { half: limit / 2, head: Vec::new(), tail: VecDeque::new(), n_omitted: 0 }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let (first, rest) = bytes.split_at(bytes.len().min(self.half - self.head.len()));
        self.head.extend_from_slice(first);
        // Of a long piece only the end can stay.
        let (gone, last) = rest.split_at(rest.len().saturating_sub(self.half));
        self.n_omitted += gone.len() as u64;
        let n_pushed_out = (self.tail.len() + last.len()).saturating_sub(self.half);
        self.tail.drain(..n_pushed_out);
        self.n_omitted += n_pushed_out as u64;
        self.tail.extend(last);
    }

    /// Returns what was kept, with a word about what was not; invalid UTF-8 is replaced.
    pub(crate) fn into_text(self) -> String {
        let Self { head, tail, n_omitted, .. } = self;
        let tail: Vec<u8> = tail.into();
        if n_omitted == 0 {
            return String::from_utf8_lossy(&[head, tail].concat()).into_owned();
        }
        format!(
            "{}\n[... {n_omitted} bytes left out ...]\n{}",
            String::from_utf8_lossy(&head),
            String::from_utf8_lossy(&tail),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(limit: usize, pieces: &[&str]) -> String {
        let mut excerpt = Excerpt::new(limit);
        for piece in pieces {
            excerpt.push(piece.as_bytes());
        }
        excerpt.into_text()
    }

    #[test]
    fn what_fits_is_kept_as_it_is() {
        assert_eq!(excerpt(8, &["ab", "", "cdef", "gh"]), "abcdefgh");
    }

    #[test]
    fn what_does_not_fit_goes_from_the_middle() {
        let cut = "abc\n[... 4 bytes left out ...]\nhij";
        assert_eq!(excerpt(6, &["abcdefghij"]), cut);
        assert_eq!(excerpt(6, &["a", "bcd", "e", "fghi", "j"]), cut);
    }

    #[test]
    fn a_limit_of_nothing_keeps_nothing() {
        assert_eq!(excerpt(0, &["abc"]), "\n[... 3 bytes left out ...]\n");
    }
}

//! What goes into a child.

use tokio::io::{AsyncWrite, AsyncWriteExt as _};

/// The bytes that a child still gets on its standard input.
#[derive(Debug)]
pub(crate) struct Feed<'a, W> {
    pipe: Option<W>,
    rest: &'a [u8],
}

impl<'a, W: AsyncWrite + Unpin> Feed<'a, W> {
    /// Writes `bytes` to `pipe`, which is `None` if there is nothing to write.
    pub(crate) fn new(pipe: Option<W>, bytes: &'a [u8]) -> Self {
        Self { pipe, rest: bytes }
    }

    /// Returns whether there is more to write.
    pub(crate) fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    /// Writes once, and closes the pipe after the last byte or when the child has closed its end.
    pub(crate) async fn write(&mut self) {
        let Some(pipe) = &mut self.pipe else { return };
        match pipe.write(self.rest).await {
            Ok(n_written) if n_written < self.rest.len() && n_written > 0 => {
                self.rest = &self.rest[n_written..];
            }
            // Done, or nobody reads: a child may close its standard input as soon as it likes.
            Ok(_) | Err(_) => self.pipe = None,
        }
    }
}

//! Output that is kept in memory.

use std::io;
use std::os::fd::AsFd;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// No pipe of Linux holds more, unless root says so.
const PIPE: usize = 1024 * 1024;

/// Which part of a stream is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// All of it. When that is more than the limit, it is not read any further.
    All,
    /// Its end, of at most the limit.
    End,
}

/// What came out of one stream of a child.
#[derive(Debug)]
pub(crate) struct Capture<R> {
    pipe: Option<R>,
    chunk: Vec<u8>,
    bytes: Vec<u8>,
    keep: Keep,
    limit: usize,
    is_over: bool,
}

impl<R: AsyncRead + AsFd + Unpin> Capture<R> {
    /// Keeps at most `limit` bytes.
    pub(crate) fn new(pipe: Option<R>, keep: Keep, limit: usize) -> Self {
        Self { pipe, chunk: vec![0; CHUNK], bytes: Vec::new(), keep, limit, is_over: false }
    }

    /// Returns whether there can be more to read.
    pub(crate) fn is_open(&self) -> bool {
        self.pipe.is_some() && !self.is_over
    }

    /// Returns whether a stream that is kept whole had more than the limit.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Reads once, when there is something to read. Closes the pipe at its end.
    pub(crate) async fn read(&mut self) {
        let Some(pipe) = &mut self.pipe else { return };
        let read = pipe.read(&mut self.chunk).await;
        self.add(read);
    }

    /// Reads what is there, without waiting, and closes the pipe.
    pub(crate) fn drain(&mut self) {
        for _ in 0..=PIPE / CHUNK {
            if self.is_over {
                break;
            }
            // Reads the descriptor itself, which tokio has made non-blocking: the runtime may not
            // have noticed yet what the child wrote last.
            let Some(pipe) = &self.pipe else { return };
            match rustix::io::read(pipe.as_fd(), &mut *self.chunk) {
                Err(rustix::io::Errno::INTR) => {}
                read => self.add(read.map_err(io::Error::from)),
            }
        }
        self.pipe = None;
    }

    /// Returns what has been kept.
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        self.trim();
        self.bytes
    }

    fn add(&mut self, read: io::Result<usize>) {
        let n_read = read.unwrap_or(0);
        if n_read == 0 {
            self.pipe = None;
            return;
        }
        self.bytes.extend_from_slice(&self.chunk[..n_read]);
        match self.keep {
            Keep::All if self.bytes.len() > self.limit => {
                // The pipe stays open, so that a child that is about to be killed does not complain
                // of a broken one.
                self.is_over = true;
                self.bytes = Vec::new();
            }
            // In large steps, so that each byte is moved about once.
            Keep::End if self.bytes.len() > 2 * self.limit.max(CHUNK) => self.trim(),
            Keep::All | Keep::End => {}
        }
    }

    fn trim(&mut self) {
        self.bytes.drain(..self.bytes.len().saturating_sub(self.limit));
    }
}

//! The three pipes of a child.

use std::io;
use std::os::fd::AsFd;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Bytes that are moved at once.
const CHUNK: usize = 64 * 1024;

/// No pipe of Linux holds more, unless root says so.
const PIPE: usize = 1024 * 1024;

/// What goes into a child's standard input.
pub(crate) struct Feed<'a, W> {
    pipe: Option<W>,
    rest: &'a [u8],
}

impl<'a, W: AsyncWrite + Unpin> Feed<'a, W> {
    pub(crate) fn new(pipe: Option<W>, bytes: &'a [u8]) -> Self {
        // Without anything to write, the pipe is closed here and now.
        Self { pipe: pipe.filter(|_| !bytes.is_empty()), rest: bytes }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    /// Writes once, and closes the pipe after the last byte or when the child has closed its end.
    pub(crate) async fn write(&mut self) {
        let Some(pipe) = &mut self.pipe else { return };
        match pipe.write(self.rest).await {
            Ok(written) if written < self.rest.len() && written > 0 => {
                self.rest = &self.rest[written..];
            }
            // Done, or nobody reads: a child that closes its standard input knows enough.
            Ok(_) | Err(_) => self.pipe = None,
        }
    }
}

/// Which part of a stream is worth its memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// All of it; when that is more than the limit, it is not read any further.
    Whole,
    /// Its end, of at most the limit.
    End,
}

/// What came out of a child's standard output or error.
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

    /// Whether there can be more to read.
    pub(crate) fn is_open(&self) -> bool {
        self.pipe.is_some() && !self.is_over
    }

    /// Whether there was more than there may be of a whole stream.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Reads once, when there is something to read; closes the pipe at its end.
    pub(crate) async fn read(&mut self) {
        let Some(pipe) = &mut self.pipe else { return };
        let read = pipe.read(&mut self.chunk).await;
        self.take(read);
    }

    /// Reads what is there, without waiting, and closes the pipe.
    pub(crate) fn drain(&mut self) {
        for _ in 0..=PIPE / CHUNK {
            if self.is_over {
                break;
            }
            // The descriptor itself is asked, which tokio has made non-blocking: the runtime may
            // not have heard yet of what the child wrote last.
            let Some(pipe) = &self.pipe else { return };
            match rustix::io::read(pipe.as_fd(), &mut *self.chunk) {
                Err(rustix::io::Errno::INTR) => {}
                read => self.take(read.map_err(io::Error::from)),
            }
        }
        self.pipe = None;
    }

    /// What has been kept.
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        self.trim();
        self.bytes
    }

    fn take(&mut self, read: io::Result<usize>) {
        let read = read.unwrap_or(0);
        if read == 0 {
            self.pipe = None;
            return;
        }
        self.bytes.extend_from_slice(&self.chunk[..read]);
        match self.keep {
            Keep::Whole if self.bytes.len() > self.limit => {
                // The pipe stays open: a child that is about to be killed need not complain of it.
                self.is_over = true;
                self.bytes = Vec::new();
            }
            // In large steps, so that each byte is moved about once.
            Keep::End if self.bytes.len() > 2 * self.limit.max(CHUNK) => self.trim(),
            Keep::Whole | Keep::End => {}
        }
    }

    fn trim(&mut self) {
        self.bytes.drain(..self.bytes.len().saturating_sub(self.limit));
    }
}

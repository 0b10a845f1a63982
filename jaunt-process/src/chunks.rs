//! Output that is passed on in pieces.

use std::io::{self, PipeReader, PipeWriter, Read as _};

use rustix::fs::{OFlags, fcntl_setfl};
use tokio::time::{Duration, Instant};

/// Bytes that are read at once.
const CHUNK: usize = 1 << 16;

/// The most bytes that are taken from a pipe in one poll. Signals and limits are looked at between
/// polls.
const MAX_PER_POLL: usize = 1 << 20;

/// How long the rest of the output may take after the child has ended. It is in the pipe already,
/// unless a process that was left running goes on writing.
const DRAIN: Duration = Duration::from_millis(500);

/// The read end of one stream, which is polled and never wakes us.
#[derive(Debug)]
pub(crate) struct Chunks {
    /// `None` once the stream has ended.
    reader: Option<PipeReader>,
    buffer: Vec<u8>,
}

impl Chunks {
    /// Makes a pipe, and returns it with the end to write to.
    pub(crate) fn new() -> io::Result<(Self, PipeWriter)> {
        let (reader, writer) = io::pipe()?;
        fcntl_setfl(&reader, OFlags::NONBLOCK)?;
        Ok((Self { reader: Some(reader), buffer: vec![0; CHUNK] }, writer))
    }

    /// Passes on what is there, without waiting, and returns how many bytes it was.
    pub(crate) fn poll(&mut self, mut on_chunk: impl FnMut(&[u8])) -> usize {
        let mut n_bytes = 0;
        while n_bytes < MAX_PER_POLL
            && let Some(reader) = &mut self.reader
        {
            match reader.read(&mut self.buffer) {
                Ok(0) => self.reader = None,
                Ok(n_read) => {
                    n_bytes += n_read;
                    on_chunk(&self.buffer[..n_read]);
                }
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => self.reader = None,
            }
        }
        n_bytes
    }

    /// Passes on the rest of the output of a child that has ended.
    pub(crate) fn drain(&mut self, mut on_chunk: impl FnMut(&[u8])) {
        let end = Instant::now() + DRAIN;
        while self.poll(&mut on_chunk) > 0 && Instant::now() < end {}
    }
}

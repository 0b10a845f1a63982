//! What comes out of a child.

use std::fmt;
use std::os::fd::AsFd;

use tokio::io::AsyncRead;

use crate::capture::{Capture, Keep};
use crate::chunks::Chunks;
use crate::invocation::Redirect;

/// One of the two streams that a process writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl fmt::Display for OutputStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stdout => "standard output",
            Self::Stderr => "standard error",
        })
    }
}

/// Our end of one stream of a child.
#[derive(Debug)]
pub(crate) enum OutputPipe<R> {
    /// We have none.
    Elsewhere,
    /// It wakes us whenever there is something to read.
    Capture(Capture<R>),
    /// It is polled.
    Chunks(Chunks),
}

impl<R: AsyncRead + AsFd + Unpin> OutputPipe<R> {
    /// Reads a stream as `redirect` says. `captured` is the pipe of a captured one.
    pub(crate) fn new(redirect: Redirect, captured: Option<R>, chunks: Option<Chunks>) -> Self {
        match (redirect, chunks) {
            (_, Some(chunks)) => Self::Chunks(chunks),
            (Redirect::CaptureAll { limit }, None) => {
                Self::Capture(Capture::new(captured, Keep::All, limit))
            }
            (Redirect::CaptureEnd { limit }, None) => {
                Self::Capture(Capture::new(captured, Keep::End, limit))
            }
            (Redirect::Inherit | Redirect::ToStderr | Redirect::Stream, None) => Self::Elsewhere,
        }
    }

    /// Returns whether [`read`](Self::read) may have something to read.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Capture(capture) if capture.is_open())
    }

    /// Returns whether a stream that is captured whole had more than its limit.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self, Self::Capture(capture) if capture.is_over())
    }

    /// Returns whether the stream has to be polled.
    pub(crate) fn is_polled(&self) -> bool {
        matches!(self, Self::Chunks(_))
    }

    /// Reads a captured stream once, when there is something to read.
    pub(crate) async fn read(&mut self) {
        if let Self::Capture(capture) = self {
            capture.read().await;
        }
    }

    /// Passes on what is there of a polled stream, and returns how many bytes it was.
    pub(crate) fn poll(&mut self, on_chunk: impl FnMut(&[u8])) -> usize {
        match self {
            Self::Chunks(chunks) => chunks.poll(on_chunk),
            Self::Elsewhere | Self::Capture(_) => 0,
        }
    }

    /// Reads what the child has left in the pipe.
    pub(crate) fn drain(&mut self, on_chunk: impl FnMut(&[u8])) {
        match self {
            Self::Chunks(chunks) => chunks.drain(on_chunk),
            Self::Capture(capture) => capture.drain(),
            Self::Elsewhere => {}
        }
    }

    /// Returns what has been captured.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Capture(capture) => capture.into_bytes(),
            Self::Elsewhere | Self::Chunks(_) => Vec::new(),
        }
    }
}

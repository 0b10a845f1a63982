//! The event file, read while it grows.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::PathBuf;

use crate::error::PytestError;

/// The longest record there can be; the plugin cuts its texts to far less.
const LONGEST: usize = 64 << 20;

/// How much is read at once.
const CHUNK: usize = 1 << 16;

/// The read end of the event file.
///
/// Only whole lines come out. A line that is still being written, or was torn by a crash, stays
/// inside.
#[derive(Debug)]
pub(crate) struct Tail {
    path: PathBuf,
    position: u64,
    partial: Vec<u8>,
}

impl Tail {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, position: 0, partial: Vec::new() }
    }

    /// Gives every line that was completed since the last time, without its end.
    ///
    /// The file is opened anew each time: the plugin makes it when it has something to say.
    pub(crate) fn read(&mut self, mut line: impl FnMut(&[u8])) -> Result<(), PytestError> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(err) if err.kind() == ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(self.error(source)),
        };
        file.seek(SeekFrom::Start(self.position)).map_err(|source| self.error(source))?;
        let mut chunk = vec![0; CHUNK];
        loop {
            let n_read = match file.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(n_read) => n_read,
                Err(err) if err.kind() == ErrorKind::Interrupted => continue,
                Err(source) => return Err(self.error(source)),
            };
            self.position += n_read as u64;
            for piece in chunk[..n_read].split_inclusive(|&byte| byte == b'\n') {
                if self.partial.len() < LONGEST {
                    self.partial.extend_from_slice(piece);
                }
                if piece.ends_with(b"\n") {
                    line(&self.partial[..self.partial.len() - 1]);
                    self.partial.clear();
                }
            }
        }
    }

    fn error(&self, source: std::io::Error) -> PytestError {
        PytestError::Channel { action: "read", path: self.path.clone(), source }
    }
}

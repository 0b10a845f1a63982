//! Files that are read as far as they are needed.

use std::fs;
use std::io::{self, Read as _};

use camino::Utf8Path;

use crate::store::error::StoreError;
use crate::store::recording::{MAX_FILE, RecordingFault};

/// Returns the content of the recording at `place`, which messages call `path`. `None` if there is
/// none.
pub(crate) fn read(place: &Utf8Path, path: &Utf8Path) -> Result<Option<Vec<u8>>, StoreError> {
    match read_start(place, path, MAX_FILE + 1)? {
        Some(bytes) if bytes.len() as u64 > MAX_FILE => {
            Err(StoreError::Refused { path: path.to_owned(), fault: RecordingFault::TooLarge })
        }
        content => Ok(content),
    }
}

/// Returns the first bytes of the regular file at `place`, which messages call `path`. `None` if
/// there is no file.
pub(crate) fn read_start(
    place: &Utf8Path,
    path: &Utf8Path,
    limit: u64,
) -> Result<Option<Vec<u8>>, StoreError> {
    let failed = |source| StoreError::Io { action: "read", path: path.to_owned(), source };
    // Before it is opened: opening a FIFO waits for a writer.
    let meta = match fs::metadata(place) {
        Ok(meta) if meta.is_file() => meta,
        Ok(_) => {
            return Err(StoreError::Refused {
                path: path.to_owned(),
                fault: RecordingFault::NotAFile,
            });
        }
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(failed(err)),
    };
    // One byte more than the file has, so that finding its end needs no more room.
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len().min(limit)).unwrap_or(0) + 1);
    let file = fs::File::open(place).map_err(failed)?;
    file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(bytes))
}

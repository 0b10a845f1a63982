//! Files that are read through links: sources, and what else the user's word leads to.

use std::fs::File;
use std::io::{self, Read as _};

use camino::Utf8Path;

use crate::stamp::{Found, Stamp};
use crate::sys;

/// Returns the stamp of a file, through links; [`Stamp::NONE`] if there is no regular file.
pub fn stamp_of(path: &Utf8Path) -> Stamp {
    #[cfg(feature = "counting")]
    crate::counting::look();
    match sys::stat(path) {
        Found::File(stamp) => stamp,
        Found::Directory(_) | Found::Other => Stamp::NONE,
    }
}

/// Reads the content of a file, through links, in place of what is in `bytes`, and returns the
/// stamp that it had before.
///
/// Nothing but a regular file is read: a pipe does not block, and a device is not read for ever.
///
/// # Errors
///
/// Fails if the file cannot be opened or read, with [`io::ErrorKind::InvalidInput`] if it is not a
/// regular file.
pub fn read_file(path: &Utf8Path, bytes: &mut Vec<u8>) -> io::Result<Stamp> {
    read_opened(&sys::open(path)?, bytes)
}

/// Reads the content of a file that was just opened.
pub(crate) fn read_opened(mut file: &File, bytes: &mut Vec<u8>) -> io::Result<Stamp> {
    #[cfg(feature = "counting")]
    crate::counting::read();
    let Found::File(stamp) = sys::stat_opened(file)? else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    };
    bytes.clear();
    // With room to spare, the end is found without asking again how long the file is.
    bytes.reserve(usize::try_from(stamp.size).unwrap_or(0).min(1 << 20) + 64);
    // Through `Take`, which does not ask for the length either.
    file.by_ref().take(u64::MAX).read_to_end(bytes)?;
    Ok(stamp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    #[test]
    fn a_file_is_read_through_links_and_nothing_else_is() {
        let world = World::new(
            "
            p/file = content
            p/link -> file
            p/pipe |
            p/dir/
            p/dangling -> nowhere
            ",
        );
        let mut bytes = b"what was here before".to_vec();
        for name in ["p/file", "p/link"] {
            let stamp = read_file(&world.path(name), &mut bytes).unwrap();
            assert_eq!(bytes, b"content");
            assert_eq!((stamp, stamp.size()), (stamp_of(&world.path("p/file")), 7));
        }
        for (name, kind) in [
            ("p/pipe", io::ErrorKind::InvalidInput),
            ("p/dir", io::ErrorKind::InvalidInput),
            ("p/dangling", io::ErrorKind::NotFound),
        ] {
            assert_eq!(
                read_file(&world.path(name), &mut bytes).unwrap_err().kind(),
                kind,
                "{name}"
            );
            assert_eq!(stamp_of(&world.path(name)), Stamp::NONE, "{name}");
        }
        assert_eq!(bytes, b"content");
    }
}

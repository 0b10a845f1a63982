//! An open directory whose files are looked at one after another.

use std::io;

use camino::Utf8Path;
use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::error::{Attempt, WriteError, step};
use crate::stamp::{Found, Stamp};
use crate::{dir, file, path, sys};

/// An open directory, to look at many files in it at the price of one way down.
///
/// It serves those who look at thousands of files and only want to know what they are: a call for
/// each, or two to read it. Its errors are the system's; [`Tree::read`](crate::Tree::read) has
/// better ones.
#[derive(Debug)]
pub struct Folder {
    dir: Dir,
    links: Links,
}

/// What becomes of links to files in a [`Folder`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Links {
    Followed,
    Refused,
}

impl Folder {
    /// Opens a directory through links, and follows those that are in it.
    ///
    /// # Errors
    ///
    /// Fails if there is no such directory, or it cannot be opened.
    pub fn open(path: &Utf8Path) -> io::Result<Self> {
        let dir = Dir::open_ambient_dir(path, ambient_authority())?;
        Ok(Self { dir, links: Links::Followed })
    }

    /// Opens a directory below a root without following a link, and follows none of those that are
    /// in it; returns `None` if it does not exist.
    ///
    /// The root itself may be reached through links.
    ///
    /// # Errors
    ///
    /// As [`Tree::open`](crate::Tree::open).
    pub fn open_below(root: &Utf8Path, path: &Utf8Path) -> Result<Option<Self>, WriteError> {
        let attempt = Attempt { action: "open", path };
        path::check("open", root, path)?;
        let root_dir = step("open", || Dir::open_ambient_dir(root, ambient_authority()))
            .map_err(|err| attempt.failed(root, err))?;
        let dir = dir::open(attempt, &root_dir, path)?;
        Ok(dir.map(|dir| Self { dir, links: Links::Refused }))
    }

    /// Returns the stamp of the directory itself, which changes when a name in it appears, goes or
    /// stands for something else; `None` if the system does not say.
    pub fn stamp(&self) -> Option<Stamp> {
        #[cfg(feature = "counting")]
        crate::counting::look();
        match sys::stat_dir(&self.dir) {
            Found::Directory(stamp) => Some(stamp),
            Found::File(_) | Found::Other => None,
        }
    }

    /// Returns the stamp of a file in the directory; `None` if the name does not stand for a
    /// regular file, or the system does not say.
    pub fn stamp_of(&self, name: &str) -> Option<Stamp> {
        #[cfg(feature = "counting")]
        crate::counting::look();
        match sys::stat_in(&self.dir, name, self.links == Links::Followed) {
            Found::File(stamp) => Some(stamp),
            Found::Directory(_) | Found::Other => None,
        }
    }

    /// Reads the content of a file in the directory in place of what is in `bytes`, and returns the
    /// stamp that it had before.
    ///
    /// What is not a regular file may be opened, which does not block, but it is not read.
    ///
    /// # Errors
    ///
    /// As [`read_file`](crate::read_file); a link that is not followed is an error of any kind but
    /// [`io::ErrorKind::NotFound`].
    pub fn read(&self, name: &str, bytes: &mut Vec<u8>) -> io::Result<Stamp> {
        file::read_opened(&sys::open_in(&self.dir, name, self.links == Links::Followed)?, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, both_ways};

    const LINES: &str = "
        p/g/sub/file = content
        p/g/sub/link -> file
        p/g/sub/dangling -> nowhere
        p/g/sub/pipe |
        p/g/sub/dir/
        p/g/up -> sub
        p/g/out -> out
    ";

    #[test]
    fn below_a_root_no_link_is_followed() {
        both_ways(|| {
            let world = World::new(LINES);
            let open = |path: &str| Folder::open_below(&world.root(), path.into());
            let folder = open("g/sub").unwrap().unwrap();
            let mut bytes = Vec::new();
            let stamp = folder.read("file", &mut bytes).unwrap();
            assert_eq!((bytes.as_slice(), Some(stamp)), (&b"content"[..], folder.stamp_of("file")));
            for name in ["link", "dangling", "pipe", "dir", "missing"] {
                assert_eq!(folder.stamp_of(name), None, "{name}");
                let err = folder.read(name, &mut bytes).unwrap_err();
                assert_eq!(err.kind() == io::ErrorKind::NotFound, name == "missing", "{name}");
            }
            assert!(open("g/missing").unwrap().is_none());
            for path in ["g/up", "g/out", "g/out/sub", "g/sub/file", "g/../g", "/", ""] {
                assert!(open(path).unwrap_err().is_refusal(), "{path}");
            }
        });
    }

    #[test]
    fn a_folder_of_the_user_may_have_links() {
        let world = World::new(LINES);
        let folder = Folder::open(&world.path("p/g/up")).unwrap();
        let mut bytes = Vec::new();
        let stamp = folder.read("link", &mut bytes).unwrap();
        assert_eq!((bytes.as_slice(), Some(stamp)), (&b"content"[..], folder.stamp_of("link")));
        assert_eq!(folder.stamp_of("dangling"), None);
        assert!(Folder::open(&world.path("p/missing")).is_err());
    }

    #[test]
    fn a_folder_changes_with_the_names_in_it() {
        let world = World::new(LINES);
        let folder = Folder::open_below(&world.root(), "g/sub".into()).unwrap().unwrap();
        let before = folder.stamp().unwrap();
        assert_eq!(folder.stamp(), Some(before));
        // Another name is another size or time, unless the clock stood still.
        while folder.stamp() == Some(before) {
            world.add("p/g/sub/new = x");
            world.remove("p/g/sub/new");
        }
    }
}

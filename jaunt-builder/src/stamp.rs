//! What a file system says of a file without reading it.

use std::fs::File;
use std::io::{self, Read as _};

use camino::Utf8Path;

/// Nanoseconds since 1970.
pub type Time = i64;

/// A second, for file systems that count in nothing smaller.
const SECOND: Time = 1_000_000_000;

/// Size, times and identity of a file. A file that was written to, replaced or renamed has another
/// one, unless all of it happened within one tick of the file system's clock.
///
/// The time of the last change (`ctime`) cannot be set by programs, so that a file whose time of
/// modification was put back is noticed too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp {
    size: u64,
    modified: Time,
    changed: Time,
    /// The number of the file, mixed with that of its device.
    inode: u64,
}

impl Stamp {
    /// A stamp that no file has, for what must be read whatever it looks like.
    pub(crate) const NONE: Self = Self { size: 0, modified: 0, changed: 0, inode: 0 };

    pub(crate) const LEN: usize = 32;

    /// This stamp, if whatever happened to the file after `time` gave it another one.
    ///
    /// A file that was modified at the very time when it was read may have been modified again
    /// since without any trace.
    pub(crate) fn settled_before(self, time: Time) -> Self {
        let latest = self.modified.max(self.changed);
        let is_coarse = self.modified % SECOND == 0 && self.changed % SECOND == 0;
        let tick = if is_coarse { 2 * SECOND } else { 0 };
        if latest.saturating_add(tick) < time { self } else { Self::NONE }
    }

    pub(crate) fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..8].copy_from_slice(&self.size.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.modified.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.changed.to_le_bytes());
        bytes[24..].copy_from_slice(&self.inode.to_le_bytes());
        bytes
    }
}

/// What stands in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A regular file.
    File(Stamp),
    /// A directory.
    Directory(Stamp),
    /// Nothing, or something else.
    Other,
}

/// The stamp of an open file.
pub(crate) fn of_file(file: &File) -> io::Result<Found> {
    #[cfg(test)]
    counting::read();
    sys::of_file(file)
}

/// Opens whatever stands at a path, through links, and says what it is. A pipe does not block.
pub(crate) fn open(path: &Utf8Path) -> io::Result<(File, Found)> {
    let file = sys::open(path)?;
    let found = of_file(&file)?;
    Ok((file, found))
}

/// Reads the content of a file that was opened just now, in place of what is in `bytes`.
pub(crate) fn read(file: &File, stamp: Stamp, bytes: &mut Vec<u8>) -> io::Result<()> {
    bytes.clear();
    // With room to spare, its end is found without asking again how long it is.
    bytes.reserve(usize::try_from(stamp.size).unwrap_or(0).min(1 << 20) + 64);
    file.take(u64::MAX).read_to_end(bytes)?;
    Ok(())
}

/// What stands at a path; a link is not followed.
pub(crate) fn at(path: &Utf8Path) -> Found {
    #[cfg(test)]
    counting::stat();
    sys::at(path)
}

/// An open directory, to look at many files in it.
#[derive(Debug)]
pub(crate) struct Folder(sys::Folder);

impl Folder {
    /// Opens a directory, through links where there are some.
    pub(crate) fn open(root: &Utf8Path, path: &Utf8Path) -> io::Result<Self> {
        sys::Folder::open(root, path).map(Self)
    }

    /// Opens a directory; a link below the root is an error.
    pub(crate) fn open_without_links(root: &Utf8Path, path: &Utf8Path) -> io::Result<Self> {
        sys::Folder::open_without_links(root, path).map(Self)
    }

    /// The directory itself.
    pub(crate) fn itself(&self) -> Found {
        #[cfg(test)]
        counting::stat();
        self.0.itself()
    }

    /// What a name in the directory stands for.
    pub(crate) fn look(&self, name: &str, follow: bool) -> Found {
        #[cfg(test)]
        counting::stat();
        self.0.look(name, follow)
    }

    /// Opens whatever a name in the directory stands for, unless it is a link, and says what it is. A
    /// pipe does not block.
    pub(crate) fn open_file(&self, name: &str) -> io::Result<(File, Found)> {
        let file = self.0.open_file(name)?;
        #[cfg(test)]
        counting::stat();
        let found = of_file(&file)?;
        Ok((file, found))
    }
}

/// Counts what one thread asks of the file system. What is small is not shared among threads.
#[cfg(test)]
pub(crate) mod counting {
    use std::cell::Cell;

    thread_local! {
        static STATS: Cell<usize> = const { Cell::new(0) };
        static READS: Cell<usize> = const { Cell::new(0) };
    }

    pub(crate) fn stat() {
        STATS.set(STATS.get() + 1);
    }

    pub(crate) fn read() {
        READS.set(READS.get() + 1);
    }

    /// How many files were looked at, and how many were read, since this was asked last.
    pub(crate) fn take() -> (usize, usize) {
        (STATS.take(), READS.take())
    }
}

#[cfg(unix)]
mod sys {
    use std::fs::File;
    use std::io;
    use std::os::fd::OwnedFd;

    use camino::Utf8Path;
    use rustix::fs::AtFlags;
    use rustix::fs::FileType;
    use rustix::fs::Mode;
    use rustix::fs::OFlags;
    use rustix::fs::Stat;

    use super::Found;
    use super::Stamp;

    const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

    /// For files, whatever they turn out to be.
    const PLAIN: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

    pub(super) fn of_file(file: &File) -> io::Result<Found> {
        Ok(found(&rustix::fs::fstat(file)?))
    }

    pub(super) fn open(path: &Utf8Path) -> io::Result<File> {
        Ok(rustix::fs::open(path.as_str(), PLAIN, Mode::empty())?.into())
    }

    pub(super) fn at(path: &Utf8Path) -> Found {
        rustix::fs::lstat(path.as_str()).map_or(Found::Other, |stat| found(&stat))
    }

    // The types of the fields differ between systems.
    fn found(stat: &Stat) -> Found {
        let time = |seconds: i128, nanos: i128| {
            i64::try_from(seconds * 1_000_000_000 + nanos).unwrap_or(i64::MAX)
        };
        let stamp = Stamp {
            size: u64::try_from(i128::from(stat.st_size)).unwrap_or(u64::MAX),
            modified: time(stat.st_mtime.into(), stat.st_mtime_nsec.into()),
            changed: time(stat.st_ctime.into(), stat.st_ctime_nsec.into()),
            inode: (i128::from(stat.st_ino) ^ (i128::from(stat.st_dev) << 40)) as u64,
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Found::File(stamp),
            FileType::Directory => Found::Directory(stamp),
            _ => Found::Other,
        }
    }

    #[derive(Debug)]
    pub(super) struct Folder(OwnedFd);

    impl Folder {
        pub(super) fn open(root: &Utf8Path, path: &Utf8Path) -> io::Result<Self> {
            let path = root.join(path);
            Ok(Self(rustix::fs::open(path.as_str(), DIRECTORY, Mode::empty())?))
        }

        pub(super) fn open_without_links(root: &Utf8Path, path: &Utf8Path) -> io::Result<Self> {
            let mut dir = rustix::fs::open(root.as_str(), DIRECTORY, Mode::empty())?;
            #[cfg(target_os = "linux")]
            {
                use rustix::fs::ResolveFlags;
                let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
                let opened =
                    rustix::fs::openat2(&dir, path.as_str(), DIRECTORY, Mode::empty(), resolve);
                // Older kernels and some sandboxes have no such call.
                if let Ok(opened) = opened {
                    return Ok(Self(opened));
                }
            }
            for part in path.components() {
                let flags = DIRECTORY | OFlags::NOFOLLOW;
                dir = rustix::fs::openat(&dir, part.as_str(), flags, Mode::empty())?;
            }
            Ok(Self(dir))
        }

        pub(super) fn itself(&self) -> Found {
            rustix::fs::fstat(&self.0).map_or(Found::Other, |stat| found(&stat))
        }

        pub(super) fn look(&self, name: &str, follow: bool) -> Found {
            let flags = if follow { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW };
            rustix::fs::statat(&self.0, name, flags).map_or(Found::Other, |stat| found(&stat))
        }

        pub(super) fn open_file(&self, name: &str) -> io::Result<File> {
            let flags = PLAIN | OFlags::NOFOLLOW;
            Ok(rustix::fs::openat(&self.0, name, flags, Mode::empty())?.into())
        }
    }
}

/// Without these calls every file is read every time.
#[cfg(not(unix))]
mod sys {
    use std::fs::File;
    use std::io;

    use camino::Utf8Path;

    use super::Found;
    use super::Stamp;

    pub(super) fn open(path: &Utf8Path) -> io::Result<File> {
        File::open(path)
    }

    /// It has no stamp, but whether it is a file can be told.
    pub(super) fn of_file(file: &File) -> io::Result<Found> {
        Ok(if file.metadata()?.is_file() { Found::File(Stamp::NONE) } else { Found::Other })
    }

    pub(super) fn at(_path: &Utf8Path) -> Found {
        Found::Other
    }

    #[derive(Debug)]
    pub(super) struct Folder;

    impl Folder {
        pub(super) fn open(_root: &Utf8Path, _path: &Utf8Path) -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(super) fn open_without_links(_root: &Utf8Path, _path: &Utf8Path) -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(super) fn itself(&self) -> Found {
            Found::Other
        }

        pub(super) fn look(&self, _name: &str, _follow: bool) -> Found {
            Found::Other
        }

        pub(super) fn open_file(&self, _name: &str) -> io::Result<File> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }
}

//! What differs between operating systems.

use std::io;

use camino::Utf8Path;
use cap_std::fs::{Dir, File, Metadata, OpenOptions};

/// Opens a directory below `start` in one system call that follows no link on the way.
///
/// # Errors
///
/// After any error the caller has to walk part by part: older kernels and some sandboxes have no such
/// call, and its errors do not say which part of the path they are about.
#[cfg(target_os = "linux")]
pub(crate) fn open_below(start: &Dir, path: &Utf8Path) -> io::Result<Dir> {
    use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};

    #[cfg(test)]
    if crate::testing::is_walking() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let fd = openat2(start, path.as_str(), flags, Mode::empty(), resolve)?;
    Ok(Dir::from_std_file(fd.into()))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn open_below(_start: &Dir, _path: &Utf8Path) -> io::Result<Dir> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Returns a handle of the same directory that can be listed and synced, not only passed through.
#[cfg(unix)]
pub(crate) fn readable(dir: &Dir) -> io::Result<Dir> {
    use rustix::fs::{Mode, OFlags, openat};

    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(Dir::from_std_file(openat(dir, c".", flags, Mode::empty())?.into()))
}

#[cfg(not(unix))]
pub(crate) fn readable(dir: &Dir) -> io::Result<Dir> {
    dir.try_clone()
}

/// Syncs a [`readable`] directory, so that the names in it survive a power cut.
#[cfg(unix)]
pub(crate) fn sync_dir(dir: &Dir) -> io::Result<()> {
    use rustix::io::{Errno, retry_on_intr};

    match retry_on_intr(|| rustix::fs::fsync(dir)) {
        // Some network file systems cannot sync a directory. Nothing better can be done there.
        Ok(()) | Err(Errno::INVAL | Errno::NOTSUP) => Ok(()),
        Err(err) => Err(err.into()),
    }
}

#[cfg(not(unix))]
pub(crate) fn sync_dir(_dir: &Dir) -> io::Result<()> {
    Ok(())
}

/// Renames within a directory, and fails if the new name is taken.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(crate) fn rename_new(dir: &Dir, from: &str, to: &str) -> io::Result<()> {
    use rustix::fs::{RenameFlags, renameat_with};
    use rustix::io::Errno;

    match renameat_with(dir, from, dir, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => link_new(dir, from, to),
        result => Ok(result?),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(crate) fn rename_new(dir: &Dir, from: &str, to: &str) -> io::Result<()> {
    link_new(dir, from, to)
}

/// Does the same with a second name, which never replaces anything, for file systems that have no such
/// rename.
fn link_new(dir: &Dir, from: &str, to: &str) -> io::Result<()> {
    dir.hard_link(from, dir, to)?;
    dir.remove_file(from).ok();
    Ok(())
}

/// Makes a new file with at most the permissions of the file it will replace.
#[cfg(unix)]
pub(crate) fn create_like(options: &mut OpenOptions, old: Option<&Metadata>) {
    use cap_std::fs::OpenOptionsExt;

    options.mode(old.map_or(0o666, permission_bits));
}

#[cfg(not(unix))]
pub(crate) fn create_like(_options: &mut OpenOptions, _old: Option<&Metadata>) {}

/// Gives a new file the permissions of the file it will replace.
#[cfg(unix)]
pub(crate) fn make_like(new: &File, old: &Metadata) -> io::Result<()> {
    use cap_std::fs::{Permissions, PermissionsExt};

    let mode = permission_bits(old);
    if permission_bits(&new.metadata()?) == mode {
        return Ok(());
    }
    new.set_permissions(Permissions::from_mode(mode))
}

#[cfg(not(unix))]
pub(crate) fn make_like(_new: &File, _old: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Returns the permissions without set-user-id and the like, which generated files must not have.
#[cfg(unix)]
fn permission_bits(metadata: &Metadata) -> u32 {
    use cap_std::fs::MetadataExt;

    metadata.mode() & 0o777
}

#[cfg(unix)]
pub(crate) use stat::{open, open_in, stat, stat_dir, stat_in, stat_opened};

/// Files that are looked at and read in as few system calls as there can be.
#[cfg(unix)]
mod stat {
    use std::fs::File;
    use std::io;

    use camino::Utf8Path;
    use cap_std::fs::Dir;
    use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};

    use crate::stamp::{Found, Stamp};

    /// For files, whatever they turn out to be.
    const PLAIN: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

    /// Opens whatever is at a path, through links. A pipe does not block.
    pub(crate) fn open(path: &Utf8Path) -> io::Result<File> {
        Ok(rustix::fs::open(path.as_str(), PLAIN, Mode::empty())?.into())
    }

    /// Opens whatever a name in a directory stands for. A pipe does not block.
    pub(crate) fn open_in(dir: &Dir, name: &str, follow: bool) -> io::Result<File> {
        let flags = if follow { PLAIN } else { PLAIN | OFlags::NOFOLLOW };
        Ok(rustix::fs::openat(dir, name, flags, Mode::empty())?.into())
    }

    /// Returns what is at a path, through links.
    pub(crate) fn stat(path: &Utf8Path) -> Found {
        rustix::fs::stat(path.as_str()).map_or(Found::Other, |stat| found(&stat))
    }

    /// Returns what a name in a directory stands for.
    pub(crate) fn stat_in(dir: &Dir, name: &str, follow: bool) -> Found {
        let flags = if follow { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW };
        rustix::fs::statat(dir, name, flags).map_or(Found::Other, |stat| found(&stat))
    }

    /// Returns what an open file is.
    pub(crate) fn stat_opened(file: &File) -> io::Result<Found> {
        Ok(found(&rustix::fs::fstat(file)?))
    }

    /// Returns the stamp of an open directory.
    pub(crate) fn stat_dir(dir: &Dir) -> Found {
        rustix::fs::fstat(dir).map_or(Found::Other, |stat| found(&stat))
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
}

#[cfg(not(unix))]
pub(crate) use no_stat::{open, open_in, stat, stat_dir, stat_in, stat_opened};

/// Without these calls there are no stamps, so every file is read every time.
#[cfg(not(unix))]
mod no_stat {
    use std::fs::File;
    use std::io;

    use camino::Utf8Path;
    use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt};
    use cap_std::fs::{Dir, OpenOptions};

    use crate::stamp::{Found, Stamp};

    pub(crate) fn open(path: &Utf8Path) -> io::Result<File> {
        File::open(path)
    }

    pub(crate) fn open_in(dir: &Dir, name: &str, follow: bool) -> io::Result<File> {
        let follow = if follow { FollowSymlinks::Yes } else { FollowSymlinks::No };
        dir.open_with(name, OpenOptions::new().read(true).follow(follow)).map(|it| it.into_std())
    }

    pub(crate) fn stat(_path: &Utf8Path) -> Found {
        Found::Other
    }

    pub(crate) fn stat_in(_dir: &Dir, _name: &str, _follow: bool) -> Found {
        Found::Other
    }

    /// Returns no stamp, but says whether it is a file.
    pub(crate) fn stat_opened(file: &File) -> io::Result<Found> {
        Ok(if file.metadata()?.is_file() { Found::File(Stamp::NONE) } else { Found::Other })
    }

    pub(crate) fn stat_dir(_dir: &Dir) -> Found {
        Found::Other
    }
}

//! What differs between operating systems.

use std::io;

use camino::Utf8Path;
use cap_std::fs::{Dir, File, Metadata, OpenOptions};

/// Opens a directory below `start` in one system call that follows no link on the way.
///
/// # Errors
///
/// Any error means no more than that the caller has to walk: older kernels and some sandboxes
/// have no such call, and its errors do not say which part of the path they are about.
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

/// A handle of the same directory that can be listed and synced, not only passed through.
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

/// Makes sure that the names in a [`readable`] directory survive a power cut.
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

/// A second name never replaces anything, so it does for file systems that have no such rename.
fn link_new(dir: &Dir, from: &str, to: &str) -> io::Result<()> {
    dir.hard_link(from, dir, to)?;
    dir.remove_file(from).ok();
    Ok(())
}

/// Lets a new file have at most the permissions of the file it will replace, from the beginning.
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

/// Without set-user-id and the like, which a program must not hand on to what it generates.
#[cfg(unix)]
fn permission_bits(metadata: &Metadata) -> u32 {
    use cap_std::fs::MetadataExt;

    metadata.mode() & 0o777
}

//! What a file system says about a file without reading it.

/// Nanoseconds since 1970.
pub type Time = i64;

/// One second, the tick of file systems that count in nothing smaller.
const SECOND: Time = 1_000_000_000;

/// Size, times and identity of a file: the file is unchanged while its stamp is.
///
/// A file that is written to, replaced or renamed gets another stamp, unless all of it happens
/// within one tick of the file system's clock; [`settled_before`](Self::settled_before) deals with
/// that. The time of the last change (`ctime`) cannot be set by programs, so a file whose time of
/// modification was put back is noticed too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    pub(crate) size: u64,
    pub(crate) modified: Time,
    pub(crate) changed: Time,
    /// The number of the file, mixed with that of its device.
    pub(crate) inode: u64,
}

impl Stamp {
    /// A stamp that no file has, for what must be read whatever it looks like.
    pub const NONE: Self = Self { size: 0, modified: 0, changed: 0, inode: 0 };

    /// The length of [`to_bytes`](Self::to_bytes).
    pub const LEN: usize = 32;

    /// Returns this stamp if every change to the file after `time` gives it another one, else
    /// [`Stamp::NONE`].
    ///
    /// A file that was modified at the very time when it was read may have been modified again
    /// since without any trace.
    #[must_use]
    pub fn settled_before(self, time: Time) -> Self {
        let latest = self.modified.max(self.changed);
        let is_coarse = self.modified % SECOND == 0 && self.changed % SECOND == 0;
        let tick = if is_coarse { 2 * SECOND } else { 0 };
        if latest.saturating_add(tick) < time { self } else { Self::NONE }
    }

    /// Checks whether stored bytes are those of this stamp: whether the file is unchanged since. They
    /// never are those of [`Stamp::NONE`].
    pub fn matches(self, stored: &[u8]) -> bool {
        self != Self::NONE && stored == self.to_bytes()
    }

    /// Returns the size of the file, in bytes.
    pub fn size(self) -> u64 {
        self.size
    }

    /// Returns the time when the content was modified last. Programs can set it.
    pub fn modified(self) -> Time {
        self.modified
    }

    /// Returns the stamp as bytes, to be stored and compared: size, times, identity, each in eight
    /// bytes, the least significant first.
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..8].copy_from_slice(&self.size.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.modified.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.changed.to_le_bytes());
        bytes[24..].copy_from_slice(&self.inode.to_le_bytes());
        bytes
    }
}

/// What a name stands for, as far as stamps are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A regular file.
    File(Stamp),
    /// A directory.
    Directory(Stamp),
    /// Nothing, or something else.
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_counts_once_the_clock_has_gone_on() {
        let stamp = Stamp { size: 1, modified: 5, changed: 7, inode: 9 };
        assert_eq!(stamp.settled_before(8), stamp);
        assert_eq!(stamp.settled_before(7), Stamp::NONE);

        let coarse = Stamp { modified: SECOND, changed: 2 * SECOND, ..stamp };
        assert_eq!(coarse.settled_before(4 * SECOND), Stamp::NONE);
        assert_eq!(coarse.settled_before(4 * SECOND + 1), coarse);
    }

    #[test]
    fn every_part_of_a_stamp_is_among_its_bytes() {
        let bytes = Stamp { size: 1, modified: 2, changed: 3, inode: 4 }.to_bytes();
        assert_eq!([bytes[0], bytes[8], bytes[16], bytes[24]], [1, 2, 3, 4]);
    }

    #[test]
    fn no_file_matches_a_stamp_that_is_none() {
        let stamp = Stamp { size: 1, modified: 2, changed: 3, inode: 4 };
        assert!(stamp.matches(&stamp.to_bytes()));
        assert!(!stamp.matches(&Stamp::NONE.to_bytes()));
        assert!(!Stamp::NONE.matches(&Stamp::NONE.to_bytes()));
    }
}

//! What one thread asks of the file system, for tests that hold how often files are looked at.

use std::cell::Cell;

thread_local! {
    static LOOKS: Cell<usize> = const { Cell::new(0) };
    static READS: Cell<usize> = const { Cell::new(0) };
}

pub(crate) fn look() {
    LOOKS.set(LOOKS.get() + 1);
}

pub(crate) fn read() {
    READS.set(READS.get() + 1);
}

/// Returns how many stamps this thread has asked for and how many files it has read since it called
/// this last. Files that a [`Tree`](crate::Tree) reads do not count.
pub fn take_counts() -> (usize, usize) {
    (LOOKS.take(), READS.take())
}

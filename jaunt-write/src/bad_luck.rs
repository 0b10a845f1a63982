//! A machine that fails on demand, for the tests of this crate.

use std::cell::Cell;
use std::io;

thread_local! {
    static LUCK: Cell<Option<(u32, i32)>> = const { Cell::new(None) };
}

/// Lets the `n`th system call (from 0) that this thread makes meanwhile fail with an error code.
///
/// Also returns whether so many calls were made.
pub(crate) fn with<T>(n: u32, errno: i32, run: impl FnOnce() -> T) -> (T, bool) {
    LUCK.set(Some((n, errno)));
    let result = run();
    (result, LUCK.take().is_none())
}

/// Counts a system call, and fails if it is the one.
pub(crate) fn strike() -> io::Result<()> {
    match LUCK.take() {
        None => Ok(()),
        Some((0, errno)) => Err(io::Error::from_raw_os_error(errno)),
        Some((n, errno)) => {
            LUCK.set(Some((n - 1, errno)));
            Ok(())
        }
    }
}

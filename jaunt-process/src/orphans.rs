//! The end of everything below a program.

/// Makes this process the parent of every process below it that loses its own, so that those can
/// be found and ended. For the start of a program. Does nothing except on Linux.
pub fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    crate::descendants::adopt_orphans();
}

/// Kills every process below this one. For the end of a program. Does nothing except on Linux.
pub fn kill_descendants() {
    #[cfg(target_os = "linux")]
    crate::descendants::kill_all();
}

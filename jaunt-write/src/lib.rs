//! Atomic writes that cannot leave a directory.

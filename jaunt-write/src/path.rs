//! Which paths can name something below a tree.

use camino::Utf8Path;

use crate::error::WriteError;

/// No file system in use takes longer names.
const MAX_PART: usize = 255;

/// Refuses a path that does not stay below the directory it is taken from, or that is not plain.
pub(crate) fn check(
    action: &'static str,
    below: &Utf8Path,
    path: &Utf8Path,
) -> Result<(), WriteError> {
    match fault(path.as_str()) {
        None => Ok(()),
        Some(reason) => {
            let (path, below) = (path.to_owned(), below.to_owned());
            Err(WriteError::InvalidPath { action, path, below, reason })
        }
    }
}

/// Returns what is wrong with a relative path; `None` if nothing is.
pub(crate) fn fault(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("the path is empty");
    }
    if path.starts_with('/') {
        return Some("the path is absolute");
    }
    path.split('/').find_map(part_fault)
}

fn part_fault(part: &str) -> Option<&'static str> {
    match part {
        "" => Some("a part of the path is empty"),
        "." | ".." => Some("a part of the path is `.` or `..`"),
        _ if part.len() > MAX_PART => Some("a part of the path is longer than 255 bytes"),
        _ if part.contains('\\') => Some("the path has a backslash"),
        _ if part.contains(char::is_control) => Some("the path has a control character"),
        _ if is_temporary(part) => Some("the name is kept for temporary files"),
        _ => None,
    }
}

/// Returns the name of the `n`th temporary file of a process.
///
/// It is short whatever the target's name is, hidden, and ends like no source file.
pub(crate) fn temporary(pid: u32, n: u64) -> String {
    format!(".jaunt-{pid}-{n}.tmp")
}

/// Checks whether [`temporary`] makes such names.
pub(crate) fn is_temporary(name: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    name.strip_prefix(".jaunt-")
        .and_then(|rest| rest.strip_suffix(".tmp"))
        .and_then(|rest| rest.split_once('-'))
        .is_some_and(|(pid, n)| number(pid) && number(n))
}

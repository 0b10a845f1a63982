//! What a person reads of a backend that failed.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use jaunt_process::signal_name;
use jaunt_text::last_lines;

/// Lines of standard error that are shown, and characters of each.
const LINES: usize = 10;
const WIDTH: usize = 200;

/// Returns a message, and below it what the program said last: on its standard error, or, if that is
/// empty, on its standard output.
pub(crate) fn with_last_words(message: String, stderr: &[u8], stdout: &[u8]) -> String {
    for (stream, bytes) in [("standard error", stderr), ("standard output", stdout)] {
        // The end is enough, and a module of megabytes is not copied for it.
        let end = &bytes[bytes.len().saturating_sub(LINES * WIDTH * 4)..];
        let lines = last_lines(&String::from_utf8_lossy(end), LINES, WIDTH);
        if !lines.is_empty() {
            let lines = lines.iter().map(|line| format!("\n  | {line}")).collect::<String>();
            return format!("{message}; the end of its {stream}:{lines}");
        }
    }
    message
}

/// Returns how a program ended, to go after its name: "exited with code 3".
pub(crate) fn ending(status: ExitStatus) -> String {
    if let Some(number) = status.signal() {
        return match signal_name(number) {
            Some(name) => format!("was killed by {name} (signal {number})"),
            None => format!("was killed by signal {number}"),
        };
    }
    match status.code() {
        Some(code) => format!("exited with code {code}"),
        None => "ended in an unknown way".to_owned(),
    }
}

/// Returns a number of bytes as a person would say it.
pub(crate) fn size(bytes: usize) -> String {
    const KIB: usize = 1024;
    const MIB: usize = 1024 * KIB;
    match bytes {
        0..KIB => format!("{bytes} bytes"),
        KIB..MIB => format!("{} KiB", bytes / KIB),
        _ => format!("{} MiB", bytes / MIB),
    }
}

//! The end of a program's output.

use crate::sanitize::sanitize;

/// Returns the last lines of a program's output that are not blank, as a person would have seen
/// them: at most `count`, each cut to `width` characters.
///
/// A carriage return starts a line over, so of a progress bar its last state is left. The lines are
/// [safe to print](sanitize).
pub fn last_lines(text: &str, count: usize, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = text
        .lines()
        .rev()
        .map(|line| line.trim_end_matches('\r').rsplit('\r').next().unwrap_or(line))
        .map(|line| sanitize(line).trim_end().to_owned())
        .filter(|line| !line.is_empty())
        .take(count)
        .map(|line| cut(line, width))
        .collect();
    lines.reverse();
    lines
}

/// Cuts a line to `width` characters, the last of which is `…` if there were more.
fn cut(mut line: String, width: usize) -> String {
    if let Some((at, _)) = line.char_indices().nth(width) {
        let before = line[..at].char_indices().next_back().map_or(0, |(last, _)| last);
        line.truncate(before);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_what_a_person_saw() {
        let log = "one\n\n 10%\r 50%\r100%\n\u{1b}[1mtwo\u{1b}[0m  \r\n\n";
        assert_eq!(last_lines(log, 2, 80), ["100%", "two"]);
        assert_eq!(last_lines(log, 9, 80), ["one", "100%", "two"]);
        assert_eq!(last_lines("größer", 1, 3), ["gr…"]);
        assert_eq!(last_lines("größer", 1, 6), ["größer"]);
        assert!(last_lines(" \n\t\n", 5, 80).is_empty());
    }
}

//! The marks that pytest prints while tests run: letters, or with `-v` a line per test.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

/// How many bytes of ids and paths are kept.
const LIMIT: usize = 64 << 20;

/// All marks of a run, as far as they could be read.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// How often each letter came.
    pub(super) letters: BTreeMap<char, u64>,
    /// The files of the failures and of the errors, in the order of their letters. `None` where a
    /// line does not name a file.
    pub(super) failed_in: Vec<Option<String>>,
    pub(super) errors_in: Vec<Option<String>>,
    /// Files that lines begin with.
    pub(super) files: Vec<String>,
    /// What `-v` says: an id and a word for it.
    pub(super) verbose: Vec<(String, Word)>,
    /// Whether the last mark stands at 100 %.
    pub(super) is_finished: bool,
    /// Whether there were lines that are no marks, before the last mark.
    pub(super) has_noise: bool,
    is_closed: bool,
    file: Option<String>,
    n_bytes: usize,
}

/// How `-v` puts an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Word {
    Passed,
    Failed,
    Error,
    Skipped,
    Xfail,
    Xpass,
    Rerun,
    /// A sub-test that did not fail.
    Sub,
}

/// The end of a line of marks: how far the run is, or how long it took.
const SHARE: &str = r"(?:\s+\[\s*(?:(?<percent>\d+)%|(?<n>\d+)/(?<all>\d+))\]|\s+\d+(?:\.\d+)?(?:us|ms|s|m|h)(?: \d+[sm])?)";

static LETTERS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(r"^(?:(?<path>\S.*?) )?(?<letters>[.FEsxXRuyY,-]+)(?<share>{SHARE})?\s*$"))
        .expect("the expression is constant")
});
static VERBOSE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r"^(?<id>\S*::.*?|\S.*?::.*?) (?:(?<word>PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS|RERUN)|(?:\[.*\] )?(?:\(.*\) )?(?<sub>SUB[A-Z]+)(?:\[.*\])?)(?: \(.*\)?)?(?<share>{SHARE})?\s*$"
    ))
    .expect("the expression is constant")
});
static DISTRIBUTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\[gw\d+\](?: \[\s*(?:(?<percent>\d+)%|\d+/\d+)\])? (?<word>PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS|RERUN) (?<sub>)(?<id>.*\S)\s*$")
        .expect("the expression is constant")
});

impl Progress {
    /// Takes in a line from between the collection and the report.
    pub(super) fn add(&mut self, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        if self.add_verbose(line) || self.add_letters(line) {
            // Something stood at 100 % and was not the last.
            self.has_noise |= self.is_closed;
            return;
        }
        // The line that announces a test, where the outcome comes later.
        let is_announcement = line.contains("::") && line.ends_with(' ');
        if self.is_finished {
            self.is_closed = true;
        } else if !is_announcement {
            self.has_noise = true;
        }
    }

    /// Returns how many tests were marked as one of `letters`.
    pub(super) fn n_letters(&self, letters: &str) -> u64 {
        letters.chars().filter_map(|letter| self.letters.get(&letter)).sum()
    }

    /// Returns how many tests `-v` put as `word`.
    pub(super) fn n_words(&self, word: Word) -> u64 {
        self.verbose.iter().filter(|(_, it)| *it == word).count() as u64
    }

    fn add_verbose(&mut self, line: &str) -> bool {
        if !line.contains("::") {
            return false;
        }
        let Some(caps) = VERBOSE.captures(line).or_else(|| DISTRIBUTED.captures(line)) else {
            return false;
        };
        let word = match caps.name("word").or_else(|| caps.name("sub")).map(|it| it.as_str()) {
            Some("PASSED") => Word::Passed,
            Some("FAILED" | "SUBFAIL" | "SUBFAILED") => Word::Failed,
            Some("ERROR") => Word::Error,
            Some("SKIPPED") => Word::Skipped,
            Some("XFAIL") => Word::Xfail,
            Some("XPASS") => Word::Xpass,
            Some("RERUN") => Word::Rerun,
            _ => Word::Sub,
        };
        let id = &caps["id"];
        self.n_bytes += id.len();
        if self.n_bytes > LIMIT {
            self.has_noise = true;
            return true;
        }
        if let Some((file, _)) = id.split_once("::") {
            self.add_file(file);
        }
        self.is_finished = caps.name("percent").is_some_and(|it| it.as_str() == "100");
        self.verbose.push((id.to_owned(), word));
        true
    }

    fn add_letters(&mut self, line: &str) -> bool {
        if !may_be_letters(line) {
            return false;
        }
        let Some(caps) = LETTERS.captures(line) else { return false };
        match caps.name("path").map(|it| it.as_str()) {
            Some(path) if is_file(path) => {
                self.file = Some(path.to_owned());
                self.add_file(path);
            }
            // A sentence that ends in dots.
            Some(_) => return false,
            None => {}
        }
        for letter in caps["letters"].chars() {
            *self.letters.entry(letter).or_default() += 1;
            let files = match letter {
                'F' | 'u' => &mut self.failed_in,
                'E' => &mut self.errors_in,
                _ => continue,
            };
            if self.n_bytes < LIMIT {
                files.push(self.file.clone());
                self.n_bytes += 24 + self.file.as_ref().map_or(0, String::len);
            }
        }
        self.is_finished = match (caps.name("percent"), caps.name("n"), caps.name("all")) {
            (Some(percent), ..) => percent.as_str() == "100",
            (None, Some(n), Some(all)) => n.as_str() == all.as_str(),
            _ => false,
        };
        true
    }

    fn add_file(&mut self, file: &str) {
        if self.files.last().is_none_or(|last| last != file) && self.n_bytes < LIMIT {
            self.n_bytes += file.len();
            self.files.push(file.to_owned());
        }
    }
}

/// Rules out most lines that are no marks, in less time than the expression takes.
fn may_be_letters(line: &str) -> bool {
    let is_letters = |word: &str| word.bytes().all(|byte| b".FEsxXRuyY,-".contains(&byte));
    let is_share = |word: &str| word.ends_with([']', 's', 'm', 'h']) || word.starts_with('[');
    line.split_ascii_whitespace()
        .rev()
        .find(|word| is_letters(word) || !is_share(word))
        .is_some_and(is_letters)
}

/// Returns whether a line of letters may begin with it. Of a file outside pytest's root there is
/// only a dot.
fn is_file(path: &str) -> bool {
    static FILE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?:[^:]*[^\s:.]\.[A-Za-z0-9]{1,8}|\.{1,2}(?:/\.\.)*)$")
            .expect("the expression is constant")
    });
    FILE.is_match(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(lines: &[&str]) -> Progress {
        let mut progress = Progress::default();
        for line in lines {
            progress.add(line);
        }
        progress
    }

    #[test]
    fn letters_belong_to_the_file_before_them() {
        let progress = progress(&[
            "test_a.py .FE                                                           [ 50%]",
            "F.                                                                      [ 83%]",
            "sub dir/test_b.py F                                                     [100%]",
        ]);
        let files: Vec<_> = progress.failed_in.iter().flatten().collect();
        assert_eq!(files, ["test_a.py", "test_a.py", "sub dir/test_b.py"]);
        assert_eq!(progress.n_letters("."), 2);
        assert!(progress.is_finished && !progress.has_noise);
    }

    #[test]
    fn words_belong_to_the_id_before_them() {
        let progress = progress(&[
            "test_a.py::test_x[a b] PASSED                                           [ 25%]",
            "test_a.py::TestC::test_y SKIPPED (not now - maybe)                      [ 50%]",
            "[gw1] [ 75%] FAILED test_a.py::test_z ",
            "test_a.py::test_s [m] (i=1) SUBFAIL                                     [100%]",
        ]);
        let words: Vec<_> =
            progress.verbose.iter().map(|(id, word)| (id.as_str(), *word)).collect();
        assert_eq!(
            words,
            [
                ("test_a.py::test_x[a b]", Word::Passed),
                ("test_a.py::TestC::test_y", Word::Skipped),
                ("test_a.py::test_z", Word::Failed),
                ("test_a.py::test_s", Word::Failed),
            ]
        );
    }

    #[test]
    fn what_tests_print_is_noise() {
        assert!(progress(&["connecting to the database ..."]).has_noise);
        assert!(progress(&["hello"]).has_noise);
    }
}

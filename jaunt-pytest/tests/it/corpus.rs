//! Recorded output of real runs, and the results that are parsed from it.
//!
//! Each case in `data/corpus` has the output of pytest (`stdout.txt`, mostly also `junit.xml`) and the truth
//! (`truth.json`), which a plugin recorded in the same run. Names are
//! `<project>.py<pytest version>.<flags>`.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use insta::{assert_json_snapshot, assert_snapshot};
use jaunt_pytest::{Counts, PytestResult, TextOptions, merge, parse_junit, parse_text};
use serde_json::Value;

use crate::document::document;

struct Case {
    name: String,
    dir: PathBuf,
    truth: Value,
}

impl Case {
    fn all() -> Vec<Self> {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/corpus");
        let mut cases: Vec<Self> =
            fs::read_dir(corpus).unwrap().map(|entry| Self::read(entry.unwrap().path())).collect();
        cases.sort_by(|a, b| a.name.cmp(&b.name));
        cases
    }

    fn named(name: &str) -> Self {
        Self::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/corpus").join(name))
    }

    fn read(dir: PathBuf) -> Self {
        let truth = fs::read_to_string(dir.join("truth.json")).unwrap();
        Self {
            name: dir.file_name().unwrap().to_str().unwrap().to_owned(),
            truth: serde_json::from_str(&truth).unwrap(),
            dir,
        }
    }

    fn text_result(&self) -> PytestResult {
        let stdout = BufReader::new(File::open(self.dir.join("stdout.txt")).unwrap());
        parse_text(stdout, &TextOptions::default()).unwrap()
    }

    fn merged_result(&self) -> Option<PytestResult> {
        let junit = File::open(self.dir.join("junit.xml")).ok()?;
        Some(merge(self.text_result(), parse_junit(BufReader::new(junit)).unwrap()))
    }

    fn is_complete(&self) -> bool {
        self.truth["complete"].as_bool().unwrap()
    }

    fn failures(&self) -> &[Value] {
        self.truth["failures"].as_array().unwrap()
    }

    /// Returns the ids of failures, in every form.
    fn failing_ids(&self) -> BTreeSet<&str> {
        self.failures()
            .iter()
            .flat_map(|failure| [&failure["nodeid"], &failure["nodeid_cwd"]])
            .filter_map(Value::as_str)
            .collect()
    }

    fn has_counts(&self, counts: &Counts) -> bool {
        let alternatives = self.truth["counts_alt"].as_array().into_iter().flatten();
        [&self.truth].into_iter().chain(alternatives).any(|truth| {
            let count = |key: &str| truth[key].as_u64().unwrap();
            six(counts).iter().all(|(key, got)| count(key) == *got)
        })
    }

    /// Grades a result: `right`, `silent` (it says itself that it is not complete), `WRONG`.
    fn grade(&self, result: &PytestResult) -> &'static str {
        let ids: BTreeSet<&str> =
            result.failures.iter().map(|failure| failure.node_id.as_str()).collect();
        if !self.is_complete() {
            let truth = &self.truth;
            let is_bound =
                six(&result.counts).iter().all(|(key, got)| *got <= truth[key].as_u64().unwrap());
            let is_right = !result.complete && is_bound && ids.is_subset(&self.failing_ids());
            return if is_right { "right" } else { "WRONG" };
        }
        if !result.complete {
            return "silent";
        }
        let is_named = |failure: &Value| {
            [&failure["nodeid"], &failure["nodeid_cwd"]]
                .into_iter()
                .filter_map(Value::as_str)
                .any(|id| ids.contains(id))
        };
        let is_right = self.has_counts(&result.counts)
            && ids.is_subset(&self.failing_ids())
            && self.failures().iter().all(is_named);
        if is_right { "right" } else { "WRONG" }
    }
}

fn six(counts: &Counts) -> [(&'static str, u64); 6] {
    [
        ("passed", counts.passed),
        ("failed", counts.failed),
        ("errors", counts.errors),
        ("skipped", counts.skipped),
        ("xfailed", counts.xfailed),
        ("xpassed", counts.xpassed),
    ]
}

#[test]
fn every_recording_is_read_right_or_said_to_be_uncertain() {
    let mut table = String::new();
    for case in Case::all() {
        let text = case.text_result();
        let junit = case.merged_result().map_or("-", |result| case.grade(&result));
        let doubts: Vec<String> = text.doubts.iter().map(ToString::to_string).collect();
        let doubts = doubts.join("; ");
        let line = format!("{:<40} {:<6} {junit:<6} {doubts}", case.name, case.grade(&text));
        writeln!(table, "{}", line.trim_end()).unwrap();
    }
    assert_snapshot!("scores", table);
}

#[test]
fn no_recording_with_a_failure_is_complete_without_one() {
    for case in Case::all() {
        let results = [Some(case.text_result()), case.merged_result()];
        for result in results.into_iter().flatten() {
            if case.failures().is_empty() {
                continue;
            }
            assert!(!result.passed(), "{}", case.name);
            assert!(!(result.complete && result.failures.is_empty()), "{}", case.name);
        }
    }
}

#[test]
fn no_failure_is_invented() {
    for case in Case::all() {
        let text = case.text_result();
        let is_certain = text.complete;
        for result in [Some(text), case.merged_result()].into_iter().flatten() {
            for failure in result.failures {
                let id = failure.node_id.as_str();
                assert!(!is_certain || case.failing_ids().contains(id), "{}: {id}", case.name);
            }
        }
    }
}

#[test]
fn a_recording_that_was_cut_off_is_no_pass() {
    // A log may be cut off anywhere, by a full disk or a kill.
    for name in ["mixed.py83.default", "mixed.py92.v", "fixtures.py83.default"] {
        let case = Case::named(name);
        let log = fs::read(case.dir.join("stdout.txt")).unwrap();
        for end in (0..log.len() - 1).step_by(7) {
            let result = parse_text(&log[..end], &TextOptions::default()).unwrap();
            assert!(!result.complete && !result.passed(), "{name}, cut at {end}");
        }
    }
}

#[test]
fn no_beginning_of_a_failing_log_is_a_pass() {
    /// How many cuts one log gets.
    const CUTS: usize = 80;

    let mut passes = Vec::new();
    for case in Case::all().iter().filter(|case| !case.failures().is_empty()) {
        let log = fs::read(case.dir.join("stdout.txt")).unwrap();
        let ends = log.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let ends: Vec<usize> = ends.map(|(at, _)| at + 1).collect();
        for end in ends.iter().step_by(ends.len() / CUTS + 1) {
            let result = parse_text(&log[..*end], &TextOptions::default()).unwrap();
            if result.passed()
                || (result.complete && result.counts.outcomes() > 0 && !result.failed())
            {
                passes.push(format!("{}, cut at {end}", case.name));
            }
        }
    }
    assert!(passes.is_empty(), "{passes:#?}");
}

#[test]
fn a_log_becomes_a_result() {
    let text = Case::named("subtest_unittest.py92.default").text_result();
    assert_json_snapshot!("mixed_text", document(&text));
}

#[test]
fn a_log_and_its_junit_xml_become_one_result() {
    let both = Case::named("interrupt_test.py83.default").merged_result().unwrap();
    assert_json_snapshot!("mixed_both", document(&both));
}

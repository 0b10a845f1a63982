//! Logs that are long, broken or misleading.

use std::io::{BufReader, Read};

use jaunt_pytest::{PytestResult, TextOptions, parse_text};

use crate::document::document;

const PASSING: &str = "\
============================= test session starts ==============================
platform linux -- Python 3.11.7, pytest-8.3.5, pluggy-1.5.0
rootdir: /project
collected 1 item

test_a.py .                                                              [100%]

============================== 1 passed in 0.01s ===============================
";

/// The log of a failing run, up to what its test has printed.
const HEAD: &str = "\
============================= test session starts ==============================
platform linux -- Python 3.11.7, pytest-8.3.5, pluggy-1.5.0
rootdir: /project
collected 2 items

test_a.py .F                                                             [100%]

=================================== FAILURES ===================================
___________________________________ test_b _____________________________________

    def test_b():
>       assert 1 == 2
E       assert 1 == 2

test_a.py:6: AssertionError
----------------------------- Captured stdout call -----------------------------
";

/// The rest of that log.
const TAIL: &str = "
=========================== short test summary info ============================
FAILED test_a.py::test_b - assert 1 == 2
========================= 1 failed, 1 passed in 0.02s ==========================
";

/// Returns the log of a failing run whose test has printed `printed`.
fn failing(printed: &str) -> String {
    format!("{HEAD}{printed}{TAIL}")
}

fn parse(text: impl AsRef<[u8]>) -> PytestResult {
    parse_text(text.as_ref(), &TextOptions::default()).unwrap()
}

fn is_that_failure(result: &PytestResult) -> bool {
    let ids: Vec<&str> = result.failures.iter().map(|it| it.node_id.as_str()).collect();
    result.complete
        && !result.passed()
        && (result.counts.passed, result.counts.failed) == (1, 1)
        && ids == ["test_a.py::test_b"]
}

#[test]
fn a_plain_log_is_read() {
    assert!(parse(PASSING).passed());
    assert!(is_that_failure(&parse(failing("hello"))));
}

#[test]
fn carriage_returns_and_colors_change_nothing() {
    let color = |text: &str| {
        let lines = text.lines().map(|line| format!("\x1b[1m\x1b[32m{line}\x1b[0m\n"));
        lines.collect::<String>()
    };
    for (passing, failing) in [
        (PASSING.replace('\n', "\r\n"), failing("hello").replace('\n', "\r\n")),
        (color(PASSING), color(&failing("hello"))),
    ] {
        assert!(parse(passing).passed());
        assert!(is_that_failure(&parse(failing)));
    }
}

#[test]
fn bytes_that_are_not_utf_8_change_nothing() {
    let mut log = failing("HERE").into_bytes();
    let at = log.windows(4).position(|bytes| bytes == b"HERE").unwrap();
    log.splice(at..at + 4, [0xff, 0xfe, 0xc3, 0x28, 0x00, 0x80]);
    assert!(is_that_failure(&parse(log)));
}

#[test]
fn a_printed_report_does_not_hide_a_failure() {
    for printed in [
        "============================== 2 passed in 0.01s ===============================",
        "2 passed in 0.01s",
        "FAILED test_a.py::test_other - assert 0",
        "=========================== short test summary info ============================\n\
         FAILED test_a.py::test_other - assert 0\n\
         ============================== 1 failed in 0.01s ===============================",
        PASSING,
    ] {
        let result = parse(failing(printed));
        assert!(!result.passed(), "{printed}");
        assert!(!result.complete || is_that_failure(&result), "{printed}: {result:?}");
    }
}

#[test]
fn a_printed_report_does_not_make_a_failure() {
    // With `-s` the output of a test stands among the marks.
    for printed in [
        "FAILED test_a.py::test_b - assert 0",
        "E       assert 1 == 2",
        "========================= 1 failed, 1 passed in 0.02s ==========================",
        &failing("hello"),
    ] {
        let text = PASSING.replace("test_a.py .", &format!("test_a.py {printed}\n."));
        let result = parse(text);
        assert!(!result.complete || result.failures.is_empty(), "{printed}: {result:?}");
    }
}

#[test]
fn a_pass_printed_by_a_run_that_died_is_no_pass() {
    let cut = PASSING.split("\n====").next().unwrap();
    for printed in ["2 passed in 0.01s", PASSING, "= 1 passed in 0.01s ="] {
        let text = cut.replace("test_a.py .", &format!("test_a.py {printed}\nFatal Python error"));
        let result = parse(&text);
        assert!(!result.passed(), "{text}\n{result:?}");
    }
}

/// A log that is made while it is read, so that only the reader could keep it.
struct Long {
    head: &'static [u8],
    line: &'static [u8],
    n_lines: u64,
    tail: &'static [u8],
}

impl Read for Long {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.head.is_empty() {
            if self.n_lines > 0 {
                self.n_lines -= 1;
                self.head = self.line;
            } else {
                self.head = std::mem::take(&mut self.tail);
            }
        }
        let n_bytes = self.head.len().min(buffer.len());
        buffer[..n_bytes].copy_from_slice(&self.head[..n_bytes]);
        self.head = &self.head[n_bytes..];
        Ok(n_bytes)
    }
}

/// The most bytes that a result may keep of a log of 16 MB.
const BOUND: usize = 4 << 20;

fn parse_long(line: &'static [u8]) -> PytestResult {
    let n_lines = (16 << 20) / line.len() as u64;
    let log = BufReader::new(Long { head: HEAD.as_bytes(), line, n_lines, tail: TAIL.as_bytes() });
    parse_text(log, &TextOptions::default()).unwrap()
}

#[test]
fn a_long_log_is_read_to_its_end_and_not_kept() {
    let chatter = b"2026-01-01 00:00:00 INFO something happened that takes a line to tell of it\n";
    // First a single long line, then many lines.
    for line in [&b"no end of it, "[..], chatter, b"test_a.py::test_x PASSED\n", b"E   x\n"] {
        let result = parse_long(line);
        let text = serde_json::to_string(&document(&result)).unwrap();
        assert!(text.len() < BOUND, "{} bytes", text.len());
        assert!(!result.passed());
        let ids: Vec<&str> = result.failures.iter().map(|it| it.node_id.as_str()).collect();
        assert!(!result.complete || ids == ["test_a.py::test_b"], "{ids:?}");
    }
}

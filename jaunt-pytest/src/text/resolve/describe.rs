//! What the text below a heading tells about a failure.

use std::sync::LazyLock;

use regex::Regex;

use crate::result::{Captured, TestFailure};
use crate::text::ids::{Title, split_subtest};
use crate::text::log::Heading;

static LOCATION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?m)^(?:(?<file>[^\s:>][^:\n]*):(?<line>\d+): ?\S*|  File "(?<native>[^"\n]+)", line (?<native_line>\d+)(?:, in .*)?)"#)
        .expect("the expression is constant")
});

/// Returns the first place in a traceback.
pub(super) fn first_location(body: &str) -> Option<(&str, u32)> {
    LOCATION.captures_iter(body).find_map(|caps| {
        let file = caps.name("file").or_else(|| caps.name("native"))?.as_str();
        let line = caps.name("line").or_else(|| caps.name("native_line"))?.as_str();
        Some((file, line.parse().ok()?))
    })
}

/// Adds what the text below a heading tells: traceback, captured output, message and line.
pub(super) fn describe(failure: &mut TestFailure, heading: &Heading) {
    let (traceback, captured) = split_captured(&heading.body);
    failure.traceback = traceback.trim_matches('\n').to_owned();
    failure.captured = captured;
    if let Some(subtest) = split_subtest(Title::parse(&heading.title).name()).1 {
        failure.subtest.get_or_insert_with(|| subtest.to_owned());
    }
    let file = failure.file.as_ref().map(|file| file.as_str());
    failure.line = LOCATION
        .captures_iter(traceback)
        .filter(|caps| {
            let place = caps.name("file").or_else(|| caps.name("native"));
            place.map(|it| it.as_str()) == file
        })
        .filter_map(|caps| {
            caps.name("line").or_else(|| caps.name("native_line"))?.as_str().parse().ok()
        })
        .last();
    if heading.is_cut {
        return;
    }
    // The summary has one line of the message, and mostly cuts that one, too.
    let known = failure.message.strip_suffix("...").unwrap_or(&failure.message);
    let message = message(traceback, known);
    if message.starts_with(known) {
        failure.message = message;
    }
}

/// Returns the message at the end of a traceback: its last lines that begin with `E`, or all of a text
/// that has no such line. `known` is how it begins.
fn message(traceback: &str, known: &str) -> String {
    let is_message = |line: &str| line == "E" || line.starts_with("E ");
    let is_worker = |line: &&str| line.starts_with("[gw") && line.contains("] ");
    let lines: Vec<&str> = traceback.trim_matches('\n').lines().skip_while(is_worker).collect();
    let Some(last) = lines.iter().rposition(|line| is_message(line)) else {
        if !lines.iter().any(|line| LOCATION.is_match(line)) {
            return lines.join("\n");
        }
        // Python's own style of traceback.
        let native = lines.iter().rfind(|line| !known.is_empty() && line.starts_with(known));
        return native.map_or_else(String::new, |line| (*line).to_owned());
    };
    let first = lines[..last].iter().rposition(|line| !is_message(line)).map_or(0, |at| at + 1);
    let texts: Vec<&str> = lines[first..=last].iter().map(|line| &line[1..]).collect();
    let indent = texts[0].len() - texts[0].trim_start().len();
    if texts[0].trim_start().starts_with("File \"") {
        // A syntax error shows its place first.
        return texts[texts.len() - 1].trim_start().to_owned();
    }
    let unindented: Vec<&str> =
        texts.iter().map(|text| text.get(indent..).unwrap_or_else(|| text.trim_start())).collect();
    unindented.join("\n")
}

/// Cuts the text below a heading into the traceback and what the test had written.
fn split_captured(body: &str) -> (&str, Captured) {
    static SECTION: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?m)^-+ Captured (?<what>stdout|stderr|log) (?:setup|call|teardown) -+$")
            .expect("the expression is constant")
    });
    let mut captured = Captured::default();
    let marks: Vec<_> = SECTION.captures_iter(body).collect();
    let start =
        |at: usize| marks.get(at).map(|caps| caps.get(0).expect("the match itself").start());
    for (at, caps) in marks.iter().enumerate() {
        let begin = caps.get(0).expect("the match itself").end();
        let text = body[begin..start(at + 1).unwrap_or(body.len())].trim_start_matches('\n');
        match &caps["what"] {
            "stdout" => captured.stdout.push_str(text),
            "stderr" => captured.stderr.push_str(text),
            _ => captured.log.push_str(text),
        }
    }
    (&body[..start(0).unwrap_or(body.len())], captured)
}

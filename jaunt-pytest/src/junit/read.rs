//! The XML, element by element.

use std::io::BufRead;

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::junit::error::JunitError;
use crate::result::Phase;

/// How much of what a test has written is kept.
const CAPTURED: usize = 1 << 16;

/// A `testcase`: one test, or one attempt at it, or one phase.
#[derive(Debug, Default)]
pub(super) struct TestCase {
    pub(super) class_name: String,
    /// `None` for the test that an interruption cut off.
    pub(super) name: Option<String>,
    /// The file and the line where the test begins, of the family `xunit1`.
    pub(super) file: Option<String>,
    pub(super) line: Option<u32>,
    pub(super) parts: Vec<Part>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// A `failure`, an `error` or a `skipped`.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) kind: Kind,
    message: String,
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Failed(Phase),
    Skipped,
    Xfailed,
}

const SETUP: &str = "failed on setup with \"";
const TEARDOWN: &str = "failed on teardown with \"";

impl Part {
    fn new(element: &str, message: String, kind: Option<String>) -> Self {
        let kind = match element {
            "skipped" if kind.as_deref() == Some("pytest.xfail") => Kind::Xfailed,
            "skipped" => Kind::Skipped,
            "failure" => Kind::Failed(Phase::Call),
            _ if message.starts_with("collection failure") => Kind::Failed(Phase::Collect),
            _ if message.starts_with(TEARDOWN) => Kind::Failed(Phase::Teardown),
            // A dead worker is filed as if the setup had failed.
            _ if message.trim_start_matches(SETUP).starts_with("worker 'gw")
                && message.contains("' crashed while running ") =>
            {
                Kind::Failed(Phase::Call)
            }
            _ => Kind::Failed(Phase::Setup),
        };
        Self { kind, message, text: String::new() }
    }

    /// Returns the crash message, without what the XML puts around it.
    pub(super) fn message(&self) -> &str {
        match self.kind {
            Kind::Failed(Phase::Collect) => {
                let last = self.text.lines().rev().find(|line| !line.trim().is_empty());
                last.map_or("", |line| line.strip_prefix("E ").unwrap_or(line).trim())
            }
            _ => [SETUP, TEARDOWN]
                .into_iter()
                .find_map(|prefix| self.message.strip_prefix(prefix))
                .map_or(&self.message, |message| message.strip_suffix('"').unwrap_or(message)),
        }
    }

    /// Returns whether it came after the test itself.
    pub(super) fn is_teardown(&self) -> bool {
        self.kind == Kind::Failed(Phase::Teardown)
    }
}

impl TestCase {
    fn new(start: &BytesStart<'_>, position: u64) -> Result<Self, JunitError> {
        let mut case = Self::default();
        for (key, value) in attributes(start, position)? {
            match key.as_str() {
                "classname" => case.class_name = value,
                "name" => case.name = Some(value),
                "file" => case.file = Some(value),
                // pytest counts lines from 0.
                "line" => case.line = value.parse::<u32>().ok().map(|line| line.saturating_add(1)),
                _ => {}
            }
        }
        Ok(case)
    }

    /// Returns the error of pytest itself that this entry stands for, if it does.
    pub(super) fn internal_error(&self) -> Option<&str> {
        let is_internal = self.class_name == "pytest" && self.name.as_deref() == Some("internal");
        let part = self.parts.first().filter(|part| part.message == "internal error")?;
        is_internal.then_some(&part.text)
    }
}

/// What a JUnit XML file of pytest's says.
///
/// It names tests by a dotted class name, from which the file can be told only with a list of the
/// files; and it knows no xpass. So it is best [merged](crate::merge()) with the log of the same run.
#[derive(Debug)]
pub struct JunitReport {
    pub(super) cases: Vec<TestCase>,
    pub(super) seconds: f64,
}

pub(super) fn read(reader: impl BufRead) -> Result<JunitReport, JunitError> {
    let mut reader = Reader::from_reader(reader);
    let mut report = JunitReport { cases: Vec::new(), seconds: 0.0 };
    let mut case: Option<TestCase> = None;
    let mut text = String::new();
    let mut is_junit = false;
    let mut depth = 0_usize;
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer);
        let position = reader.error_position();
        let error = |source| JunitError::Xml { position, source };
        match event.map_err(error)? {
            Event::Start(start) => {
                depth += 1;
                text.clear();
                is_junit |= open(&start, position, &mut report, &mut case)?;
            }
            Event::Empty(start) => {
                is_junit |= open(&start, position, &mut report, &mut case)?;
                text.clear();
                close(start.name().as_ref(), &mut text, &mut report, &mut case);
            }
            Event::End(end) => {
                depth = depth.saturating_sub(1);
                close(end.name().as_ref(), &mut text, &mut report, &mut case);
            }
            Event::Text(piece) => text.push_str(&piece.xml10_content()),
            Event::CData(piece) => text.push_str(&piece.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().map_err(error)? {
                Some(c) => text.push(c),
                None => text.push_str(resolve_predefined_entity(&reference).unwrap_or_default()),
            },
            Event::Eof if depth > 0 => {
                let end = quick_xml::errors::IllFormedError::MissingEndTag("testsuite".to_owned());
                return Err(error(end.into()));
            }
            Event::Eof if is_junit => return Ok(report),
            Event::Eof => return Err(JunitError::NoTestSuite),
            _ => {}
        }
    }
}

/// Takes in the beginning of an element; true if it is a test suite.
fn open(
    start: &BytesStart<'_>,
    position: u64,
    report: &mut JunitReport,
    case: &mut Option<TestCase>,
) -> Result<bool, JunitError> {
    match start.name().as_ref() {
        "testsuite" => {
            let seconds = attributes(start, position)?
                .into_iter()
                .find(|(key, _)| key == "time")
                .and_then(|(_, value)| value.parse::<f64>().ok());
            report.seconds += seconds.filter(|it| it.is_finite()).unwrap_or_default();
            return Ok(true);
        }
        "testcase" => *case = Some(TestCase::new(start, position)?),
        element @ ("failure" | "error" | "skipped") => {
            if let Some(case) = case {
                let mut message = String::new();
                let mut kind = None;
                for (key, value) in attributes(start, position)? {
                    match key.as_str() {
                        "message" => message = value,
                        "type" => kind = Some(value),
                        _ => {}
                    }
                }
                case.parts.push(Part::new(element, message, kind));
            }
        }
        _ => {}
    }
    Ok(false)
}

/// Takes in the end of an element, and the text before it.
fn close(element: &str, text: &mut String, report: &mut JunitReport, case: &mut Option<TestCase>) {
    let text = std::mem::take(text);
    match (element, case.as_mut()) {
        ("failure" | "error" | "skipped", Some(case)) => {
            if let Some(part) = case.parts.last_mut() {
                part.text = text;
            }
        }
        ("system-out", Some(case)) => case.stdout = cut(text),
        ("system-err", Some(case)) => case.stderr = cut(text),
        ("testcase", Some(_)) => report.cases.extend(case.take()),
        _ => {}
    }
}

fn cut(mut text: String) -> String {
    if let Some(end) = (CAPTURED..text.len()).find(|&at| text.is_char_boundary(at)) {
        text.truncate(end);
    }
    text
}

fn attributes(start: &BytesStart<'_>, position: u64) -> Result<Vec<(String, String)>, JunitError> {
    let error = |source| JunitError::Xml { position, source };
    start
        .attributes()
        .map(|attribute| {
            let attribute = attribute.map_err(|err| error(err.into()))?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(error)?;
            Ok((attribute.key.as_ref().to_owned(), value.into_owned()))
        })
        .collect()
}

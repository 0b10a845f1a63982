//! Node ids in text: where they end, and which heading belongs to them.

use std::sync::LazyLock;

use regex::Regex;

/// A line of the summary, such as `FAILED test_a.py::test_b - assert 1 == 2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) line: u64,
    pub(super) is_error: bool,
    /// The sub-test, such as `[message] (i=1)`.
    pub(super) subtest: Option<String>,
    /// What comes after the word: the id, and mostly a message.
    pub(super) text: String,
}

static SUBTEST: LazyLock<Regex> = LazyLock::new(|| {
    // pytest 9 says `SUBFAILED[message] (i=1) id`, and pytest-subtests `[message] (i=1) SUBFAIL id`.
    Regex::new(r"^(?:SUBFAILED ?(?<after>(?:\[.*?\])?(?: ?\(.*?\))?)|(?<before>(?:\[.*?\])?(?: ?\(.*?\))?) ?SUBFAIL) (?<text>.*::.*)$")
        .expect("the expression is constant")
});
static OTHER_WORD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?<word>[A-Z][A-Za-z]*) (?<text>.+)$").expect("the expression is constant")
});

impl Entry {
    pub(super) fn parse(line: u64, text: &str) -> Option<Self> {
        let entry = |is_error, subtest, text: &str| {
            Some(Self { line, is_error, subtest, text: text.to_owned() })
        };
        if let Some(text) = text.strip_prefix("FAILED ") {
            return entry(false, None, text);
        }
        if let Some(text) = text.strip_prefix("ERROR ") {
            return entry(true, None, text);
        }
        if text.contains("SUBFAIL")
            && let Some(caps) = SUBTEST.captures(text)
        {
            let subtest = caps.name("after").or_else(|| caps.name("before"));
            let subtest = subtest.map(|it| it.as_str().to_owned()).filter(|it| !it.is_empty());
            return entry(false, subtest, &caps["text"]);
        }
        None
    }

    /// Reads a line with a status word of a plugin or a `conftest.py`.
    pub(super) fn parse_other_word(line: u64, text: &str) -> Option<Self> {
        let caps = OTHER_WORD.captures(text)?;
        let is_known = matches!(
            &caps["word"],
            "SKIPPED" | "XFAIL" | "XPASS" | "PASSED" | "RERUN" | "FAILED" | "ERROR"
        ) || caps["word"].starts_with("SUB");
        (!is_known).then(|| Self {
            line,
            is_error: false,
            subtest: None,
            text: caps["text"].to_owned(),
        })
    }

    /// Returns every way to cut the text into an id and a message, shortest id first.
    pub(super) fn splits(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.text
            .match_indices(" - ")
            .map(|(at, separator)| (&self.text[..at], Some(&self.text[at + separator.len()..])))
            .chain([(self.text.trim_end(), None)])
    }

    /// Returns whether the text breaks off within brackets, because the id goes on in another line.
    pub(super) fn is_open(&self) -> bool {
        self.plausible_splits().next().is_none()
            && self.text.split_once("::").is_some_and(|(_, name)| name.contains('['))
    }

    /// Adds the next line of the log.
    pub(super) fn join(&mut self, line: &str) {
        self.text.push('\n');
        self.text.push_str(line);
    }

    /// Returns the ways that leave something which can be an id.
    pub(super) fn plausible_splits(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.splits().filter(|(id, _)| is_plausible(id))
    }
}

/// Returns whether it can be an id: a file, or a test with its brackets closed.
fn is_plausible(id: &str) -> bool {
    match id.split_once("::") {
        Some((_, name)) => match name.split_once('[') {
            // xdist adds the name of a group.
            Some((name, rest)) => {
                !name.contains(" - ") && (rest.ends_with(']') || rest.contains("]@"))
            }
            None => !name.is_empty() && !name.contains(" - "),
        },
        None => {
            let name = id.rsplit('/').next().unwrap_or(id);
            name.rsplit_once('.').is_some_and(|(_, extension)| {
                (1..=8).contains(&extension.len())
                    && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
            })
        }
    }
}

/// What the heading of a section says about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Title<'a> {
    Collecting(&'a str),
    Setup(&'a str),
    Teardown(&'a str),
    Call(&'a str),
}

impl<'a> Title<'a> {
    pub(super) fn parse(title: &'a str) -> Self {
        if let Some(path) = title.strip_prefix("ERROR collecting ") {
            Self::Collecting(path)
        } else if let Some(name) = title.strip_prefix("ERROR at setup of ") {
            Self::Setup(name)
        } else if let Some(name) = title.strip_prefix("ERROR at teardown of ") {
            Self::Teardown(name)
        } else {
            Self::Call(title)
        }
    }

    pub(super) fn is_error(self) -> bool {
        !matches!(self, Self::Call(_))
    }

    pub(super) fn name(self) -> &'a str {
        match self {
            Self::Collecting(name)
            | Self::Setup(name)
            | Self::Teardown(name)
            | Self::Call(name) => name,
        }
    }

    /// Returns whether the heading, one of a plugin's own, may be that of the test with this id.
    pub(super) fn may_be_of(self, id: &str) -> bool {
        id.rsplit("::").next().is_some_and(|name| self.name().ends_with(name))
    }

    /// Returns whether the heading is that of the test with this id.
    pub(super) fn is_of(self, id: &str) -> bool {
        let name = self.name();
        if let Self::Collecting(path) = self {
            return id
                .strip_prefix(path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
        }
        let Some((file, rest)) = id.split_once("::") else { return false };
        if name == file {
            // The heading of a test that took its xdist worker down.
            return true;
        }
        let (test, subtest) = split_subtest(name);
        let doctest = name.strip_prefix("[doctest] ");
        rest == node_name(name)
            || rest == name
            || doctest == Some(rest)
            || (subtest.is_some() && rest == node_name(test))
    }
}

/// Returns the end of an id, made from a heading's title: `TestA.test_b[1.5]` is `TestA::test_b[1.5]`.
pub(super) fn node_name(title: &str) -> String {
    match title.split_once('[') {
        Some((name, parameters)) => format!("{}[{parameters}", name.replace('.', "::")),
        None => title.replace('.', "::"),
    }
}

/// Cuts `test_a [message] (i=1)` into the test and the sub-test.
pub(super) fn split_subtest(title: &str) -> (&str, Option<&str>) {
    let mut depth = 0_usize;
    for (at, c) in title.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 => {
                let rest = &title[at + 1..];
                let is_subtest = (rest.starts_with('[') && rest.ends_with([']', ')']))
                    || (rest.starts_with('(') && rest.ends_with(')'));
                return if is_subtest { (&title[..at], Some(rest)) } else { (title, None) };
            }
            _ => {}
        }
    }
    (title, None)
}

/// Undoes what pytest does to a line that the output's encoding has no characters for: all of it
/// is escaped, backslashes included.
pub(super) fn unescape(id: &str) -> Option<String> {
    let file = id.split_once("::").map_or(id, |(file, _)| file);
    // Characters in the file's name show that it happened; a parameter's may be escaped anyway.
    if !file.contains(r"\x") && !file.contains(r"\u") && !file.contains(r"\U") {
        return None;
    }
    let (name, parameters) = match id.split_once('[') {
        Some((name, parameters)) => (name, Some(parameters)),
        None => (id, None),
    };
    let name = decode(name)?;
    Some(match parameters {
        Some(parameters) if parameters.contains(r"\\") => format!("{name}[{}", decode(parameters)?),
        Some(parameters) => format!("{name}[{parameters}"),
        None => name,
    })
}

fn decode(escaped: &str) -> Option<String> {
    let mut decoded = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((before, after)) = rest.split_once('\\') {
        decoded.push_str(before);
        let n_digits = match after.as_bytes().first()? {
            b'\\' => {
                decoded.push('\\');
                rest = &after[1..];
                continue;
            }
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            _ => return None,
        };
        let digits = after.get(1..1 + n_digits)?;
        decoded.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
        rest = &after[1 + n_digits..];
    }
    decoded.push_str(rest);
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<String> {
        let entry = Entry::parse(1, &format!("FAILED {text}")).unwrap();
        entry.plausible_splits().map(|(id, _)| id.to_owned()).collect()
    }

    #[test]
    fn an_id_ends_where_its_brackets_do() {
        assert_eq!(ids("test_a.py::test_b[a - b] - assert 0")[0], "test_a.py::test_b[a - b]");
        assert_eq!(ids("test_a.py::test_b[x::y] - assert 0")[0], "test_a.py::test_b[x::y]");
        assert_eq!(ids("test_a - b.py::test_c - x")[0], "test_a - b.py::test_c");
        assert_eq!(ids("test_a - b.py - KeyError: 'c::d - e'")[0], "test_a - b.py");
        assert_eq!(ids("::test_c - x")[0], "::test_c");
    }

    #[test]
    fn where_an_id_ends_may_be_uncertain() {
        assert_eq!(ids("a.py::t[] - [] - assert 0"), ["a.py::t[]", "a.py::t[] - []"],);
    }

    #[test]
    fn escaped_lines_are_read_as_they_were_meant() {
        assert_eq!(
            unescape(r"test_\xfc.py::test_gr\xf6\xdfe[\\xe4-\\u6f22]").as_deref(),
            Some(r"test_ü.py::test_größe[\xe4-\u6f22]"),
        );
        assert_eq!(
            unescape(r"test_\xfc.py::test_p[\xe4]").as_deref(),
            Some(r"test_ü.py::test_p[\xe4]"),
        );
        assert_eq!(unescape(r"test_a.py::test_p[\xe4]"), None);
    }

    #[test]
    fn headings_are_found_for_ids() {
        let is_of = |title, id| Title::parse(title).is_of(id);
        assert!(is_of("TestA.TestB.test_c[1.5]", "a.py::TestA::TestB::test_c[1.5]"));
        assert!(is_of("ERROR at setup of test_c", "a.py::test_c"));
        assert!(is_of("ERROR collecting a.py", "a.py::TestA"));
        assert!(is_of("T.test_s [value check] (i=1)", "a.py::T::test_s"));
        assert!(!is_of("test_c", "a.py::test_cd"));
        assert!(!is_of("ERROR collecting a.py", "a.pyx"));
    }

    #[test]
    fn sub_tests_are_named_by_both_plugins() {
        let nine = Entry::parse(1, "SUBFAILED[value - check] (i=1) a.py::T::t - x").unwrap();
        let plugin = Entry::parse(1, "[value - check] (i=1) SUBFAIL a.py::T::t - x").unwrap();
        assert_eq!(nine.subtest.as_deref(), Some("[value - check] (i=1)"));
        assert_eq!(nine, plugin);
    }
}

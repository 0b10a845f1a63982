//! From the dotted class names of JUnit XML back to node ids.

use std::fmt::Write;

use camino::Utf8Path;

use crate::junit::read::TestCase;

/// The test files of a run, with the names they have in the XML.
#[derive(Debug)]
pub(super) struct Files<'a> {
    files: Vec<(String, &'a str)>,
}

impl<'a> Files<'a> {
    pub(super) fn new(files: impl IntoIterator<Item = &'a Utf8Path>) -> Self {
        let mut files: Vec<(String, &str)> =
            files.into_iter().map(|file| (dotted(file.as_str()), file.as_str())).collect();
        // The longest name first: `tests.test_a` before `tests`.
        files.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        files.dedup();
        Self { files }
    }

    /// Returns the id of a test, or of what could not be collected; and whether it is certain.
    pub(super) fn node_id(
        &self,
        case: &TestCase,
        is_collection: bool,
        known_ids: &[String],
    ) -> (String, bool) {
        let name = case.name.as_deref().unwrap_or_default();
        let known =
            known_ids.iter().find(|id| address(id) == (escaped(&case.class_name), escaped(name)));
        if let Some(id) = known {
            return (id.clone(), true);
        }
        let class_name = unescaped(&case.class_name);
        let name = &unescaped(name);
        let (place, test) = if is_collection {
            // A file that cannot be collected is all name: `tests.test_a`.
            let place =
                if class_name.is_empty() { name.clone() } else { format!("{class_name}.{name}") };
            (place, None)
        } else {
            (class_name, Some(name.as_str()))
        };
        let id = |file: &str, classes: &str| {
            let classes = classes.split('.').filter(|class| !class.is_empty());
            std::iter::once(file).chain(classes).chain(test).collect::<Vec<_>>().join("::")
        };
        if place.is_empty() {
            // A file outside pytest's root directory.
            return (id("", ""), true);
        }
        if let Some(file) = &case.file
            && let Some(classes) = below(&place, &dotted(file))
        {
            return (id(file, classes), true);
        }
        for (dotted, file) in &self.files {
            if let Some(classes) = below(&place, dotted) {
                return (id(file, classes), true);
            }
        }
        // The file may be known by its path from somewhere below.
        for (dotted, file) in &self.files {
            let Some(at) = place.find(&format!(".{dotted}")) else { continue };
            if let Some(classes) = below(&place[at + 1..], dotted) {
                return (id(&format!("{}/{file}", place[..at].replace('.', "/")), classes), true);
            }
        }
        let (file, classes) = guess(&place);
        (id(&file, classes), false)
    }
}

/// Returns what follows `prefix` in a dotted name, if it begins so.
fn below<'n>(name: &'n str, prefix: &str) -> Option<&'n str> {
    let rest = name.strip_prefix(prefix)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('.') }
}

/// Returns what pytest makes of a path: `tests/test_a.py` becomes `tests.test_a`.
fn dotted(file: &str) -> String {
    let dotted = file.replace('/', ".");
    dotted.strip_suffix(".py").map(str::to_owned).unwrap_or(dotted)
}

/// Returns the class name and the name that pytest makes of an id.
fn address(id: &str) -> (String, String) {
    let (path, parameters) = match id.find('[') {
        Some(at) => id.split_at(at),
        None => (id, ""),
    };
    let mut names: Vec<String> = path.split("::").map(str::to_owned).collect();
    names[0] = dotted(&names[0]);
    let name = names.pop().unwrap_or_default() + parameters;
    (escaped(&names.join(".")), escaped(&name))
}

/// Replaces what XML has no characters for, as pytest does: `#x1B`.
fn escaped(text: &str) -> String {
    const IN_MEMORY: &str = "a string takes anything";
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match u32::from(c) {
            0x09 | 0x0a | 0x0d | 0x20..=0x7e | 0x80..=0xd7ff | 0xe000..=0xfffd => escaped.push(c),
            code @ ..=0xff => write!(escaped, "#x{code:02X}").expect(IN_MEMORY),
            code => write!(escaped, "#x{code:04X}").expect(IN_MEMORY),
        }
    }
    escaped
}

/// Undoes that for characters beyond the first 65,536, which nobody writes as `#x1F600` himself.
fn unescaped(text: &str) -> String {
    let mut unescaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("#x") {
        unescaped.push_str(before);
        let n_digits =
            after.bytes().take_while(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F')).count();
        let c = (5..=6)
            .contains(&n_digits)
            .then(|| u32::from_str_radix(&after[..n_digits], 16).ok())
            .flatten()
            .and_then(char::from_u32);
        match c {
            Some(c) => {
                unescaped.push(c);
                rest = &after[n_digits..];
            }
            None => {
                unescaped.push_str("#x");
                rest = after;
            }
        }
    }
    unescaped.push_str(rest);
    unescaped
}

/// Tells file from classes by the usual names: the last part that looks like a test module.
fn guess(place: &str) -> (String, &str) {
    let mut end: Option<(usize, bool)> = None;
    let mut start = 0;
    for part in place.split('.') {
        let part_end = start + part.len();
        let is_module = part.starts_with("test_") || part.ends_with("_test");
        let is_lower = !part.starts_with(|c: char| c.is_uppercase());
        if is_module || (is_lower && end.is_none_or(|(_, was_module)| !was_module)) {
            end = Some((part_end, is_module));
        }
        start = part_end + 1;
    }
    let end = end.map_or(place.len(), |(end, _)| end);
    let (module, classes) = place.split_at(end);
    (format!("{}.py", module.replace('.', "/")), classes.trim_start_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(files: &[&str], class_name: &str, name: &str) -> (String, bool) {
        let case = TestCase {
            class_name: class_name.to_owned(),
            name: Some(name.to_owned()),
            ..TestCase::default()
        };
        Files::new(files.iter().map(|file| Utf8Path::new(*file))).node_id(&case, false, &[])
    }

    fn certain(id: &str) -> (String, bool) {
        (id.to_owned(), true)
    }

    #[test]
    fn the_files_tell_where_a_path_ends() {
        let files = ["tests/test_a.py", "tests/test_a/test_b.py"];
        assert_eq!(
            id(&files, "tests.test_a.TestC", "t[x.y]"),
            certain("tests/test_a.py::TestC::t[x.y]")
        );
        assert_eq!(id(&files, "tests.test_a.test_b", "t"), certain("tests/test_a/test_b.py::t"));
        assert_eq!(id(&["test_a.py"], "sub.test_a", "t"), certain("sub/test_a.py::t"));
        assert_eq!(id(&["test a - b.py"], "test a - b", "t"), certain("test a - b.py::t"));
    }

    #[test]
    fn without_files_it_is_a_guess() {
        assert_eq!(
            id(&[], "tests.unit.test_deep.TestA", "t"),
            ("tests/unit/test_deep.py::TestA::t".to_owned(), false),
        );
    }

    #[test]
    fn a_test_outside_the_root_has_no_path() {
        assert_eq!(id(&[], "", "test_c"), certain("::test_c"));
    }

    #[test]
    fn what_xml_cannot_say_is_found_by_the_ids_that_are_known() {
        let case = TestCase {
            class_name: "test_a".to_owned(),
            name: Some("t[#x1B]".to_owned()),
            ..TestCase::default()
        };
        let known = ["test_a.py::t[\u{1b}]".to_owned()];
        let files = Files::new([Utf8Path::new("test_a.py")]);
        assert_eq!(files.node_id(&case, false, &known), certain(&known[0]));
    }

    #[test]
    fn characters_beyond_the_first_plane_come_back() {
        assert_eq!(unescaped("a#x1F600#x1B#x"), "a\u{1f600}#x1B#x");
        assert_eq!(escaped("a\u{1f600}\u{1b}"), "a#x1F600#x1B");
    }
}

//! The fields of a document's objects, with errors that say where they are.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::str::FromStr;

use camino::Utf8PathBuf;
use serde_json::value::RawValue;

use super::error::RegistryError;
use crate::json::{Node, Object};
use crate::kind::Kind;
use crate::name::SpecRef;
use crate::text::excerpt;

/// An object of the document, and where it is.
pub(super) struct Fields<'a> {
    pub(super) location: Location<'a>,
    pub(super) object: Object<'a>,
}

impl<'a> Fields<'a> {
    /// Reads an object.
    ///
    /// # Errors
    ///
    /// If the value is something else.
    pub(super) fn of(location: Location<'a>, raw: &'a RawValue) -> Result<Self, RegistryError> {
        match Node::of(raw)? {
            Node::Object(object) => Ok(Self { location, object }),
            _ => Err(not_an_object(&location, raw)),
        }
    }

    /// Returns a field, or `None` if it is missing or `null`.
    pub(super) fn get(&self, field: &str) -> Option<&'a RawValue> {
        self.object.get(field).filter(|raw| raw.get() != "null")
    }

    /// Converts a field that may be missing.
    ///
    /// # Errors
    ///
    /// If it is there and cannot be converted; `expected` says to what.
    pub(super) fn optional<T>(
        &self,
        field: &str,
        expected: &str,
        convert: impl FnOnce(&'a RawValue) -> Option<T>,
    ) -> Result<Option<T>, RegistryError> {
        let Some(raw) = self.get(field) else { return Ok(None) };
        convert(raw).map(Some).ok_or_else(|| self.wrong(field, expected, Some(raw)))
    }

    /// Converts a field.
    ///
    /// # Errors
    ///
    /// If it is missing or cannot be converted; `expected` says to what.
    pub(super) fn required<T>(
        &self,
        field: &str,
        expected: &str,
        convert: impl FnOnce(&'a RawValue) -> Option<T>,
    ) -> Result<T, RegistryError> {
        self.optional(field, expected, convert)?.ok_or_else(|| self.wrong(field, expected, None))
    }

    /// Returns the error about a field that is missing or wrong.
    pub(super) fn wrong(
        &self,
        field: &str,
        expected: &str,
        found: Option<&RawValue>,
    ) -> RegistryError {
        RegistryError::Field {
            location: self.location.to_string(),
            field: field.to_owned(),
            expected: expected.to_owned(),
            found: found.map_or_else(|| "nothing".to_owned(), describe),
        }
    }
}

/// Returns the error about a value that is not an object.
pub(super) fn not_an_object(location: &Location<'_>, found: &RawValue) -> RegistryError {
    RegistryError::Object { location: location.to_string(), found: describe(found) }
}

/// An object of the document, as messages name it.
pub(super) enum Location<'a> {
    Document,
    Settings,
    AutoTests,
    /// A spec whose ref is not known, by its position in the list.
    Index(usize),
    Spec(SpecRef),
    Module(Cow<'a, str>),
}

impl Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document => f.write_str("registry document"),
            Self::Settings => f.write_str("settings"),
            Self::AutoTests => f.write_str("auto_tests"),
            Self::Index(idx) => write!(f, "specs[{idx}]"),
            Self::Spec(spec) => write!(f, "spec `{spec}`"),
            Self::Module(module) => write!(f, "module `{}`", excerpt(module)),
        }
    }
}

/// Describes a value in a message.
fn describe(raw: &RawValue) -> String {
    match raw.get().as_bytes().first() {
        Some(b'[') => "a list".to_owned(),
        Some(b'{') => "an object".to_owned(),
        _ => format!("`{}`", excerpt(raw.get())),
    }
}

/// Reads a string without lone surrogates.
pub(super) fn as_str(raw: &RawValue) -> Option<Cow<'_, str>> {
    Node::of(raw).ok()?.into_str()
}

/// Reads a string like [`as_str`], and copies it.
pub(super) fn as_string(raw: &RawValue) -> Option<String> {
    as_str(raw).map(Cow::into_owned)
}

/// Reads a string that is the text of some value.
pub(super) fn as_parsed<T: FromStr>(raw: &RawValue) -> Option<T> {
    as_str(raw)?.parse().ok()
}

/// Reads the word for a kind.
pub(super) fn as_kind(raw: &RawValue) -> Option<Kind> {
    Kind::from_registry_str(&as_str(raw)?)
}

/// Reads the items of a list.
pub(super) fn as_list(raw: &RawValue) -> Option<Vec<&RawValue>> {
    match Node::of(raw).ok()? {
        Node::List(items) => Some(items),
        _ => None,
    }
}

/// Reads the objects of a list. An item that is something else stays as it is.
pub(super) fn as_objects(raw: &RawValue) -> Option<Vec<Result<Object<'_>, &RawValue>>> {
    // Reading all at once takes half the time, and nearly always succeeds.
    if let Ok(objects) = serde_json::from_str::<Vec<Object<'_>>>(raw.get()) {
        return Some(objects.into_iter().map(Ok).collect());
    }
    let items = as_list(raw)?.into_iter();
    Some(items.map(|raw| serde_json::from_str(raw.get()).map_err(|_| raw)).collect())
}

/// Reads a list of strings.
pub(super) fn as_strs(raw: &RawValue) -> Option<Vec<Cow<'_, str>>> {
    as_list(raw)?.into_iter().map(as_str).collect()
}

/// Reads a list of strings, and copies them.
pub(super) fn as_strings(raw: &RawValue) -> Option<Vec<String>> {
    as_list(raw)?.into_iter().map(as_string).collect()
}

/// Returns the value if it is an object.
pub(super) fn as_object(raw: &RawValue) -> Option<&RawValue> {
    raw.get().starts_with('{').then_some(raw)
}

/// Reads the members of an object by key, without those that are `null`.
pub(super) fn as_members(raw: &RawValue) -> Option<Vec<(Cow<'_, str>, &RawValue)>> {
    match Node::of(raw).ok()? {
        Node::Object(members) => members
            .into_sorted()
            .into_iter()
            .filter(|(_, value)| value.get() != "null")
            .map(|(key, value)| Some((key.into_str()?, value)))
            .collect(),
        _ => None,
    }
}

/// Reads a path that stays inside the project; it may be empty.
pub(super) fn as_dir(raw: &RawValue) -> Option<Utf8PathBuf> {
    relative_path(&as_str(raw)?)
}

/// Reads a path that stays inside the project and is not empty.
pub(super) fn as_file(raw: &RawValue) -> Option<Utf8PathBuf> {
    as_dir(raw).filter(|path| *path != "")
}

/// Returns a path without its empty and `.` components.
///
/// `None` if it is absolute, or has a `..`, a backslash or a control character in it.
pub(super) fn relative_path(text: &str) -> Option<Utf8PathBuf> {
    if text.starts_with('/') || text.contains(|c: char| c == '\\' || c.is_control()) {
        return None;
    }
    let mut is_clean = true;
    for part in text.split('/') {
        match part {
            ".." => return None,
            "" | "." => is_clean = false,
            _ => {}
        }
    }
    if is_clean {
        return Some(text.into());
    }
    Some(text.split('/').filter(|part| !matches!(*part, "" | ".")).collect())
}

//! JSON values whose parts are read only when needed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// How deep lists and objects may be nested; `serde_json` allows a little more.
pub(crate) const MAX_DEPTH: usize = 100;

/// A value by its type, with its parts unread.
#[derive(Debug)]
pub(crate) enum Node<'a> {
    Null,
    Bool(bool),
    /// The number as it is written.
    Number(&'a str),
    String(Wtf8<'a>),
    List(Vec<&'a RawValue>),
    Object(Object<'a>),
}

impl<'a> Node<'a> {
    /// Determines the type of a value.
    pub(crate) fn of(raw: &'a RawValue) -> Result<Self, serde_json::Error> {
        let text = raw.get();
        Ok(match text.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'"') => Self::String(serde_json::from_str(text)?),
            Some(b'[') => Self::List(serde_json::from_str(text)?),
            Some(b'{') => Self::Object(serde_json::from_str(text)?),
            _ => Self::Number(text),
        })
    }

    /// Returns the string, or `None` if it is another value or holds a lone surrogate.
    pub(crate) fn into_str(self) -> Option<Cow<'a, str>> {
        match self {
            Self::String(text) => text.into_str(),
            _ => None,
        }
    }
}

/// A string, as WTF-8.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wtf8<'a>(Cow<'a, [u8]>);

impl<'a> Wtf8<'a> {
    /// Returns the string, or `None` if it holds a lone surrogate.
    pub(crate) fn as_str(&self) -> Option<&str> {
        str::from_utf8(&self.0).ok()
    }

    /// Returns the string, or `None` if it holds a lone surrogate.
    pub(crate) fn into_str(self) -> Option<Cow<'a, str>> {
        match self.0 {
            Cow::Borrowed(bytes) => str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
        }
    }

    /// Returns the bytes of the string.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the string with U+FFFD in place of lone surrogates.
    pub(crate) fn into_lossy(self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

impl<'a> From<&'a str> for Wtf8<'a> {
    fn from(text: &'a str) -> Self {
        Self(text.as_bytes().into())
    }
}

impl<'a> From<Cow<'a, str>> for Wtf8<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        match text {
            Cow::Borrowed(text) => text.into(),
            Cow::Owned(text) => text.into(),
        }
    }
}

impl From<String> for Wtf8<'_> {
    fn from(text: String) -> Self {
        Self(text.into_bytes().into())
    }
}

impl<'de> Deserialize<'de> for Wtf8<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As bytes, because serde_json refuses lone surrogates in strings but not in bytes.
        deserializer.deserialize_bytes(Wtf8Visitor)
    }
}

/// Reads a string into [`Wtf8`].
struct Wtf8Visitor;

impl<'de> Visitor<'de> for Wtf8Visitor {
    type Value = Wtf8<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_bytes<E: de::Error>(self, bytes: &'de [u8]) -> Result<Wtf8<'de>, E> {
        Ok(Wtf8(bytes.into()))
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Wtf8<'de>, E> {
        Ok(Wtf8(bytes.to_owned().into()))
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Wtf8<'de>, E> {
        Ok(text.into())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Wtf8<'de>, E> {
        Ok(text.to_owned().into())
    }
}

/// A string without lone surrogates; it is copied only if it has escapes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct Str<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// The members of an object, in the order of the document.
#[derive(Debug)]
pub(crate) struct Object<'a>(Vec<(Wtf8<'a>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// Returns a member, the last one of a repeated key, as Python does.
    pub(crate) fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(it, _)| *it.0 == *key.as_bytes()).map(|(_, value)| *value)
    }

    /// Returns the members by key, without those that a later one replaces.
    pub(crate) fn into_sorted(self) -> BTreeMap<Wtf8<'a>, &'a RawValue> {
        self.0.into_iter().collect()
    }
}

impl<'a> FromIterator<(Wtf8<'a>, &'a RawValue)> for Object<'a> {
    fn from_iter<I: IntoIterator<Item = (Wtf8<'a>, &'a RawValue)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

/// Reads the members of an [`Object`].
struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry::<Wtf8<'de>, &'de RawValue>()? {
            members.push(member);
        }
        Ok(Object(members))
    }
}

/// Checks whether a value is nested more deeply than [`MAX_DEPTH`].
pub(crate) fn is_too_deep(raw: &RawValue) -> bool {
    if raw.get().len() <= 2 * MAX_DEPTH {
        return false;
    }
    let (mut depth, mut in_string, mut is_escaped) = (0, false, false);
    raw.get().bytes().any(|byte| {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            _ => {}
        }
        depth > MAX_DEPTH
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_brackets_outside_of_strings_nest() {
        let is_too_deep = |json: &str| super::is_too_deep(serde_json::from_str(json).unwrap());
        let nested = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert!(!is_too_deep(&nested(MAX_DEPTH)));
        assert!(is_too_deep(&nested(MAX_DEPTH + 1)));
        assert!(!is_too_deep(&format!("[{}]", "{\"a\\\"[\": []},".repeat(200) + "1")));
        assert!(!is_too_deep(&format!("\"{}\"", "[".repeat(200))));
    }
}

//! JSON for use, where `serde_json` cannot represent it exactly.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::value::{Node, Object};

/// Converts an object for use, not for digests.
///
/// Lone surrogates become U+FFFD, and numbers beyond the range of a float become strings. A value
/// that is not an object gives an empty map.
pub(crate) fn to_map(raw: &RawValue) -> Result<Map<String, Value>, serde_json::Error> {
    serde_json::from_str(raw.get()).or_else(|_| match Node::of(raw)? {
        Node::Object(members) => to_lossy_map(members),
        _ => Ok(Map::new()),
    })
}

/// Converts the members of an object.
fn to_lossy_map(members: Object<'_>) -> Result<Map<String, Value>, serde_json::Error> {
    let members = members.into_sorted().into_iter();
    members.map(|(key, value)| Ok((key.into_lossy(), to_lossy(value)?))).collect()
}

/// Converts a value of any type.
fn to_lossy(raw: &RawValue) -> Result<Value, serde_json::Error> {
    Ok(match Node::of(raw)? {
        Node::Null => Value::Null,
        Node::Bool(value) => value.into(),
        Node::Number(digits) => serde_json::from_str(digits).unwrap_or_else(|_| digits.into()),
        Node::String(text) => text.into_lossy().into(),
        Node::List(items) => items.into_iter().map(to_lossy).collect::<Result<_, _>>()?,
        Node::Object(members) => to_lossy_map(members)?.into(),
    })
}

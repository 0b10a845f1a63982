//! The arguments of a spec's decorator, and the text of them that is digested.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use self::refs::{REF_ARGUMENTS, parse_ref};
use crate::json::{is_too_deep, to_map};
use crate::name::SpecRef;

mod canonical;
mod plain;
mod refs;

/// The arguments of a spec's decorator.
///
/// They stay texts, because nearly always only their digest is needed.
///
/// ```
/// use jaunt_digest::Kwargs;
///
/// let map = serde_json::from_str(r#"{"prompt": "Add up.", "deps": "shop.price.Price"}"#)?;
/// let kwargs = Kwargs::from(&map);
/// assert_eq!(kwargs.text(), r#"{"deps":["shop.price:Price"],"prompt":"Add up."}"#);
/// assert_eq!(kwargs.get("prompt"), Some("Add up.".into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kwargs {
    text: Box<str>,
    /// The JSON object in the document; `None` if it is the same as the text.
    object: Option<Box<str>>,
}

impl Kwargs {
    /// Returns the keyword text: the arguments as they are digested.
    ///
    /// It is the JSON that Python writes with sorted keys, without blanks, in ASCII. In `deps` and
    /// `targets` a single value becomes a list. If all items of the list are refs, they are brought
    /// to the form `module:qualname`; otherwise all stay as they are. The list is sorted.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns one argument, or `None` if it is missing.
    ///
    /// Not every value can be represented: lone surrogates become U+FFFD, and numbers beyond the range
    /// of a float become strings. Arguments that are not an object, or are nested more than 100 levels
    /// deep, are all missing.
    pub fn get(&self, name: &str) -> Option<Value> {
        // Most objects are short, and hardly any has the argument.
        if !self.object().contains(name) && !self.object().contains('\\') {
            return None;
        }
        self.to_map().remove(name)
    }

    /// Returns all arguments; see [`get`](Self::get).
    pub(crate) fn to_map(&self) -> Map<String, Value> {
        let object: Option<&RawValue> = serde_json::from_str(self.object()).ok();
        let object = object.filter(|raw| !is_too_deep(raw));
        object.and_then(|raw| to_map(raw).ok()).unwrap_or_default()
    }

    /// Returns the refs in `deps` and `targets`, without items that are not refs.
    pub(crate) fn refs(&self) -> BTreeSet<SpecRef> {
        let values = REF_ARGUMENTS.iter().filter_map(|key| self.get(key));
        let items = values.flat_map(|value| match value {
            Value::Array(items) => items,
            other => vec![other],
        });
        items.filter_map(|item| parse_ref(item.as_str()?)).collect()
    }

    /// Returns the JSON object, which is the text if the document has no other.
    fn object(&self) -> &str {
        self.object.as_deref().unwrap_or(&self.text)
    }

    /// Combines the object `decorator_kwargs` of a document and its text `decorator_kwargs_json`;
    /// either may be missing.
    pub(crate) fn of_document(
        object: Option<&RawValue>,
        text: Option<Cow<'_, str>>,
    ) -> Result<Self, serde_json::Error> {
        let text: Box<str> = match (text, object) {
            (Some(text), _) => text.into(),
            (None, None) => "{}".into(),
            (None, Some(object)) => match plain::keyword_text(object.get()) {
                Some(text) => text.into(),
                None => canonical::keyword_text(object)?.into(),
            },
        };
        let object = object.map(RawValue::get).filter(|object| **object != *text);
        Ok(Self { object: object.map(Into::into), text })
    }
}

/// Takes arguments as JSON values.
///
/// A `Map` cannot represent integers beyond 64 bits and lone surrogates. For such arguments only
/// [`Registry::from_json`](crate::Registry::from_json) finds the exact text.
impl From<&Map<String, Value>> for Kwargs {
    fn from(kwargs: &Map<String, Value>) -> Self {
        let raw = serde_json::value::to_raw_value(kwargs).expect("a JSON value can be written");
        Self::of_document(Some(&raw), None).expect("serde_json reads what it writes")
    }
}

#[cfg(test)]
mod tests;

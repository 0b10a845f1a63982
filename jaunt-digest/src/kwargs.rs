//! The keyword text: decorator arguments as Python's `json.dumps` writes them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::json::{self, Node, Text, Walk};
use crate::name::{SpecRef, is_ref};
use crate::text::is_space;

/// The arguments that hold refs of other specs.
const REFS: [&str; 2] = ["deps", "targets"];

/// Returns the keyword text of a spec: its decorator arguments as they are digested.
///
/// That is the JSON which Python writes with sorted keys, no blanks, and ASCII only. In `deps` and
/// `targets` a single value becomes a list; if all items are refs they are brought to the form
/// `module:qualname`, otherwise all stay as they are; the list is sorted.
///
/// A `Map` cannot hold everything that Python can. With an integer beyond 64 bits or a lone
/// surrogate, only the text that [`Registry::from_json`](crate::Registry::from_json) finds in the
/// document is exact.
pub fn kwargs_text(kwargs: &Map<String, Value>) -> String {
    Kwargs::from(kwargs).text.into()
}

/// The arguments of a spec's decorator.
///
/// They stay texts: nearly all that is ever asked of them is their digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kwargs {
    text: Box<str>,
    /// The JSON object that the document has; none where it is the text.
    object: Option<Box<str>>,
}

impl Kwargs {
    /// Returns them as they are digested; see [`kwargs_text`].
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns one of them, where it is there.
    pub fn get(&self, name: &str) -> Option<Value> {
        // Most have few, and hardly any has what is looked for.
        if !self.object().contains(name) && !self.object().contains('\\') {
            return None;
        }
        self.to_map().remove(name)
    }

    /// Returns all of them, for use.
    ///
    /// What a `Map` has no room for is brought as near as possible: lone surrogates become U+FFFD,
    /// and numbers beyond the range of a float become strings. Of what is no object, or nested more
    /// deeply than a document may be, nothing is left.
    pub fn to_map(&self) -> Map<String, Value> {
        let object: Option<&RawValue> = serde_json::from_str(self.object()).ok();
        let object = object.filter(|raw| !json::is_too_deep(raw));
        object.and_then(|raw| json::to_map(raw).ok()).unwrap_or_default()
    }

    /// Returns the refs in the arguments that hold refs, leaving out what is none.
    pub(crate) fn refs(&self) -> BTreeSet<SpecRef> {
        let values = REFS.iter().filter_map(|key| self.get(key));
        let items = values.flat_map(|value| match value {
            Value::Array(items) => items,
            other => vec![other],
        });
        items.filter_map(|item| normalize(item.as_str()?)).collect()
    }

    fn object(&self) -> &str {
        self.object.as_deref().unwrap_or(&self.text)
    }

    /// Takes the object `decorator_kwargs` of a document, or its text alone, or both.
    pub(crate) fn of_document(
        object: Option<&RawValue>,
        text: Option<Cow<'_, str>>,
    ) -> Result<Self, serde_json::Error> {
        let text: Box<str> = match (text, object) {
            (Some(text), _) => text.into(),
            (None, None) => "{}".into(),
            (None, Some(object)) => match plain_text(object.get()) {
                Some(text) => text.into(),
                None => text_of(object)?.into(),
            },
        };
        let object = object.map(RawValue::get).filter(|object| **object != *text);
        Ok(Self { object: object.map(Into::into), text })
    }
}

impl From<&Map<String, Value>> for Kwargs {
    fn from(kwargs: &Map<String, Value>) -> Self {
        let raw = serde_json::value::to_raw_value(kwargs).expect("a JSON value can be written");
        Self::of_document(Some(&raw), None).expect("what serde_json writes it can read")
    }
}

/// Returns the keyword text of the object `decorator_kwargs` of a document.
fn text_of(kwargs: &RawValue) -> Result<String, serde_json::Error> {
    let Node::Object(members) = Node::of(kwargs)? else { return Ok("{}".to_owned()) };
    let mut out = String::with_capacity(kwargs.get().len());
    json::write_joined(['{', '}'], members.into_sorted(), &mut out, |(key, value), out| {
        json::write_string(&key, out);
        out.push(':');
        if key.as_str().is_some_and(|key| REFS.contains(&key)) {
            json::write_joined(['[', ']'], refs(value)?, out, |text, out| {
                json::write_string(&text, out);
                Ok(())
            })
        } else {
            json::write_canonical(value, out)
        }
    })?;
    Ok(out)
}

/// Returns the keyword text of an object that is nearly its own: with its keys in order, its strings
/// plain ASCII, its numbers integers, and refs as they should be. Nearly all are, and to read those
/// once takes a fraction of the time.
fn plain_text(object: &str) -> Option<String> {
    let walk = Walk { text: object, at: 0 };
    let mut plain = Plain { walk, out: String::with_capacity(object.len()) };
    let mut last = None;
    plain.joined([b'{', b'}'], |plain| {
        let key = plain.string()?;
        if last.replace(key).is_some_and(|last| key <= last) {
            return None;
        }
        plain.walk.take(b':')?;
        plain.out.push(':');
        if REFS.contains(&key) { plain.refs() } else { plain.value() }
    })?;
    plain.walk.peek().is_none().then_some(plain.out)
}

/// What is left of plain JSON, and what was written so far. Whatever is not plain ends it with `None`.
struct Plain<'a> {
    walk: Walk<'a>,
    out: String,
}

impl<'a> Plain<'a> {
    fn joined(
        &mut self,
        [open, close]: [u8; 2],
        mut item: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.walk.take(open)?;
        self.out.push(char::from(open));
        let mut is_first = true;
        while self.walk.take(close).is_none() {
            if !is_first {
                self.walk.take(b',')?;
                self.out.push(',');
            }
            is_first = false;
            item(self)?;
        }
        self.out.push(char::from(close));
        Some(())
    }

    /// Copies a string, and returns what is between the quotes.
    fn string(&mut self) -> Option<&'a str> {
        self.walk.take(b'"')?;
        let rest = self.walk.rest();
        let text = &rest[..rest.bytes().position(|byte| !json::stands_for_itself(byte))?];
        self.walk.at += text.len();
        self.walk.take(b'"')?;
        self.out.push('"');
        self.out.push_str(text);
        self.out.push('"');
        Some(text)
    }

    /// Writes a list of refs in order.
    fn refs(&mut self) -> Option<()> {
        let start = self.out.len();
        let mut refs = Vec::new();
        self.joined([b'[', b']'], |plain| {
            refs.push(plain.string()?);
            refs.last().is_some_and(|text| is_ref(text)).then_some(())
        })?;
        if !refs.is_sorted() {
            refs.sort_unstable();
            self.out.truncate(start);
            self.out.push_str("[\"");
            self.out.push_str(&refs.join("\",\""));
            self.out.push_str("\"]");
        }
        Some(())
    }

    /// Copies a string, an integer, or a word.
    fn value(&mut self) -> Option<()> {
        if self.walk.peek()? == b'"' {
            return self.string().map(|_| ());
        }
        let rest = self.walk.rest();
        let token = &rest[..rest.find([',', '}', ']', ' ', '\n', '\t', '\r'])?];
        let is_plain = match token.as_bytes() {
            b"true" | b"false" | b"null" | b"0" => true,
            [b'1'..=b'9', digits @ ..] | [b'-', b'1'..=b'9', digits @ ..] => {
                digits.iter().all(u8::is_ascii_digit)
            }
            _ => false,
        };
        self.walk.at += token.len();
        self.out.push_str(Some(token).filter(|_| is_plain)?);
        Some(())
    }
}

fn refs(value: &RawValue) -> Result<Vec<Text<'_>>, serde_json::Error> {
    let items = match Node::of(value)? {
        Node::Null => Vec::new(),
        Node::List(items) => items,
        _ => vec![value],
    };
    let valid: Option<Vec<Text<'_>>> = items
        .iter()
        .map(|item| Some(normalized(Node::of(item).ok()?.into_str()?)?.into()))
        .collect();
    let mut texts = match valid {
        Some(refs) => refs,
        None => items.into_iter().map(python_str).collect::<Result<_, _>>()?,
    };
    texts.sort();
    Ok(texts)
}

/// Returns what Python's `str` makes of a value; of lists and objects, their JSON.
fn python_str(value: &RawValue) -> Result<Text<'_>, serde_json::Error> {
    Ok(match Node::of(value)? {
        Node::Null => "None".into(),
        Node::Bool(true) => "True".into(),
        Node::Bool(false) => "False".into(),
        // `str` spells the infinities unlike `json.dumps`.
        Node::Number(digits) => json::number(digits).replace("Infinity", "inf").into(),
        Node::String(text) => text,
        Node::List(_) | Node::Object(_) => {
            let mut text = String::new();
            json::write_canonical(value, &mut text)?;
            text.into()
        }
    })
}

/// Brings a ref to the form `module:qualname`.
///
/// White space around it is dropped; without a colon, the last dot separates the two.
pub(crate) fn normalize(text: &str) -> Option<SpecRef> {
    normalized(text.into())?.parse().ok()
}

fn normalized(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    if is_ref(&text) {
        return Some(text);
    }
    let text = text.trim_matches(is_space);
    let text = match text.rsplit_once('.') {
        _ if text.contains(':') => text.to_owned(),
        Some((module, qualname)) => format!("{module}:{qualname}"),
        None => return None,
    };
    is_ref(&text).then_some(text.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn text(kwargs: Value) -> String {
        kwargs_text(kwargs.as_object().unwrap())
    }

    #[test]
    fn the_text_is_that_of_python() {
        assert_eq!(text(json!({})), "{}");
        assert_eq!(
            text(json!({"prompt": "été", "n": 1, "f": 1e16, "nested": {"b": [], "a": null}})),
            r#"{"f":1e+16,"n":1,"nested":{"a":null,"b":[]},"prompt":"\u00e9t\u00e9"}"#
        );
    }

    #[test]
    fn arguments_that_nobody_checked_do_no_harm() {
        let nested = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        for text in [nested.as_str(), "", "[1]", "{\"a\":NaN}"] {
            let text = serde_json::to_string(text).unwrap();
            let kwargs = format!("{{\"text\": {text}, \"object\": null}}");
            let kwargs: Kwargs = serde_json::from_str(&kwargs).unwrap();
            assert_eq!(kwargs.to_map(), Map::new());
            assert_eq!(kwargs.get("a"), None);
        }
    }

    #[test]
    fn the_short_way_knows_what_it_cannot_do() {
        for (object, text) in [
            (r#"{}"#, Some("{}")),
            (r#" { } "#, Some("{}")),
            (
                r#"{"deps": ["a:f", "b:f"], "n": -12, "p": "x y", "t": true}"#,
                Some(r#"{"deps":["a:f","b:f"],"n":-12,"p":"x y","t":true}"#),
            ),
            (r#"{"n":0,"targets":[]}"#, Some(r#"{"n":0,"targets":[]}"#)),
            (
                r#"{"deps": ["b:f", "B:f", "a:f", "b:f"]}"#,
                Some(r#"{"deps":["B:f","a:f","b:f","b:f"]}"#),
            ),
            (r#"{"b": 1, "a": 1}"#, None),
            (r#"{"a": 1, "a": 2}"#, None),
            (r#"{"a": -0}"#, None),
            (r#"{"a": 1.0}"#, None),
            (r#"{"a": [1]}"#, None),
            (r#"{"a": "\n"}"#, None),
            (r#"{"a": "é"}"#, None),
            (r#"{"deps": ["a.f"]}"#, None),
            (r#"{"deps": "a:f"}"#, None),
            (r#"{"deps": null}"#, None),
        ] {
            assert_eq!(plain_text(object).as_deref(), text, "{object}");
        }
    }

    /// An object as documents have it, more or less plain.
    fn object() -> impl Strategy<Value = String> {
        let key = prop::sample::select(vec!["deps", "n", "prompt", "targets", "\\u0061", ""]);
        let blank = || prop::sample::select(vec!["", "", " ", "\n\t"]);
        let spec = prop_oneof!["[a-c]{1,2}:[fg]", "[a-c]\\.[fg]", "[ a-c:\u{7f}\u{e9}]{0,3}"];
        let text = move || spec.clone().prop_map(|text| format!("\"{text}\""));
        let list = prop::collection::vec((text(), blank()), 0..4).prop_map(|items| {
            let items: Vec<String> =
                items.into_iter().map(|(item, blank)| format!("{blank}{item}{blank}")).collect();
            format!("[{}]", items.join(","))
        });
        let other = prop::sample::select(vec![
            "null", "true", "0", "-0", "17", "-3", "1.5", "[]", "{}", "[1]", "\"\\n\"",
        ]);
        let value = prop_oneof![3 => list, 1 => text(), 1 => other.prop_map(str::to_owned)];
        let member = (key, blank(), value);
        prop::collection::vec(member, 0..4).prop_map(|members| {
            let members: Vec<String> = members
                .into_iter()
                .map(|(key, blank, value)| format!("{blank}\"{key}\"{blank}:{value}{blank}"))
                .collect();
            format!("{{{}}}", members.join(","))
        })
    }

    proptest! {
        #[test]
        fn the_short_way_leads_where_the_long_one_does(object in object()) {
            let raw: &RawValue = serde_json::from_str(&object).unwrap();
            if let Some(text) = plain_text(&object) {
                prop_assert_eq!(text, text_of(raw).unwrap());
            }
        }
    }

    #[test]
    fn refs_become_a_sorted_list() {
        for (value, list) in [
            (json!(null), "[]"),
            (json!([]), "[]"),
            (json!("a.b:f"), r#"["a.b:f"]"#),
            (json!(" a.b.f\n"), r#"["a.b:f"]"#),
            (json!(["b:f", "a.f", "a:f", "B.f"]), r#"["B:f","a:f","a:f","b:f"]"#),
            (json!(["a:C.m.<locals>.f", "a.<locals>"]), r#"["a:<locals>","a:C.m.<locals>.f"]"#),
        ] {
            assert_eq!(text(json!({ "deps": value })), format!("{{\"deps\":{list}}}"));
            assert_eq!(text(json!({ "targets": value })), format!("{{\"targets\":{list}}}"));
        }
        assert_eq!(text(json!({"other": "a.b"})), r#"{"other":"a.b"}"#);
    }

    #[test]
    fn one_item_that_is_no_ref_leaves_all_as_they_are() {
        for (value, list) in [
            (json!(["b.f", "nodots"]), r#"["b.f","nodots"]"#),
            (json!(["b.f", "a:b:c"]), r#"["a:b:c","b.f"]"#),
            (json!([" b.f", ""]), r#"[""," b.f"]"#),
            (json!("x.:y"), r#"["x.:y"]"#),
            (json!(["a.f", 1, true, null, 1e16]), r#"["1","1e+16","None","True","a.f"]"#),
            (json!({"a": 1}), r#"["{\"a\":1}"]"#),
        ] {
            assert_eq!(text(json!({ "deps": value })), format!("{{\"deps\":{list}}}"));
        }
    }
}

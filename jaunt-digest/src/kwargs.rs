//! The keyword text: decorator arguments as Python's `json.dumps` writes them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::json::{self, Node, Text};
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
    let raw = serde_json::value::to_raw_value(kwargs).expect("a JSON value can be written");
    text_of(&raw).expect("what serde_json writes it can read")
}

/// Returns the keyword text of the object `decorator_kwargs` of a document.
pub(crate) fn text_of(kwargs: &RawValue) -> Result<String, serde_json::Error> {
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

/// Returns the refs in the arguments that hold refs, leaving out what is none.
pub(crate) fn refs_in(kwargs: &Map<String, Value>) -> BTreeSet<SpecRef> {
    let values = REFS.iter().filter_map(|key| kwargs.get(*key));
    let items = values.flat_map(|value| match value {
        Value::Array(items) => items.as_slice(),
        other => std::slice::from_ref(other),
    });
    items.filter_map(|item| normalize(item.as_str()?)).collect()
}

#[cfg(test)]
mod tests {
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

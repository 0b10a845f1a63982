//! Slow path: the keyword text of any object.

use serde_json::value::RawValue;

use super::refs::{REF_ARGUMENTS, normalize_ref};
use crate::json::{Node, Wtf8, number, write_canonical, write_joined, write_string};

/// Returns the keyword text of an object.
pub(super) fn keyword_text(kwargs: &RawValue) -> Result<String, serde_json::Error> {
    let Node::Object(members) = Node::of(kwargs)? else { return Ok("{}".to_owned()) };
    let mut out = String::with_capacity(kwargs.get().len());
    write_joined(['{', '}'], members.into_sorted(), &mut out, |(key, value), out| {
        write_string(&key, out);
        out.push(':');
        if key.as_str().is_some_and(|key| REF_ARGUMENTS.contains(&key)) {
            write_joined(['[', ']'], refs(value)?, out, |text, out| {
                write_string(&text, out);
                Ok(())
            })
        } else {
            write_canonical(value, out)
        }
    })?;
    Ok(out)
}

/// Returns the items of a list of refs: normalized if all of them are refs, and sorted.
fn refs(value: &RawValue) -> Result<Vec<Wtf8<'_>>, serde_json::Error> {
    let items = match Node::of(value)? {
        Node::Null => Vec::new(),
        Node::List(items) => items,
        _ => vec![value],
    };
    let valid: Option<Vec<Wtf8<'_>>> = items
        .iter()
        .map(|item| Some(normalize_ref(Node::of(item).ok()?.into_str()?)?.into()))
        .collect();
    let mut texts = match valid {
        Some(refs) => refs,
        None => items.into_iter().map(python_str).collect::<Result<_, _>>()?,
    };
    texts.sort();
    Ok(texts)
}

/// Returns a value as Python's `str` does, but lists and objects as JSON.
fn python_str(value: &RawValue) -> Result<Wtf8<'_>, serde_json::Error> {
    Ok(match Node::of(value)? {
        Node::Null => "None".into(),
        Node::Bool(true) => "True".into(),
        Node::Bool(false) => "False".into(),
        // `str` and `json.dumps` spell the infinities differently.
        Node::Number(digits) => number(digits).replace("Infinity", "inf").into(),
        Node::String(text) => text,
        Node::List(_) | Node::Object(_) => {
            let mut text = String::new();
            write_canonical(value, &mut text)?;
            text.into()
        }
    })
}

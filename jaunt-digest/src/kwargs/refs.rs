//! Refs in decorator arguments.

use std::borrow::Cow;

use crate::name::{SpecRef, is_ref};
use crate::text::is_space;

/// The arguments that hold refs of other specs.
pub(super) const REF_ARGUMENTS: [&str; 2] = ["deps", "targets"];

/// Reads a ref in any form that [`normalize_ref`] accepts.
pub(super) fn parse_ref(text: &str) -> Option<SpecRef> {
    normalize_ref(text.into())?.parse().ok()
}

/// Brings a ref to the form `module:qualname`.
///
/// White space around it is dropped. If there is no colon, the last dot separates the two parts.
pub(super) fn normalize_ref(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
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

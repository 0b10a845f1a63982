//! The name of a generation: the digest of all that decides it.

use jaunt_digest::Digest;

use crate::backend::ModuleSpecContext;

/// SHA-256 of the canonical form of a context: its JSON, without white space, keys in order of
/// code points.
///
/// Two contexts with the same digest ask for the same code, whatever the prompt templates, the
/// backend, or the number of the attempt. Recordings are named by it, so a change to what a context
/// holds, or to the form of an API in it, makes them all unknown.
pub fn canonical_digest(ctx: &ModuleSpecContext) -> Digest {
    // A `Value` keeps its keys sorted; the struct's own fields come in order of declaration.
    let value = serde_json::to_value(ctx).expect("a context has only text in it");
    Digest::of(value.to_string().as_bytes())
}

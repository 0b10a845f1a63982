//! Everything that decides the code of a module, and the digest of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jaunt_digest::{Digest, Kind, ModuleName, SpecRef};
use serde::Serialize;

/// Everything that decides what the code of one module should be.
///
/// The JSON form is the `context` of the `jaunt.generate/1` protocol, and its SHA-256 names a
/// recorded generation (see [`canonical_digest`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModuleSpecContext {
    /// Whether product code or tests are wanted.
    pub kind: Kind,
    /// The module that holds the specs.
    pub spec_module: ModuleName,
    /// The module that is to be generated.
    pub generated_module: ModuleName,
    /// The names that the code has to define at top level, sorted.
    pub expected_names: Vec<String>,
    /// The source of each spec's definition, as it is digested: without decorators.
    pub spec_sources: BTreeMap<SpecRef, String>,
    /// The `prompt=` of each spec that has one.
    pub decorator_prompts: BTreeMap<SpecRef, String>,
    /// Signature and docstring of every spec that these specs depend on.
    pub dependency_apis: BTreeMap<SpecRef, Arc<str>>,
    /// The generated source of every module that these specs depend on. Empty for tests.
    pub dependency_generated_modules: BTreeMap<ModuleName, Arc<str>>,
}

/// Returns the SHA-256 of the canonical form of a context: its JSON, without white space, keys in order
/// of code points.
///
/// Two contexts with the same digest ask for the same code, whatever the prompt templates, the
/// backend, or the number of the attempt. Recordings are named by it, so a change to what a context
/// holds, or to the form of an API in it, makes them all unknown.
pub fn canonical_digest(ctx: &ModuleSpecContext) -> Digest {
    // Most of it is texts, of which a few letters are escaped.
    let mut text = Vec::with_capacity(size(ctx) / 8 * 9 + 1024);
    serde_json::to_writer(&mut text, &Canonical::from(ctx)).expect("a context has only text in it");
    Digest::of(&text)
}

/// Returns the length of the texts of a context, in bytes.
fn size(ctx: &ModuleSpecContext) -> usize {
    let own = ctx.spec_sources.values().chain(ctx.decorator_prompts.values()).map(String::len);
    let apis = ctx.dependency_apis.values().map(|it| it.len());
    let bodies = ctx.dependency_generated_modules.values().map(|it| it.len());
    own.chain(apis).chain(bodies).sum()
}

/// A context whose fields are in the order of their names. Its maps are sorted as they are.
#[derive(Serialize)]
struct Canonical<'a> {
    decorator_prompts: &'a BTreeMap<SpecRef, String>,
    dependency_apis: &'a BTreeMap<SpecRef, Arc<str>>,
    dependency_generated_modules: &'a BTreeMap<ModuleName, Arc<str>>,
    expected_names: &'a [String],
    generated_module: &'a ModuleName,
    kind: &'a Kind,
    spec_module: &'a ModuleName,
    spec_sources: &'a BTreeMap<SpecRef, String>,
}

impl<'a> From<&'a ModuleSpecContext> for Canonical<'a> {
    fn from(ctx: &'a ModuleSpecContext) -> Self {
        let ModuleSpecContext {
            kind,
            spec_module,
            generated_module,
            expected_names,
            spec_sources,
            decorator_prompts,
            dependency_apis,
            dependency_generated_modules,
        } = ctx;
        Self {
            decorator_prompts,
            dependency_apis,
            dependency_generated_modules,
            expected_names,
            generated_module,
            kind,
            spec_module,
            spec_sources,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_form_is_the_json_form_with_sorted_keys() {
        let specs = |names: &[&str]| {
            let texts = names.iter().map(|name| {
                let text = format!("def f(\"\u{1}\t\\ caf\u{e9} \u{2028}\u{10ffff}\"): # {name}\n");
                (name.parse::<SpecRef>().unwrap(), text)
            });
            texts.collect()
        };
        let name = |text: &str| text.parse::<ModuleName>().unwrap();
        let ctx = ModuleSpecContext {
            kind: Kind::Test,
            spec_module: name("a.b"),
            generated_module: name("a.__generated__.b"),
            expected_names: vec!["z".to_owned(), "\u{e9}".to_owned()],
            // Where a dot, a colon, an underscore and a letter beyond ASCII decide the order.
            spec_sources: specs(&["a:z", "a.b:c", "a_b:c", "a:\u{e9}", "a:B", "ab:c", "a.b:c.d"]),
            decorator_prompts: specs(&["a.b:c"]),
            dependency_apis: BTreeMap::from([("a:b".parse().unwrap(), "def b(): ...".into())]),
            dependency_generated_modules: ["a_b", "a.b", "a", "\u{ff21}"]
                .map(|it| (name(it), it.into()))
                .into(),
        };
        // A `Value` keeps its keys sorted.
        let value = serde_json::to_value(&ctx).unwrap();
        let canonical = serde_json::to_string(&Canonical::from(&ctx)).unwrap();
        assert_eq!(canonical, value.to_string());
        assert_eq!(canonical_digest(&ctx), Digest::of(canonical.as_bytes()));
    }
}

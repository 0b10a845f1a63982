//! What must hold of generated code before it is written.

use std::fmt;

use jaunt_digest::{Kind, ModuleName, Shadowed, SyntaxError, TopLevel};
use jaunt_text::one_line;
use jaunt_write::WriteError;

use crate::context::ModuleSpecContext;

/// A fault in generated code, or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The source does not parse.
    Syntax(SyntaxError),
    /// A spec has no definition at top level.
    MissingName(String),
    /// A spec's definition, or a test, is redefined or deleted further down.
    Lost(Shadowed),
    /// What another module is to provide is defined once more.
    Copied {
        /// The name of the function or class.
        name: String,
        /// The module that has it.
        module: ModuleName,
        /// Where it is defined once more, counted from 1.
        line: usize,
    },
    /// The backend gave no source.
    Backend(String),
    /// The file could not be written, or is not ours to overwrite.
    Write(String),
    /// The code that runs the backend panicked.
    Panic(String),
    /// The run was stopped before there was an answer.
    Interrupted,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(err) => write!(f, "{err}"),
            Self::MissingName(name) => write!(f, "Missing top-level definition: {name}"),
            Self::Lost(Shadowed { name, line, shadowed_on, .. }) => {
                write!(f, "`{name}` (line {line}) is redefined or deleted on line {shadowed_on}")
            }
            Self::Copied { name, module, line } => {
                write!(f, "`{name}` is defined on line {line} instead of imported from `{module}`")
            }
            Self::Backend(message) | Self::Write(message) => f.write_str(message),
            Self::Panic(message) => write!(f, "the backend panicked: {message}"),
            Self::Interrupted => f.write_str("the run was stopped"),
        }
    }
}

impl From<WriteError> for Problem {
    fn from(err: WriteError) -> Self {
        Self::Write(one_line(&err))
    }
}

/// Returns the faults of generated source, in this order:
///
/// - a syntax error, and nothing else then;
/// - each expected name that is not defined at top level by `def`, `async def`, `class`, `NAME = …` or
///   `NAME: T = …`;
/// - each expected name, and for tests each test, that is redefined or deleted further down;
/// - each dependency that is defined once more, in source that nowhere names the module it comes from:
///   that would cut the code off from the original.
pub fn check(source: &str, ctx: &ModuleSpecContext) -> Vec<Problem> {
    if source.trim().is_empty() {
        return vec![Problem::Backend("the backend returned no code".to_owned())];
    }
    let found = match TopLevel::parse(source) {
        Ok(found) => found,
        Err(err) => return vec![Problem::Syntax(err)],
    };
    let is_expected = |name: &String| ctx.expected_names.contains(name);
    // Pytest never sees a test that is redefined. Deleting a base class is how one hides it from
    // pytest.
    let is_test = |lost: &Shadowed| {
        let name = lost.name.rsplit('.').next().unwrap_or_default();
        ctx.kind == Kind::Test
            && !lost.is_deleted
            && (name.starts_with("test") || name.starts_with("Test"))
    };
    let lost = found.shadowed().iter().filter(|it| is_expected(&it.name) || is_test(it));
    let lost: Vec<Shadowed> = lost.cloned().collect();
    let missing = ctx
        .expected_names
        .iter()
        .filter(|name| !found.names().contains(*name) && lost.iter().all(|it| it.name != **name));
    let missing = missing.cloned().map(Problem::MissingName);
    let copied = ctx.dependency_apis.keys().filter_map(|spec| {
        let name = spec.definition().to_owned();
        let line = *found.definitions().get(&name).filter(|_| !is_expected(&name))?;
        // A wrapper may have the name of what it wraps, and a fixture that of what it provides.
        if names(source, spec.module()) {
            return None;
        }
        Some(Problem::Copied { name, module: spec.module().clone(), line })
    });
    let mut copied: Vec<Problem> = copied.collect();
    // Several methods of one class are one copy.
    copied.dedup();
    missing.chain(lost.iter().cloned().map(Problem::Lost)).chain(copied).collect()
}

/// Returns whether a source names a module somewhere, in whatever way it is imported.
fn names(source: &str, module: &ModuleName) -> bool {
    let last = module.as_str().rsplit('.').next().unwrap_or_default();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    source.match_indices(last).any(|(at, _)| {
        !source[..at].ends_with(is_word) && !source[at + last.len()..].starts_with(is_word)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[track_caller]
    fn assert_problems(kind: Kind, source: &str, problems: &[&str]) {
        let name = |text: &str| text.parse::<ModuleName>().unwrap();
        let api = |text: &str| (text.parse().unwrap(), "".into());
        let ctx = ModuleSpecContext {
            kind,
            spec_module: name("shop.cart"),
            generated_module: name("shop.__generated__.cart"),
            expected_names: vec!["Cart".to_owned(), "total".to_owned()],
            spec_sources: BTreeMap::new(),
            decorator_prompts: BTreeMap::new(),
            dependency_apis: [
                api("shop.price:Price.net"),
                api("shop.price:Price.vat"),
                api("shop.other:total"),
            ]
            .into(),
            dependency_generated_modules: BTreeMap::new(),
        };
        let found: Vec<String> = check(source, &ctx).iter().map(Problem::to_string).collect();
        assert_eq!(found, problems);
    }

    const GOOD: &str = "class Cart: ...\ndef total(): ...\n";

    #[test]
    fn what_is_expected_is_defined() {
        assert_problems(Kind::Build, GOOD, &[]);
        assert_problems(Kind::Build, " \n", &["the backend returned no code"]);
        assert_problems(Kind::Build, "Cart = total = make()\n", &[]);
        assert_problems(
            Kind::Build,
            "class cart: ...\ndel total\n",
            &["Missing top-level definition: Cart", "Missing top-level definition: total"],
        );
    }

    #[test]
    fn what_is_expected_lasts() {
        let problem = "`total` (line 2) is redefined or deleted on line 3";
        for last in ["def total(): ...", "total = None", "from a import total", "del total"] {
            assert_problems(Kind::Build, &format!("{GOOD}{last}\n"), &[problem]);
        }
        assert_problems(Kind::Build, &format!("{GOOD}def _help(): ...\ndef _help(): ...\n"), &[]);
    }

    #[test]
    fn no_test_replaces_another() {
        let source = format!("{GOOD}def test_a(): ...\ndef test_a(): ...\n");
        assert_problems(Kind::Build, &source, &[]);
        let problem = "`test_a` (line 3) is redefined or deleted on line 4";
        assert_problems(Kind::Test, &source, &[problem]);
        let source = format!("{GOOD}class A:\n def test_b(): ...\n def test_b(): ...\n");
        let problem = "`A.test_b` (line 4) is redefined or deleted on line 5";
        assert_problems(Kind::Test, &source, &[problem]);
        let source = format!("{GOOD}class TestA: ...\nclass TestB(TestA): ...\ndel TestA\n");
        assert_problems(Kind::Test, &source, &[]);
    }

    #[test]
    fn dependencies_are_imported() {
        let problem = "`Price` is defined on line 3 instead of imported from `shop.price`";
        assert_problems(Kind::Build, &format!("{GOOD}class Price: ...\n"), &[problem]);
        assert_problems(Kind::Build, &format!("from shop.price import Price\n{GOOD}"), &[]);
        let fixture = "from shop import price\n@fixture\ndef Price(): return price.Price(1)\n";
        assert_problems(Kind::Build, &format!("{fixture}{GOOD}"), &[]);
        // Another name for it is no copy.
        assert_problems(Kind::Build, &format!("{GOOD}Price = shop.price.Price\n"), &[]);
    }
}

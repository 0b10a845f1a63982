//! What the tests of the backends have in common.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use camino::Utf8PathBuf;
use jaunt_builder::{
    Attempt, Attempts, Generation, GeneratorBackend, ModuleSpecContext, Problem,
    generate_with_retry,
};
use jaunt_digest::Kind;
use jaunt_text::error_chain;
use tempfile::TempDir;

/// A module with a function and a class, a dependency, and a prompt.
pub(crate) fn cart() -> ModuleSpecContext {
    let total = "async def total(items: list[Item], *, tax: Tax = Tax.NONE) -> Decimal:\n    \
                 \"\"\"The sum of all prices, with `{{spec_module}}` taken literally.\"\"\"\n    ...";
    let cart = "class Cart:\n    \"\"\"Holds items.\n\n    ```python\n    Cart().add(item)\n    ```\n    \
                \"\"\"\n\n    @jaunt.magic()\n    def add(self, item: Item) -> None:\n        \
                \"\"\"Adds one.\"\"\"";
    ModuleSpecContext {
        kind: Kind::Build,
        spec_module: "shop.cart".parse().unwrap(),
        generated_module: "shop.__generated__.cart".parse().unwrap(),
        expected_names: vec!["Cart".to_owned(), "total".to_owned()],
        spec_sources: [("shop.cart:Cart.add", cart), ("shop.cart:total", total)]
            .map(|(spec, source)| (spec.parse().unwrap(), source.to_owned()))
            .into(),
        decorator_prompts: BTreeMap::from([(
            "shop.cart:total".parse().unwrap(),
            "Round half up.\n".to_owned(),
        )]),
        dependency_apis: BTreeMap::from([(
            "shop.price:Price".parse().unwrap(),
            "class Price:\n    \"\"\"An amount.\"\"\"\n\n    def net(self) -> Decimal: ...\n"
                .into(),
        )]),
        dependency_generated_modules: BTreeMap::from([(
            "shop.price".parse().unwrap(),
            "class Price:\n    def net(self):\n        return self.amount\n".into(),
        )]),
    }
}

/// The tests of [`cart`].
pub(crate) fn cart_tests() -> ModuleSpecContext {
    ModuleSpecContext {
        kind: Kind::Test,
        spec_module: "tests.test_cart".parse().unwrap(),
        generated_module: "tests.__generated__.test_cart".parse().unwrap(),
        expected_names: vec!["test_empty".to_owned()],
        spec_sources: BTreeMap::from([(
            "tests.test_cart:test_empty".parse().unwrap(),
            "def test_empty() -> None:\n    \"\"\"The total of no items is 0.\"\"\"".to_owned(),
        )]),
        decorator_prompts: BTreeMap::new(),
        dependency_apis: [("shop.cart:total".parse().unwrap(), "async def total(): ...".into())]
            .into(),
        dependency_generated_modules: BTreeMap::new(),
    }
}

/// An empty directory, and its path.
pub(crate) fn directory() -> (TempDir, Utf8PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(dir.path().canonicalize().unwrap()).unwrap();
    (dir, path)
}

/// An error with its causes, as the program prints them.
pub(crate) fn chain(err: &dyn std::error::Error) -> String {
    error_chain(err).join("\n  caused by: ")
}

/// Asks a backend for a module. Returns the result, and the number of attempts it took.
pub(crate) async fn generate(
    backend: &dyn GeneratorBackend,
    ctx: &ModuleSpecContext,
    max_attempts: u32,
) -> (Result<Generation, Vec<Problem>>, u32) {
    let last = AtomicU32::new(0);
    let on_attempt = |attempt: Attempt<'_>| last.store(attempt.number, Ordering::Relaxed);
    let attempts = Attempts::at_most(max_attempts);
    let generated = generate_with_retry(backend, ctx, attempts, on_attempt).await;
    (generated, last.into_inner())
}

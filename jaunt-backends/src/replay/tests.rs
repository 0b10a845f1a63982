use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;

use insta::assert_snapshot;
use jaunt_builder::BackendErrorKind;

use super::*;
use crate::testing::{cart, cart_tests, directory, generate};

const SOURCE: &str = "class Cart: ...\n\n\ntotal = 1\n";

/// What a store with these recordings has for a module.
async fn replay(
    recorded: &[(&ModuleSpecContext, &str)],
    ctx: &ModuleSpecContext,
) -> Result<Generation, BackendError> {
    let (_dir, root) = directory();
    let store = Store::create(&root, "recordings".into()).unwrap();
    for (ctx, source) in recorded {
        store.put(ctx, source).unwrap();
    }
    let backend = ReplayBackend::new(store);
    backend.look_up(ctx).expect("an answer, or an error")
}

async fn failure(recorded: &[(&ModuleSpecContext, &str)], ctx: &ModuleSpecContext) -> String {
    let err = replay(recorded, ctx).await.unwrap_err();
    assert_eq!(err.kind, BackendErrorKind::Fatal);
    err.message
}

#[tokio::test]
async fn the_answer_is_the_recording() {
    let answer = replay(&[(&cart(), SOURCE), (&cart_tests(), "x = 1\n")], &cart()).await;
    assert_eq!(answer, Ok(Generation { source: SOURCE.to_owned(), usage: None }));
}

#[tokio::test]
async fn without_a_recording_the_module_fails_and_the_nearest_is_named() {
    let mut once = cart();
    once.spec_sources.first_entry().unwrap().get_mut().push(' ');
    let mut long_ago = once.clone();
    long_ago.dependency_apis.clear();
    long_ago.dependency_generated_modules.clear();
    long_ago.decorator_prompts = BTreeMap::new();
    assert_snapshot!(
        [
            failure(&[], &cart()).await,
            failure(&[(&cart_tests(), SOURCE)], &cart()).await,
            failure(&[(&long_ago, SOURCE)], &cart()).await,
            failure(&[(&long_ago, SOURCE), (&once, SOURCE)], &cart()).await,
        ]
        .join("\n"),
        @"
    `recordings` has no recording for `shop.cart`; it has none for this module at all; the context is sha256:92142ec8592d144497df09394c24d73e63667ae523512836b953e5cd5fffc5e4
    `recordings` has no recording for `shop.cart`; it has none for this module at all; the context is sha256:92142ec8592d144497df09394c24d73e63667ae523512836b953e5cd5fffc5e4
    `recordings` has no recording for `shop.cart`; the nearest, `3806a67a7301….py`, was made for another source of `shop.cart:Cart.add`, prompt of `shop.cart:total`, interface of `shop.price:Price`, and 1 more; the context is sha256:92142ec8592d144497df09394c24d73e63667ae523512836b953e5cd5fffc5e4
    `recordings` has no recording for `shop.cart`; the nearest, `df779af16b76….py`, was made for another source of `shop.cart:Cart.add`; the context is sha256:92142ec8592d144497df09394c24d73e63667ae523512836b953e5cd5fffc5e4
    "
    );
}

#[tokio::test]
async fn a_recording_is_checked_again_and_tried_once() {
    for (source, fault) in
        [("total = (\n", "SyntaxError: "), ("total = 1\n", "Missing top-level definition: Cart")]
    {
        let (_dir, root) = directory();
        let store = Store::create(&root, "recordings".into()).unwrap();
        store.put(&cart(), source).unwrap();
        let backend = ReplayBackend::new(store.clone());
        let (generated, attempts) = generate(&backend, &cart(), 5).await;
        let problems: Vec<String> =
            generated.unwrap_err().iter().map(ToString::to_string).collect();
        let path = store.path_of(canonical_digest(&cart()));
        let start = format!("the recording `{path}` does not pass: {fault}");
        assert!(problems[0].starts_with(&start), "{problems:?}");
        assert_eq!((problems.len(), attempts), (1, 1));
        // The same as a lookup, of which the build checks the answer.
        assert_eq!(backend.look_up(&cart()).unwrap().unwrap().source, source);
        let err = backend.error_for_invalid(&cart(), &check(source, &cart())).unwrap();
        assert_eq!(err, BackendError::fatal(problems[0].clone()));
    }
}

#[tokio::test]
async fn a_damaged_recording_is_refused_and_not_used() {
    let (_dir, root) = directory();
    let store = Store::create(&root, "recordings".into()).unwrap();
    store.put(&cart(), SOURCE).unwrap();
    let path = root.join(store.path_of(canonical_digest(&cart())));
    fs::OpenOptions::new().append(true).open(path).unwrap().write_all(b"import os\n").unwrap();
    let backend = ReplayBackend::new(store);
    let err = backend.generate(&cart(), Attempt::FIRST).await.unwrap_err();
    assert_eq!(backend.look_up(&cart()), Some(Err(err.clone())));
    assert_eq!(err.kind, BackendErrorKind::Fatal);
    assert!(err.message.starts_with("refusing the recording `recordings/"), "{}", err.message);
}

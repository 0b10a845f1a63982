//! Test modules: the same pipeline, another directory, other rules for what is stale.

use insta::assert_snapshot;
use jaunt_builder::{Force, PlanOptions};
use jaunt_digest::Kind;

use crate::support::{FakeBackend, Fixture, options};

const PROJECT: &str = "
    app.a:f
    app.b:g <- app.a:f
    tests.t:test_f tests app.a:f
    tests.u:test_g tests app.b:g
";

fn build_tests(fixture: &Fixture) -> Vec<String> {
    fixture.build_with(Kind::Test, &FakeBackend::new(), &PlanOptions::default(), &options()).calls
}

#[test]
fn tests_go_to_their_own_directory() {
    let fixture = Fixture::new(PROJECT);
    let before = fixture.tree("src");
    assert_eq!(build_tests(&fixture).len(), 2);
    assert_snapshot!(fixture.generated().join("\n"), @r"
    tests/__generated__/__init__.py
    tests/__generated__/t.py
    tests/__generated__/u.py
    ");
    assert_eq!(fixture.tree("src"), before);
}

#[test]
fn tests_get_the_apis_of_what_they_test_and_no_code() {
    let fixture = Fixture::new(PROJECT);
    fixture.build(&FakeBackend::new());
    let backend = FakeBackend::new();
    fixture.build_with(Kind::Test, &backend, &PlanOptions::default(), &options());
    let ctx = backend.context("tests.u");
    assert_eq!(
        ctx.dependency_apis.keys().map(ToString::to_string).collect::<Vec<_>>(),
        ["app.b:g"]
    );
    assert!(ctx.dependency_generated_modules.is_empty());
}

#[test]
fn changed_product_specs_make_the_tests_that_depend_on_them_stale() {
    let fixture = Fixture::new(PROJECT);
    fixture.build(&FakeBackend::new());
    build_tests(&fixture);
    fixture.edit("src/app/b.py", "Spec", "Other");
    assert_snapshot!(fixture.status(Kind::Test), @r"
    tests.t: fresh
    tests.u: the specs of `app.b` changed since
    ");
    assert_eq!(build_tests(&fixture), ["tests.u"]);

    // What `app.b` depends on is part of its digest.
    fixture.edit("src/app/a.py", "Spec", "Other");
    let mut stale = build_tests(&fixture);
    stale.sort();
    assert_eq!(stale, ["tests.t", "tests.u"]);
}

#[test]
fn a_product_module_regenerated_from_unchanged_specs_leaves_tests_fresh() {
    let fixture = Fixture::new(PROJECT);
    fixture.build(&FakeBackend::new());
    build_tests(&fixture);
    let force = PlanOptions { force: Force::Everything, ..Default::default() };
    let other = FakeBackend::answering("app.a", |_, _| Ok("def f(): return 2\n".to_owned()));
    fixture.build_with(Kind::Build, &other, &force, &options());
    assert_eq!(build_tests(&fixture), Vec::<String>::new());
}

//! Generated tests of a dummy project, run by a real pytest.
#![expect(clippy::disallowed_methods, reason = "tests make the projects they work on")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "shared with the tests of jaunt-builder")]
#[path = "../../../jaunt-builder/tests/it/support.rs"]
mod support;
#[expect(dead_code, reason = "shared with the tests of the whole program")]
#[path = "../../../tests/support/venv.rs"]
mod venv;

use std::collections::BTreeSet;
use std::future::pending;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use insta::assert_snapshot;
use jaunt_builder::PlanOptions;
use jaunt_digest::Kind;
use jaunt_pytest::{OutputMode, TestFailure};
use jaunt_tester::{
    PytestSettings, TestReport, failed_modules, failed_tests, origin, runnable, with_tests,
};

use crate::support::{FakeBackend, Fixture, block_on, name, options};

const PROJECT: &str = "
    app.a:f
    app.b:g <- app.a:f
    tests.t:test_f tests app.a:f
    tests.u:test_g tests app.b:g
";

fn settings() -> PytestSettings {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let base = venv::interpreter(11).expect("a Python 3.11 or newer is on the PATH");
    let python = venv::environment(target, &base, "pytest", venv::PYTEST).unwrap();
    PytestSettings {
        python: Utf8PathBuf::from_path_buf(python).unwrap(),
        args: vec!["-q".to_owned(), "-p".to_owned(), "no:cacheprovider".to_owned()],
        source_roots: vec!["src".to_owned()],
        only: Vec::new(),
        output: OutputMode::Capture { limit: 1 << 16 },
        timeout: Some(Duration::from_secs(120)),
        grace: Duration::from_secs(5),
    }
}

/// Plans, generates and runs all tests.
fn test(
    fixture: &Fixture,
    backend: &Arc<FakeBackend>,
    pytest: Option<&PytestSettings>,
) -> TestReport {
    let built = fixture.build_with(Kind::Test, backend, &PlanOptions::default(), &options());
    let project = fixture.load().unwrap();
    block_on(jaunt_tester::run(&project, built.report, pytest, |_| {}, pending())).unwrap()
}

/// Tests that import what they test from where the builder puts it.
fn importing(product: &'static str) -> Arc<FakeBackend> {
    FakeBackend::answering("tests.t", move |ctx, _| {
        let test = &ctx.expected_names[0];
        Ok(format!(
            "from app.__generated__.a import f\n\n\ndef {test}():\n    assert f() == {product:?}\n"
        ))
    })
}

#[test]
fn generated_tests_run_and_pass_fresh_or_new() {
    let fixture = Fixture::new(PROJECT);
    fixture.build(&FakeBackend::new());
    let source = fixture.tree("src");
    let report = test(&fixture, &importing("f"), Some(&settings()));
    assert!(report.is_ok(), "{report:?}");
    assert_eq!(report.generation.generated().count(), 2);
    assert_eq!(report.pytest.unwrap().counts.passed, 2);

    let report = test(&fixture, &FakeBackend::new(), Some(&settings()));
    assert_eq!(report.generation.backend_calls, 0);
    assert_eq!(report.pytest.unwrap().counts.passed, 2);

    let mut after = fixture.tree("src");
    after.retain(|path, _| !path.as_str().contains("__pycache__"));
    let paths: Vec<_> = after.keys().filter(|path| path.extension() == Some("py")).collect();
    assert!(paths.iter().all(|path| after[*path] == source[*path]));
    assert_eq!(paths.len(), source.keys().filter(|path| path.extension() == Some("py")).count());
}

#[test]
fn a_failing_generated_test_is_named_with_its_module() {
    let fixture = Fixture::new(PROJECT);
    fixture.build(&FakeBackend::new());
    let report = test(&fixture, &importing("something else"), Some(&settings()));
    assert!(!report.is_ok());
    let result = report.pytest.unwrap();
    assert_eq!(result.exit_code, Some(1));
    let failure = &result.failures[0];
    assert_snapshot!(
        format!("{}\n{}", failure.node_id, failure.message),
        @r"
    tests/__generated__/t.py::test_f
    AssertionError: assert 'f' == 'something else'
      
      - something else
      + f
    "
    );
    let project = fixture.load().unwrap();
    let files = runnable(&project, &report.generation);
    let failed = failed_modules(&project, &files, &result);
    assert_eq!(failed["tests/__generated__/t.py"].module, name("tests.t"));
    let of = |failure| origin(&project, &files, failure);
    let whose = of(failure).unwrap();
    assert_eq!(whose.generated_module, name("tests.__generated__.t"));
    assert_eq!(whose.specs.iter().map(ToString::to_string).collect::<Vec<_>>(), ["tests.t:test_f"]);
    let collecting =
        TestFailure { node_id: "tests/__generated__/t.py".to_owned(), ..failure.clone() };
    assert_eq!(of(&collecting), Some(whose), "what cannot be collected is the whole module's");
    let foreign = TestFailure { file: Some("conftest.py".into()), ..failure.clone() };
    assert_eq!(of(&foreign), None);

    let only = failed_tests(&project, &files, &result);
    assert_eq!(only, ["tests/__generated__/t.py::test_f"]);
    let again = test(&fixture, &FakeBackend::new(), Some(&PytestSettings { only, ..settings() }));
    let counts = again.pytest.unwrap().counts;
    assert_eq!((counts.passed, counts.failed), (0, 1), "only what failed is run again");
}

#[test]
fn a_module_that_could_not_be_generated_fails_the_run_although_the_rest_passes() {
    let fixture = Fixture::new(PROJECT);
    let backend = FakeBackend::answering("tests.t", |_, _| Ok("nothing = 1\n".to_owned()));
    let report = test(&fixture, &backend, Some(&settings()));
    assert!(!report.is_ok());
    assert_eq!(report.generation.failed().count(), 1);
    let result = report.pytest.unwrap();
    assert!(result.passed(), "{result:?}");
    assert_eq!(result.counts.passed, 1);
}

#[test]
fn a_one_part_product_module_and_tests_without_a_package_do_not_get_into_each_others_way() {
    let fixture = Fixture::new("a:f\ntests.t:test_f tests a:f");
    fixture.build(&FakeBackend::new());
    let backend = FakeBackend::answering("tests.t", |_, _| {
        Ok("from __generated__.a import f\n\n\ndef test_f():\n    assert f() == 'f'\n".to_owned())
    });
    let report = test(&fixture, &backend, Some(&settings()));
    assert!(report.is_ok(), "{report:?}");
}

#[test]
fn without_pytest_or_without_files_nothing_is_run() {
    let fixture = Fixture::new(PROJECT);
    assert!(test(&fixture, &FakeBackend::new(), None).pytest.is_none());
    let empty = Fixture::new("app.a:f");
    assert!(test(&empty, &FakeBackend::new(), Some(&settings())).pytest.is_none());
}

#[test]
fn a_target_of_either_kind_brings_the_other_along() {
    let project = Fixture::new(PROJECT).load().unwrap();
    let (build, test) = with_tests(&project, [name("app.a")], []);
    assert_eq!(build, BTreeSet::from([name("app.a")]));
    assert_eq!(test, BTreeSet::from([name("tests.t")]));
    let (build, test) = with_tests(&project, [], [name("tests.u")]);
    assert_eq!(build, BTreeSet::from([name("app.b")]));
    assert_eq!(test, BTreeSet::from([name("tests.u")]));
}

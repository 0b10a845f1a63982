//! `jaunt.test/1`

use std::time::Duration;

use insta::assert_snapshot;
use jaunt_pytest::{
    Captured, Counts, Doubt, Phase, PytestExit, PytestResult, ResultSource, RunState, TestFailure,
};
use jaunt_report::{BuildDocument, PytestDocument, TestDocument, render};
use jaunt_tester::{FailedModule, Origin};
use serde_json::Value;

use crate::support::name;

const FILE: &str = "tests/__generated__/t.py";

/// A result with something in every field.
fn result() -> PytestResult {
    let generated = TestFailure {
        node_id: format!("{FILE}::test_f"),
        phase: Phase::Call,
        subtest: Some("(i=1)".to_owned()),
        message: "assert 1 == 2".to_owned(),
        traceback: ">   assert f() == 2\nE   assert 1 == 2".to_owned(),
        file: Some(FILE.into()),
        line: Some(7),
        captured: Captured { stdout: "hello\n".to_owned(), ..Captured::default() },
    };
    let foreign = TestFailure {
        node_id: "conftest.py".to_owned(),
        phase: Phase::Collect,
        message: "NameError: name 'x' is not defined".to_owned(),
        ..TestFailure::default()
    };
    PytestResult {
        state: RunState::Crashed { signal: Some(11), code: None },
        exit: Some(PytestExit::Signal(11)),
        exit_code: None,
        counts: Counts { passed: 1, failed: 1, errors: 1, ..Counts::default() },
        failures: vec![generated, foreign],
        running: vec![format!("{FILE}::test_g")],
        duration: Duration::from_millis(410),
        complete: false,
        doubts: vec![Doubt::NotCollected { file: "tests/__generated__/u.py".into() }],
        source: ResultSource::Plugin,
        pytest_version: Some("8.4.2".to_owned()),
        files: vec![FILE.into()],
        stdout: "F\n".to_owned(),
        stderr: "Fatal Python error: Segmentation fault\n".to_owned(),
    }
}

#[test]
fn a_test_run_is_a_document() {
    let specs = vec!["tests.t:test_f".parse().unwrap()];
    let origin = Origin {
        module: name("tests.t"),
        generated_module: name("tests.__generated__.t"),
        specs: specs.clone(),
    };
    let failed_module = FailedModule { module: name("tests.t"), specs };
    let failed_modules = [(FILE.to_owned(), failed_module)].into();
    let pytest = PytestDocument::new(result(), vec![Some(origin), None], failed_modules);
    let build = BuildDocument::fresh(vec![name("app.a")], false);
    let generation = BuildDocument::fresh(vec![name("tests.t")], false);
    let document = TestDocument::new(Some(build), Some(generation), Some(pytest), 4, 980);
    assert_snapshot!("test", render(&document));
}

#[test]
fn parts_that_were_not_run_are_null() {
    assert_snapshot!(render(&TestDocument::new(None, None, None, 3, 0)), @r#"
    {
      "schema": "jaunt.test/1",
      "command": "test",
      "ok": false,
      "exit_code": 3,
      "build": null,
      "generation": null,
      "pytest": null,
      "duration_ms": 0
    }
    "#);
}

#[test]
fn a_result_without_output_and_version_leaves_their_keys_out() {
    let result = PytestResult {
        pytest_version: None,
        stdout: String::new(),
        stderr: String::new(),
        failures: Vec::new(),
        ..result()
    };
    let document = PytestDocument::new(result, Vec::new(), [].into());
    let document: Value = serde_json::from_str(&render(&document)).unwrap();
    for key in ["pytest_version", "stdout", "stderr"] {
        assert_eq!(document.get(key), None, "{key}");
    }
}

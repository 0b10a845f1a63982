//! `jaunt test` with a real pytest.

use insta::assert_snapshot;

use crate::build::project;
use crate::support::{Project, filters, pytest};

/// Makes the project with a second test module, `tests.price`, whose spec has this docstring.
fn project_with_two_tests(docstring: &str) -> Project {
    let project = project();
    let source = format!("def test_price():\n    \"\"\"{docstring}\"\"\"\n");
    project.write("tests/price.py", &source);
    let first = r#"{"kind": "test", "spec_ref": "tests.cart"#;
    let second = r#"{"kind": "test", "spec_ref": "tests.price:test_price", "module": "tests.price",
        "qualname": "test_price", "source_file": "tests/price.py"}"#;
    project.edit("jaunt.registry.json", first, &format!("{second}, {first}"));
    project
}

#[test]
fn tests_are_generated_and_run_and_run_again_when_nothing_is_stale() {
    let project = project();
    let python = pytest();
    let document = project.jaunt_with(&["test", "--json", "--python", &python]).expect(0).json();
    assert_eq!(document["build"]["generated"], serde_json::json!(["app.cart", "app.price"]));
    assert_eq!(document["generation"]["generated"], serde_json::json!(["tests.cart"]));
    assert_eq!(document["pytest"]["counts"]["passed"], 1);

    let document = project.jaunt_with(&["test", "--json", "--python", &python]).expect(0).json();
    assert_eq!(document["generation"]["generated"], serde_json::json!([]));
    assert_eq!(document["pytest"]["counts"]["passed"], 1);
}

#[test]
fn a_failing_generated_test_is_exit_4_with_its_node_id() {
    let project = project();
    project.edit("tests/cart.py", "is right", "is WRONG");
    let ran = project.jaunt_with(&["test", "--json", "--python", &pytest()]).expect(4);
    let document = ran.json();
    let failure = &document["pytest"]["failures"][0];
    assert_eq!(failure["node_id"], "tests/__generated__/cart.py::test_total");
    assert_eq!(failure["phase"], "call");
    assert_eq!(failure["generated_module"], "tests.__generated__.cart");
    assert_eq!(failure["spec_refs"], serde_json::json!(["tests.cart:test_total"]));
    let module = &document["pytest"]["failed_modules"]["tests/__generated__/cart.py"];
    assert_eq!(module["module"], "tests.cart");
    assert_eq!(module["specs"], serde_json::json!(["tests.cart:test_total"]));
}

#[test]
fn progress_is_shown_although_the_output_of_pytest_is_captured() {
    let project = project();
    let python = pytest();
    project.edit("tests/cart.py", "is right", "is WRONG");
    let test = ["test", "--json", "--progress", "plain", "--python", &python];
    let ran = project.jaunt_with(&test).expect(4);
    ran.json();
    let lines = ran.stderr();
    assert!(lines.contains("generated tests.cart\nrunning 1 test\n"), "{lines}");
    assert!(lines.contains("failed tests/__generated__/cart.py::test_total: assert "), "{lines}");
    let ran = project.jaunt_with(&["test", "--json", "--python", &python]).expect(4);
    assert_eq!(ran.stderr(), "");
}

#[test]
fn a_test_module_that_could_not_be_generated_is_exit_3_although_others_pass() {
    let project = project_with_two_tests("FAIL");
    let document = project.jaunt_with(&["test", "--json", "--python", &pytest()]).expect(3).json();
    assert_eq!(document["pytest"]["counts"]["passed"], 1);
    assert!(document["generation"]["failed"]["tests.price"].is_array());
}

#[test]
fn the_human_form_streams_pytest_and_ends_with_a_verdict() {
    let _filters = filters();
    let project = project();
    let python = pytest();
    let args =
        ["test", "--python", &python, "--progress", "none", "--pytest-args", "-pno:cacheprovider"];
    let ran = project.jaunt_with(&args).expect(0);
    assert_snapshot!(ran.stdout());
}

#[test]
fn a_target_runs_the_tests_of_a_product_module() {
    let project = project();
    let args = ["test", "--json", "--python", &pytest(), "--target", "app.price", "--allow-empty"];
    let document = project.jaunt_with(&args).expect(0).json();
    assert_eq!(document["build"]["generated"], serde_json::json!(["app.price"]));
    assert!(document["pytest"].is_null());
    let args = ["test", "--json", "--python", &pytest(), "--target", "app.cart"];
    let document = project.jaunt_with(&args).expect(0).json();
    assert_eq!(document["generation"]["generated"], serde_json::json!(["tests.cart"]));
}

#[test]
fn no_build_leaves_out_product_modules_and_no_run_leaves_out_pytest() {
    let project = project();
    let args = ["test", "--json", "--python", &pytest(), "--no-build", "--no-run"];
    let document = project.jaunt_with(&args).expect(0).json();
    assert!(document["build"].is_null() && document["pytest"].is_null());
    assert_eq!(project.generated().len(), 2);
}

#[test]
fn rerun_failed_runs_what_failed_last_or_everything() {
    let project = project_with_two_tests("It is a number.");
    project.edit("tests/cart.py", "is right", "is WRONG");
    let python = pytest();
    let test = |flags: &[&str]| {
        let mut args = vec!["test", "--json", "--python", &python];
        args.extend(flags);
        let document = project.jaunt_with(&args).json();
        let counts = &document["pytest"]["counts"];
        (counts["passed"].as_u64().unwrap(), counts["failed"].as_u64().unwrap())
    };
    assert_eq!(test(&[]), (1, 1));
    assert_eq!(test(&["--rerun-failed"]), (0, 1));
    project.edit("tests/cart.py", "is WRONG", "is right");
    assert_eq!(test(&["--rerun-failed"]), (1, 0));
    assert_eq!(test(&["--rerun-failed"]), (2, 0));
}

#[test]
fn a_target_without_tests_says_so() {
    let project = project();
    let ran =
        project.jaunt_with(&["test", "--json", "--python", &pytest(), "--target", "app.price"]);
    let ran = ran.expect(2);
    assert_eq!(ran.json()["error"]["kind"], "empty");
    assert!(ran.stderr().contains("no test module belongs to these targets"), "{ran}");
}

#[test]
fn force_regenerates_what_was_named_and_nothing_else() {
    let project = project();
    let python = pytest();
    assert_eq!(project.jaunt_with(&["test", "--python", &python]).code(), 0);
    let args = ["test", "--json", "--python", &python, "--force", "--target", "tests.cart"];
    let document = project.jaunt_with(&args).expect(0).json();
    assert_eq!(document["build"]["generated"], serde_json::json!([]));
    assert_eq!(document["generation"]["generated"], serde_json::json!(["tests.cart"]));
}

#[test]
fn a_run_in_which_all_tests_were_skipped_has_not_passed() {
    let project = project();
    project
        .write("conftest.py", "import pytest\ndef pytest_runtest_setup(item): pytest.skip('no')\n");
    let ran = project.jaunt_with(&["test", "--python", &pytest()]).expect(4);
    assert!(ran.stdout().contains("1 skipped"), "{ran}");
}

#[test]
fn a_python_without_pytest_is_refused_before_anything_is_generated() {
    let project = project();
    project.write("bare", "#!/bin/sh\nexec python3 -S \"$@\"\n");
    let bare = project.root().join("bare");
    std::fs::set_permissions(&bare, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for (python, can_install) in [("./bare", true), ("./nowhere", false)] {
        let ran = project.jaunt_with(&["test", "--json", "--python", python]).expect(2);
        assert_eq!(ran.json()["error"]["kind"], "config", "{ran}");
        assert_eq!(ran.stderr().contains("-m pip install pytest"), can_install, "{ran}");
        assert!(ran.stderr().contains("another interpreter with `--python PATH`"), "{ran}");
    }
    assert_eq!(project.generated(), Vec::<String>::new());
}

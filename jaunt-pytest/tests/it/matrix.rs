//! Real runs: our results, and what an independent observer saw in the same run.

use std::fmt::Write;

use jaunt_pytest::PytestResult;

use crate::support::{Observed, Project, Venv};

const XDIST: &[&str] = &["-p", "xdist.plugin", "-n", "2"];
const RERUNS: &[&str] = &["-p", "pytest_rerunfailures"];
const NO_TERMINAL: &[&str] = &["-p", "no:terminal"];

/// A project, the arguments, and how the run ends.
type Scenario = (&'static str, &'static [&'static [&'static str]], &'static str);

const SCENARIOS: &[Scenario] = &[
    ("mixed", &[], "finished"),
    ("mixed", &[XDIST], "finished"),
    ("mixed", &[NO_TERMINAL], "finished"),
    ("mixed", &[&["--assert=plain", "-p", "no:cacheprovider", "--tb=native"]], "finished"),
    ("mixed", &[&["-p", "pytest_randomly"]], "finished"),
    ("collect", &[], "interrupted"),
    ("reruns", &[RERUNS], "finished"),
    ("reruns", &[RERUNS, XDIST], "finished"),
    ("deaths", &[], "crashed"),
    ("timeouts", &[&["-p", "pytest_timeout", "--timeout-method=thread"]], "crashed"),
    ("subtests", &[], "finished"),
    ("subtests", &[XDIST], "finished"),
];

/// Scenarios for the oldest and the newest pytest only.
const MORE: &[Scenario] = &[
    ("mixed", &[&["-qq", "-rN", "--tb=no", "--no-summary"], XDIST], "finished"),
    ("mixed", &[&["-x"]], "finished"),
    ("mixed", &[&["-k", "not pair", "-v"]], "finished"),
    ("sorts", &[], "finished"),
    ("sorts", &[XDIST, NO_TERMINAL], "finished"),
    ("surrogates", &[], "finished"),
    ("collect", &[&["--continue-on-collection-errors"]], "finished"),
    ("collect", &[XDIST, &["--continue-on-collection-errors"]], "finished"),
    ("internal_protocol", &[], "internal_error"),
    ("interrupt_test", &[], "interrupted"),
    ("exit0", &[], "crashed"),
    ("deaths", &[&["-k", "segv"]], "crashed"),
    ("deaths", &[XDIST], "finished"),
    ("pexit", &[], "interrupted"),
    ("sessfin", &[], "internal_error"),
    ("hookraise", &[], "internal_error"),
    ("none", &[], "no_tests"),
    ("nested", &[&["-s"]], "finished"),
    // A leaked mock of `open` reaches the hooks at the end.
    ("leaks", &[], "internal_error"),
    ("forked_child", &[&["-s"]], "finished"),
    ("status", &[], "finished"),
    ("makerep", &[], "finished"),
    ("yaml_items", &[], "finished"),
];

async fn assert_agreement(python: &str, pytest: &'static str, more: &[Scenario]) {
    let Some(venv) = Venv::get(python, pytest) else { return };
    let mut differences = String::new();
    for (name, args, state) in SCENARIOS.iter().chain(more) {
        let project = Project::copy(name);
        let mut command = project.command(&venv);
        command.args = args.concat().into_iter().map(str::to_owned).collect();
        if *name == "subtests" && !venv.pytest.starts_with('9') {
            command.args.extend(["-p".to_owned(), "pytest_subtests.plugin".to_owned()]);
        }
        let (result, mut observed) = Observed::run(&command).await;
        if !observed.finished {
            // Warnings are reported at the end.
            observed.counts.warnings = 0;
        }
        let ours = Observed::of(&result);
        let has_failures = !observed.failures.is_empty();
        let is_right = kind(&result) == *state
            && observed.agrees_with(&ours)
            && !result.passed()
            && result.failed() == has_failures;
        if !is_right {
            writeln!(
                differences,
                "== {name} {args:?}: {}, {:?}\nours {ours:?}\nobserved {observed:?}",
                kind(&result),
                result.doubts,
            )
            .unwrap();
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

fn kind(result: &PytestResult) -> String {
    let state = serde_json::to_value(&result.state).unwrap();
    state["kind"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn pytest_7_4_on_python_3_11_reports_what_an_observer_sees() {
    assert_agreement("3.11", "7.4.4", MORE).await;
}

#[tokio::test]
async fn pytest_7_4_on_python_3_13_reports_what_an_observer_sees() {
    assert_agreement("3.13", "7.4.4", MORE).await;
}

#[tokio::test]
async fn pytest_8_3_on_python_3_11_reports_what_an_observer_sees() {
    assert_agreement("3.11", "8.3.5", &[]).await;
}

#[tokio::test]
async fn pytest_8_3_on_python_3_13_reports_what_an_observer_sees() {
    assert_agreement("3.13", "8.3.5", &[]).await;
}

#[tokio::test]
async fn pytest_9_2_on_python_3_11_reports_what_an_observer_sees() {
    assert_agreement("3.11", "9.2.0", MORE).await;
}

#[tokio::test]
async fn pytest_9_2_on_python_3_13_reports_what_an_observer_sees() {
    assert_agreement("3.13", "9.2.0", MORE).await;
}

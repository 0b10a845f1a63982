//! Runs that end in unusual ways.

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use camino::Utf8PathBuf;
use jaunt_pytest::{
    Doubt, Outcome, OutputMode, Phase, PytestError, PytestEvent, PytestResult, ResultSource,
    RunState,
};
use tokio::sync::Notify;

use crate::document::document;
use crate::support::{Project, Venv, run};

/// Runs a file of tests; `None` without a Python.
async fn result_of(tests: &str) -> Option<PytestResult> {
    let venv = Venv::any()?;
    let project = Project::new(&[("test_it.py", tests)]);
    Some(run(&project.command(&venv)).await)
}

fn crashed(signal: Option<i32>, code: Option<i32>) -> RunState {
    RunState::Crashed { signal, code }
}

#[tokio::test]
async fn a_segfault_names_the_test_that_was_running() {
    let tests = "
import os, signal

def test_fine(): pass

def test_crash(): os.kill(os.getpid(), signal.SIGSEGV)

def test_never(): pass
";
    let Some(result) = result_of(tests).await else { return };
    assert_eq!(result.state, crashed(Some(11), None));
    assert_eq!(result.running, ["test_it.py::test_crash"]);
    assert_eq!(result.counts.passed, 1);
    assert!(!result.complete && !result.passed() && !result.failed());

    let document = serde_json::to_value(document(&result)).unwrap();
    assert_eq!(document["state"]["kind"], "crashed");
    assert_eq!(document["state"]["signal"], 11);
    assert_eq!(document["running"][0], "test_it.py::test_crash");
}

#[tokio::test]
async fn an_exit_code_of_zero_in_the_middle_is_no_pass() {
    let tests = "
import os

def test_fine(): pass

def test_leaves(): os._exit(0)
";
    let Some(result) = result_of(tests).await else { return };
    assert_eq!(result.state, crashed(None, Some(0)));
    assert_eq!(result.running, ["test_it.py::test_leaves"]);
    assert!(!result.complete && !result.passed());
}

#[tokio::test]
async fn a_failure_survives_the_process() {
    let tests = "
import os, signal, pytest

@pytest.fixture
def deadly():
    yield
    os.kill(os.getpid(), signal.SIGKILL)

def test_fails(deadly): assert 1 == 2
";
    let Some(result) = result_of(tests).await else { return };
    assert_eq!(result.state, crashed(Some(9), None));
    let [failure] = &result.failures[..] else { panic!("{:?}", result.failures) };
    assert_eq!(failure.node_id, "test_it.py::test_fails");
    assert_eq!(failure.message, "assert 1 == 2");
    assert_eq!((failure.phase, failure.line), (Phase::Call, Some(9)));
    assert_eq!(failure.file.as_deref(), Some("test_it.py".into()));
}

#[tokio::test]
async fn a_pass_survives_a_deadly_teardown() {
    let deadly = "
import os, pytest

@pytest.fixture(SCOPE)
def deadly():
    yield
    os._exit(0)

def test_passes(deadly): pass

def test_never(): pass
";
    let deadly_method = "
import os

class TestIt:
    def test_passes(self): pass
    def teardown_method(self): os._exit(0)
";
    for tests in [
        deadly.replace("SCOPE", ""),
        deadly.replace("SCOPE", "scope='module'").replace("def test_never(): pass", ""),
        deadly_method.to_owned(),
    ] {
        let Some(result) = result_of(&tests).await else { return };
        assert_eq!(result.state, crashed(None, Some(0)), "{tests}");
        assert_eq!((result.counts.passed, result.passed()), (1, false), "{tests}");
    }
}

#[tokio::test]
async fn a_report_that_another_hook_changed_counts() {
    let conftest = "
import pytest

@pytest.hookimpl(hookwrapper=True, trylast=True)
def pytest_runtest_logreport(report):
    yield
    if report.when == 'call' and 'turned' in report.nodeid:
        report.outcome = 'failed'
        report.longrepr = 'turned'
";
    let tests = "
def test_fine(): pass

def test_turned(): pass
";
    let Some(venv) = Venv::any() else { return };
    let project = Project::new(&[("conftest.py", conftest), ("test_it.py", tests)]);
    let result = run(&project.command(&venv)).await;
    let [failure] = &result.failures[..] else { panic!("{:?}", result.failures) };
    assert_eq!(
        (failure.node_id.as_str(), failure.message.as_str()),
        ("test_it.py::test_turned", "turned")
    );
    assert!(!result.passed());
}

#[tokio::test]
async fn a_caller_can_stop_a_run() {
    let Some(venv) = Venv::any() else { return };
    let tests = "
import time

def test_long(): time.sleep(600)
";
    let project = Project::new(&[("test_it.py", tests)]);
    let started = Notify::new();
    let on_event = |event: &PytestEvent| {
        if matches!(event, PytestEvent::TestStarted { .. }) {
            started.notify_one();
        }
    };
    let command = project.command(&venv);
    let result = jaunt_pytest::run(&command, on_event, started.notified()).await.unwrap();
    assert_eq!(result.state, RunState::Interrupted { reason: "stopped by the caller".to_owned() });
    assert!(!result.passed());
}

#[tokio::test]
async fn a_time_limit_ends_a_run_and_its_children() {
    let Some(venv) = Venv::any() else { return };
    // The child holds the lock until it ends.
    let tests = "
import fcntl, signal, subprocess, sys, time

signal.signal(signal.SIGINT, signal.SIG_IGN)
lock = open('lock', 'w')
fcntl.flock(lock, fcntl.LOCK_EX)
subprocess.Popen(['sleep', '600'], pass_fds=[lock.fileno()])
time.sleep(600)
";
    let project = Project::new(&[("test_it.py", tests)]);
    let mut command = project.command(&venv);
    command.timeout = Some(Duration::from_secs(3));
    command.grace = Duration::from_millis(100);
    let result = run(&command).await;
    assert_eq!(result.state, RunState::TimedOut { after: Duration::from_secs(3) });
    assert!(!result.complete && !result.passed());
    if let Ok(lock) = fs::File::open(project.root().join("lock")) {
        lock.lock().unwrap();
    }
}

#[tokio::test]
async fn every_test_has_its_events() {
    let Some(venv) = Venv::any() else { return };
    let tests = "
def test_fine(): pass

def test_bad(): assert 0
";
    let project = Project::new(&[("test_it.py", tests)]);
    let seen = RefCell::new(Vec::new());
    let on_event = |event: &PytestEvent| match event {
        PytestEvent::TestStarted { node_id } => seen.borrow_mut().push(format!("{node_id} ...")),
        PytestEvent::Outcome { node_id, outcome, counts, .. } => {
            assert_eq!(counts.failed, u64::from(*outcome == Outcome::Failed));
            seen.borrow_mut().push(format!("{node_id} {outcome:?}"));
        }
        _ => {}
    };
    let command = project.command(&venv);
    jaunt_pytest::run(&command, on_event, std::future::pending()).await.unwrap();
    assert_eq!(
        seen.into_inner(),
        [
            "test_it.py::test_fine ...",
            "test_it.py::test_fine Passed",
            "test_it.py::test_bad ...",
            "test_it.py::test_bad Failed",
        ]
    );
}

/// Makes a script that runs the interpreter of `venv` with this option.
fn with_option(project: &Project, venv: &Venv, option: &str) -> Utf8PathBuf {
    let script = project.root().join("python");
    fs::write(&script, format!("#!/bin/sh\nexec '{}' {option} \"$@\"\n", venv.python)).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    script
}

#[tokio::test]
async fn an_isolated_python_still_reports() {
    let Some(venv) = Venv::any() else { return };
    let project = Project::new(&[("test_it.py", "def test_fine(): pass\n")]);
    let mut command = project.command(&venv);
    command.python = with_option(&project, &venv, "-I");
    let result = run(&command).await;
    assert_eq!(result.source, ResultSource::Plugin);
    assert!(result.passed(), "{result:?}");
}

#[tokio::test]
async fn a_plugin_that_cannot_be_loaded_is_no_pass() {
    let Some(venv) = Venv::any() else { return };
    // If the plugin cannot be imported, the results are those of the JUnit XML, and prove nothing.
    let sitecustomize = "
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.startswith('jaunt_'):
            raise ImportError(name)

sys.meta_path.insert(0, Refuse())
";
    let tests = "
def test_fine(): pass

def test_bad(): assert 0
";
    let project = Project::new(&[("test_it.py", tests), ("site/sitecustomize.py", sitecustomize)]);
    let mut command = project.command(&venv);
    command.python_path.push("site".into());
    let result = run(&command).await;
    assert!(matches!(result.state, RunState::NotLoaded { .. }), "{result:?}");
    assert_eq!((result.source, result.counts.passed), (ResultSource::Junit, 1));
    let ids: Vec<&str> = result.failures.iter().map(|it| it.node_id.as_str()).collect();
    assert_eq!(ids, ["test_it.py::test_bad"]);
    assert!(!result.passed());
}

#[tokio::test]
async fn a_python_without_pytest_is_an_error() {
    let Some(venv) = Venv::any() else { return };
    let project = Project::new(&[("test_it.py", "def test_fine(): pass\n")]);
    let mut command = project.command(&venv);
    command.python = with_option(&project, &venv, "-S");
    let result = jaunt_pytest::run(&command, |_| {}, std::future::pending()).await;
    assert!(matches!(result, Err(PytestError::NoPytest { .. })), "{result:?}");
}

#[tokio::test]
async fn a_list_longer_than_a_command_line_runs() {
    let Some(venv) = Venv::any() else { return };
    let tests = "
import pytest

@pytest.mark.parametrize('n', range(300), ids=lambda n: f'{n:0>300}')
def test_it(n): pass
";
    let project = Project::new(&[("test_it.py", tests)]);
    let mut command = project.command(&venv);
    command.files = (0..300).map(|n| format!("test_it.py::test_it[{n:0>300}]").into()).collect();
    let result = run(&command).await;
    assert!(result.passed(), "{:?} {:?}", result.state, result.doubts);
    assert_eq!(result.counts.passed, 300);
}

#[tokio::test]
async fn a_file_without_a_test_is_no_pass() {
    let Some(venv) = Venv::any() else { return };
    let project = Project::new(&[("test_a.py", "def test_a(): pass\n"), ("test_b.py", "")]);
    let result = run(&project.command(&venv)).await;
    assert!(!result.passed() && !result.failed());
    assert_eq!(result.doubts, [Doubt::NotCollected { file: "test_b.py".into() }]);
}

#[tokio::test]
async fn captured_output_is_bounded() {
    let Some(venv) = Venv::any() else { return };
    let tests = "
import sys

def test_talks():
    for _ in range(3000):
        sys.stdout.write('x' * 1023 + '\\n')
";
    let project = Project::new(&[("test_it.py", tests)]);
    let mut command = project.command(&venv);
    command.args.push("-s".to_owned());
    command.output = OutputMode::Capture { limit: 1 << 16 };
    let result = run(&command).await;
    assert!(result.passed(), "{:?}", result.state);
    assert!(result.stdout.len() < (1 << 16) + 100, "{}", result.stdout.len());
    assert!(result.stdout.contains("bytes left out") && result.stdout.contains("1 passed"));
}

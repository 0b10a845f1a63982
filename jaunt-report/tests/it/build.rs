//! `jaunt.build/1`

use insta::assert_snapshot;
use jaunt_builder::{BuildReport, ModuleOutcome, Plan, PlanOptions, Problem};
use jaunt_digest::Kind;
use jaunt_report::{Backend, BuildDocument, render};

use crate::support::{Fixture, name};

/// A plan with a module that is refused, one that it blocks, and two that can be generated.
fn plan() -> Plan {
    let fixture = Fixture::new("app.a:f\napp.b:g <- app.a:f\napp.c:h\napp.d:i");
    fixture.write("src/app/__generated__/a.py", "def f(): return 'mine'\n");
    fixture.plan(Kind::Build, &PlanOptions::default()).1
}

#[test]
fn a_plan_is_a_document() {
    let document = BuildDocument::planned(&plan(), vec![name("app.e")], 3);
    assert_snapshot!("build_planned", render(&document));
}

#[test]
fn a_run_is_a_document() {
    let problems = vec![
        Problem::MissingName("f".to_owned()),
        Problem::Backend("the backend timed out after 2 s".to_owned()),
    ];
    let report = BuildReport {
        outcomes: [
            (name("app.a"), ModuleOutcome::Failed(problems)),
            (name("app.b"), ModuleOutcome::Blocked { cause: name("app.a") }),
            (name("app.c"), ModuleOutcome::Generated),
            (name("app.d"), ModuleOutcome::Cancelled),
            (name("app.e"), ModuleOutcome::Fresh),
        ]
        .into(),
        backend_calls: 4,
    };
    let backend = Backend { name: Some("command".to_owned()), calls: 4 };
    let mut document = BuildDocument::done(&plan(), &report, backend, 3);
    document.duration_ms = 812;
    assert_snapshot!("build_done", render(&document));
}

#[test]
fn a_run_with_nothing_to_do_is_a_document() {
    let document = BuildDocument::fresh(vec![name("app.a"), name("app.b")], false);
    assert_snapshot!("build_fresh", render(&document));
}

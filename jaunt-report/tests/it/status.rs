//! `jaunt.status/1` and `jaunt.check/1`

use insta::assert_snapshot;
use jaunt_builder::PlanOptions;
use jaunt_digest::Kind;
use jaunt_report::{StatusDocument, render};

use crate::support::{FakeBackend, Fixture};

/// Describes a project with two fresh modules, a stale test and an orphan.
fn document(is_gate: bool, exit_code: u8) -> String {
    let fixture = Fixture::new("app.a:f\napp.b:g <- app.a:f\ntests.t:test_g tests app.b:g app.a:f");
    fixture.build(&FakeBackend::new());
    let plans = [Kind::Build, Kind::Test].map(|kind| fixture.plan(kind, &PlanOptions::default()).1);
    let orphans = ["src/app/__generated__/old.py".into()];
    let project = fixture.load().unwrap();
    render(&StatusDocument::new(&project, &plans, &orphans, is_gate, exit_code))
}

#[test]
fn a_status_is_a_document() {
    insta::with_settings!({filters => vec![("[0-9a-f]{64}", "[digest]")]}, {
        assert_snapshot!("status", document(false, 0));
    });
}

#[test]
fn a_gate_has_the_keys_of_a_status() {
    let status = document(false, 0);
    let check = document(true, 4);
    let differences: Vec<(&str, &str)> =
        status.lines().zip(check.lines()).filter(|(left, right)| left != right).collect();
    assert_eq!(status.lines().count(), check.lines().count());
    assert_eq!(
        differences,
        [
            (r#"  "schema": "jaunt.status/1","#, r#"  "schema": "jaunt.check/1","#),
            (r#"  "command": "status","#, r#"  "command": "check","#),
            (r#"  "ok": true,"#, r#"  "ok": false,"#),
            (r#"  "exit_code": 0,"#, r#"  "exit_code": 4,"#),
        ]
    );
}

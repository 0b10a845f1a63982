//! `jaunt.clean/1`, `jaunt.graph/1` and `jaunt.error/1`

use insta::assert_snapshot;
use jaunt_report::{CleanDocument, ErrorBody, ErrorDocument, GraphDocument, GraphNode, render};

use crate::support::name;

#[test]
fn removed_files_are_a_document() {
    let paths = ["src/app/__generated__/old.py".into()];
    assert_snapshot!(render(&CleanDocument::new(&paths, false)), @r#"
    {
      "schema": "jaunt.clean/1",
      "command": "clean",
      "ok": true,
      "exit_code": 0,
      "dry_run": false,
      "removed": [
        "src/app/__generated__/old.py"
      ],
      "would_remove": []
    }
    "#);
    assert_snapshot!(render(&CleanDocument::new(&paths, true)), @r#"
    {
      "schema": "jaunt.clean/1",
      "command": "clean",
      "ok": true,
      "exit_code": 0,
      "dry_run": true,
      "removed": [],
      "would_remove": [
        "src/app/__generated__/old.py"
      ]
    }
    "#);
}

#[test]
fn a_graph_is_a_document() {
    let node = GraphNode {
        module: name("tests.t"),
        kind: "test",
        depends_on: vec![name("tests.helpers")],
        tests: vec![name("app.a")],
    };
    assert_snapshot!(render(&GraphDocument::new(vec![node])), @r#"
    {
      "schema": "jaunt.graph/1",
      "command": "graph",
      "ok": true,
      "exit_code": 0,
      "modules": [
        {
          "module": "tests.t",
          "kind": "test",
          "depends_on": [
            "tests.helpers"
          ],
          "tests": [
            "app.a"
          ]
        }
      ]
    }
    "#);
}

#[test]
fn an_error_is_a_document() {
    let error = ErrorBody {
        kind: "registry",
        message: "the registry command `false` failed",
        causes: &["exit status: 1".to_owned()],
        hints: &["run it by hand".to_owned()],
    };
    assert_snapshot!(render(&ErrorDocument::new(error, 2)), @r#"
    {
      "schema": "jaunt.error/1",
      "ok": false,
      "exit_code": 2,
      "error": {
        "kind": "registry",
        "message": "the registry command `false` failed",
        "causes": [
          "exit status: 1"
        ],
        "hints": [
          "run it by hand"
        ]
      }
    }
    "#);
}

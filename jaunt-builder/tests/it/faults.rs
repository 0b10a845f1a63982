//! Files that must not be touched, and input that cannot be used.

use insta::assert_snapshot;
use jaunt_builder::{BuildOptions, PlanOptions, ProjectError};
use jaunt_digest::Kind;

use crate::support::{FakeBackend, Fixture, options};

#[test]
fn a_hand_written_file_is_refused_by_name_and_costs_no_call() {
    let fixture = Fixture::new("app.a:f\napp.b:g <- app.a:f\napp.c:h");
    fixture.write("src/app/__generated__/a.py", "def f(): return 'mine'\n");
    let run = fixture.build(&FakeBackend::new());
    assert_snapshot!(run.outcomes(), @r"
    app.a: failed: not overwritten: `src/app/__generated__/a.py` was not written by jaunt; `--adopt` replaces it
    app.b: blocked by app.a
    app.c: generated (1)
    ");
    assert_eq!(run.calls, ["app.c"]);
    assert_eq!(fixture.read("src/app/__generated__/a.py"), "def f(): return 'mine'\n");

    let plan = PlanOptions { adopt: true, ..Default::default() };
    let options = BuildOptions { adopt: true, ..options() };
    let run = fixture.build_with(Kind::Build, &FakeBackend::new(), &plan, &options);
    assert_eq!(run.calls, ["app.a", "app.b"]);
}

#[test]
fn a_file_that_a_person_writes_during_the_run_is_refused() {
    let fixture = Fixture::new("app.a:f");
    let path = fixture.root().join("src/app/__generated__/a.py");
    let backend = FakeBackend::answering("app.a", move |ctx, _| {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "mine = 1\n").unwrap();
        Ok(crate::support::code(ctx))
    });
    let run = fixture.build(&backend);
    assert_eq!(run.report.failed().count(), 1);
    assert_eq!(fixture.read("src/app/__generated__/a.py"), "mine = 1\n");
}

#[test]
fn a_hand_written_init_file_is_left_alone() {
    let fixture = Fixture::new("app.a:f");
    fixture.write("src/app/__generated__/__init__.py", "mine = 1\n");
    fixture.build(&FakeBackend::new());
    assert_eq!(fixture.read("src/app/__generated__/__init__.py"), "mine = 1\n");
}

#[cfg(unix)]
#[test]
fn links_are_refused_and_nothing_behind_them_changes() {
    use std::os::unix::fs::symlink;

    let fixture = Fixture::new("app.a:f");
    let generated = fixture.root().join("src/app/__generated__");
    symlink(".", &generated).unwrap();
    let before = fixture.tree("");
    let run = fixture.build(&FakeBackend::new());
    assert_eq!(run.report.failed().count(), 1, "{}", run.outcomes());
    assert!(run.outcomes().contains("`src/app/__generated__` is a symbolic link"));
    assert_eq!(run.calls, Vec::<String>::new());
    assert_eq!(fixture.tree(""), before);

    std::fs::remove_file(&generated).unwrap();
    fixture.build(&FakeBackend::new());
    let file = generated.join("a.py");
    let whole = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    fixture.write_bytes("elsewhere.py", &whole);
    symlink("../../../elsewhere.py", &file).unwrap();
    fixture.edit("src/app/a.py", "Spec", "Other");
    let before = fixture.tree("");
    let run = fixture.build(&FakeBackend::new());
    assert_eq!(run.report.failed().count(), 1, "{}", run.outcomes());
    assert_eq!(run.calls, Vec::<String>::new());
    assert_eq!(fixture.tree(""), before);
}

#[test]
fn the_builder_never_writes_into_the_tests_tree() {
    let fixture = Fixture::new("app.a:f\ntests.t:test_f tests app.a:f");
    fixture.build_with(Kind::Test, &FakeBackend::new(), &PlanOptions::default(), &options());
    let tests = fixture.tree("tests");
    fixture.build(&FakeBackend::new());
    fixture.edit("src/app/a.py", "Spec", "Other");
    fixture.build(&FakeBackend::new());
    assert_eq!(fixture.tree("tests"), tests);
}

#[test]
fn spec_files_are_never_written() {
    let fixture = Fixture::new("app.a:f\napp.b:g <- app.a:f");
    let specs = |fixture: &Fixture| {
        let mut tree = fixture.tree("");
        tree.retain(|path, (content, _)| {
            !path.as_str().contains("__generated__") && content != "directory"
        });
        tree
    };
    let before = specs(&fixture);
    fixture.build(&FakeBackend::new());
    assert_eq!(specs(&fixture), before);
}

fn load_error(fixture: &Fixture) -> String {
    match fixture.load().unwrap_err() {
        ProjectError::Sources(problems) => {
            problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        }
        err => err.to_string(),
    }
}

#[test]
fn source_files_that_cannot_be_used_are_all_named() {
    let fixture = Fixture::new("app.a:f\napp.b:g\napp.c:h\napp.d:i");
    std::fs::remove_file(fixture.root().join("src/app/a.py")).unwrap();
    fixture.write_bytes("src/app/b.py", b"def g(): return '\xe9'\n");
    fixture.write("src/app/c.py", "def h(:\n    pass\n");
    assert_snapshot!(load_error(&fixture), @r"
    `src/app/a.py` (spec `app.a:f`): there is no such file
    `src/app/b.py` (spec `app.b:g`): not valid UTF-8 at byte 17
    `src/app/c.py` (spec `app.c:h`): SyntaxError: Expected a parameter or the end of the parameter list (line 1)
    ");

    let fixture = Fixture::new("app.a:f");
    fixture.write("src/app/a.py", "if True:\n    def f(): ...\n");
    assert_snapshot!(
        load_error(&fixture),
        @"`src/app/a.py` (spec `app.a:f`): it has no `def`, `async def` or `class` named `f` at module level"
    );
}

#[test]
fn a_byte_order_mark_is_accepted() {
    let fixture = Fixture::new("app.a:f");
    let source = fixture.read("src/app/a.py");
    fixture.build(&FakeBackend::new());
    fixture.write("src/app/a.py", &format!("\u{feff}{source}"));
    assert_eq!(fixture.build(&FakeBackend::new()).calls, Vec::<String>::new());
}

#[test]
fn a_cycle_of_specs_is_spelled_out() {
    let fixture = Fixture::new("app.a:f <- app.b:g\napp.b:g <- app.c:h\napp.c:h <- app.a:f");
    assert_snapshot!(
        load_error(&fixture),
        @"specs depend on each other: app.a:f -> app.b:g -> app.c:h -> app.a:f"
    );
}

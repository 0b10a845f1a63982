//! Where code goes, and what happens when that changes.

use insta::assert_snapshot;
use jaunt_builder::{FindOptions, find_generated};
use jaunt_digest::Kind;
use serde_json::json;

use crate::support::{FakeBackend, Fixture};

#[test]
fn a_package_with_specs_beside_submodules_with_specs_is_reachable() {
    let fixture = Fixture::new("a.b:f\na.b.c:g <- a.b:f\nalone:h");
    fixture.build(&FakeBackend::new());
    assert_snapshot!(fixture.generated().join("\n"), @r"
    src/__generated__/__init__.py
    src/__generated__/alone.py
    src/a/__generated__/__init__.py
    src/a/__generated__/b/__init__.py
    src/a/__generated__/b/c.py
    ");
    assert!(fixture.read("src/a/__generated__/b/__init__.py").contains("def f():"));
    assert_eq!(fixture.build(&FakeBackend::new()).calls, Vec::<String>::new());
}

#[test]
fn a_package_is_written_as_a_package_although_the_registry_names_a_plain_file() {
    let mut fixture = Fixture::new("a.b:f\na.b.c:g");
    fixture.modules = json!({
        "a.b": {"kind": "magic", "generated_module": "a.__generated__.b",
            "generated_relpath": "a/__generated__/b.py", "output_base": "src"},
    });
    fixture.build(&FakeBackend::new());
    assert!(fixture.exists("src/a/__generated__/b/__init__.py"));
    assert!(!fixture.exists("src/a/__generated__/b.py"));
}

#[test]
fn a_module_that_becomes_a_package_leaves_nothing_behind() {
    let mut fixture = Fixture::new("a.b:f");
    fixture.build(&FakeBackend::new());
    fixture.respec("a.b:f\na.b.c:g");
    assert_snapshot!(fixture.status(Kind::Build), @r"
    a.b: its code is in `src/a/__generated__/b.py`, where Python does not look for it any more
    a.b.c: never generated
    ");
    fixture.build(&FakeBackend::new());
    assert!(!fixture.exists("src/a/__generated__/b.py"));
    assert!(fixture.read("src/a/__generated__/b/__init__.py").contains("def f():"));

    fixture.respec("a.b:f");
    std::fs::remove_file(fixture.root().join("src/a/__generated__/b/c.py")).unwrap();
    fixture.build(&FakeBackend::new());
    assert_snapshot!(fixture.generated().join("\n"), @r"
    src/a/__generated__/__init__.py
    src/a/__generated__/b.py
    ");
}

/// Another version may be checked out while a backend works.
#[test]
fn an_old_file_that_comes_back_during_the_run_is_removed() {
    let fixture = Fixture::new("a.b:f");
    fixture.build(&FakeBackend::new());
    let generated = fixture.root().join("src/a/__generated__");
    let text = fixture.read("src/a/__generated__/b.py");
    std::fs::remove_file(generated.join("b.py")).unwrap();
    let backend = FakeBackend::answering("a.b", move |ctx, _| {
        std::fs::create_dir(generated.join("b")).unwrap();
        std::fs::write(generated.join("b/__init__.py"), &text).unwrap();
        Ok(crate::support::code(ctx))
    });
    fixture.build(&backend);
    assert!(fixture.exists("src/a/__generated__/b.py"));
    assert!(!fixture.exists("src/a/__generated__/b/__init__.py"));
}

#[test]
fn a_namespace_package_stays_one() {
    let fixture = Fixture::new("space.pkg.deep.mod:f");
    fixture.build(&FakeBackend::new());
    let inits: Vec<String> = fixture
        .tree("")
        .into_keys()
        .map(String::from)
        .filter(|path| path.ends_with("__init__.py"))
        .collect();
    assert!(inits.iter().all(|path| path.contains("/__generated__/")), "{inits:?}");
    assert_eq!(inits.len(), 3);
}

#[cfg(unix)]
#[test]
fn generated_files_have_ordinary_modes() {
    use std::os::unix::fs::PermissionsExt as _;

    let fixture = Fixture::new("app.a:f");
    fixture.write("ordinary", "");
    let mode =
        |path: &str| fixture.root().join(path).metadata().unwrap().permissions().mode() & 0o7777;
    fixture.build(&FakeBackend::new());
    assert_eq!(mode("src/app/__generated__/a.py"), mode("ordinary"));
    assert_eq!(mode("src/app/__generated__/__init__.py"), mode("ordinary"));

    let path = fixture.root().join("src/app/__generated__/a.py");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    fixture.edit("src/app/a.py", "Spec", "Other");
    fixture.build(&FakeBackend::new());
    assert_eq!(mode("src/app/__generated__/a.py"), 0o640);
}

#[test]
fn modules_that_depend_on_each_other_without_a_spec_cycle_are_built_together() {
    let fixture = Fixture::new("a.m:x <- b.m:y\na.m:w\nb.m:y\nb.m:z <- a.m:w\nc.m:top <- b.m:z");
    let backend = FakeBackend::new();
    let run = fixture.build(&backend);
    assert_eq!(run.calls, ["a.m", "b.m", "c.m"]);
    assert!(backend.context("a.m").dependency_apis.contains_key("b.m:y"));
    assert!(backend.context("b.m").dependency_apis.contains_key("a.m:w"));
    assert_eq!(fixture.build(&FakeBackend::new()).calls, Vec::<String>::new());

    fixture.edit("src/b/m.py", "Spec b.m:z", "Other");
    assert_eq!(fixture.build(&FakeBackend::new()).calls, ["a.m", "b.m", "c.m"]);
    assert_eq!(fixture.build(&FakeBackend::new()).calls, Vec::<String>::new());
}

#[test]
fn a_chain_of_5000_modules_builds() {
    let mut lines = vec!["app.m0:f0".to_owned()];
    for idx in 1..5000 {
        let previous = idx - 1;
        lines.push(format!("app.m{idx}:f{idx} <- app.m{previous}:f{previous}"));
    }
    let notation = lines.join("\n");
    let fixture = Fixture::new(&notation);
    assert_eq!(fixture.build(&FakeBackend::new()).report.generated().count(), 5000);
    assert_eq!(fixture.build(&FakeBackend::new()).report.skipped().count(), 5000);
}

#[test]
fn generated_files_without_a_spec_are_orphans_unless_they_are_expected() {
    let mut fixture = Fixture::new("app.a:f\napp.b:g");
    fixture.build(&FakeBackend::new());
    fixture.write("src/app/__generated__/mine.py", "x = 1\n");
    fixture.write("src/app/__generated__/b.contract.json", "{}\n");
    fixture.respec("app.a:f");
    let orphans = |expected: &[&str]| {
        let expected = expected.iter().map(Into::into).collect();
        let roots = ["src".to_owned(), ".".to_owned(), "gone".to_owned()];
        let project = fixture.load().unwrap();
        let options = FindOptions {
            roots: &roots,
            generated_dir: "__generated__",
            also_expected: &expected,
            known: None,
        };
        let found = find_generated(&project, &options).unwrap();
        let on_disk = project.read_on_disk();
        let known = FindOptions { known: Some(&on_disk), ..options };
        assert_eq!(find_generated(&project, &known).unwrap(), found);
        found.orphans().map(|it| it.path.into_string()).collect::<Vec<_>>()
    };
    assert_eq!(orphans(&[]), ["src/app/__generated__/b.py"]);
    assert_eq!(orphans(&["src/app/__generated__/b.py"]), Vec::<String>::new());
}

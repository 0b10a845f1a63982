//! What is generated again, and what is not.

use insta::assert_snapshot;
use jaunt_builder::{Force, Plan, PlanOptions, Project, Survey};
use jaunt_digest::Kind;

use crate::support::{FakeBackend, Fixture, name, options};

const SHOP: &str = "
    shop.price:Price
    shop.cart:total <- shop.price:Price
    shop.page:render <- shop.cart:total
    shop.stock:count
";

#[test]
fn the_first_run_writes_the_generated_modules() {
    let fixture = Fixture::new(SHOP);
    let run = fixture.build(&FakeBackend::new());
    assert_snapshot!(run.outcomes(), @r"
    shop.cart: generated (1)
    shop.page: generated (1)
    shop.price: generated (1)
    shop.stock: generated (1)
    ");
    assert_snapshot!(fixture.generated().join("\n"), @r"
    src/shop/__generated__/__init__.py
    src/shop/__generated__/cart.py
    src/shop/__generated__/page.py
    src/shop/__generated__/price.py
    src/shop/__generated__/stock.py
    ");
}

#[test]
fn the_second_run_calls_no_backend_and_changes_nothing() {
    let fixture = Fixture::new(SHOP);
    fixture.build(&FakeBackend::new());
    let before = fixture.tree("");
    let run = fixture.build(&FakeBackend::new());
    assert_eq!(run.calls, Vec::<String>::new());
    assert_eq!(run.events, []);
    assert_eq!(run.report.skipped().count(), 4);
    assert_eq!(fixture.tree(""), before);
}

#[test]
fn a_changed_spec_rebuilds_its_module_and_all_dependents_and_nothing_else() {
    let fixture = Fixture::new(SHOP);
    fixture.build(&FakeBackend::new());
    fixture.edit("src/shop/price.py", "Spec", "A better spec");
    assert_snapshot!(fixture.status(Kind::Build), @r"
    shop.cart: a spec it depends on changed: `shop.price`
    shop.page: a spec it depends on changed: `shop.cart`
    shop.price: spec changed: `shop.price:Price`
    shop.stock: fresh
    ");
    let run = fixture.build(&FakeBackend::new());
    assert_eq!(run.calls, ["shop.price", "shop.cart", "shop.page"]);
    assert_eq!(fixture.build(&FakeBackend::new()).calls, Vec::<String>::new());
}

#[test]
fn comments_and_trailing_blanks_outside_a_spec_change_nothing() {
    let fixture = Fixture::new(SHOP);
    fixture.build(&FakeBackend::new());
    let text = fixture.read("src/shop/price.py");
    fixture.write("src/shop/price.py", &format!("# A comment.\nimport os\r\n{text}x = 1   \n"));
    assert_eq!(fixture.build(&FakeBackend::new()).calls, Vec::<String>::new());
}

#[test]
fn specs_that_appear_or_go_are_named() {
    let mut fixture = Fixture::new("app.a:one\napp.a:two");
    fixture.build(&FakeBackend::new());
    fixture.respec("app.a:one\napp.a:three");
    assert_snapshot!(
        fixture.status(Kind::Build),
        @"app.a: new spec: `app.a:three`; spec removed: `app.a:two`"
    );
}

#[test]
fn a_target_builds_what_it_depends_on_and_its_dependents_stay_stale() {
    let fixture = Fixture::new(SHOP);
    fixture.build(&FakeBackend::new());
    fixture.edit("src/shop/price.py", "Spec", "A better spec");
    let target = PlanOptions { targets: Some([name("shop.cart")].into()), ..Default::default() };
    let run = fixture.build_with(Kind::Build, &FakeBackend::new(), &target, &options());
    assert_eq!(run.calls, ["shop.price", "shop.cart"]);
    assert_snapshot!(fixture.status(Kind::Build), @r"
    shop.cart: fresh
    shop.page: specs changed
    shop.page: the code of `shop.cart` changed since
    shop.price: fresh
    shop.stock: fresh
    ");
}

#[test]
fn force_regenerates_everything_or_the_targets() {
    let fixture = Fixture::new(SHOP);
    fixture.build(&FakeBackend::new());
    let all = PlanOptions { force: Force::Everything, ..Default::default() };
    let run = fixture.build_with(Kind::Build, &FakeBackend::new(), &all, &options());
    assert_eq!(run.calls.len(), 4);
    let one = PlanOptions {
        force: Force::These([name("shop.cart")].into()),
        targets: Some([name("shop.cart")].into()),
        ..Default::default()
    };
    let run = fixture.build_with(Kind::Build, &FakeBackend::new(), &one, &options());
    assert_eq!(run.calls, ["shop.cart"]);
}

#[test]
fn a_dependent_of_a_module_that_was_regenerated_alone_is_stale() {
    let fixture = Fixture::new("app.a:f\napp.b:g <- app.a:f");
    fixture.build(&FakeBackend::new());
    // The same specs, other code: as after a run that was killed between the two.
    let target = PlanOptions {
        force: Force::Everything,
        targets: Some([name("app.a")].into()),
        ..Default::default()
    };
    let other = FakeBackend::answering("app.a", |_, _| Ok("def f(): return 2\n".to_owned()));
    fixture.build_with(Kind::Build, &other, &target, &options());
    assert_snapshot!(fixture.status(Kind::Build), @r"
    app.a: fresh
    app.b: the code of `app.a` changed since
    ");
}

#[test]
fn an_edited_truncated_or_emptied_file_is_stale_and_built_again() {
    let fixture = Fixture::new("app.a:f\napp.b:g <- app.a:f");
    fixture.build(&FakeBackend::new());
    let path = "src/app/__generated__/a.py";
    let whole = fixture.read(path);
    let half = &whole[..whole.len() - 10];
    for (text, reason) in [
        (whole.replace("return", "raise"), "its code was edited by hand"),
        (half.to_owned(), "its code was edited by hand"),
        (whole[..20].to_owned(), "its file is empty or was cut off"),
        (String::new(), "its file is empty or was cut off"),
    ] {
        fixture.write(path, &text);
        let status = fixture.status(Kind::Build);
        assert!(status.starts_with(&format!("app.a: {reason}\n")), "{status}");
        assert_eq!(fixture.build(&FakeBackend::new()).calls, ["app.a", "app.b"]);
        assert_eq!(fixture.read(path), whole);
    }
}

#[test]
fn a_spec_edited_while_its_module_is_generated_leaves_it_stale() {
    let fixture = Fixture::new("app.a:f\napp.b:g");
    let source = fixture.root().join("src/app/a.py");
    let backend = FakeBackend::answering("app.a", move |ctx, _| {
        std::fs::write(&source, "def f():\n    \"\"\"Something else.\"\"\"\n").unwrap();
        Ok(crate::support::code(ctx))
    });
    let run = fixture.build(&backend);
    assert_eq!(run.report.generated().count(), 2);
    assert_snapshot!(fixture.status(Kind::Build), @r"
    app.a: spec changed: `app.a:f`
    app.b: fresh
    ");
}

#[test]
fn the_header_is_readable_by_the_python_package_and_carries_what_the_laws_need() {
    let fixture = Fixture::new("app.a:f\napp.b:g <- app.a:f");
    fixture.build(&FakeBackend::new());
    let text = fixture.read("src/app/__generated__/b.py");
    let header: Vec<&str> = text.lines().take_while(|line| line.starts_with('#')).collect();
    insta::with_settings!({filters => vec![("[0-9a-f]{64}", "[digest]")]}, {
        assert_snapshot!(header.join("\n"), @r#"
        # This file was generated by jaunt. DO NOT EDIT.
        # jaunt:tool_version=0.1.0
        # jaunt:kind=build
        # jaunt:source_module=app.b
        # jaunt:module_digest=sha256:[digest]
        # jaunt:spec_refs=["app.b:g"]
        # jaunt:body_digest=sha256:[digest]
        # jaunt:spec_local_digests={"app.b:g": "[digest]"}
        # jaunt:dependency_bodies={"app.a": "[digest]"}
        "#);
    });
}

#[test]
fn a_digest_of_another_scheme_counts_as_long_as_the_registry_is_as_new_as_the_sources() {
    let mut fixture = Fixture::new("app.a:f");
    fixture.build(&FakeBackend::new());
    let path = "src/app/__generated__/a.py";
    let (head, body) = ("# This file was generated by jaunt. DO NOT EDIT.\n", "\ndef f(): ...\n");
    let two = "2".repeat(64);
    fixture.write(
        path,
        &format!(
            "{head}# jaunt:kind=build\n# jaunt:source_module=app.a\n\
             # jaunt:module_digest=sha256:{two}\n# jaunt:digest_scheme=2\n{body}"
        ),
    );
    let one = fixture.load().unwrap().module(&name("app.a")).digest.to_string();
    let status = |fixture: &Fixture| fixture.status(Kind::Build);
    assert_snapshot!(
        status(&fixture),
        @"app.a: its file has a digest of scheme 2, which the registry does not give"
    );
    fixture.modules =
        serde_json::json!({"app.a": {"kind": "magic", "digests": {"1": one, "2": two}}});
    assert_snapshot!(status(&fixture), @"app.a: fresh");
    fixture.edit("src/app/a.py", "Spec", "Other");
    assert_snapshot!(
        status(&fixture),
        @"app.a: its file has a digest of scheme 2, and the registry's is older than the sources"
    );
    fixture.modules = serde_json::json!({"app.a": {"kind": "magic", "digests": {"2": two}}});
    assert_snapshot!(status(&fixture), @"app.a: fresh");
}

#[test]
fn a_file_cut_off_anywhere_is_stale() {
    let fixture = Fixture::new("app.a:f\napp.b:g <- app.a:f");
    fixture.build(&FakeBackend::new());
    let path = "src/app/__generated__/b.py";
    let whole = fixture.read(path);
    let layout = jaunt_digest::Layout::new("__generated__").unwrap();
    let kinds = [Kind::Build];
    let project =
        jaunt_builder::Project::load(fixture.root(), &fixture.registry(), &layout, &kinds).unwrap();
    for len in 0..whole.len() {
        fixture.write(path, &whole[..len]);
        let outputs = project.read_on_disk();
        let plan =
            jaunt_builder::Plan::new(&project, Kind::Build, &outputs, &PlanOptions::default());
        assert_eq!(plan.stale().count(), 1, "{len} of {} bytes", whole.len());
    }
    let line = whole.lines().find(|line| line.contains("body_digest")).unwrap();
    fixture.write(path, &whole.replace(&format!("{line}\n"), ""));
    assert!(fixture.status(Kind::Build).contains("app.b: its file is empty or was cut off"));
}

#[test]
fn a_plan_of_a_survey_is_the_plan_of_the_project() {
    let fixture =
        Fixture::new("app.a:f\napp.b:g <- app.a:f\napp.c:h\ntests.t:test_f tests app.a:f");
    fixture.build(&FakeBackend::new());
    fixture.edit("src/app/a.py", "Spec", "Another spec");
    let layout = jaunt_digest::Layout::new("__generated__").unwrap();
    let (registry, kinds) = (fixture.registry(), [Kind::Build, Kind::Test]);
    let (survey, found) =
        Survey::load_with_on_disk(fixture.root(), &registry, &layout, &kinds).unwrap();
    let (project, on_disk) =
        Project::load_with_on_disk(fixture.root(), &registry, &layout, &kinds).unwrap();
    assert_eq!(on_disk, project.read_on_disk());
    for kind in kinds {
        let plan = Plan::new(&survey, kind, &found, &PlanOptions::default());
        let whole = Plan::new(&project, kind, &on_disk, &PlanOptions::default());
        assert_eq!(plan.modules(), whole.modules());
    }
}

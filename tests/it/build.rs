//! Building with a real command: plans, results and the files they leave.

use insta::assert_snapshot;

use crate::support::{Project, echo_backend, filters};

/// Makes a project of two modules and a test, with a registry document.
pub(crate) fn project() -> Project {
    let project = Project::new(
        r#"
        //- jaunt.toml
        version = 1
        //- src/app/price.py
        def price():
            """What it costs."""

        //- src/app/cart.py
        def total():
            """What it comes to."""

        //- tests/cart.py
        def test_total():
            """The total is right."""

        //- jaunt.registry.json
        {"version": 1, "specs": [
          {"kind": "magic", "spec_ref": "app.price:price", "module": "app.price", "qualname": "price",
           "source_file": "src/app/price.py"},
          {"kind": "magic", "spec_ref": "app.cart:total", "module": "app.cart", "qualname": "total",
           "source_file": "src/app/cart.py", "dependencies": ["app.price:price"]},
          {"kind": "test", "spec_ref": "tests.cart:test_total", "module": "tests.cart",
           "qualname": "test_total", "source_file": "tests/cart.py",
           "decorator_kwargs": {"targets": ["app.cart:total"]}}
        ]}
        "#,
    );
    let command: Vec<String> = echo_backend().split(' ').map(|word| format!("{word:?}")).collect();
    let engine = format!("[backend]\nname = \"command\"\ncommand = [{}]\n", command.join(", "));
    project.write("jaunt-engine.toml", &engine);
    project
}

#[test]
fn a_build_generates_what_is_stale_and_then_nothing() {
    let _filters = filters();
    let project = project();
    assert_snapshot!(project.jaunt("build --jobs 1 --explain"), @r"
    2 modules generated in [time].
    ------- stderr -------
    stale app.cart: never generated
    stale app.price: never generated
    generating app.price
    generated app.price
    generating app.cart
    generated app.cart
    [exit status: 0]
    ");
    assert_snapshot!(project.jaunt("build"), @r"
    Nothing to do: all 2 modules are fresh.
    [exit status: 0]
    ");
    assert_snapshot!(project.generated().join("\n"), @r"
    src/app/__generated__/__init__.py
    src/app/__generated__/cart.py
    src/app/__generated__/price.py
    ");
}

#[test]
fn a_dry_run_says_what_a_run_does_and_writes_nothing() {
    let project = project();
    let before = project.files();
    assert_snapshot!(project.jaunt("build --dry-run"), @r"
    Would generate 2 modules; 0 fresh.
      app.cart
      app.price
    [exit status: 0]
    ");
    assert_eq!(project.files(), before);
    let planned = project.jaunt("build --dry-run --json").expect(0).json();
    let done = project.jaunt("build --json").expect(0).json();
    assert_eq!(planned["generated"], done["generated"]);
    assert_eq!(done["backend"]["calls"], 2);
}

#[test]
fn the_documents_have_the_promised_form() {
    let _filters = filters();
    let project = project();
    assert_snapshot!("build_document", project.jaunt("build --json").expect(0).stdout());
    project.edit("src/app/price.py", "What it costs", "What it really costs");
    assert_snapshot!("status_document", project.jaunt("status --format json").expect(0).stdout());
    assert_snapshot!("graph_document", project.jaunt("graph --json").expect(0).stdout());
    assert_snapshot!(
        "clean_document",
        project.jaunt("clean --all --dry-run --json").expect(0).stdout()
    );
}

#[test]
fn a_failure_is_exit_3_with_every_problem() {
    let _filters = filters();
    let project = project();
    project.edit("src/app/price.py", "What it costs", "FAIL");
    assert_snapshot!(project.jaunt("build"), @r"
    1 module failed, 1 blocked in [time].
    ------- stderr -------
    generating app.price
    retrying app.price (attempt 2): SyntaxError: Expected a parameter or the end of the parameter list (line 1)
    failed app.price: SyntaxError: Expected a parameter or the end of the parameter list (line 1)
    blocked app.cart: `app.price` failed
    error: could not generate 2 of 2 modules
    [exit status: 3]
    ");
    let document = project.jaunt("build --json").expect(3).json();
    assert_eq!(document["blocked"]["app.cart"]["cause"], "app.price");
    assert_eq!(document["ok"], false);
}

#[test]
fn status_says_why_and_check_is_a_gate() {
    let project = project();
    assert_eq!(project.jaunt("check").code(), 4);
    assert_eq!(project.jaunt("build").code(), 0);
    assert_eq!(project.jaunt("check --magic-only").code(), 0);
    project.edit("src/app/price.py", "What it costs", "What it really costs");
    assert_snapshot!(project.jaunt("status"), @r"
    stale  app.cart  (src/app/__generated__/cart.py)
             a spec it depends on changed: `app.price`
    stale  app.price  (src/app/__generated__/price.py)
             spec changed: `app.price:price`
    stale  tests.cart  (tests/__generated__/cart.py)
             never generated
    3 modules: 0 fresh, 3 stale.
    [exit status: 0]
    ");
    assert_eq!(project.jaunt("check --magic-only").code(), 4);
}

#[test]
fn an_unknown_target_is_exit_2_with_near_matches() {
    let project = project();
    assert_snapshot!(project.jaunt("build --target app.carts"), @r"
    ------- stderr -------
    error: there is no module with specs `app.carts`
    hint: did you mean `app.cart` or `app.price`?
    [exit status: 2]
    ");
    assert_eq!(project.jaunt("build --target app.cart:totals").code(), 2);
    assert_eq!(project.jaunt("build --target tests.cart").code(), 2);
    let document = project.jaunt("build --target app.price:price --json").expect(0).json();
    assert_eq!(document["generated"], serde_json::json!(["app.price"]));
}

#[test]
fn clean_removes_orphans_and_with_all_everything_generated() {
    let project = project();
    assert_eq!(project.jaunt("build").code(), 0);
    project.write("src/app/__generated__/mine.py", "x = 1\n");
    project.write("src/app/__generated__/cart.contract.json", "{}\n");
    let registry = project.read("jaunt.registry.json");
    project.write(
        "jaunt.registry.json",
        &registry.replace("app.cart", "app.basket").replace("src/app/cart.py", "src/app/basket.py"),
    );
    project.write("src/app/basket.py", &project.read("src/app/cart.py"));
    assert!(
        project.jaunt("status").expect(0).stdout().contains("orphan src/app/__generated__/cart.py")
    );
    assert_snapshot!(project.jaunt("clean --dry-run"), @r"
    Would remove 1 file.
      src/app/__generated__/cart.py
    [exit status: 0]
    ");
    assert_eq!(project.jaunt("clean").code(), 0);
    assert!(!project.exists("src/app/__generated__/cart.py"));
    assert!(project.exists("src/app/__generated__/price.py"));

    assert_eq!(project.jaunt("clean --all").code(), 0);
    // Hand-written files stay, and so does the `__init__.py` that makes them importable.
    let kept = ["src/app/__generated__/__init__.py", "src/app/__generated__/mine.py"];
    assert_eq!(project.generated(), kept);
    assert!(project.exists("src/app/__generated__/cart.contract.json"));
}

#[test]
fn the_graph_has_four_forms() {
    let project = project();
    assert_snapshot!(project.jaunt("graph").expect(0).stdout(), @r"
    app.cart: app.price
    app.price
    tests.cart: app.cart
    ");
    assert_snapshot!(project.jaunt("graph --format dot").expect(0).stdout(), @r#"
    digraph jaunt {
      rankdir=LR;
      node [shape=box];
      "app.cart";
      "app.price";
      "tests.cart" [style=rounded];
      "app.cart" -> "app.price";
      "tests.cart" -> "app.cart" [style=dashed];
    }
    "#);
    assert_snapshot!(project.jaunt("graph --format mermaid --target app.price").expect(0).stdout(), @r#"
    graph LR
      m0["app.price"]
    "#);
}

#[test]
fn a_registry_comes_from_a_flag_standard_input_or_a_command() {
    let project = project();
    std::fs::rename(
        project.root().join("jaunt.registry.json"),
        project.root().join("elsewhere.json"),
    )
    .unwrap();
    assert_eq!(project.jaunt("status --registry elsewhere.json").code(), 0);

    let stdin = std::fs::File::open(project.root().join("elsewhere.json")).unwrap();
    let output =
        project.command().args(["status", "--registry", "-"]).stdin(stdin).output().unwrap();
    assert_eq!(output.status.code(), Some(0));

    project.write("jaunt-engine.toml", "[registry]\ncommand = [\"cat\", \"elsewhere.json\"]\n");
    assert_eq!(project.jaunt("status").code(), 0);
    project.write("jaunt-engine.toml", "[registry]\ncommand = [\"false\"]\n");
    assert_snapshot!(project.jaunt("status"), @r"
    ------- stderr -------
    error: the registry command `false` failed
      caused by: exit status: 1
    [exit status: 2]
    ");
    project.write("jaunt-engine.toml", "[registry]\nfile = \"elsewhere.json\"\n");
    assert_eq!(project.jaunt("status").code(), 0);
}

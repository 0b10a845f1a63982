//! Refusals, locks, broken input and interrupted runs.

use std::fs::File;
use std::process::Stdio;

use insta::assert_snapshot;

use crate::build::project;
use crate::support::filters;

#[test]
fn a_hand_written_file_is_refused_and_replaced_with_adopt() {
    let _filters = filters();
    let project = project();
    project.write("src/app/__generated__/price.py", "def price(): return 'mine'\n");
    let ran = project.jaunt("build --jobs 1").expect(3);
    assert_snapshot!(ran, @r"
    1 module failed, 1 blocked in [time].
    ------- stderr -------
    generating app.price
    failed app.price: not overwritten: `src/app/__generated__/price.py` was not written by jaunt; `--adopt` replaces it
    blocked app.cart: `app.price` failed
    error: could not generate 2 of 2 modules
    [exit status: 3]
    ");
    assert_eq!(project.jaunt("build --dry-run").code(), 3);
    assert_eq!(project.read("src/app/__generated__/price.py"), "def price(): return 'mine'\n");
    assert_eq!(project.jaunt("build --adopt").code(), 0);
}

#[test]
fn a_missing_backend_is_exit_2_with_a_hint() {
    let project = project();
    project.write("jaunt-engine.toml", "");
    let output = project.command().args(["build"]).env("PATH", "/nowhere").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("codex") && stderr.contains("--backend-command"), "{stderr}");
    assert_eq!(project.jaunt("build --backend replay").code(), 2);
}

#[test]
fn a_second_build_says_that_it_waits_or_fails_with_no_wait() {
    let project = project();
    assert_eq!(project.jaunt("build").code(), 0);
    let lock = File::options().write(true).open(project.root().join(".jaunt/engine/lock")).unwrap();
    lock.lock().unwrap();
    let ran = project.jaunt("build --no-wait").expect(2);
    assert!(ran.stderr().contains("is writing to this project"), "{ran}");
    assert_eq!(project.jaunt("status").code(), 0);

    let mut waiting = project
        .command()
        .arg("build")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let stderr = waiting.stderr.as_mut().unwrap();
    while !said.contains("to finish\n") {
        let mut byte = [0];
        std::io::Read::read_exact(stderr, &mut byte).unwrap();
        said.push(char::from(byte[0]));
    }
    drop(lock);
    assert!(waiting.wait().unwrap().success());
}

#[test]
fn control_characters_of_specs_and_backends_do_not_reach_the_terminal() {
    let project = project();
    project.write(
        "jaunt-engine.toml",
        "[backend]\nname = \"command\"\ncommand = [\"sh\", \"-c\", \"printf '\\\\033[31mred\\\\007' >&2; exit 1\"]\n",
    );
    let ran = project.jaunt("build").expect(3);
    assert!(!ran.stderr().contains('\u{1b}') && !ran.stderr().contains('\u{7}'), "{ran}");
    assert!(ran.stderr().contains("red"), "{ran}");
}

#[test]
fn a_closed_pipe_is_not_a_panic() {
    let project = project();
    let mut child = project
        .command()
        .args(["graph", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// Returns what a build would do, and what it then does.
fn planned_and_done(project: &crate::support::Project) -> (serde_json::Value, serde_json::Value) {
    let pick = |document: serde_json::Value| {
        serde_json::json!([document["generated"], document["failed"], document["blocked"]])
    };
    let planned = project.jaunt("build --dry-run --json").json();
    (pick(planned), pick(project.jaunt("build --json").json()))
}

#[test]
fn a_dry_run_knows_what_a_refused_file_blocks() {
    let project = project();
    project.write("src/app/__generated__/price.py", "mine = 1\n");
    let (planned, done) = planned_and_done(&project);
    assert_eq!(planned[0], done[0]);
    assert_eq!(planned[2], done[2]);
    assert_eq!(done[2]["app.cart"]["cause"], "app.price");
}

#[test]
fn a_check_of_product_code_ignores_generated_tests() {
    let project = project();
    assert_eq!(project.jaunt("test --no-run").code(), 0);
    assert_eq!(project.jaunt("check --magic-only").code(), 0);
    assert_eq!(project.jaunt("check --target app.price").code(), 0);
    assert_eq!(project.jaunt("check").code(), 0);
}

#[test]
fn a_quiet_build_still_says_what_failed() {
    let project = project();
    project.edit("src/app/price.py", "What it costs", "FAIL");
    for flags in ["-q", "--progress none", "--no-progress"] {
        let ran = project.jaunt(&format!("build {flags}")).expect(3);
        assert!(ran.stderr().contains("app.price: SyntaxError"), "{flags}: {ran}");
    }
}

#[test]
fn no_command_accepts_an_empty_registry() {
    let project = project();
    assert_eq!(project.jaunt("build").code(), 0);
    project.write("jaunt.registry.json", "{\"version\": 1, \"specs\": []}");
    for command in ["build", "test", "status", "check", "clean", "graph"] {
        assert_eq!(project.jaunt(command).code(), 2, "{command}");
    }
    assert_eq!(project.generated().len(), 3, "nothing was removed");
    assert_eq!(project.jaunt("clean --allow-empty").code(), 0);
    assert_eq!(project.generated(), Vec::<String>::new());
}

#[test]
fn status_says_what_is_wrong_with_a_link_instead_of_failing() {
    let project = project();
    std::os::unix::fs::symlink(".", project.root().join("src/app/__generated__")).unwrap();
    let document = project.jaunt("status --json").expect(0).json();
    assert_eq!(document["modules"][0]["reasons"][0]["reason"], "unreadable");
    assert_eq!(project.jaunt("check").code(), 4);
}

#[test]
fn a_result_that_cannot_be_written_is_not_a_success() {
    let project = project();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = project.command().args(["graph", "--json"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn roots_outside_the_project_are_refused() {
    let project = project();
    for root in ["../..", "/tmp"] {
        project.write("jaunt.toml", &format!("[paths]\nsource_roots = [\"{root}\"]\n"));
        assert_eq!(project.jaunt("status").code(), 2, "{root}");
    }
}

#[test]
fn a_failed_run_does_not_make_a_stale_module_look_fresh() {
    let project = project();
    assert_eq!(project.jaunt("build").code(), 0);
    let path = "src/app/__generated__/price.py";
    project.write(path, &format!("{}# edited\n", project.read(path)));
    let stale = |project: &crate::support::Project| {
        project.jaunt("status --magic-only --json").json()["stale"].clone()
    };
    assert_eq!(stale(&project), serde_json::json!(["app.cart", "app.price"]));

    // The first module gets the same bytes as before; the second one fails.
    let engine = project.read("jaunt-engine.toml");
    let failing = "import json, sys\n\
                   request = json.load(sys.stdin)\n\
                   sys.exit(1) if request['context']['spec_module'] == 'app.cart' else None\n\
                   print('\"\"\"Generated for app.price.\"\"\"\\n\\n\\ndef price():\\n    return \\'price\\'')\n";
    project.write("failing.py", failing);
    let args = ["build", "--backend-command", "python3 failing.py"];
    assert_eq!(project.jaunt_with(&args).code(), 3);
    assert_eq!(stale(&project), serde_json::json!(["app.cart"]));
    // It stays stale until it is generated, however often that happens.
    assert_eq!(project.jaunt_with(&args).code(), 3);
    assert_eq!(stale(&project), serde_json::json!(["app.cart"]));
    project.write("jaunt-engine.toml", &engine);
    let document = project.jaunt("build --json").expect(0).json();
    assert_eq!(document["generated"], serde_json::json!(["app.cart"]));
    assert_eq!(stale(&project), serde_json::json!([]));
}

#[test]
fn modules_that_a_killed_run_has_written_are_not_generated_again() {
    let project = project();
    assert_eq!(project.jaunt("build").code(), 0);
    let stale = || project.jaunt("status --magic-only --json").json()["stale"].to_string();
    let journal = ".jaunt/engine/unfinished";
    // The run was killed before it recorded the files that it had written: they differ from its start.
    project.write(journal, "planned app.cart 1.1\nplanned app.price 1.1\n");
    assert_eq!(stale(), "[]");
    assert_eq!(project.jaunt("build --json").json()["backend"]["calls"], 0);

    // A file with the same content as at the start is one that the run did not get to.
    let cart = project.read("src/app/__generated__/cart.py");
    let cart = jaunt_digest::Digest::of(&cart);
    project.write(journal, &format!("planned app.cart {cart}\nplanned app.price 1.1\n"));
    assert_eq!(stale(), r#"["app.cart"]"#);

    // A module that one run left and the next one generated stays done, even if a third run fails.
    project.write(journal, "pending app.cart none\npending app.price none\ndone app.price\n");
    assert_eq!(stale(), "[]");
    project.edit("src/app/price.py", "What it costs", "FAIL");
    assert_eq!(project.jaunt("build").code(), 3);
    project.edit("src/app/price.py", "FAIL", "What it costs");
    assert_eq!(stale(), "[]");
}

#[test]
fn a_build_keeps_the_record_of_tests_that_an_earlier_run_left_unfinished() {
    let project = project();
    let journal = ".jaunt/engine/unfinished";
    project.write(journal, "planned tests.cart 1.1\n");
    assert_eq!(project.jaunt("build").code(), 0);
    assert_eq!(project.read(journal).lines().next(), Some("planned app.cart none"));
    assert!(
        project.read(journal).contains("planned tests.cart 1.1\n"),
        "{}",
        project.read(journal)
    );
}

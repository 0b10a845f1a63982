//! Help, wrong flags, and errors in both forms.

use insta::assert_snapshot;

use crate::support::{Project, filters};

#[test]
fn help_lists_commands_and_flags() {
    let project = Project::new("");
    for command in ["", "build", "test", "status", "check", "clean", "graph", "registry export"] {
        let name = if command.is_empty() { "jaunt" } else { command };
        let ran = project.jaunt(&format!("{command} --help")).expect(0);
        assert_snapshot!(format!("help {name}").replace(' ', "_"), ran.stdout());
    }
}

#[test]
fn wrong_flags_are_exit_2_as_text_and_as_json() {
    let project = Project::new("");
    assert_snapshot!(project.jaunt("build --jbos 3"), @r"
    ------- stderr -------
    error: unexpected argument '--jbos' found

      tip: a similar argument exists: '--jobs'

    Usage: jaunt build --jobs <N>

    For more information, try '--help'.
    [exit status: 2]
    ");
    assert_snapshot!(project.jaunt("build shop.cart"), @r"
    ------- stderr -------
    error: unexpected argument 'shop.cart' found

      tip: to name a module, use '--target shop.cart'

    Usage: jaunt build [OPTIONS]

    For more information, try '--help'.
    [exit status: 2]
    ");
    assert!(!project.jaunt("clean shop.cart").expect(2).stderr().contains("--target"));
    let ran = project.jaunt("build --jobs 0 --json").expect(2);
    let document = ran.json();
    assert_eq!(document["schema"], "jaunt.error/1");
    assert_eq!(document["error"]["kind"], "usage");
}

#[test]
fn flags_of_the_python_tool_that_are_not_supported_are_refused_with_a_reason() {
    let project = Project::new("");
    for (args, word) in [
        ("build --language ts", "only Python is generated"),
        ("build --quota-wait 5", "the backend's business"),
        ("test --include-target-tests", "no part of the prompt"),
        ("check --contracts-only", "contract batteries"),
    ] {
        let ran = project.jaunt(args).expect(2);
        assert!(ran.stderr().contains(word), "{ran}");
    }
}

#[test]
fn a_folder_without_a_project_is_exit_2() {
    let project = Project::new("");
    let ran = project.jaunt("status").expect(2);
    assert_snapshot!(ran, @r"
    ------- stderr -------
    error: there is no `jaunt.toml` in `[ROOT]` or in any folder above it
    hint: go to the project, or name it with `--root DIR`
    [exit status: 2]
    ");
}

#[test]
fn a_malformed_configuration_names_file_and_line() {
    let project = Project::new(
        "
        //- jaunt.toml
        version = 1
        //- jaunt-engine.toml
        [backend]
        nmae = 'replay'
        ",
    );
    assert_snapshot!(project.jaunt("status"), @r"
    ------- stderr -------
    error: cannot read `jaunt-engine.toml`
      caused by: TOML parse error at line 2, column 1
      |
    2 | nmae = 'replay'
      | ^^^^
    unknown field `nmae`, expected one of `name`, `command`, `input`, `output`, `args`, `env`, `store`, `model`, `timeout`, `max_output`, `max_attempts`
    [exit status: 2]
    ");
}

#[test]
fn a_registry_that_contradicts_itself_names_spec_and_field() {
    let project = Project::new(
        r#"
        //- jaunt.toml
        //- jaunt.registry.json
        {"version": 1, "specs": [
          {"kind": "magic", "spec_ref": "a:f", "module": "a", "qualname": "f", "source_file": "a.py",
           "dependencies": ["b:g"]}
        ]}
        "#,
    );
    let ran = project.jaunt("status --json").expect(2);
    assert_eq!(ran.json()["error"]["kind"], "registry");
    assert!(ran.stderr().contains("`a:f`") && ran.stderr().contains("`b:g`"), "{ran}");
}

#[test]
fn an_empty_registry_is_an_error_unless_it_was_expected() {
    let project = Project::new(
        "
        //- jaunt.toml
        //- jaunt.registry.json
        {\"version\": 1, \"specs\": []}
        ",
    );
    let _filters = filters();
    assert_snapshot!(project.jaunt("build"), @r"
    ------- stderr -------
    error: the registry has no magic specs
    hint: decorate a function or class with `@jaunt.magic`
    hint: `--allow-empty` accepts a registry without them
    [exit status: 2]
    ");
    assert_eq!(project.jaunt("build --allow-empty").code(), 0);
    assert_eq!(project.jaunt("test").code(), 2);
}

#[test]
fn completions_are_printed_for_every_shell() {
    let project = Project::new("");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = project.jaunt(&format!("completions {shell}")).expect(0);
        assert!(ran.stdout().contains("jaunt"), "{shell}");
    }
}

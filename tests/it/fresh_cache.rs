//! Builds with nothing to do, with and without the cache of an earlier one.

use std::fs;

use crate::build::project;
use crate::support::Project;

const CACHE: &str = ".jaunt/engine/fresh";

/// Makes a built project with the cache of a build with nothing to do.
fn cached() -> Project {
    let project = project();
    assert_eq!(project.jaunt("build").code(), 0);
    assert!(!project.exists(CACHE), "there was something to do");
    assert_eq!(project.jaunt("build").code(), 0);
    assert!(project.exists(CACHE));
    project
}

/// Removes the line with the duration.
fn without_time(output: &str) -> String {
    output.lines().filter(|line| !line.contains("duration_ms")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_result_is_the_same_with_and_without_the_cache() {
    let project = cached();
    for args in ["build", "build --json", "build --dry-run", "build --dry-run --json --explain"] {
        let with = without_time(&project.jaunt(args).to_string());
        let cache = fs::read(project.root().join(CACHE)).unwrap();
        fs::remove_file(project.root().join(CACHE)).unwrap();
        assert_eq!(without_time(&project.jaunt(args).to_string()), with, "{args}");
        fs::write(project.root().join(CACHE), cache).unwrap();
    }
}

#[test]
fn every_change_is_noticed() {
    type Change<'a> = &'a dyn Fn(&Project);
    let cases: [(&str, Change<'_>); 6] = [
        ("a source", &|it| it.edit("src/app/price.py", "costs", "is")),
        ("generated code", &|it| it.edit("src/app/__generated__/price.py", "return", "return  ")),
        ("the registry", &|it| {
            it.edit("jaunt.registry.json", "\"version\": 1", "\"version\": 1, \"modules\": {}");
            it.edit(
                "jaunt.registry.json",
                "\"qualname\": \"total\",",
                "\"qualname\": \"total\", \"decorator_kwargs\": {\"prompt\": \"x\"},",
            );
        }),
        ("the configuration", &|it| {
            it.write("jaunt.toml", "version = 1\n[paths]\ngenerated_dir = \"made\"\n");
        }),
        ("a file that is gone", &|it| {
            fs::remove_file(it.root().join("src/app/__generated__/cart.py")).unwrap();
        }),
        ("damage", &|it| it.write(CACHE, "jaunt-evidence 1 and so on")),
    ];
    for (what, change) in cases {
        let project = cached();
        change(&project);
        let with = project.jaunt("build --dry-run --json").stdout();
        fs::remove_file(project.root().join(CACHE)).unwrap();
        assert_eq!(project.jaunt("build --dry-run --json").stdout(), with, "{what}");
        assert_eq!(with.contains("\"generated\": []"), what == "damage", "{what}: {with}");
    }
}

#[test]
fn temporary_files_of_killed_runs_are_removed_although_the_cache_holds() {
    let project = cached();
    let cache = fs::read(project.root().join(CACHE)).unwrap();
    let folder = "src/app/__generated__";
    let temporary = format!("{folder}/.jaunt-1-0.tmp");
    project.write(&temporary, "half of a file");
    assert_eq!(project.jaunt("build").code(), 0);
    assert!(!project.exists(&temporary));
    assert!(fs::read(project.root().join(CACHE)).unwrap().len() == cache.len());
}

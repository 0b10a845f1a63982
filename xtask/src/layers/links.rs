//! Which crate may depend on which, and what a pure crate must not link.

use std::path::Path;

use xshell::{Shell, cmd};

use super::violation::Violation;
use crate::manifest::{self, Dependency};

/// Crates that must not link runtimes and I/O, not even through their dependencies.
pub(super) const PURE: &[&str] = &["jaunt-dag", "jaunt-digest", "jaunt-text"];

/// Crates that make a crate impure that links them.
const IMPURE: &[&str] =
    &["anyhow", "cap-std", "clap", "indicatif", "reqwest", "rustix", "tempfile", "tokio", "tonic"];

/// Each crate, with those of our crates that it may depend on.
const EDGES: &[(&str, &[&str])] = &[
    ("jaunt-dag", &[]),
    ("jaunt-text", &[]),
    ("jaunt-digest", &["jaunt-text"]),
    ("jaunt-process", &["jaunt-text"]),
    ("jaunt-write", &["jaunt-text"]),
    ("jaunt-pytest", &["jaunt-process", "jaunt-text"]),
    ("jaunt-sched", &["jaunt-dag"]),
    ("jaunt-builder", &["jaunt-dag", "jaunt-digest", "jaunt-sched", "jaunt-text", "jaunt-write"]),
    ("jaunt-fresh", &["jaunt-builder", "jaunt-digest", "jaunt-write"]),
    ("jaunt-tester", &["jaunt-builder", "jaunt-digest", "jaunt-pytest"]),
    (
        "jaunt-backends",
        &["jaunt-builder", "jaunt-digest", "jaunt-process", "jaunt-text", "jaunt-write"],
    ),
    (
        "jaunt-report",
        &["jaunt-builder", "jaunt-digest", "jaunt-pytest", "jaunt-tester", "jaunt-text"],
    ),
    (
        "jaunt-engine",
        &[
            "jaunt-backends",
            "jaunt-builder",
            "jaunt-digest",
            "jaunt-fresh",
            "jaunt-process",
            "jaunt-pytest",
            "jaunt-tester",
            "jaunt-text",
            "jaunt-write",
        ],
    ),
    (
        "jaunt-cli",
        &[
            "jaunt-backends",
            "jaunt-builder",
            "jaunt-digest",
            "jaunt-engine",
            "jaunt-process",
            "jaunt-pytest",
            "jaunt-report",
            "jaunt-text",
        ],
    ),
];

/// Third-party crates that only some of our crates may depend on, and for what.
const OWNED: &[(&str, &[(&str, &str)])] = &[
    ("cap-std", &[("jaunt-write", "handles of directories that nothing leaves")]),
    ("cap-fs-ext", &[("jaunt-write", "the same, without following links")]),
    (
        "rustix",
        &[
            ("jaunt-write", "locks, exchanging renames, and stamps of files in few system calls"),
            ("jaunt-process", "process groups, signals, and adopted descendants"),
        ],
    ),
    ("ruff_python_parser", &[("jaunt-digest", "one parser decides what valid Python is")]),
    ("clap", &[("jaunt-cli", "arguments")]),
    ("indicatif", &[("jaunt-cli", "progress on a terminal")]),
    ("tonic", &[("jaunt-remote", "the Remote Execution API")]),
];

/// Finds dependencies that a crate must not have.
pub(super) fn check(
    sh: &Shell,
    root: &Path,
    crates: &[&str],
    violations: &mut Vec<Violation>,
) -> anyhow::Result<()> {
    for krate in crates.iter().filter(|krate| krate.starts_with("jaunt-")) {
        direct(krate, &manifest::read(root, krate)?, violations);
    }
    for krate in PURE {
        let tree = cmd!(sh, "cargo tree --package {krate} --edges normal --prefix none");
        for linked in impure(&tree.quiet().read()?) {
            violations.push(Violation {
                path: format!("{krate}/Cargo.toml"),
                line: 1,
                what: format!("{krate} must stay pure, but it links {linked}"),
                advice: format!(
                    "run `cargo tree -p {krate} -e normal -i {linked}` to see who asked for it"
                ),
            });
        }
    }
    Ok(())
}

/// Finds forbidden dependencies in a crate's `Cargo.toml`.
fn direct(krate: &str, dependencies: &[Dependency], violations: &mut Vec<Violation>) {
    let mut push = |line, what, advice: &str| {
        let path = format!("{krate}/Cargo.toml");
        violations.push(Violation { path, line, what, advice: advice.to_owned() });
    };
    let Some((_, allowed)) = EDGES.iter().find(|(it, _)| *it == krate) else {
        let what = format!("{krate} has no entry in the list of edges");
        return push(
            1,
            what,
            "add it to EDGES in xtask/src/layers/links.rs and to ARCHITECTURE.md",
        );
    };
    for Dependency { name, line, .. } in dependencies.iter().filter(|it| !it.is_dev) {
        if name.starts_with("jaunt-") && !allowed.contains(&name.as_str()) {
            push(
                *line,
                format!("{krate} must not depend on {name}"),
                "the edges that may exist are in xtask/src/layers/links.rs",
            );
        }
        let owners = OWNED.iter().find(|(it, _)| it == name).map(|(_, owners)| *owners);
        if let Some(owners) = owners
            && !owners.iter().any(|(owner, _)| *owner == krate)
        {
            let owners: Vec<&str> = owners.iter().map(|(owner, _)| *owner).collect();
            let advice = format!("ask {} instead", owners.join(" or "));
            push(*line, format!("{krate} must not link {name}"), &advice);
        }
    }
}

/// Picks the impure crates from the output of `cargo tree`.
fn impure(tree: &str) -> Vec<&str> {
    let linked = tree.lines().filter_map(|line| line.split(' ').next());
    let mut impure: Vec<&str> = linked.filter(|it| IMPURE.contains(it)).collect();
    impure.sort_unstable();
    impure.dedup();
    impure
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations(krate: &str, names: &[&str]) -> Vec<String> {
        let dependency = |(idx, name): (usize, &&str)| Dependency {
            name: (*name).to_owned(),
            is_dev: false,
            line: idx + 1,
        };
        let dependencies: Vec<Dependency> = names.iter().enumerate().map(dependency).collect();
        let mut violations = Vec::new();
        direct(krate, &dependencies, &mut violations);
        violations.iter().map(|it| format!("{} {}", it.line, it.what)).collect()
    }

    #[test]
    fn an_edge_that_is_not_listed_is_named_with_its_line() {
        assert_eq!(
            violations("jaunt-fresh", &["jaunt-write", "jaunt-sched", "rustix"]),
            ["2 jaunt-fresh must not depend on jaunt-sched", "3 jaunt-fresh must not link rustix"]
        );
    }

    #[test]
    fn a_crate_without_an_entry_is_an_error() {
        let found = violations("jaunt-new", &["jaunt-write"]);
        assert_eq!(found, ["1 jaunt-new has no entry in the list of edges"]);
    }

    #[test]
    fn a_crate_that_is_linked_twice_counts_once() {
        assert_eq!(impure("jaunt-dag v1\ntokio v1\npetgraph v1\ntokio v1 (*)"), ["tokio"]);
    }

    #[test]
    fn the_list_of_edges_has_no_cycle() {
        for (idx, (krate, allowed)) in EDGES.iter().enumerate() {
            let earlier: Vec<&str> = EDGES[..idx].iter().map(|(it, _)| *it).collect();
            assert!(allowed.iter().all(|it| earlier.contains(it)), "{krate} stands too early");
        }
    }
}
